"""Rosters: who answers for a recipient at which local times, and from that who is on duty at a moment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Annotated

from pydantic import Field

from alerting.engine.programme import Mark, Name, Texts, TimeOfDay, Words
from alerting.escalation.calendar import (
    DAY_MINUTES,
    HOLIDAY,
    WEEKDAYS,
    DayKind,
    holidays_of,
    local,
    minutes_of,
    moment_us,
)
from alerting.escalation.duty import Duty, Shift
from alerting.escalation.parts import Part, Recorded
from models.errors import Broken
from models.escalations import Recipient

DAYS_REMEMBERED = 1_024


class DutyLine(Part):
    """One line of a roster: from a local time of the days named, until another, perhaps of the day after.

    Either somebody of the recipient is on duty, in a shift, or another recipient of the roster stands in.
    """

    on: Annotated[tuple[DayKind, ...], Field(min_length=1, strict=False)]
    from_: TimeOfDay = Field(alias="from")
    until: TimeOfDay
    title: Texts
    shift: Annotated[Shift, Field(strict=False)] | None = None
    by: Annotated[Recipient, Field(strict=False)] | None = None

    @property
    def minutes(self) -> tuple[int, int]:
        """**Units**: minutes since midnight of the day on which it begins; beyond 1440: of the day after."""
        begin, end = minutes_of(self.from_), minutes_of(self.until)
        return begin, end if end > begin else end + DAY_MINUTES


class Holidays(Part):
    """Which public holidays are holidays for who keeps the roster, and which are days as others."""

    closed: Annotated[tuple[str, ...], Field(strict=False)]
    as_usual: Annotated[tuple[str, ...], Field(strict=False)] = ()


Lines = Annotated[dict[Name, DutyLine], Field(min_length=1)]


class Roster(Recorded):
    """A version of who is on duty, for one or more recipients. All times are in Europe/Amsterdam."""

    roster: Name
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    title: Texts
    source: Words
    mark: Mark
    holidays: Holidays
    recipients: Annotated[dict[Annotated[Recipient, Field(strict=False)], Lines], Field(min_length=1)]

    def kind_of(self, day: date) -> DayKind:
        """What a day counts as."""
        names = holidays_of(day.year).get(day, ())
        closed = any(name in self.holidays.closed for name in names)
        return HOLIDAY if closed else WEEKDAYS[day.weekday()]

    def begins(self, recipient: Recipient, kind: DayKind) -> Iterator[tuple[str, DutyLine]]:
        """The lines of a recipient that begin on such a day, with their names."""
        return ((name, line) for name, line in self.recipients[recipient].items() if kind in line.on)


class RosterBook:
    """All rosters in force, which were found right before: one duty for each recipient and instant."""

    def __init__(self, rosters: Sequence[Roster]) -> None:
        self.rosters = tuple(rosters)
        self._of: Mapping[Recipient, Roster] = {
            recipient: roster for roster in rosters for recipient in roster.recipients
        }
        self._days = lru_cache(DAYS_REMEMBERED)(self._duties)
        self._last: dict[Recipient, Duty] = {}

    @property
    def recipients(self) -> frozenset[Recipient]:
        """For whom there is a roster."""
        return frozenset(self._of)

    def on_duty(self, recipient: Recipient, at_us: int) -> Duty:
        """Exactly one duty. **Units**: microseconds since 1970 UTC."""
        last = self._last.get(recipient)
        if last is None or not last.from_us <= at_us < last.until_us:
            last = self._last[recipient] = self._found(recipient, at_us)
        return last

    def title(self, duty: Duty) -> Texts:
        """What people call a duty."""
        return self._of[duty.recipient].recipients[duty.recipient][duty.name].title

    def _found(self, recipient: Recipient, at_us: int) -> Duty:
        line, stand_in = self._at(recipient, at_us)
        if stand_in is None:
            return line
        other, _ = self._at(stand_in, at_us)
        from_us, until_us = max(line.from_us, other.from_us), min(line.until_us, other.until_us)
        return replace(other, from_us=from_us, until_us=until_us)

    def _at(self, recipient: Recipient, at_us: int) -> tuple[Duty, Recipient | None]:
        for duty, stand_in in self._days(recipient, local(at_us).date()):
            if duty.from_us <= at_us < duty.until_us:
                return duty, stand_in
        raise Broken(f"nobody is on duty for {recipient} at {local(at_us)}: the roster was not checked")

    def _duties(self, recipient: Recipient, day: date) -> tuple[tuple[Duty, Recipient | None], ...]:
        """All duties that touch a local day, with who stands in."""
        roster = self._of[recipient]
        return tuple(
            (
                Duty(recipient, name, line.shift or Shift.DAY, moment_us(on, begin), moment_us(on, end)),
                line.by,
            )
            for on in (day - timedelta(days=1), day)
            for name, line in roster.begins(recipient, roster.kind_of(on))
            for begin, end in (line.minutes,)
            if on == day or end > DAY_MINUTES
        )


def changes(book: RosterBook, recipient: Recipient, from_us: int, until_us: int) -> Iterator[Duty]:
    """The duties from one moment to another, one after the other. **Units**: microseconds since 1970 UTC."""
    at_us = from_us
    while at_us < until_us:
        duty = book.on_duty(recipient, at_us)
        yield duty
        at_us = duty.until_us
