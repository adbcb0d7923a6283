"""What the technical room shows without patients: stages, and refused readings in figures; pure."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeVar

from alerting.console.delays import READING, Delay, Heard, Stage
from models.db.refused import Counted

DAYS = 14
"""So many days are counted."""
COLUMNS = 7
"""Of so many days each has a column."""
SHOWN = (Stage.STORING, Stage.ALERTING, Stage.DISPATCHING, Stage.CANARY)

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class Stand:
    """How a stage stands. **Units**: microseconds since 1970 UTC, `upto_us` in the log's time."""

    stage: Stage
    state: Literal["well", "late", "never", "off"]
    since_us: int | None = None
    heard_us: int | None = None
    upto_us: int | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Refused readings of one sort: on each of the latest days (today last), in all, still waiting."""

    days: Sequence[int]
    refused: int
    waiting: int


def stands(heard: Mapping[Stage, Heard], late: Sequence[Delay], *, by_wall: bool) -> Sequence[Stand]:
    """Every stage that is shown; by a clock that is not the wall's there are no test readings.

    >>> [one.state for one in stands({Stage.STORING: Heard(7, 5)}, [Delay(Stage.STORING, 7)], by_wall=False)]
    ['late', 'never', 'never', 'off']
    """
    since = {one.stage: one.since_us for one in late}
    if Stage.LOG in since:
        since |= dict.fromkeys(READING, since[Stage.LOG])
    found: list[Stand] = []
    for stage in SHOWN:
        one = heard.get(stage, Heard())
        if stage is Stage.CANARY and not by_wall:
            found.append(Stand(stage, "off"))
        elif stage in since and since[stage] is not None:
            found.append(Stand(stage, "late", since[stage], one.moved_us, one.clock_us))
        elif one.moved_us is None and stage is not Stage.CANARY:
            found.append(Stand(stage, "never"))
        else:
            found.append(Stand(stage, "well", None, one.moved_us, one.clock_us))
    return found


def by_reason(counted: Sequence[Counted], today: date) -> Mapping[str, Figures]:
    """By reason, the most frequent first.

    >>> by_reason([Counted(date(2026, 12, 1), "sentinel", "a", 3, 1)], date(2026, 12, 2))
    {'sentinel': Figures(days=[0, 0, 0, 0, 0, 3, 0], refused=3, waiting=1)}
    """
    return _figures(counted, today, lambda one: one.reason)


def by_source(counted: Sequence[Counted], today: date) -> Mapping[str | None, Figures]:
    """By source, the most frequent first; None is what says of none."""
    return _figures(counted, today, lambda one: one.source)


def total(counted: Sequence[Counted], today: date) -> Figures:
    """All of it together."""
    return next(iter(_figures(counted, today, lambda _: 0).values()), Figures([0] * COLUMNS, 0, 0))


def columns(today: date) -> Sequence[date]:
    """The days that have a column, today last."""
    return [today - timedelta(days=back) for back in range(COLUMNS - 1, -1, -1)]


def _figures(
    counted: Sequence[Counted], today: date, key: Callable[[Counted], _Key]
) -> Mapping[_Key, Figures]:
    grouped: dict[_Key, list[Counted]] = defaultdict(list)
    for one in counted:
        grouped[key(one)].append(one)
    found = {
        name: Figures(
            days=[sum(one.refused for one in group if one.day == day) for day in columns(today)],
            refused=sum(one.refused for one in group),
            waiting=sum(one.waiting for one in group),
        )
        for name, group in grouped.items()
    }
    return dict(sorted(found.items(), key=lambda entry: (-entry[1].refused, str(entry[0]))))
