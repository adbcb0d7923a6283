"""Which looks are worth a second look: without a relation, at odd hours, in unusual number. Pure.

A flag accuses nobody: it says in a sentence what is unusual, so that a person can decide. Whether somebody
looked up a colleague, or themselves, cannot be decided here: names of patients are sealed. All numbers are
our own proposals.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from math import sqrt
from statistics import median

from ingest.rights.looks import ROLES, ZONE, date_nl
from models.access import Role
from models.clock import DAY_US, to_datetime
from models.looks import Emergency, Hour

BASELINE_US = 28 * DAY_US
"""So long before the period that is reviewed is looked at, to know what is usual."""

ENOUGH_LOOKS = 200
RARE = 0.01
"""Hours with less than this part of a role's looks, an hour to either side included, are odd."""

ENOUGH_DAYS = 5
ENOUGH_DAYS_OF_ROLE = 20
SPREADS_OF_OWN = 6.0
SPREADS_OF_ROLE = 8.0
FEWEST = 20
"""So many looks a day are never too many."""
MOST_WITHOUT_BASELINE = 150

_CARERS = frozenset({Role.NURSE, Role.COMMUNITY_NURSE, Role.HUISARTS, Role.SPECIALIST})


class Why(StrEnum):
    """What is unusual."""

    EMERGENCY = "emergency"
    REFUSED = "refused"
    ODD_HOURS = "odd_hours"
    UNUSUAL_NUMBER = "unusual_number"


@dataclass(frozen=True, slots=True)
class Flag:
    """Something to look at again: who, when, why. **Units**: `at_us` in microseconds since 1970 UTC."""

    why: Why
    user_id: str
    role: str
    at_us: int
    nl: str
    en: str
    emergency: Emergency | None = None


@dataclass(frozen=True, slots=True)
class _Day:
    user_id: str
    role: str
    day: date


def review(hours: Sequence[Hour], emergencies: Sequence[Emergency], since_us: int) -> list[Flag]:
    """What is worth a second look from a moment on; what is before it tells what is usual.

    **Units**: `since_us` in microseconds since 1970 UTC.
    """
    before = [hour for hour in hours if hour.hour_us < since_us]
    since = [hour for hour in hours if hour.hour_us >= since_us]
    flags = [*map(_emergency, emergencies)]
    flags += [*_refused(since), *_odd_hours(before, since), *_unusual_numbers(before, since)]
    return sorted(flags, key=lambda flag: (list(Why).index(flag.why), flag.at_us, flag.user_id))


def _emergency(emergency: Emergency) -> Flag:
    at = _local(emergency.from_us)
    return Flag(
        Why.EMERGENCY, emergency.person_id, "", emergency.from_us,
        f"Op {date_nl(at)} om {at:%H:%M} uur: toegang zonder behandelrelatie wegens een noodgeval. "
        f"Opgegeven reden: {emergency.reason}",
        f"On {at:%d %B %Y} at {at:%H:%M}: access without a relation, for an emergency. "
        f"Reason given: {emergency.reason}",
        emergency,
    )  # fmt: skip


def _refused(hours: Iterable[Hour]) -> Iterator[Flag]:
    counts: Counter[_Day] = Counter()
    first: dict[_Day, int] = {}
    for hour in hours:
        if hour.refused:
            counts[_day(hour)] += hour.refused
            first.setdefault(_day(hour), hour.hour_us)
    for day, count in counts.items():
        at = _local(first[day])
        yield Flag(
            Why.REFUSED, day.user_id, day.role, first[day],
            f"Op {date_nl(at)} {count} keer geweigerd: een patiënt zonder behandelrelatie, of zonder recht.",
            f"On {at:%d %B %Y} refused {count} times: a patient without a relation, or without the right to.",
        )  # fmt: skip


