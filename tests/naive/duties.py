"""Who is on duty, the slow way: walks the minutes of local clocks, and looks at every line of a roster."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from holidays import country_holidays

from alerting.escalation.roster import DutyLine, Roster
from models.escalations import Recipient

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

Cover = tuple[str, int, Recipient | None]
"""The name of a line, how many days ago it began, and who stands in."""

Answers = tuple[str, str, date]
"""Who answers, by which line, begun on which day."""

Relative = tuple[str, str, int]
"""The same with how many days ago the line began."""


@cache
def named_days(year: int) -> dict[date, str]:
    return dict(country_holidays("NL", years=year, language="nl"))


def kind_of(roster: Roster, day: date) -> str:
    names = named_days(day.year).get(day, "").split("; ")
    return "holiday" if set(names) & set(roster.holidays.closed) else WEEKDAYS[day.weekday()]


def covers(lines: dict[str, DutyLine], kind: str, before: str, minute: int) -> list[Cover]:
    """All lines that say who is on duty at a minute of a day of a kind, after a day of a kind."""
    found: list[Cover] = []
    for name, line in lines.items():
        begin = int(line.from_[:2]) * 60 + int(line.from_[3:])
        end = int(line.until[:2]) * 60 + int(line.until[3:])
        over_midnight = end <= begin
        if kind in line.on and begin <= minute and (over_midnight or minute < end):
            found.append((name, 0, line.by))
        if before in line.on and over_midnight and minute < end:
            found.append((name, 1, line.by))
    return found


class SlowDuties:
    """A roster, walked."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self._answers = cache(self._answers_at)
        self._whole_day = cache(self._answers_of_day)

    def at(self, recipient: Recipient, moment: datetime) -> tuple[Answers, ...]:
        """All who answer at a moment, which should be one."""
        wall = moment.astimezone(AMSTERDAM)
        day = wall.date()
        kinds = kind_of(self.roster, day), kind_of(self.roster, day - DAY)
        return dated(self._answers(recipient, *kinds, wall.hour * 60 + wall.minute), day)

    def minutes(self, recipient: Recipient, first: date, last: date) -> Iterator[tuple[Answers, ...]]:
        """Who answers at each minute from the beginning of a local day to that of another."""
        for number in range((last - first).days):
            day = first + number * DAY
            kinds = kind_of(self.roster, day), kind_of(self.roster, day - DAY)
            different, by_minute = self._whole_day(recipient, *kinds)
            of_day = [dated(answers, day) for answers in different]
            yield from (of_day[by_minute[minute]] for minute in shown_minutes(day))

    def _answers_of_day(
        self, recipient: Recipient, kind: str, before: str
    ) -> tuple[list[tuple[Relative, ...]], list[int]]:
        """All different answers of such a day, and which of them counts at each minute."""
        answers = [self._answers(recipient, kind, before, minute) for minute in range(1_440)]
        different = list(dict.fromkeys(answers))
        return different, [different.index(one) for one in answers]

    def _answers_at(self, recipient: Recipient, kind: str, before: str, minute: int) -> tuple[Relative, ...]:
        found: list[Relative] = []
        for name, ago, by in covers(self.roster.recipients[recipient], kind, before, minute):
            found += [(recipient.value, name, ago)] if by is None else self._answers(by, kind, before, minute)
        return tuple(found)


def dated(answers: tuple[Relative, ...], day: date) -> tuple[Answers, ...]:
    """Answers with the day on which their line began."""
    return tuple((who, name, day - ago * DAY) for who, name, ago in answers)


def shown_minutes(day: date) -> Iterator[int]:
    """What the clocks show minute by minute on a local day, which may have 23 or 25 hours."""
    begin, end = (
        datetime(on.year, on.month, on.day, tzinfo=AMSTERDAM).astimezone(UTC) for on in (day, day + DAY)
    )
    if end - begin == DAY:
        yield from range(1_440)
        return
    for minute in range((end - begin) // MINUTE):
        wall = (begin + minute * MINUTE).astimezone(AMSTERDAM)
        yield wall.hour * 60 + wall.minute
