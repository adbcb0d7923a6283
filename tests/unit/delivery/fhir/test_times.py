"""Times are kept to the microsecond with their offset; none is invented, and none is bent."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.delivery.fhir.times import moment_of
from models.clock import to_us
from tests.unit.delivery.fhir.samples import LOINC, TAKEN_AT, TAKEN_AT_US, faults, observation, readings

STEPS = {"coding": [{"system": LOINC, "code": "55423-8"}]}
COUNT = {"value": 4321, "system": "http://unitsofmeasure.org", "code": "{steps}"}


def taken_at(text: str) -> tuple[int, int | None]:
    (reading,) = readings(observation(effectiveDateTime=text))
    return reading["taken_at_us"], reading.get("utc_offset_min")


@pytest.mark.parametrize(
    ("text", "at_us", "offset_min"),
    [
        (TAKEN_AT, TAKEN_AT_US, 60),
        ("2026-11-22T07:31:20Z", TAKEN_AT_US, 0),
        ("2026-11-22T07:31:20-00:00", TAKEN_AT_US, None),
        ("2026-11-22T21:31:20+14:00", TAKEN_AT_US, 840),
        ("2026-11-22T08:31:20.000001+01:00", TAKEN_AT_US + 1, 60),
        ("2026-11-22T08:31:20.5000000000+01:00", TAKEN_AT_US + 500_000, 60),
        ("1970-01-01T00:00:00Z", 0, 0),
        ("2099-12-31T23:59:59Z", 4_102_444_799_000_000, 0),
        # The hour that occurs twice: the offset tells which.
        ("2026-10-25T02:30:00+02:00", 1_792_888_200_000_000, 120),
        ("2026-10-25T02:30:00+01:00", 1_792_891_800_000_000, 60),
    ],
)
def test_moments(text: str, at_us: int, offset_min: int | None) -> None:
    assert taken_at(text) == (at_us, offset_min)


@pytest.mark.parametrize(
    ("text", "expected", "found"),
    [
        (
            "2026-11-22T08:31:20",
            "a date and time with seconds and zone",
            "'2026-11-22T08:31:20', without a zone",
        ),
        ("2026-11-22T08:31", "a date and time with seconds and zone", "'2026-11-22T08:31', without a zone"),
        ("2026-11-22T08:31+01:00", "a date and time with seconds and zone", "'2026-11-22T08:31+01:00'"),
        ("2026-11-22", "a date and time with seconds and zone", "'2026-11-22', a date without a time"),
        ("2026", "a date and time with seconds and zone", "'2026', a date without a time"),
        ("22-11-2026", "a date and time with seconds and zone", "'22-11-2026'"),
        ("2026-11-22 08:31:20+01:00", "a date and time with seconds and zone", "'2026-11-22 08:31:20+01:00'"),
        ("2026-11-22T08:31:20+15:00", "a date and time with seconds and zone", "'2026-11-22T08:31:20+15:00'"),
        (
            "2026-11-22T08:31:60Z",
            "a second from 0 to 59: leap seconds cannot be kept",
            "'2026-11-22T08:31:60Z'",
        ),
        ("2026-11-22T24:00:00Z", "a time that there is", "'2026-11-22T24:00:00Z'"),
        ("2026-02-30T08:31:20Z", "a time that there is", "'2026-02-30T08:31:20Z'"),
        ("0000-01-01T00:00:00Z", "a time that there is", "'0000-01-01T00:00:00Z'"),
        ("0001-01-01T00:00:00+14:00", "a time from 1970 to 2099", "'0001-01-01T00:00:00+14:00'"),
        ("9999-12-31T23:59:59-12:00", "a time from 1970 to 2099", "'9999-12-31T23:59:59-12:00'"),
        ("1969-12-31T23:59:59Z", "a time from 1970 to 2099", "'1969-12-31T23:59:59Z'"),
        ("2026-11-22T08:31:20.0000001Z", "a time in whole microseconds", "'2026-11-22T08:31:20.0000001Z'"),
        ("٢٠٢٦-11-22T08:31:20Z", "a date and time with seconds and zone", "'٢٠٢٦-11-22T08:31:20Z'"),
    ],
)
def test_what_is_no_moment(text: str, expected: str, found: str) -> None:
    ((where, wanted, what),) = faults(observation(effectiveDateTime=text))
    assert (where, what) == ("Observation.effectiveDateTime", found)
    assert wanted.startswith(expected)


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 30)),  # noqa: DTZ001 (zones are drawn beside them)
    st.integers(-13 * 60, 13 * 60),
)
def test_every_moment_is_kept_exactly(naive: datetime, offset_min: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=offset_min)))
    found = moment_of(moment.isoformat(timespec="microseconds"), "pulse", "Observation.effectiveDateTime", [])
    assert found is not None
    assert found.at_us == to_us(moment.astimezone(UTC))
    assert found.offset_min == offset_min or (found.offset_min is None and offset_min == 0)


def test_an_instant_is_a_moment_too() -> None:
    sent = observation(effectiveDateTime=None, effectiveInstant="2026-11-22T07:31:20.000Z")
    assert readings(sent)[0]["taken_at_us"] == TAKEN_AT_US


def test_a_period_is_taken_by_its_start() -> None:
    period = {"start": TAKEN_AT, "end": "2026-11-22T08:32:00+01:00"}
    (reading,) = readings(observation(effectiveDateTime=None, effectivePeriod=period))
    assert (reading["taken_at_us"], reading.get("utc_offset_min")) == (TAKEN_AT_US, 60)
    (reading,) = readings(observation(effectiveDateTime=None, effectivePeriod={"start": TAKEN_AT}))
    assert reading["taken_at_us"] == TAKEN_AT_US


@pytest.mark.parametrize(
    ("period", "where", "found"),
    [
        ({"end": TAKEN_AT}, "Observation.effectivePeriod.start", "nothing"),
        ({"start": TAKEN_AT, "end": "2026-11-22T08:31:19+01:00"}, "Observation.effectivePeriod.end", None),
        ({"start": TAKEN_AT, "end": "2026-11-22T09:31:21+01:00"}, "Observation.effectivePeriod", "1:00:01"),
        ({"start": "2026-11-22"}, "Observation.effectivePeriod.start", None),
        ({"start": TAKEN_AT, "until": TAKEN_AT}, "Observation.effectivePeriod", "an unknown one, 'until'"),
        ("2026", "Observation.effectivePeriod", "'2026'"),
    ],
)
def test_periods_that_are_no_moment(period: object, where: str, found: str | None) -> None:
    ((at, _, what),) = faults(observation(effectiveDateTime=None, effectivePeriod=period))
    assert at == where
    assert found in {None, what}


def test_the_steps_of_a_day_may_have_a_date() -> None:
    midnight = to_us(datetime.fromisoformat("2026-11-22T00:00:00+01:00"))
    (reading,) = readings(observation(code=STEPS, valueQuantity=COUNT, effectiveDateTime="2026-11-22"))
    assert reading["taken_at_us"] == midnight
    # The zone is ours: the sender named none.
    assert "utc_offset_min" not in reading
    for period in (
        {"start": "2026-11-22", "end": "2026-11-22"},
        {"start": "2026-11-22T00:00:00+01:00", "end": "2026-11-23T00:00:00+01:00"},
    ):
        sent = observation(code=STEPS, valueQuantity=COUNT, effectiveDateTime=None, effectivePeriod=period)
        assert readings(sent)[0]["taken_at_us"] == midnight


@pytest.mark.parametrize("text", ["2026-11", "2026-02-30", "0001-01-01", "9999-12-31"])
def test_dates_that_are_no_day(text: str) -> None:
    sent = observation(code=STEPS, valueQuantity=COUNT, effectiveDateTime=text)
    assert faults(sent)[0][::2] == ("Observation.effectiveDateTime", f"'{text}'")


@pytest.mark.parametrize(
    ("start", "end", "lasted"),
    [
        ("2026-11-22", "2026-11-23", "2 days, 0:00:00"),
        ("2026-11-22T08:00:00+01:00", "2026-11-22T08:01:00+01:00", "0:01:00"),
        ("2026-11-22T00:00:00+01:00", "2026-11-22T22:59:59+01:00", "22:59:59"),
    ],
)
def test_two_days_or_a_part_are_not_one(start: str, end: str, lasted: str) -> None:
    period = {"start": start, "end": end}
    sent = observation(code=STEPS, valueQuantity=COUNT, effectiveDateTime=None, effectivePeriod=period)
    assert faults(sent)[0][::2] == ("Observation.effectivePeriod", lasted)


def test_days_on_which_clocks_are_put_forward_or_back_are_whole() -> None:
    for start, end in (
        ("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"),
        ("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"),
        ("2026-11-22T00:00:00Z", "2026-11-22T23:59:59Z"),
    ):
        period = {"start": start, "end": end}
        sent = observation(code=STEPS, valueQuantity=COUNT, effectiveDateTime=None, effectivePeriod=period)
        assert readings(sent)[0]["taken_at_us"] == to_us(datetime.fromisoformat(start))


def test_no_time_several_times_and_a_schedule() -> None:
    assert faults(observation(effectiveDateTime=None))[0][::2] == ("Observation.effective", "nothing")
    both = observation(effectiveInstant=TAKEN_AT)
    assert faults(both)[0] == ("Observation.effective", "one time", "effectiveDateTime and effectiveInstant")
    scheduled = observation(effectiveDateTime=None, effectiveTiming={"event": [TAKEN_AT]})
    assert faults(scheduled)[0][::2] == ("Observation.effectiveTiming", "effectiveTiming")
    assert faults(observation() | {"effectiveDateTime": 2026})[0][::2] == (
        "Observation.effectiveDateTime",
        "2026",
    )
    absent = observation(effectiveDateTime=None, _effectiveDateTime={"extension": []})
    assert faults(absent)[0][::2] == ("Observation.effective", "nothing")