def _odd_hours(before: Sequence[Hour], since: Sequence[Hour]) -> Iterator[Flag]:
    usual: dict[tuple[str, bool], Counter[int]] = defaultdict(Counter)
    own: dict[tuple[str, str, bool], Counter[int]] = defaultdict(Counter)
    for hour in before:
        at = _local(hour.hour_us)
        usual[hour.role, _is_weekend(at)][at.hour] += hour.looks
        own[hour.user_id, hour.role, _is_weekend(at)][at.hour] += hour.looks
    found: dict[_Day, list[Hour]] = defaultdict(list)
    for hour in since:
        at = _local(hour.hour_us)
        weekend = _is_weekend(at)
        # What others of the role do: who always looks at night does not make it usual.
        others = usual[hour.role, weekend] - own[hour.user_id, hour.role, weekend]
        if hour.looks and not is_usual_hour(hour.role, at, others):
            found[_day(hour)].append(hour)
    for day, odd in found.items():
        at = _local(odd[0].hour_us)
        times = ", ".join(f"{_local(hour.hour_us):%H}:00" for hour in odd)
        count = sum(hour.looks for hour in odd)
        role_nl, role_en = ROLES.get(day.role, (day.role, day.role))
        yield Flag(
            Why.ODD_HOURS, day.user_id, day.role, odd[0].hour_us,
            f"Op {date_nl(at)} {count} keer gekeken in de uren vanaf {times}: ongewoon als {role_nl}.",
            f"On {at:%A %d %B %Y} {count} looks in the hours from {times}: unusual for a {role_en}.",
        )  # fmt: skip


def is_usual_hour(role: str, at: datetime, others: Mapping[int, int]) -> bool:
    """Whether others of a role look at that hour of such a day; `others` are their looks by hour of the day.

    Where too little is known of them: carers from 7 to 23, everybody else on working days from 7 to 19, and
    systems always.
    """
    total = sum(others.values())
    if total >= ENOUGH_LOOKS:
        around = sum(others.get((at.hour + step) % 24, 0) for step in (-1, 0, 1))
        return around >= RARE * total
    if role == Role.SERVICE:
        return True
    if role in _CARERS:
        return 7 <= at.hour < 23
    return 7 <= at.hour < 19 and not _is_weekend(at)


def _unusual_numbers(before: Sequence[Hour], since: Sequence[Hour]) -> Iterator[Flag]:
    usual = _by_day(before)
    for day, count in _by_day(since).items():
        own = [n for one, n in usual.items() if (one.user_id, one.role) == (day.user_id, day.role)]
        others = [n for one, n in usual.items() if one.role == day.role and one.user_id != day.user_id]
        told = too_many(count, own, others)
        if told is not None:
            nl, en = told
            at_us = min(hour.hour_us for hour in since if _day(hour) == day)
            at = _local(at_us)
            yield Flag(
                Why.UNUSUAL_NUMBER, day.user_id, day.role, at_us,
                f"Op {date_nl(at)} {count} keer gekeken, {nl}.",
                f"On {at:%d %B %Y} {count} looks, {en}.",
            )  # fmt: skip


def too_many(count: int, own: Sequence[int], others: Sequence[int]) -> tuple[str, str] | None:
    """What a day's number of looks is too many against, in Dutch and English; None where it is usual.

    `own` are the numbers of the person's days before, `others` those of others in the role. Medians and their
    spread: one wild day before does not make another one usual.
    """
    if count <= FEWEST:
        return None
    if len(own) >= ENOUGH_DAYS and count > _limit(own, SPREADS_OF_OWN):
        usual = median(own)
        return f"bij deze persoon gewoonlijk {usual:g} per dag", f"usually {usual:g} a day for this person"
    if len(others) >= ENOUGH_DAYS_OF_ROLE and count > _limit(others, SPREADS_OF_ROLE):
        usual = median(others)
        return f"in deze rol gewoonlijk {usual:g} per dag", f"usually {usual:g} a day in this role"
    is_known = len(own) >= ENOUGH_DAYS or len(others) >= ENOUGH_DAYS_OF_ROLE
    if not is_known and count > MOST_WITHOUT_BASELINE:
        return "en van eerder is te weinig bekend", "and too little is known of before"
    return None


def _limit(counts: Sequence[int], spreads: float) -> float:
    middle = median(counts)
    deviation = 1.4826 * median(abs(count - middle) for count in counts)
    # Counts scatter by their square root even where nothing changes.
    return middle + spreads * max(deviation, sqrt(middle), 1.0)


def _by_day(hours: Iterable[Hour]) -> dict[_Day, int]:
    counts: dict[_Day, int] = defaultdict(int)
    for hour in hours:
        if hour.looks:
            counts[_day(hour)] += hour.looks
    return counts


def _day(hour: Hour) -> _Day:
    return _Day(hour.user_id, hour.role, _local(hour.hour_us).date())


def _local(at_us: int) -> datetime:
    return to_datetime(at_us).astimezone(ZONE)


def _is_weekend(at: datetime) -> bool:
    return at.weekday() >= 5
