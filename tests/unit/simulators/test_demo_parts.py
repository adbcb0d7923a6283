"""What the demo decides by itself: whether readings add up, what it plans live, what it shows."""

import io
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from models.clock import SECOND_US
from models.db.positions import Position
from models.findings import Signal
from simulators.demo.database import NewAlert, Stored
from simulators.demo.live import plan, signal_of
from simulators.demo.picture import Picture, State
from simulators.demo.report import differences, milliseconds
from simulators.scenarios.scenario import Scenario
from simulators.wire import TICK, Encoder
from tests.unit.simulators.programmes import small_programmes

AT = Position(next_offset=5, clock_us=None, received=10, stored=7, duplicate=2, quarantined=1)


def test_readings_that_add_up_differ_in_nothing() -> None:
    positions = {"thuiswacht.ingest": {0: AT, 1: AT}}
    assert differences({0: 10, 1: 10}, positions, Stored(14, 2)) == []


@pytest.mark.parametrize(
    ("at", "stored", "says"),
    [
        (replace(AT, received=9), Stored(14, 2), "partition 1: sent 10, received 9"),
        (replace(AT, stored=6), Stored(13, 2), "stored 6 + duplicate 2 + quarantined 1 = 9"),
        (AT, Stored(13, 2), "table reading holds 13 readings, the counters say 14"),
        (AT, Stored(14, 0), "table quarantine holds 0 readings, the counters say 2"),
    ],
)
def test_what_does_not_add_up_is_said_with_its_place(at: Position, stored: Stored, says: str) -> None:
    (found,) = differences({0: 10, 1: 10}, {"thuiswacht.ingest": {0: AT, 1: at}}, stored)
    assert says in found


def test_a_partition_that_nobody_read_is_said() -> None:
    assert "nothing was read" in differences({0: 3}, {"thuiswacht.ingest": {}}, Stored(0, 0))[0]


def test_percentiles_are_values_that_were_seen() -> None:
    found = milliseconds([number / 1000 for number in range(1, 101)])
    assert (found.p50, found.p99, found.max, found.count) == (50.0, 99.0, 100.0, 100)
    assert milliseconds([]).p50 is None


def test_the_live_stretch_is_planned_to_the_moment() -> None:
    scenario = Scenario(seed=1, patients=60, days=3, start=date(2026, 3, 2), programmes=small_programmes())
    encoder = Encoder(scenario, 900 * SECOND_US)
    for day in scenario:
        list(encoder.day(day))
    begin_us, alarming = scenario.end_us + 1, [3, 1, 4]
    planned = plan(
        scenario, encoder, scenario.day(3), begin_us=begin_us, seconds=2, uploads_per_s=10, alarming=alarming
    )
    assert [one.at_us for one in planned] == sorted(one.at_us for one in planned)
    assert [one.message.patient for one in planned].count(TICK) == 3
    alarms = {one.message.patient: one.alarms for one in planned if one.alarms is not None}
    assert alarms == {patient: signal_of(scenario, patient) for patient in alarming}
    assert set(alarms.values()) <= {Signal.HEART_RATE, Signal.PRESSURE}
    background = [one.message for one in planned if one.alarms is None and one.message.patient != TICK]
    assert len(background) == 20
    assert not {message.patient for message in background} & set(alarming)


def test_the_picture_shows_the_newest_alerts_in_both_languages_and_redraws() -> None:
    out = io.StringIO()
    picture = Picture(small_programmes(), moving=True, out=out)
    alert = NewAlert(
        "high",
        "fluid",
        uuid.UUID(int=7),
        datetime(2026, 7, 1, 7, 30, tzinfo=UTC),
        "heart_failure",
        "too_much",
    )
    state = State("flood", day=2, days=9, date="2026-07-01", alerts={"high": 1}, newest=[alert])
    picture.show(state)
    first = out.getvalue()
    # Summer time at home.
    assert "▲ HOOG   01-07 09:30  00000000  Te veel" in first
    assert "Too much" in first
    lines = first.count("\n")
    picture.show(state)
    assert out.getvalue()[len(first) :].startswith(f"\033[{lines}F")


def test_without_a_terminal_there_is_one_line_at_a_time() -> None:
    out = io.StringIO()
    picture = Picture(small_programmes(), moving=False, out=out)
    picture.show(State("flood", day=2, days=9, date="2026-07-01", sent=5))
    assert out.getvalue() == "flood  day 2/9 (2026-07-01)  5 readings sent, 0 stored, 0 messages behind\n"
    assert not picture.due()
