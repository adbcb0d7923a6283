"""What holds for a patient: folded from the changes that were decided, in their order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from models.messages import (
    Admit,
    AnyChange,
    Discharge,
    End,
    Enrol,
    MoveVersion,
    Pause,
    PersonalLimit,
    PersonalSchedule,
    Register,
    Resume,
    SetLimits,
    SetSchedule,
    Withdraw,
)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A programme that the patient is in, with what is personal about it."""

    version: int
    limits: Mapping[str, PersonalLimit] = field(default_factory=dict[str, PersonalLimit])
    schedule: Mapping[str, PersonalSchedule] = field(default_factory=dict[str, PersonalSchedule])


@dataclass(frozen=True, slots=True)
class State:
    """What holds, or will once it begins. A pause may be over by now: `is_paused` knows."""

    enrolments: Mapping[str, Enrolment] = field(default_factory=dict[str, Enrolment])
    pause: Pause | None = None
    admitted: bool = False
    end: End | None = None

    def is_paused(self, now_us: int) -> bool:
        """Whether nothing is said about missing data now."""
        return self.pause is not None and (self.pause.until_us is None or self.pause.until_us > now_us)


def fold(changes: Iterable[AnyChange]) -> State:
    """What holds after all of these.

    >>> fold([Pause(), Resume(), Admit()])
    State(enrolments={}, pause=None, admitted=True, end=None)
    """
    state = State()
    for change in changes:
        state = after(state, change)
    return state


def after(state: State, change: AnyChange) -> State:
    """What holds after one more change; one that the engine would not follow changes nothing."""
    match change:
        case Enrol():
            enrolment = Enrolment(change.version, change.limits, change.schedule)
            state = replace(state, enrolments={**state.enrolments, change.programme: enrolment})
        case Withdraw():
            others = {name: one for name, one in state.enrolments.items() if name != change.programme}
            state = replace(state, enrolments=others)
        case SetLimits() | SetSchedule() | MoveVersion():
            state = _personal(state, change)
        case Pause() | Resume():
            state = replace(state, pause=change if isinstance(change, Pause) else None)
        case Admit() | Discharge():
            state = replace(state, admitted=isinstance(change, Admit))
        case End():
            state = replace(state, enrolments={}, pause=None, end=change)
        case Register():
            pass
    return state


def _personal(state: State, change: SetLimits | SetSchedule | MoveVersion) -> State:
    enrolment = state.enrolments.get(change.programme)
    if enrolment is None:
        return state
    match change:
        case SetLimits():
            limits = {**enrolment.limits, **change.limits}
            enrolment = replace(enrolment, limits={n: one for n, one in limits.items() if one is not None})
        case SetSchedule():
            schedule = {**enrolment.schedule, **change.schedule}
            enrolment = replace(
                enrolment, schedule={n: one for n, one in schedule.items() if one is not None}
            )
        case MoveVersion():
            enrolment = replace(enrolment, version=change.version)
    return replace(state, enrolments={**state.enrolments, change.programme: enrolment})
