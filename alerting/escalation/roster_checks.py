"""What makes a roster wrong although its fields are right: gaps, overlaps, who waits where nobody looks."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from alerting.escalation.calendar import (
    CHANGING_MINUTES,
    DAY_MINUTES,
    HOLIDAY,
    WEEKDAYS,
    DayKind,
    holiday_names,
    minutes_of,
    time_of,
)
from alerting.escalation.duty import Shift
from alerting.escalation.roster import DutyLine, Roster
from alerting.yaml_files import Problem
from models.escalations import Recipient

Days = tuple[DayKind, DayKind]
"""A day, and the day before it: what of a night belongs to whom depends on both."""

Stretch = tuple[int, int, str]
"""From a minute of a day until another, the line of that name."""

ALL_DAYS: tuple[Days, ...] = tuple(
    (day, before)
    for number, weekday in enumerate(WEEKDAYS)
    for day in (weekday, HOLIDAY)
    for before in (WEEKDAYS[number - 1], HOLIDAY)
    if (day, before) != (HOLIDAY, HOLIDAY) or weekday == "mon"
)


def problems(roster: Roster) -> list[Problem]:
    """All that contradicts itself. What depends on the times is looked at once these are right."""
    found = [*_in_holidays(roster)]
    for recipient, lines in roster.recipients.items():
        for name, line in lines.items():
            path = ("recipients", recipient.value, name)
            found += [
                Problem((*path, *p.path), p.expected, p.found) for p in _in_line(roster, recipient, line)
            ]
    return found or [*_in_times(roster)]


def _in_holidays(roster: Roster) -> Iterator[Problem]:
    names = holiday_names()
    listed: list[str] = []
    for field, given in (("closed", roster.holidays.closed), ("as_usual", roster.holidays.as_usual)):
        for number, name in enumerate(given):
            path = ("holidays", field, str(number))
            if name not in names:
                yield Problem(path, f"one of the public holidays {', '.join(names)}", name)
            elif name in listed:
                yield Problem(path, "each holiday once, in closed or in as_usual", name)
            listed.append(name)
    if missing := [name for name in names if name not in listed]:
        yield Problem(
            ("holidays",), "each public holiday in closed or in as_usual", f"no {', '.join(missing)}"
        )


def _in_line(roster: Roster, recipient: Recipient, line: DutyLine) -> Iterator[Problem]:
    for field, written in (("from", line.from_), ("until", line.until)):
        if minutes_of(written) in CHANGING_MINUTES:
            yield Problem((field,), "a time that every day has once: not between 02:00 and 03:00", written)
    if len(set(line.on)) != len(line.on):
        yield Problem(("on",), "each day once", ", ".join(line.on))
    if (line.shift is None) == (line.by is None):
        both = "neither" if line.by is None else "both"
        yield Problem((), "either a shift, or by whom it is taken over", both)
    elif line.by is None:
        yield from _in_own_line(recipient, line)
    else:
        yield from _in_stand_in(roster, recipient, line.by)


def _in_own_line(recipient: Recipient, line: DutyLine) -> Iterator[Problem]:
    if recipient is not Recipient.HUISARTS:
        return
    if line.shift is not Shift.OFFICE:
        expected = "by: who answers then: nothing waits in a practice's inbox outside its hours"
        yield Problem(("shift",), expected, f"{line.shift}")
    if HOLIDAY in line.on:
        yield Problem(("on",), "weekdays: on holidays the practice is closed, the post answers", HOLIDAY)


def _in_stand_in(roster: Roster, recipient: Recipient, stand_in: Recipient) -> Iterator[Problem]:
    if recipient is Recipient.NURSE:
        yield Problem(("by",), "nurses of the centre: alerts are theirs around the clock", stand_in.value)
    elif stand_in is recipient or stand_in not in roster.recipients:
        others = ", ".join(one.value for one in roster.recipients if one is not recipient)
        yield Problem(
            ("by",), f"another recipient of this roster: {others or 'there is none'}", stand_in.value
        )


def _in_times(roster: Roster) -> Iterator[Problem]:
    stretches = {
        recipient: {days: _stretches(roster, recipient, days) for days in ALL_DAYS}
        for recipient in roster.recipients
    }
    whole = True
    for recipient, by_days in stretches.items():
        path = ("recipients", recipient.value)
        for found in _gaps(by_days):
            whole = False
            yield Problem(path, "somebody on duty at every moment", f"nobody on {found}")
        for found in _overlaps(by_days):
            whole = False
            yield Problem(path, "one duty at a time", found)
    if whole:
        yield from _nobody_at_last(roster, stretches)


def _stretches(roster: Roster, recipient: Recipient, days: Days) -> list[Stretch]:
    day, before = days
    begun: tuple[tuple[DayKind, int], ...] = ((before, DAY_MINUTES), (day, 0))
    return sorted(
        (max(begin - shift, 0), min(end - shift, DAY_MINUTES), name)
        for kind, shift in begun
        for name, line in roster.begins(recipient, kind)
        for begin, end in (line.minutes,)
        if end > shift
    )


def _gaps(by_days: dict[Days, list[Stretch]]) -> Iterator[str]:
    where: dict[tuple[int, int], list[Days]] = defaultdict(list)
    for days, stretches in by_days.items():
        reached = 0
        for begin, end, _ in [*stretches, (DAY_MINUTES, DAY_MINUTES, "")]:
            if begin > reached:
                where[reached, begin].append(days)
            reached = max(reached, end)
    for (begin, end), when in where.items():
        yield f"{_days(when)} {time_of(begin)}–{time_of(end)}"


def _overlaps(by_days: dict[Days, list[Stretch]]) -> Iterator[str]:
    where: dict[tuple[int, int, str, str], list[Days]] = defaultdict(list)
    for days, stretches in by_days.items():
        for (_, end, name), (begin, other_end, other) in pairwise(stretches):
            if begin < end:
                where[begin, min(end, other_end), name, other].append(days)
    for (begin, end, name, other), when in where.items():
        yield f"{name} and {other} on {_days(when)} {time_of(begin)}–{time_of(end)}"


def _nobody_at_last(
    roster: Roster, stretches: dict[Recipient, dict[Days, list[Stretch]]]
) -> Iterator[Problem]:
    """Where who stands in is not there either."""
    for recipient, lines in roster.recipients.items():
        for name, line in lines.items():
            if line.by is None:
                continue
            where: dict[tuple[int, int], list[Days]] = defaultdict(list)
            others = roster.recipients[line.by]
            for days, mine in stretches[recipient].items():
                for begin, end in _shared(mine, name, stretches[line.by][days], others):
                    where[begin, end].append(days)
            for (begin, end), when in where.items():
                yield Problem(
                    ("recipients", recipient.value, name, "by"),
                    f"{line.by} on duty then",
                    f"that somebody stands in for them too on {_days(when)} {time_of(begin)}–{time_of(end)}",
                )


def _shared(
    mine: list[Stretch], name: str, theirs: list[Stretch], lines: dict[str, DutyLine]
) -> Iterator[tuple[int, int]]:
    for begin, end, line in mine:
        for other_begin, other_end, other in theirs:
            first, last = max(begin, other_begin), min(end, other_end)
            if line == name and lines[other].by is not None and first < last:
                yield first, last


def _days(when: Iterable[Days]) -> str:
    """Days as people say them, and after which day if not after any."""
    before: dict[DayKind, list[DayKind]] = defaultdict(list)
    for day, day_before in when:
        before[day].append(day_before)
    together: dict[str, list[DayKind]] = defaultdict(list)
    for day, befores in before.items():
        together[_after(day, befores)].append(day)
    return "; ".join(f"{', '.join(days)}{after}" for after, days in together.items())


def _after(day: DayKind, befores: list[DayKind]) -> str:
    others = [before for known, before in ALL_DAYS if known == day and before not in befores]
    if not others:
        return ""
    return " unless after a holiday" if others == [HOLIDAY] else f" after a {' or '.join(befores)}"
