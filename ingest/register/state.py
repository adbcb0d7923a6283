"""What holds for a patient: folded from the changes that were decided, in their order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter

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
    """A programme that the patient is in, with what is personal about it.

    Of each limit the newest, after those which hold again when it ends.
    """

    version: int
    limits: Mapping[str, tuple[PersonalLimit, ...]] = field(
        default_factory=dict[str, tuple[PersonalLimit, ...]]
    )
    schedule: Mapping[str, PersonalSchedule] = field(default_factory=dict[str, PersonalSchedule])

    def limits_at(self, at_us: int) -> dict[str, PersonalLimit]:
        """The personal limits that hold at a moment."""
        holding = {
            name: next(
                (one for one in reversed(layers) if one.until_us is None or one.until_us > at_us), None
            )
            for name, layers in self.limits.items()
        }
        return {name: one for name, one in holding.items() if one is not None}


@dataclass(frozen=True, slots=True)
class State:
    """What holds at a moment. A pause may be over by then: `is_paused` knows."""

    enrolments: Mapping[str, Enrolment] = field(default_factory=dict[str, Enrolment])
    pause: Pause | None = None
    admitted: bool = False
    end: End | None = None

    def is_paused(self, at_us: int) -> bool:
        """Whether nothing is said about missing data then."""
        return self.pause is not None and (self.pause.until_us is None or self.pause.until_us > at_us)


def fold(changes: Iterable[tuple[int, AnyChange]], at_us: int | None = None) -> State:
    """What holds at a moment, or with None after everything that was decided.

    As the engine does it: in order of the time from which changes hold, of one time in order of decision.

    >>> fold([(9, Pause()), (5, Admit())], at_us=7)
    State(enrolments={}, pause=None, admitted=True, end=None)
    """
    state = State()
    for from_us, change in sorted(changes, key=itemgetter(0)):
        if at_us is None or from_us <= at_us:
            state = after(state, change)
    return state


def after(state: State, change: AnyChange) -> State:
    """What holds after one more change; one that the engine would not follow changes nothing."""
    match change:
        case Enrol():
            limits = {name: (one,) for name, one in change.limits.items()}
            enrolment = Enrolment(change.version, limits, change.schedule)
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
            enrolment = replace(enrolment, limits=_layered(enrolment.limits, change))
        case SetSchedule():
            schedule = {**enrolment.schedule, **change.schedule}
            enrolment = replace(
                enrolment, schedule={n: one for n, one in schedule.items() if one is not None}
            )
        case MoveVersion():
            enrolment = replace(enrolment, version=change.version)
    return replace(state, enrolments={**state.enrolments, change.programme: enrolment})


def _layered(
    layers: Mapping[str, tuple[PersonalLimit, ...]], change: SetLimits
) -> dict[str, tuple[PersonalLimit, ...]]:
    now = {name: one for name, one in layers.items() if name not in change.limits}
    for name, one in change.limits.items():
        if one is not None:
            now[name] = (one,) if one.until_us is None else (*layers.get(name, ()), one)
    return now
