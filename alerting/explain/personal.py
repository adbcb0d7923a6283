"""Which personal limits and schedules held for a patient at a moment, who set them, until when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alerting.engine.programme import Limit, Programme, Schedule
from alerting.explain.amounts import Amount
from alerting.explain.slots import Given
from models.changes import PlacedChange
from models.messages import (
    AnyChange,
    End,
    Enrol,
    PersonalLimit,
    PersonalSchedule,
    SetLimits,
    SetSchedule,
    Withdraw,
)
from models.units import UNIT_BY_SPELLING


@dataclass(frozen=True, slots=True)
class Held:
    """A personal limit since a moment, and the one that holds again when it ends.

    **Units**: microseconds since 1970 UTC.
    """

    limit: PersonalLimit
    since_us: int
    before: "Held | None" = None

    def at(self, at_us: int) -> "Held | None":
        """The one that holds: this one, or the newest before it that has not ended."""
        until_us = self.limit.until_us
        if until_us is None or until_us > at_us:
            return self
        return None if self.before is None else self.before.at(at_us)


@dataclass(slots=True)
class Personal:
    """What was set for one patient in one programme."""

    limits: dict[str, Held] = field(default_factory=dict[str, Held])
    schedules: dict[str, PersonalSchedule] = field(default_factory=dict[str, PersonalSchedule])


def personal(changes: Sequence[PlacedChange], programme: Programme, at_us: int) -> Personal:
    """What held for a patient at a moment; changes of that very moment count.

    `changes` are all of the patient's in the order of the log. What the programme does not take (an unknown
    name, another unit, beyond low…high) never held.
    """
    now = Personal()
    for placed in sorted(changes, key=lambda placed: placed.effective_from_us):
        change = placed.change.change.only
        if placed.effective_from_us <= at_us and change is not None:
            _apply(now, change, programme, placed.effective_from_us)
    held = ((name, held.at(at_us)) for name, held in now.limits.items())
    now.limits = {name: one for name, one in held if one is not None}
    return now


def given(programme: Programme, own: Personal) -> Given:
    """What the names in the programme's conditions stand for: personal where something is, else its own."""
    limits = {
        name: Amount(own.limits[name].limit.value if name in own.limits else limit.default, limit.unit)
        for name, limit in programme.limits.items()
    }
    return Given(limits, _schedules(programme.schedule, own.schedules))


def _schedules(schedules: Mapping[str, Schedule], own: Mapping[str, PersonalSchedule]) -> dict[str, Schedule]:
    return {
        name: schedule.model_copy(update={"before": own[name].before, "on": own[name].on})
        if name in own
        else schedule
        for name, schedule in schedules.items()
    }


def _apply(now: Personal, change: AnyChange, programme: Programme, at_us: int) -> None:
    match change:
        case End():
            _forget(now)
        case Withdraw() if change.programme == programme.programme:
            _forget(now)
        case Enrol() if change.programme == programme.programme:
            _forget(now)
            _set_limits(now, change.limits, programme, at_us)
            _set_schedules(now, change.schedule, programme)
        case SetLimits() if change.programme == programme.programme:
            _set_limits(now, change.limits, programme, at_us)
        case SetSchedule() if change.programme == programme.programme:
            _set_schedules(now, change.schedule, programme)
        case _:
            pass


def _forget(now: Personal) -> None:
    now.limits.clear()
    now.schedules.clear()


def _set_limits(
    now: Personal, limits: Mapping[str, PersonalLimit | None], programme: Programme, at_us: int
) -> None:
    for name, limit in limits.items():
        if name not in programme.limits or not (limit is None or _fits(programme.limits[name], limit)):
            continue
        before = now.limits.pop(name, None)
        if limit is not None:
            now.limits[name] = Held(limit, at_us, None if limit.until_us is None else before)


def _set_schedules(
    now: Personal, schedules: Mapping[str, PersonalSchedule | None], programme: Programme
) -> None:
    for name, schedule in schedules.items():
        now.schedules.pop(name, None)
        if schedule is not None and name in programme.schedule:
            now.schedules[name] = schedule


def _fits(limit: Limit, own: PersonalLimit) -> bool:
    known = UNIT_BY_SPELLING.get(own.unit)
    same = own.unit == limit.unit or (known is not None and known == UNIT_BY_SPELLING.get(limit.unit))
    return same and limit.accepts(own.value)
