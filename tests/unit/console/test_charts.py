"""What a chart is drawn from: columns, tables, gaps, what is usual, missed measurements."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.console.patient.charts import (
    ROWS,
    SCALE,
    Chart,
    charts_of,
    columns,
    cut,
    kinds_of_chart,
    table_of,
)
from alerting.console.patient.gaps import missed, stretches_without
from alerting.console.patient.levels import Usual
from alerting.console.patient.usual import stable, usual_band
from alerting.engine.programme import Schedule
from alerting.explain.vocabulary import Language
from models.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from models.db.series import Series
from models.kinds import KINDS
from tests.naive import features
from tests.unit.console.series import T0_US, UPLOAD, series


def chart(*every: Series, name: str = "body_weight", missed: tuple[int, ...] = ()) -> Chart:
    return Chart(name, T0_US - 31 * DAY_US, T0_US, every, missed=missed)


def test_every_kind_with_numbers_is_in_one_chart_but_the_battery() -> None:
    names = charts_of([kind.name for kind in KINDS])
    drawn = [kind for name in names for kind in kinds_of_chart(name)]
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == {kind.name for kind in KINDS if kind.unit is not None} - {"battery"}
    assert kinds_of_chart("systolic") == kinds_of_chart("nothing") == ()


readings_of_weeks = st.lists(
    st.tuples(st.integers(0, 30 * 86_400), st.integers(20_000, 300_000)),
    max_size=200,
    unique_by=lambda one: one[0],
)


@given(readings_of_weeks)
def test_columns_give_back_every_reading(readings: list[tuple[int, int]]) -> None:
    drawn = series([(T0_US - at_s * SECOND_US, value / 1_000) for at_s, value in readings])
    (wire,) = columns(chart(drawn), Language.NL)["series"]
    at, value = np.cumsum(wire["at"]), np.cumsum(wire["value"])
    assert [*zip(at.tolist(), value.tolist(), strict=True)] == sorted(
        (T0_US // SECOND_US - at_s, value) for at_s, value in readings
    )
    assert SCALE == 1_000


@given(readings_of_weeks)
def test_the_table_has_every_reading_or_every_day(readings: list[tuple[int, int]]) -> None:
    drawn = series([(T0_US - at_s * SECOND_US, value / 1_000) for at_s, value in readings])
    table = table_of(chart(drawn), Language.NL)
    assert table.by_day == (len(readings) > ROWS)
    assert table.count == len(readings)
    if table.by_day:
        numbers = [int(row.cells[0].rpartition("; ")[2].rstrip(")")) for row in table.rows]
        assert sum(numbers) == len(readings)
    else:
        assert len(table.rows) == len(readings)


def test_a_day_of_the_table_is_one_in_amsterdam() -> None:
    # 23:30 UTC is half past midnight there; and a summer's day begins at 22:00 UTC.
    winter, summer = 20_782 * DAY_US, 20_600 * DAY_US
    values = [(winter - HOUR_US // 2 + n * MINUTE_US // 10, 80.0) for n in range(200)]
    values += [(summer - 90 * MINUTE_US + n * MINUTE_US // 10, 81.0) for n in range(200)]
    rows = table_of(chart(series(values)), Language.NL).rows
    assert [row.at_us for row in rows] == [winter - HOUR_US, summer - 2 * HOUR_US]
    assert rows[0].cells == ("80,0 kg (80,0 – 80,0; 200)",)


def test_pressures_of_one_moment_stand_in_one_row_with_who_entered_them() -> None:
    upper = series([(T0_US, 134.0), (T0_US - DAY_US, 140.0)], "systolic", entered={1: UPLOAD})
    lower = series([(T0_US, 78.0)], "diastolic")
    first, second = table_of(chart(upper, lower, name="blood_pressure"), Language.NL).rows
    assert first.cells == ("134 mmHg", "78 mmHg")
    assert first.upload == UPLOAD
    assert first.keys == (("systolic", T0_US, "scale-1"), ("diastolic", T0_US, "scale-1"))
    assert second.cells == ("140 mmHg", "")
    assert second.upload is None


def test_a_stretch_of_a_series_keeps_who_entered_what() -> None:
    whole = series([(T0_US - n * HOUR_US, 80.0 + n) for n in range(6)], entered={1: UPLOAD, 4: UPLOAD})
    part = cut(whole, T0_US - 3 * HOUR_US, T0_US - HOUR_US)
    assert part.value.tolist() == [82.0, 81.0]
    assert part.entered == {1: UPLOAD}


def test_one_missed_morning_is_no_gap_but_three_are() -> None:
    days = [0, 1, 2, 4, 5, 6, 10, 11]
    at_us = np.array([T0_US + day * DAY_US for day in days], np.int64)
    assert stretches_without(at_us) == [(T0_US + 6 * DAY_US, T0_US + 10 * DAY_US)]


def test_a_missed_measurement_is_one_of_an_agreed_day() -> None:
    agreed = [Schedule(kind="body_weight", before="11:00", on=("sun", "mon", "tue"))]
    taken = np.array([T0_US, T0_US + DAY_US + 4 * HOUR_US], np.int64)
    # Sunday in time, Monday at half past twelve, Tuesday nothing, Wednesday is not agreed.
    found = missed(taken, agreed, T0_US - HOUR_US, T0_US + 3 * DAY_US + 5 * HOUR_US)
    eleven_us = T0_US - 31 * MINUTE_US + 3 * HOUR_US
    assert found == [eleven_us + DAY_US, eleven_us + 2 * DAY_US]


@given(st.lists(st.floats(50, 150), max_size=40))
def test_what_is_usual_is_as_in_the_slow_reference(values: list[float]) -> None:
    middle, spread = stable(values)
    wanted = features.baseline(values), features.spread(values)
    for found, expected in zip((middle, spread), wanted, strict=True):
        assert math.isnan(found) if expected is None else found == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_band_of_a_day_knows_nothing_of_that_day_and_of_those_just_before() -> None:
    day0 = T0_US // DAY_US
    steady = [((day0 - day) * DAY_US + 7 * HOUR_US, 80.0 + day % 2) for day in range(40, 3, -1)]
    lately = [((day0 - day) * DAY_US + 7 * HOUR_US, 99.0) for day in range(3)]
    every = series(steady + lately)
    bands = usual_band(every.taken_at_us, every.value, Usual(days=14, gap_days=3), T0_US, T0_US)
    (band,) = bands
    assert band.at_us == day0 * DAY_US
    assert band.low < 80.5 < band.high < 82
    assert (
        usual_band(every.taken_at_us, every.value, Usual(14, 3), T0_US - 60 * DAY_US, T0_US - 50 * DAY_US)
        == []
    )
