"""From a patient's changes to what holds when: for each enrolment, stretches in which nothing changes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from alerting.engine.compiled import CompiledProgrammes, CompiledVersion, schedule_bits
from alerting.engine.kernel.layout import NEVER
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
from models.units import UNIT_BY_SPELLING


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a change that the engine could not follow; the rest of the change holds.

    `change` is the change's place in the history that was given.
    """

    change: int
    field: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """One enrolment while nothing changes. **Units**: microseconds; a schedule is (minute, days, start)."""

    programme: str
    version: CompiledVersion
    enrolled_us: int
    from_us: int
    to_us: int
    limits: Mapping[str, float]
    schedules: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class _Personal:
    """A personal limit, and the one that holds again when it ends."""

    limit: PersonalLimit
    before: "_Personal | None" = None

    def at(self, at_us: int) -> "_Personal | None":
        """The one that holds: this one, or the newest before it that has not ended."""
        until_us = self.limit.until_us
        if until_us is None or until_us > at_us:
            return self
        return None if self.before is None else self.before.at(at_us)


@dataclass(slots=True)
class _Enrolment:
    version: CompiledVersion
    enrolled_us: int
    limits: dict[str, _Personal] = field(default_factory=dict[str, _Personal])
    schedules: dict[str, PersonalSchedule] = field(default_factory=dict[str, PersonalSchedule])
    started: dict[str, tuple[object, int]] = field(default_factory=dict[str, tuple[object, int]])


class _Folding:
    """What holds for one patient at one time, as changes are applied in order of time."""

    def __init__(self, programmes: CompiledProgrammes) -> None:
        self.versions = programmes.versions
        self.enrolments: dict[str, _Enrolment] = {}
        self.paused_until_us: int | None = None
        self.touched: set[str] = set()
        self.problems: list[Problem] = []
        self.number = 0
        self.at_us = 0

    def refuse(self, where: str, expected: str, found: object) -> None:
        self.problems.append(Problem(self.number, where, expected, str(found)))

    def version(self, programme: str, version: int) -> CompiledVersion | None:
        found = self.versions.get((programme, version))
        if found is None:
            known = [str(number) for name, number in self.versions if name == programme]
            expected = (
                f"one of the versions {', '.join(known)} of {programme}" if known else "a known programme"
            )
            self.refuse("programme", expected, f"{programme} version {version}")
        return found

    def enrolment(self, programme: str) -> _Enrolment | None:
        found = self.enrolments.get(programme)
        if found is None:
            self.refuse("programme", "a programme that the patient is in", programme)
        return found

    def apply(self, change: AnyChange) -> None:
        match change:
            case Enrol():
                self.enrol(change)
            case MoveVersion():
                self.move(change)
            case SetLimits():
                self.set_limits(change)
            case SetSchedule():
                self.set_schedule(change)
            case Withdraw():
                self.withdraw(change)
            case End():
                self.enrolments.clear()
                self.paused_until_us = None
            case Pause():
                self.pause(NEVER if change.until_us is None else change.until_us)
            case Resume():
                self.pause(None)
            case Register() | Admit() | Discharge():
                pass  # they decide what is shown, not what is found

    def withdraw(self, change: Withdraw) -> None:
        if self.enrolment(change.programme) is not None:
            del self.enrolments[change.programme]

    def pause(self, until_us: int | None) -> None:
        self.paused_until_us = until_us
        self.touched |= self.enrolments.keys()

    def enrol(self, change: Enrol) -> None:
        version = self.version(change.programme, change.version)
        if version is None:
            return
        enrolment = self.enrolments[change.programme] = _Enrolment(version, self.at_us)
        enrolment.limits = {
            n: _Personal(x) for n, x in change.limits.items() if self.limit_fits(version, n, x)
        }
        enrolment.schedules = {n: x for n, x in change.schedule.items() if self.schedule_fits(version, n)}
        self.touched.add(change.programme)

    def move(self, change: MoveVersion) -> None:
        enrolment = self.enrolment(change.programme)
        version = self.version(change.programme, change.version)
        if enrolment is None or version is None:
            return
        enrolment.version = version
        enrolment.limits = {
            n: x for n, held in enrolment.limits.items() if (x := self.fitting(version, n, held)) is not None
        }
        enrolment.schedules = {n: x for n, x in enrolment.schedules.items() if self.schedule_fits(version, n)}
        self.touched.add(change.programme)

    def set_limits(self, change: SetLimits) -> None:
        enrolment = self.enrolment(change.programme)
        for name, personal in change.limits.items() if enrolment is not None else ():
            if enrolment is None or not self.limit_fits(enrolment.version, name, personal):
                continue
            before = enrolment.limits.pop(name, None)
            if personal is not None:
                enrolment.limits[name] = _Personal(personal, None if personal.until_us is None else before)
            self.touched.add(change.programme)

    def set_schedule(self, change: SetSchedule) -> None:
        enrolment = self.enrolment(change.programme)
        for name, personal in change.schedule.items() if enrolment is not None else ():
            if enrolment is None or not self.schedule_fits(enrolment.version, name):
                continue
            enrolment.schedules.pop(name, None)
            if personal is not None:
                enrolment.schedules[name] = personal
            self.touched.add(change.programme)

    def fitting(self, version: CompiledVersion, name: str, held: _Personal) -> _Personal | None:
        """Of a personal limit and those before it, the ones that another version knows as well."""
        before = None if held.before is None else self.fitting(version, name, held.before)
        return _Personal(held.limit, before) if self.limit_fits(version, name, held.limit) else before

    def limit_fits(self, version: CompiledVersion, name: str, personal: PersonalLimit | None) -> bool:
        limit = version.programme.limits.get(name)
        if limit is None:
            self.refuse(f"limits.{name}", f"one of {', '.join(version.programme.limits)}", name)
            return False
        if personal is None:
            return True
        same = UNIT_BY_SPELLING.get(personal.unit, -1) == UNIT_BY_SPELLING.get(limit.unit, -2)
        if personal.unit != limit.unit and not same:
            self.refuse(f"limits.{name}", f"a value in {limit.unit}", f"{personal.value} {personal.unit}")
            return False
        if not limit.accepts(personal.value):
            self.refuse(f"limits.{name}", f"{limit.low} … {limit.high} {limit.unit}", personal.value)
            return False
        return True

    def schedule_fits(self, version: CompiledVersion, name: str) -> bool:
        if name in version.programme.schedule:
            return True
        self.refuse(f"schedule.{name}", f"one of {', '.join(version.programme.schedule) or 'none'}", name)
        return False

    def expire(self, at_us: int) -> None:
        if self.paused_until_us is not None and self.paused_until_us <= at_us:
            self.pause(None)
        for programme, enrolment in self.enrolments.items():
            for name, held in list(enrolment.limits.items()):
                now = held.at(at_us)
                if now is held:
                    continue
                del enrolment.limits[name]
                if now is not None:
                    enrolment.limits[name] = now
                self.touched.add(programme)

    def stretch(self, programme: str, at_us: int) -> Stretch:
        """What holds for an enrolment from now on."""
        enrolment = self.enrolments[programme]
        of = enrolment.version.programme
        schedules: list[tuple[int, int, int]] = []
        started: dict[str, tuple[object, int]] = {}
        for name, own in of.schedule.items():
            personal = enrolment.schedules.get(name)
            schedule = (
                own
                if personal is None
                else own.model_copy(update={"before": personal.before, "on": personal.on})
            )
            minute, days = schedule_bits(schedule)
            content = of.schedule[name].kind, minute, days
            if self.paused_until_us is not None:
                start_us = NEVER
            else:
                before, start_us = enrolment.started.get(name, (None, NEVER))
                if before != content or start_us == NEVER:
                    start_us = at_us
            started[name] = content, start_us
            schedules.append((minute, days, start_us))
        enrolment.started = started
        limits = {name: held.limit.value for name, held in enrolment.limits.items()}
        return Stretch(
            programme, enrolment.version, enrolment.enrolled_us, at_us, NEVER, limits, tuple(schedules)
        )


