"""The slow twin of the engine: semantics.md in plain Python, every finding from the whole log, from scratch.

It shares with the engine the programmes as they are read from their files, and nothing else.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from itertools import islice
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from alerting.engine.expressions import All, AnyOf, Comparison, Condition, Feature, Not, comparisons
from alerting.engine.programme import DAYS, Programme, Rule
from models.kinds import KIND_BY_NAME
from tests.naive.changes import NEVER, Enrolment, History, Message, placed_changes
from tests.naive.features import millionths
from tests.naive.gate import Request, judged
from tests.naive.looking import (
    IN_TIME,
    LimitInForce,
    Look,
    compared_limit,
    holds,
    kinds_looked_at,
    kinds_of,
)
from tests.naive.readings import counted
from tests.naive.windows import Series

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
Values = tuple[float | None, ...]


@dataclass(frozen=True)
class Finding:
    """What two runs are compared by."""

    id: UUID
    patient_id: str
    rule: str
    opened_us: int
    cleared_us: int | None
    severity: str
    values: Values
    raised_us: int | None
    raised_values: Values
    unconfirmed: bool = False


@dataclass
class RuleState:
    open: Finding | None = None
    run_us: int | None = None
    recent: tuple[bool, ...] = ()


def naive_patients(programmes: Sequence[Programme], log: Sequence[Message]) -> "list[Patient]":
    """Every patient as after a log of messages as they are on the wire, all of one partition."""
    ids = sorted({m["patient_id"] for m in log if m["type"] == "change" and "register" in m["change"]})
    now_us = max((m["now_us"] for m in log if m["type"] == "clock"), default=-1)
    return [Patient(programmes, log, patient_id, now_us) for patient_id in ids]


def naive_findings(programmes: Sequence[Programme], log: Sequence[Message]) -> set[Finding]:
    """The findings after a log."""
    return {finding for patient in naive_patients(programmes, log) for finding in patient.findings()}


def naive_requests(programmes: Sequence[Programme], log: Sequence[Message]) -> set[tuple[str, Request]]:
    """The repeats that were asked for after a log, with the patients whom they were asked of."""
    patients = naive_patients(programmes, log)
    return {(patient.patient_id, request) for patient in patients for request in patient.requests()}


@cache
def due_us(day: date, before: str) -> int:
    """The moment of a local time, from the calendar itself."""
    local = datetime(day.year, day.month, day.day, int(before[:2]), int(before[3:]), tzinfo=AMSTERDAM)
    return (local.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)


def due_moments(before: str, on: Sequence[str], from_us: int, to_us: int) -> Iterator[int]:
    """Due moments in (from, to], in order."""
    day = (EPOCH + timedelta(microseconds=from_us)).date() - timedelta(days=1)
    last = (EPOCH + timedelta(microseconds=to_us)).date() + timedelta(days=1)
    while day <= last:
        if DAYS[day.weekday()] in on and from_us < due_us(day, before) <= to_us:
            yield due_us(day, before)
        day += timedelta(days=1)


class Patient:
    """One patient at the end of the log."""

    def __init__(
        self, programmes: Sequence[Programme], log: Sequence[Message], patient_id: str, now_us: int
    ) -> None:
        self.patient_id = patient_id
        every = counted(log, patient_id)
        self.horizon_us = max([now_us, *(taken.t for taken in every)])
        measured = [taken for taken in every if taken.value is not None]
        self.judged = judged(measured, self.horizon_us)
        self.readings = [taken for taken in measured if taken not in self.judged.suspect]
        self.history = History(programmes, placed_changes(log, patient_id))
        self.series: dict[tuple[str, ...], Series] = {}
        self.comparisons: dict[int, list[Comparison]] = {}
        self.states: dict[tuple[str, str], RuleState] = {}
        self.found: dict[UUID, Finding] = {}
        self.looked: Counter[tuple[str, str, bool | None]] = Counter()

    def findings(self) -> set[Finding]:
        """Walks through all moments at which anything can happen, in order."""
        t = -1
        while (t := self.next_moment(t)) <= self.horizon_us:
            self.moment(t)
        return set(self.found.values())

    def requests(self) -> set[Request]:
        """Repeats of kinds that some programme of the patient looks at, whenever they were in it."""
        enrolments = [e for held in self.history.held.values() for e in held.enrolments.values()]
        named = {kind for e in enrolments for r in e.programme.rules.values() for kind in self.named(r, e)}
        return {request for request in self.judged.requests if request.kind in named}

    # --- when

    def next_moment(self, t: int) -> int:
        later = bisect_right(self.readings, t, key=lambda taken: taken.t)
        after = [taken.t for taken in self.readings[later : later + 1]]
        after += [time for time in self.history.times if time > t]
        held = self.history.at(t) if t >= 0 else None
        for name, enrolment in held.enrolments.items() if held else ():
            for rule_name, rule in enrolment.programme.rules.items():
                after += [d for d in self.deadlines(name, rule_name, rule, enrolment, t) if d > t]
        return min(after, default=NEVER)

    def deadlines(self, name: str, rule_name: str, rule: Rule, enrolment: Enrolment, t: int) -> Iterator[int]:
        """The next moments at which a rule is due although nothing arrives, as seen from t."""
        state = self.states.setdefault((name, rule_name), RuleState())
        if rule.held_for is not None and state.run_us is not None and state.open is None:
            yield state.run_us + rule.held_for.us
        for comparison in self.compared(rule):
            feature = comparison.feature
            if feature.name == "age":
                newest = self.series_of(self.kinds(feature, enrolment)).newest(t)
                limit_us = compared_limit(*self.limit(comparison.limit, enrolment))[0]
                if newest is not None:
                    yield newest.t + limit_us + (comparison.comparator in (">", "<="))
            elif feature.name == "missed" and not self.history.at(t).paused:
                before, on = self.schedule(feature, enrolment)
                yield from islice(due_moments(before, on, t, t + 9 * 86_400_000_000), 1)

    # --- what

    def moment(self, t: int) -> None:
        """All that happens at t: every rule that is concerned, once."""
        enrolments = self.history.at(t).enrolments
        was = self.history.at(t - 1).enrolments
        for (name, rule_name), state in self.states.items():
            if name not in enrolments or rule_name not in enrolments[name].programme.rules:
                self.close(state, t)
        kinds = {taken.kind for taken in self.series_of(tuple(KIND_BY_NAME)).window(t - 1, t)}
        concerned = self.history.concerns.get(t, set[str]())
        for name, enrolment in enrolments.items():
            for rule_name, rule in enrolment.programme.rules.items():
                state = self.states.setdefault((name, rule_name), RuleState())
                by_reading = bool(kinds & self.named(rule, enrolment))
                due = name in was and t in self.deadlines(name, rule_name, rule, was[name], t - 1)
                if by_reading or due or name in concerned:
                    self.evaluate(name, rule_name, rule, enrolment, state, t, by_reading=by_reading)

    def close(self, state: RuleState, t: int) -> None:
        if state.open is not None:
            self.put(state, cleared_us=t)
        state.open = state.run_us = None
        state.recent = ()

    def put(self, state: RuleState, **changed: Any) -> None:
        assert state.open is not None
        state.open = replace(state.open, **changed)
        self.found[state.open.id] = state.open

    def evaluate(
        self,
        name: str,
        rule_name: str,
        rule: Rule,
        enrolment: Enrolment,
        state: RuleState,
        t: int,
        *,
        by_reading: bool,
    ) -> None:
        when, values = self.truth(rule.when, rule, enrolment, name, t)
        in_doubt = self.in_doubt(rule, enrolment, t)
        if by_reading:
            state.recent = (*state.recent, when is True)
        if when is not True:
            state.run_us = None
        elif state.run_us is None:
            state.run_us = t
        if state.open is not None:
            clear = self.truth(rule.clear, rule, enrolment, name, t)[0]
            if when is not True and clear is True and not in_doubt:
                self.put(state, cleared_us=t)
                state.open = None
                return
        elif when is True and self.long_enough(rule, state, t):
            full_name = f"{name}/{rule_name}"
            finding_id = uuid5(UUID(self.patient_id), f"{full_name}/{t}")
            state.open = Finding(
                finding_id,
                self.patient_id,
                full_name,
                t,
                None,
                str(rule.severity),
                values,
                None,
                (),
                in_doubt,
            )
            self.put(state)
        if state.open is not None and state.open.raised_us is None and rule.raise_ is not None:
            raised, values = self.truth(rule.raise_.when, rule, enrolment, name, t)
            if raised is True:
                unconfirmed = in_doubt or state.open.unconfirmed
                severity = str(rule.raise_.severity)
                self.put(state, severity=severity, raised_us=t, raised_values=values, unconfirmed=unconfirmed)

    def in_doubt(self, rule: Rule, enrolment: Enrolment, t: int) -> bool:
        """Whether a repeat of a reading that the rule may look at is still being waited for."""
        named = self.named(rule, enrolment)
        return any(taken.kind in named and taken.t <= t for taken in self.judged.pending)

    def long_enough(self, rule: Rule, state: RuleState, t: int) -> bool:
        if rule.held_for is not None:
            assert state.run_us is not None
            return t - state.run_us >= rule.held_for.us
        if rule.k_of_n is not None:
            return sum(state.recent[-rule.k_of_n.n :]) >= rule.k_of_n.k
        return True

    # --- conditions

    def truth(
        self, condition: Condition, rule: Rule, enrolment: Enrolment, name: str, t: int
    ) -> tuple[bool | None, Values]:
        """Kleene's truth, and the values of the comparisons from left to right."""
        if isinstance(condition, Comparison):
            return self.compare(condition, rule, enrolment, name, t)
        if isinstance(condition, Not):
            truth, values = self.truth(condition.part, rule, enrolment, name, t)
            return None if truth is None else not truth, values
        assert isinstance(condition, All | AnyOf)
        parts = [self.truth(part, rule, enrolment, name, t) for part in condition.parts]
        truths = [truth for truth, _ in parts]
        decides = isinstance(condition, AnyOf)
        truth = decides if decides in truths else None if None in truths else not decides
        return truth, tuple(value for _, values in parts for value in values)

    def compare(
        self, comparison: Comparison, rule: Rule, enrolment: Enrolment, name: str, t: int
    ) -> tuple[bool | None, Values]:
        feature, limit_of = comparison.feature, partial(self.limit, enrolment=enrolment)
        max_age_us = None if rule.max_age is None else rule.max_age.us
        unit = limit_of(comparison.limit)[1]
        look = Look(feature, unit, limit_of, self.series_of, t, enrolment.enrolled_us, max_age_us)
        value = self.missed(feature, enrolment, name, t) if feature.name == "missed" else look.value()
        if value is None:
            self.looked[feature.name.value, look.through, None] += 1
            return None, (None,)
        compared = int(value) if feature.name in IN_TIME else millionths(value)
        limit, per_unit = compared_limit(*limit_of(comparison.limit))
        truth = holds(compared, comparison.comparator.value, limit)
        self.looked[feature.name.value, look.through, truth] += 1
        return truth, (compared / per_unit,)

    @staticmethod
    def limit(name: str, enrolment: Enrolment) -> LimitInForce:
        """A limit as it holds for the patient: its value, and the programme's unit."""
        own, personal = enrolment.programme.limits[name], enrolment.limits.get(name)
        return own.default if personal is None else float(personal["value"]), own.unit

    def schedule(self, feature: Feature, enrolment: Enrolment) -> tuple[str, Sequence[str]]:
        own = enrolment.programme.schedule[feature.subject]
        personal = enrolment.schedules.get(feature.subject)
        return (own.before, own.on) if personal is None else (personal["before"], personal.get("on", DAYS))

    def kinds(self, feature: Feature, enrolment: Enrolment) -> tuple[str, ...]:
        if feature.name == "missed":
            return kinds_of(enrolment.programme.schedule[feature.subject].kind)
        return kinds_looked_at(feature)

    def compared(self, rule: Rule) -> list[Comparison]:
        """Every comparison of a rule; kept, because it is asked for at every moment."""
        if id(rule) not in self.comparisons:
            conditions = (condition for _, condition in rule.conditions())
            self.comparisons[id(rule)] = [c for condition in conditions for c in comparisons(condition)]
        return self.comparisons[id(rule)]

    def named(self, rule: Rule, enrolment: Enrolment) -> set[str]:
        """The kinds of which a reading evaluates a rule."""
        return {kind for c in self.compared(rule) for kind in self.kinds(c.feature, enrolment)}

    def series_of(self, kinds: tuple[str, ...]) -> Series:
        if kinds not in self.series:
            self.series[kinds] = Series(kinds, self.readings)
        return self.series[kinds]

    def missed(self, feature: Feature, enrolment: Enrolment, name: str, t: int) -> int:
        before, on = self.schedule(feature, enrolment)
        start = self.history.slots_start(t, name, feature.subject)
        series = self.series_of(self.kinds(feature, enrolment))
        count = 0
        for due in due_moments(before, on, t - feature.window_us, t):
            previous = max(due_moments(before, on, due - 9 * 86_400_000_000, due - 1))
            if previous >= start and not series.window(previous, due):
                count += 1
        return count
