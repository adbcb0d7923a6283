"""When something was measured: `effective[x]` of an Observation, to the microsecond and with its offset.

A period is taken by its start, which is a device's own timestamp in the personal-health-device guide, and the
part of a reading's identity that does not move. A date without a time is taken for the steps of a day alone,
as the start of that day in Europe/Amsterdam; for all else the hour matters, and none is invented.
"""

import re
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ingest.delivery.content import Code, Fault
from ingest.delivery.fhir.elements import (
    Element,
    elements,
    faulty,
    missing,
    object_in,
    refuse_others,
    shown,
    text_in,
)
from models.clock import DAY_US, HOUR_US, to_us
from models.messages import WireReading

ZONE = ZoneInfo("Europe/Amsterdam")
OF_A_DAY = frozenset({"steps"})
"""What is counted by day: a date says all that there is to say."""

LONGEST_US = HOUR_US
"""A value over a longer time is no reading of a moment."""

SHORTEST_DAY_US, LONGEST_DAY_US = 23 * HOUR_US, 25 * HOUR_US
"""On two days in a year clocks are put forward, or back."""

_FIRST_US = 0
_LAST_US = 4_102_444_800_000_000
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?P<fraction>\.\d+)?"
    r"(?P<zone>Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)",
    re.ASCII,
)
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?", re.ASCII)
_ZONELESS = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+", re.ASCII)
_FORMS = frozenset({"effectiveDateTime", "effectiveInstant", "effectivePeriod", "effectiveTiming"})
_PERIOD = elements(primitives=("start", "end"))
_OF_A_DAY = "a whole day: the steps of a part of it are not those of a day"
_OF_A_MOMENT = "a period of at most an hour: a value over longer is no reading of a moment"
_EXPECTED = "a date and time with seconds and zone, such as 2026-11-22T08:31:20+01:00"


class Moment(NamedTuple):
    """A moment, and the offset of the clock that said it; None where it did not say which.

    **Units**: microseconds since 1970 UTC; minutes.
    """

    at_us: int
    offset_min: int | None

    def stamp(self, reading: WireReading, revision: int | None) -> None:
        """Sets when a reading was taken, and its revision where there is one."""
        reading["taken_at_us"] = self.at_us
        if self.offset_min is not None:
            reading["utc_offset_min"] = self.offset_min
        if revision is not None:
            reading["revision"] = revision


def read_effective(resource: Element, about: str, where: str, faults: list[Fault]) -> Moment | None:
    """When what a resource is about was measured; None, and a fault, where it does not say."""
    given = _FORMS.intersection(resource)
    if len(given) != 1:
        at = f"{where}.effective"
        if given:
            faults.append(Fault(at, "one time", " and ".join(sorted(given)), Code.STRUCTURE))
        else:
            faults.append(missing(at, f"effectiveDateTime, {_EXPECTED}"))
        return None
    (name,) = given
    at = f"{where}.{name}"
    if name == "effectivePeriod":
        return _period(resource, about, where, faults)
    if name == "effectiveTiming":
        expected = "effectiveDateTime: a reading has one moment, not a schedule of them"
        faults.append(Fault(at, expected, "effectiveTiming", Code.NOT_SUPPORTED))
        return None
    text = text_in(resource, name, where, faults)
    return None if text is None else moment_of(text, about, at, faults)


def moment_of(text: str, about: str, at: str, faults: list[Fault]) -> Moment | None:
    """The moment that a FHIR dateTime names.

    >>> moment_of("2026-11-22T08:31:20.000001+01:00", "pulse", "Observation.effectiveDateTime", [])
    Moment(at_us=1795332680000001, offset_min=60)
    """
    found = _MOMENT.fullmatch(text)
    if found is None:
        return _date(text, about, at, faults)
    fraction = found["fraction"]
    if fraction is not None and len(fraction) > 7 and fraction[7:].strip("0"):
        faults.append(faulty(at, "a time in whole microseconds", text, Code.VALUE))
        return None
    try:
        moment = datetime.fromisoformat(text)
        at_us = to_us(moment)
    except ValueError:
        is_leap = text[17:19] == "60"
        expected = "a second from 0 to 59: leap seconds cannot be kept" if is_leap else "a time that there is"
        faults.append(faulty(at, expected, text, Code.VALUE))
        return None
    if not _FIRST_US <= at_us <= _LAST_US:
        faults.append(faulty(at, "a time from 1970 to 2099", text, Code.VALUE))
        return None
    if found["zone"] == "-00:00":
        return Moment(at_us, None)
    offset = moment.utcoffset()
    return Moment(at_us, None if offset is None else int(offset.total_seconds()) // 60)


def _date(text: str, about: str, at: str, faults: list[Fault]) -> Moment | None:
    fault: Fault | None = None
    if _ZONELESS.fullmatch(text):
        fault = Fault(at, _EXPECTED, f"{shown(text)}, without a zone", Code.REQUIRED)
    elif _DATE.fullmatch(text) is None:
        fault = faulty(at, _EXPECTED, text, Code.VALUE)
    elif about not in OF_A_DAY:
        expected = f"{_EXPECTED}: for {about.replace('_', ' ')} the hour matters, and none is invented"
        fault = Fault(at, expected, f"{shown(text)}, a date without a time", Code.REQUIRED)
    if fault is not None:
        faults.append(fault)
        return None
    at_us = _start_of(text)
    if at_us is None:
        faults.append(faulty(at, "a whole date from 1970 to 2099, such as 2026-11-22", text, Code.VALUE))
        return None
    # A date has no offset: the zone is ours, not the sender's.
    return Moment(at_us, None)


def _start_of(text: str) -> int | None:
    try:
        at_us = to_us(datetime.combine(date.fromisoformat(text), time.min, ZONE))
    except ValueError:
        return None
    return at_us if _FIRST_US <= at_us <= _LAST_US else None


def _period(resource: Element, about: str, where: str, faults: list[Fault]) -> Moment | None:
    at = f"{where}.effectivePeriod"
    period = object_in(resource, "effectivePeriod", where, faults)
    if period is None:
        return None
    refuse_others(period, _PERIOD, at, faults)
    start, end = text_in(period, "start", at, faults), text_in(period, "end", at, faults)
    began = None if start is None else moment_of(start, about, f"{at}.start", faults)
    if "start" not in period:
        faults.append(missing(f"{at}.start", f"{_EXPECTED}: a reading is taken by when it began"))
    ended = None if end is None else moment_of(end, about, f"{at}.end", faults)
    if began is None or end is None or ended is None:
        return began
    # A date at the end of a period is the whole of that day.
    lasted_us = ended.at_us - began.at_us + (DAY_US if _DATE.fullmatch(end) else 0)
    if lasted_us < 0:
        faults.append(faulty(f"{at}.end", "a time not before the start", end, Code.RULE))
    elif lasted_us and not _fits(lasted_us, about):
        expected = _OF_A_DAY if about in OF_A_DAY else _OF_A_MOMENT
        faults.append(Fault(at, expected, str(timedelta(microseconds=lasted_us)), Code.NOT_SUPPORTED))
    return began


def _fits(lasted_us: int, about: str) -> bool:
    return SHORTEST_DAY_US <= lasted_us <= LONGEST_DAY_US if about in OF_A_DAY else lasted_us <= LONGEST_US