def _times(changes: Iterable[tuple[int, AnyChange]]) -> list[int]:
    times: set[int] = set()
    for effective_from_us, change in changes:
        times.add(effective_from_us)
        limits = change.limits.values() if isinstance(change, Enrol | SetLimits) else ()
        times |= {x.until_us for x in limits if x is not None and x.until_us is not None}
        if isinstance(change, Pause) and change.until_us is not None:
            times.add(change.until_us)
    return sorted(times)


def timeline(
    changes: Sequence[tuple[int, AnyChange]], programmes: CompiledProgrammes
) -> tuple[list[Stretch], list[Problem]]:
    """A patient's stretches by programme and time, and what in the changes could not be followed.

    `changes` is the whole history in the order of the log, each with the time from which it holds. They are
    applied in order of that time; those of one microsecond work as one.
    """
    folding = _Folding(programmes)
    ordered = sorted(enumerate(changes), key=lambda item: item[1][0])
    open_: dict[str, Stretch] = {}
    done: list[Stretch] = []
    next_change = 0
    for at_us in _times(changes):
        folding.touched.clear()
        folding.at_us = at_us
        while next_change < len(ordered) and ordered[next_change][1][0] == at_us:
            folding.number, (_, change) = ordered[next_change]
            folding.apply(change)
            next_change += 1
        folding.expire(at_us)
        ending = [name for name in open_ if name not in folding.enrolments or name in folding.touched]
        done += [_until(open_.pop(name), at_us) for name in ending]
        for name in folding.enrolments:
            if name not in open_:
                open_[name] = folding.stretch(name, at_us)
    done += open_.values()
    return sorted(done, key=lambda s: (s.programme, s.from_us)), folding.problems


def _until(stretch: Stretch, to_us: int) -> Stretch:
    return replace(stretch, to_us=to_us)
