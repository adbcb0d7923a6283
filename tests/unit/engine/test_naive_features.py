"""The twin's features on values worked out by hand, and those of the sources."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest

from alerting.engine.expressions import Comparison, Feature, parse
from tests.naive import features
from tests.naive.gate import judged
from tests.naive.looking import Look, kinds_of
from tests.naive.readings import Taken
from tests.naive.windows import DAY_US, Series, bins

HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
START_US = 20_000 * DAY_US
LIMITS = {
    "kg": (2.0, "kg"), "lb": (3.0, "[lb_av]"), "per_day": (0.1, "kg/d"), "percent": (5.0, "%"),
    "beats": (100.0, "/min"), "low": (3.9, "mmol/L"), "low_mg": (70.0, "mg/dL"), "long": (15.0, "min"),
    "times": (1.0, "1"), "mild": (1.0, "{code}"), "target": (80.0, "kg"), "width": (1.0, "kg"),
    "score": (5.0, "{score}"), "one": (1.0, "1"), "two": (2.0, "1"), "steps": (4_000.0, "{steps}"),
}  # fmt: skip


def taken(kind: str, t: int, value: float, unit: str | None) -> Taken:
    return Taken(t, "d", kind, value, unit)


def weights(*values: float, unit: str = "kg") -> list[Taken]:
    """One a day at the same hour, the last of them at START_US."""
    first_us = START_US - (len(values) - 1) * DAY_US
    return [taken("body_weight", first_us + i * DAY_US, v, unit) for i, v in enumerate(values)]


def looked(
    text: str, readings: list[Taken], t: int = START_US, *, enrolled_us: int = 0, stale_us: int | None = None
) -> float | None:
    """What the left side of a comparison is at a time."""
    condition = parse(text)
    assert isinstance(condition, Comparison)
    feature: Feature = condition.feature
    ordered = sorted(readings, key=lambda reading: reading.order)
    unit = LIMITS[condition.limit][1]
    return Look(
        feature, unit, LIMITS.__getitem__, lambda kinds: Series(kinds, ordered), t, enrolled_us, stale_us
    ).value()


# --- windows


def test_a_window_begins_after_its_edge() -> None:
    two = [taken("body_weight", START_US - DAY_US, 80.0, "kg"), taken("body_weight", START_US, 82.5, "kg")]
    assert looked("count(body_weight, days=1) > times", two) == 1
    assert looked("count(body_weight, days=1) > times", two, START_US - 1) == 1
    assert looked("rise(body_weight, days=1) > kg", two) is None
    assert looked("rise(body_weight, hours=25) > kg", two) == 2.5


def test_a_value_in_the_unit_of_the_limit_is_not_converted() -> None:
    pounds = weights(176.0, 179.0, unit="lb")
    assert looked("rise(body_weight, days=3) > lb", pounds) == 3.0
    assert looked("rise(body_weight, days=3) > kg", pounds) == pytest.approx(1.36077711)
    # 3.89 mmol/L is below 3.9 and above 70 mg/dL (clinical.md).
    low = [taken("glucose", START_US, 3.89, "mmol/L")]
    assert looked("count(glucose, below=low, days=1) > times", low) == 1
    assert looked("count(glucose, below=low_mg, days=1) > times", low) == 0


def test_a_bound_is_compared_in_millionths() -> None:
    almost = [taken("glucose", START_US, 3.8999996, "mmol/L")]
    assert looked("count(glucose, below=low, days=1) > times", almost) == 0
    assert looked("count(glucose, at_least=low, days=1) > times", almost) == 1


def test_rise_in_percent_of_the_value_before() -> None:
    assert looked("rise(body_weight, days=3) > percent", weights(80.0, 82.0, 84.0)) == 5.0
    assert looked("fall(body_weight, days=200) > percent", weights(*[80.0] * 90, 76.0)) == 5.0
    none = [taken("steps", START_US - 1, 0.0, "steps"), taken("steps", START_US, 10.0, "steps")]
    assert looked("rise(steps, days=3) > percent", none) is None


def test_rise_is_unknown_when_the_newest_is_too_old() -> None:
    assert looked("rise(body_weight, days=3) > kg", weights(80.0, 82.0), stale_us=0) == 2.0
    later = START_US + 1
    assert looked("rise(body_weight, days=3) > kg", weights(80.0, 82.0), later, stale_us=0) is None


def test_slope_needs_three_values_over_a_third_of_the_window() -> None:
    half_a_kilogram_a_day = weights(80.0, 80.5, 81.0)
    assert looked("slope(body_weight, days=6) > per_day", half_a_kilogram_a_day) == 0.5
    assert looked("slope(body_weight, days=7) > per_day", half_a_kilogram_a_day) is None
    assert looked("slope(body_weight, days=6) > per_day", half_a_kilogram_a_day[1:]) is None
    at_once = [replace(reading, t=START_US, device=str(i)) for i, reading in enumerate(half_a_kilogram_a_day)]
    assert looked("slope(body_weight, minutes=1) > per_day", at_once) is None


def test_a_long_slope_is_one_of_daily_values() -> None:
    up = [80.0 + 0.25 * day for day in range(40)]
    twice_a_day = [reading for day in weights(*up) for reading in (day, replace(day, t=day.t + HOUR_US))]
    now = START_US + HOUR_US
    assert looked("slope(body_weight, days=60) > per_day", twice_a_day, now) == pytest.approx(0.25)
    assert looked("slope(body_weight, days=120) > per_day", twice_a_day, now) is None


# --- dense kinds


def beats(t: int, value: float, kind: str = "heart_rate") -> Taken:
    return taken(kind, t, value, "/min")


def test_beyond_48_hours_a_dense_kind_is_seen_in_bins() -> None:
    bin_us = 15 * MINUTE_US
    busy = [beats(START_US + i * MINUTE_US, 120.0) for i in range(10)]
    calm = [beats(START_US + bin_us, 60.0), beats(START_US + 2 * bin_us, 90.0, "pulse")]
    now = START_US + 2 * bin_us
    assert [made.n for made in bins([*busy, *calm])] == [10, 1, 1]
    assert looked("mean(heart_rate, days=3) > beats", [*busy, *calm], now) == 1350 / 12
    assert looked("median(heart_rate, days=3) > beats", [*busy, *calm], now) == 90.0
    assert looked("median(heart_rate, hours=48) > beats", [*busy, *calm], now) == 120.0
    assert looked("share(heart_rate, above=beats, days=3) > percent", [*busy, *calm], now) == 1000 / 12
    assert looked("rise(heart_rate, days=3) > beats", [*busy, *calm], now) == 30.0
    assert looked("fall(heart_rate, days=3) > beats", [*busy, *calm], now) == 30.0


def test_a_window_takes_the_bins_after_the_one_in_which_it_begins() -> None:
    early = [beats(START_US - 3 * DAY_US + 14 * MINUTE_US, 120.0), beats(START_US, 60.0)]
    assert looked("count(heart_rate, days=3) > times", early) == 1
    assert looked("count(heart_rate, days=3) > times", early, START_US - MINUTE_US) == 1


def test_stretch_by_readings_and_by_bins() -> None:
    """An episode of hypoglycaemia begins after 15 consecutive minutes (Battelino 2023)."""
    low = [taken("glucose_cgm", START_US + i * 5 * MINUTE_US, 3.5, "mmol/L") for i in range(4)]
    now = START_US + 15 * MINUTE_US
    assert looked("stretch(glucose_cgm, below=low, hours=3) >= long", low, now) == 15 * MINUTE_US
    back = [*low[:2], replace(low[2], value=4.5), low[3]]
    assert looked("stretch(glucose_cgm, below=low, hours=3) >= long", back, now) == 5 * MINUTE_US
    gap = [low[0], *(replace(r, t=r.t + 26 * MINUTE_US) for r in low[1:])]
    assert looked("stretch(glucose_cgm, below=low, hours=3) >= long", gap, now + HOUR_US) == 10 * MINUTE_US
    assert looked("stretch(glucose_cgm, below=low, days=3) >= long", gap, now + HOUR_US) == 30 * MINUTE_US
    assert looked("stretch(glucose_cgm, below=low, hours=3) >= long", []) is None


def test_stretch_of_a_daily_kind_bears_36_hours() -> None:
    high = weights(81.0, 81.0, 81.0)
    assert looked("stretch(body_weight, above=target, days=9) > long", high) == 2 * DAY_US
    late = [*high[:2], replace(high[2], t=high[1].t + 36 * HOUR_US + 1)]
    assert looked("stretch(body_weight, above=target, days=9) > long", late, START_US + DAY_US) == DAY_US
    assert looked("stretch(body_weight, below=target, days=9) > long", high) == 0


def test_days_with_counts_days_of_utc() -> None:
    dizzy = [taken("symptom_dyspnoea", START_US + hours * HOUR_US, 2.0, None) for hours in (0, 23, 24)]
    now = START_US + DAY_US
    assert looked("days_with(symptom_dyspnoea, at_least=mild, days=2) > times", dizzy, now) == 2
    assert looked("max(symptom_dyspnoea, days=2) > mild", dizzy, now) == 2.0


def test_a_flat_line() -> None:
    assert looked("repeats(body_weight, days=9) > times", weights(82.0, 81.4, 81.4, 81.4)) == 3
    grams = [*weights(82.0, 81.4), taken("body_weight", START_US + 1, 81_400.0, "g")]
    assert looked("repeats(body_weight, days=9) > times", grams, START_US + 1) == 2
    assert looked("repeats(body_weight, days=9) > times", []) == 0


# --- daily values


def test_a_daily_value_is_the_median_of_the_day_so_far() -> None:
    day = [taken("body_weight", START_US + i, v, "kg") for i, v in enumerate((80.0, 90.0, 82.0))]
    for at, expected in ((0, 80.0), (1, 85.0), (2, 82.0)):
        assert looked("mean(body_weight, days=31) > kg", day, START_US + at) == expected


def test_daily_values_of_a_dense_kind_are_medians_of_bins() -> None:
    busy = [beats(START_US + i, 120.0) for i in range(99)]
    calm = [beats(START_US + hour * HOUR_US, 60.0) for hour in (1, 2)]
    assert looked("mean(heart_rate, days=31) > beats", [*busy, *calm], START_US + 3 * HOUR_US) == 60.0


STABLE = (79.0, 81.0, 79.0, 81.0, 79.0, 81.0, 80.0)


def test_baseline_leaves_out_the_days_that_were_not_stable() -> None:
    known = weights(*STABLE, 120.0, 80.0, 80.0, 80.0, 83.0)
    assert looked("baseline(body_weight, days=8) > kg", known) == 80.0
    assert looked("spread(body_weight, days=8) > kg", known) == 1.0
    assert looked("deviation(body_weight, days=8) > times", known) == 3.0
    assert looked("deviation(body_weight, days=8) > times", known, START_US + DAY_US) is None
    assert looked("baseline(body_weight, days=7, gap=5) > kg", known) is None, "six days only"
    assert looked("spread(body_weight, days=8) > lb", known) == pytest.approx(1 / 0.45359237)


def test_without_spread_there_is_no_deviation() -> None:
    flat = weights(*[80.0] * 12)
    assert looked("spread(body_weight, days=8) > kg", flat) == 0.0
    assert looked("deviation(body_weight, days=8) > times", flat) is None


def test_activity_relative_to_the_weeks_before() -> None:
    """Steps, 7-day mean under 60 % of the 28-day baseline (clinical.md)."""
    days = [6_000.0] * 28 + [3_000.0] * 7
    steps = [taken("steps", START_US - i * DAY_US, v, "steps") for i, v in enumerate(reversed(days))]
    assert looked("relative(steps, days=7, usual=28) < percent", steps) == 50.0
    some = [reading for reading in steps if reading.t <= START_US - 7 * DAY_US or reading.t == START_US]
    assert looked("relative(steps, days=7, usual=28) < percent", some) is None


# --- statistical process control


def test_ewma_of_the_engineering_statistics_handbook() -> None:
    """Target 50, standard deviation 2.0539, smoothing 0.3; averages of the first six, to two places."""
    values = (52.0, 47.0, 53.0, 49.3, 50.1, 47.0)
    averages = (50.60, 49.52, 50.56, 50.18, 50.16, 49.21)
    width = 2.0539 * math.sqrt(0.3 / 1.7)
    for n, average in enumerate(averages, start=1):
        units = features.against(values[:n], 50.0, 2.0539)
        assert features.ewma(units, 0.3) == pytest.approx((average - 50) / width, abs=0.006 / width)


def test_cusum_adds_up_what_lies_beyond_the_slack() -> None:
    units = [1.0, 2.0, -1.0, 3.0]
    assert features.cusum(units, 0.5, "high") == 0.5 + 1.5 - 1.5 + 2.5
    assert features.cusum([-x for x in units], 0.5, "low") == 3.0
    assert features.cusum(units, 0.5, "low") == 0.0
    assert features.cusum([-x for x in units], 0.5, "both") == 3.0


def test_charts_begin_with_the_enrolment() -> None:
    known = weights(90.0, 80.0, 81.0, 82.0)
    since = START_US - 2 * DAY_US + 5 * HOUR_US
    chart = "cusum(body_weight, slack=0.5, side=high, target=target, spread=width) > times"
    assert looked(chart, known, enrolled_us=since) == 0.0 + 0.5 + 1.5
    assert looked(chart, known) == 9.5 - 0.5 + 0.5 + 1.5
    assert looked("macd(body_weight, short=1, long=3) > kg", known, enrolled_us=since) == 82.0 - 81.25
    assert looked(chart, known, enrolled_us=START_US + DAY_US) is None


def test_what_is_usual_is_learnt_first() -> None:
    known = weights(79.0, 80.0, 81.0, 80.0 + 1.4826, 80.0)
    chart = "cusum(body_weight, slack=0, side=both, learn=3) > times"
    assert looked(chart, known[:3], START_US) is None
    assert looked(chart, known) == pytest.approx(1.0)
    assert looked("ewma(body_weight, smoothing=1, learn=3) > times", known[:4]) == pytest.approx(1.0)
    flat = weights(*[80.0] * 20)
    assert looked("ewma(body_weight, smoothing=0.2) > times", flat) is None


def test_only_the_latest_180_daily_values_count() -> None:
    chart = "cusum(body_weight, slack=0, side=high, target=target, spread=width) > times"
    assert looked(chart, weights(*[81.0] * 200)) == 180.0


# --- NEWS2


def test_parts_of_news2_within_half_an_hour() -> None:
    parts = [
        taken("respiratory_rate", START_US, 22.0, "/min"),
        taken("spo2", START_US, 93.0, "%"),
        taken("supplemental_oxygen", START_US, 0.0, None),
        taken("systolic", START_US - 29 * MINUTE_US, 105.0, "mmHg"),
        taken("pulse", START_US, 95.0, "/min"),
        taken("consciousness", START_US, 0.0, None),
        taken("temperature", START_US - 30 * MINUTE_US, 38.4, "Cel"),
    ]
    assert looked("news2(scale=one) > score", parts) == 2 + 2 + 1 + 1
    assert looked("news2_worst(scale=one) > score", parts) == 2
    assert looked("news2_missing(scale=one) > times", parts) == 1
    on_scale_2 = [taken("spo2", START_US, 93.0, "%")]
    assert looked("news2_missing(scale=two) > times", on_scale_2) == 7
    assert looked("news2(scale=two) > score", on_scale_2) == 0
    assert looked("news2(scale=two) > score", on_scale_2, START_US + 30 * MINUTE_US) is None


# --- the gate


def status(values: list[tuple[float, float]], horizon_hours: float, kind: str = "body_weight") -> list[str]:
    """Of readings at these hours, what became of those in doubt."""
    unit = "kg" if kind == "body_weight" else "mmol/L"
    readings = [taken(kind, START_US + int(hour * HOUR_US), value, unit) for hour, value in values]
    assert all(a.t <= b.t for a, b in pairwise(readings))
    found = judged(readings, START_US + int(horizon_hours * HOUR_US)).requests
    return [request.status for request in sorted(found, key=lambda request: request.taken_at_us)]


def test_a_jump_waits_for_a_repeat() -> None:
    jump = [(0.0, 80.0), (24.0, 88.1)]
    assert status(jump, 27.9) == ["pending"]
    assert status(jump, 28.0) == ["unanswered"]
    assert status([*jump, (25.0, 80.2)], 25) == ["suspect"]
    assert status([*jump, (25.0, 88.0)], 25) == ["confirmed"]
    assert status([*jump, (28.0, 80.2)], 28) == ["suspect"]
    assert status([*jump, (28.1, 80.2)], 28.1) == ["unanswered"]
    assert status([(0.0, 80.0), (24.0, 88.0)], 24) == [], "ten percent is no jump"
    assert status([(0.0, 80.0), (15 * 24.0, 90.0)], 15 * 24) == [], "the former value is too old"


def test_halfway_is_no_repeat_of_the_former_value() -> None:
    assert status([(0.0, 80.0), (24.0, 90.0), (25.0, 85.0)], 25) == ["confirmed"]


def test_after_a_suspect_value_the_former_one_stands() -> None:
    assert status([(0.0, 80.0), (24.0, 90.0), (25.0, 80.0), (48.0, 80.5)], 48) == ["suspect"]
    assert status([(0.0, 80.0), (24.0, 90.0), (25.0, 90.0), (48.0, 90.5)], 48) == ["confirmed"]


def test_above_what_a_meter_can_be_trusted_with() -> None:
    assert status([(0.0, 10.0), (1.0, 33.3)], 1, "glucose") == []
    assert status([(0.0, 10.0), (1.0, 33.4)], 1.5, "glucose") == ["unanswered"]
    assert status([(0.0, 10.0), (1.0, 40.0), (1.25, 41.0)], 1.25, "glucose") == ["confirmed"]
    assert status([(0.0, 10.0), (1.0, 45.0), (1.5, 11.0)], 1.5, "glucose") == ["suspect"]


def test_heart_rate_takes_both() -> None:
    assert kinds_of("heart_rate") == ("heart_rate", "pulse")
