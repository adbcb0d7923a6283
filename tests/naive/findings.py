"""The slow twin of the engine: semantics.md in plain Python, every finding from the whole log, from scratch.

It shares with the engine the programmes as they are read from their files, and nothing else.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from alerting.engine.expressions import All, AnyOf, Comparison, Condition, Feature, Not, comparisons
from alerting.engine.programme import DAYS, TIME_UNITS_US, TOGETHER, Limit, Programme, Rule
from models.kinds import KIND_BY_NAME
from models.units import DIVIDE, MULTIPLY, OFFSET, UNIT_BY_SPELLING
from tests.naive.changes import NEVER, Enrolment, History, Message, placed_changes

WEEK_US = 7 * 86_400_000_000
FUTURE_US = 300_000_000
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


@dataclass(frozen=True)
class Taken:
    """A reading that counts. `value` is None where it was voided or absent."""

    t: int
    device: str
    kind: str
    value: float | None
    unit: str | None

    @property
    def order(self) -> tuple[int, int, int]:
        digest = int.from_bytes(blake2b(self.device.encode(), digest_size=8).digest(), "little")
        return self.t, digest, KIND_BY_NAME[self.kind].number


@dataclass
class RuleState:
    open: Finding | None = None
    run_us: int | None = None
    recent: tuple[bool, ...] = ()


def naive_findings(programmes: Sequence[Programme], log: Sequence[Message]) -> set[Finding]:
    """The findings after a log of messages as they are on the wire, all of one partition."""
    patients = {m["patient_id"] for m in log if m["type"] == "change" and "register" in m["change"]}
    now_us = max((m["now_us"] for m in log if m["type"] == "clock"), default=-1)
    return {f for patient in patients for f in Patient(programmes, log, patient).findings(now_us)}


def counted(log: Sequence[Message], patient_id: str) -> list[Taken]:
    """The readings that count, one for each identity, in order.

    Of the same identity, revision and void, only the first in the log: where it came too late, none counts.
    """
    first: set[tuple[int, str, str, int, bool]] = set()
    best: dict[tuple[int, str, str], tuple[int, bool, Taken]] = {}
    known = False
    for message in log:
        if message.get("patient_id") != patient_id:
            continue
        known = known or (message["type"] == "change" and "register" in message["change"])
        for reading in message.get("readings", ()) if known else ():
            t, kind = reading["taken_at_us"], reading["kind"]
            late_us = message["received_at_us"] - t
            revision, void = reading.get("revision", 0), bool(reading.get("void"))
            this = t, message["device_id"], kind, revision, void
            if late_us < -FUTURE_US or this in first:
                continue
            first.add(this)
            if late_us > WEEK_US:
                continue
            value, unit = reading.get("value"), reading.get("unit")
            if "code" in reading:
                value = float(KIND_BY_NAME[kind].codes.index(reading["code"]))
            key = t, message["device_id"], kind
            taken = Taken(t, message["device_id"], kind, value, unit)
            if key not in best or (revision, void) > best[key][:2]:
                best[key] = revision, void, taken
    return sorted((taken for _, _, taken in best.values()), key=lambda taken: taken.order)


def in_unit(taken: Taken, unit: str) -> float:
    """A value in the unit of a limit: as it arrived where it arrived in that unit."""
    assert taken.value is not None
    if taken.unit is None or UNIT_BY_SPELLING[taken.unit] == UNIT_BY_SPELLING[unit]:
        return taken.value
    a, b = (
        (KIND_BY_NAME[taken.kind].number, UNIT_BY_SPELLING[taken.unit]),
        (KIND_BY_NAME[taken.kind].number, UNIT_BY_SPELLING[unit]),
    )
    canonical = (taken.value - float(OFFSET[a])) * float(MULTIPLY[a]) / float(DIVIDE[a])
    return canonical * float(DIVIDE[b]) / float(MULTIPLY[b]) + float(OFFSET[b])


def millionths(value: float) -> int:
    return math.floor(value * 1e6 + 0.5)


def due_moments(before: str, on: Sequence[str], from_us: int, to_us: int) -> Iterator[int]:
    """Due moments in (from, to], from the calendar itself."""
    day = (EPOCH + timedelta(microseconds=from_us)).date() - timedelta(days=9)
    last = (EPOCH + timedelta(microseconds=to_us)).date() + timedelta(days=1)
    while day <= last:
        if DAYS[day.weekday()] in on:
            local = datetime(day.year, day.month, day.day, int(before[:2]), int(before[3:]), tzinfo=AMSTERDAM)
            due = (local.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)
            if from_us < due <= to_us:
                yield due
        day += timedelta(days=1)


class Patient:
    """One patient at the end of the log."""

    def __init__(self, programmes: Sequence[Programme], log: Sequence[Message], patient_id: str) -> None:
        self.patient_id = patient_id
        self.all = counted(log, patient_id)
        self.readings = [taken for taken in self.all if taken.value is not None]
        self.history = History(programmes, placed_changes(log, patient_id))
        self.states: dict[tuple[str, str], RuleState] = {}
        self.found: dict[UUID, Finding] = {}

    def findings(self, now_us: int) -> set[Finding]:
        """Walks through all moments at which anything can happen, in order."""
        horizon = max([now_us, *(taken.t for taken in self.all)])
        t = -1
        while (t := self.next_moment(t)) <= horizon:
            self.moment(t)
        return set(self.found.values())

    # --- when

    def next_moment(self, t: int) -> int:
        after = [taken.t for taken in self.readings if taken.t > t]
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
        for _, condition in rule.conditions():
            for comparison in comparisons(condition):
                feature = comparison.feature
                if feature.name == "age":
                    seen = self.seen(feature, enrolment, t)
                    limit_us = self.limit(comparison, enrolment)[0]
                    if seen:
                        yield seen[-1].t + int(limit_us) + (comparison.comparator in (">", "<="))
                elif feature.name == "missed" and not self.history.at(t).paused:
                    before, on = self.schedule(feature, enrolment)
                    yield from list(due_moments(before, on, t, t + 9 * 86_400_000_000))[:1]

    # --- what

    def moment(self, t: int) -> None:
        """All that happens at t: every rule that is concerned, once."""
        enrolments = self.history.at(t).enrolments
        was = self.history.at(t - 1).enrolments
        for (name, rule_name), state in self.states.items():
            if name not in enrolments or rule_name not in enrolments[name].programme.rules:
                self.close(state, t)
        kinds = {taken.kind for taken in self.readings if taken.t == t}
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
        if by_reading:
            state.recent = (*state.recent, when is True)
        if when is not True:
            state.run_us = None
        elif state.run_us is None:
            state.run_us = t
        if state.open is not None:
            if when is not True and self.truth(rule.clear, rule, enrolment, name, t)[0] is True:
                self.put(state, cleared_us=t)
                state.open = None
                return
        elif when is True and self.long_enough(rule, state, t):
            full_name = f"{name}/{rule_name}"
            finding_id = uuid5(UUID(self.patient_id), f"{full_name}/{t}")
            state.open = Finding(
                finding_id, self.patient_id, full_name, t, None, str(rule.severity), values, None, ()
            )
            self.put(state)
        if state.open is not None and state.open.raised_us is None and rule.raise_ is not None:
            raised, values = self.truth(rule.raise_.when, rule, enrolment, name, t)
            if raised is True:
                self.put(state, severity=str(rule.raise_.severity), raised_us=t, raised_values=values)

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
            value = self.feature(condition, rule, enrolment, name, t)
            if value is None:
                return None, (None,)
            limit, per_unit = self.limit(condition, enrolment)
            is_age = condition.feature.name == "age"
            compared = int(value) if is_age else millionths(float(value))
            holds = {
                ">": compared > limit,
                ">=": compared >= limit,
                "<": compared < limit,
                "<=": compared <= limit,
            }[condition.comparator.value]
            return holds, (compared / per_unit,)
        if isinstance(condition, Not):
            truth, values = self.truth(condition.part, rule, enrolment, name, t)
            return None if truth is None else not truth, values
        assert isinstance(condition, All | AnyOf)
        parts = [self.truth(part, rule, enrolment, name, t) for part in condition.parts]
        truths = [truth for truth, _ in parts]
        decides = isinstance(condition, AnyOf)
        truth = decides if decides in truths else None if None in truths else not decides
        return truth, tuple(value for _, values in parts for value in values)

    def limit(self, comparison: Comparison, enrolment: Enrolment) -> tuple[int, int]:
        """The limit as it is compared, and how many of those make one of its unit."""
        limit: Limit = enrolment.programme.limits[comparison.limit]
        personal = enrolment.limits.get(comparison.limit)
        value = limit.default if personal is None else float(personal["value"])
        per_unit = TIME_UNITS_US.get(limit.unit, 1_000_000)
        return math.floor(value * per_unit + 0.5), per_unit

    def schedule(self, feature: Feature, enrolment: Enrolment) -> tuple[str, Sequence[str]]:
        own = enrolment.programme.schedule[feature.subject]
        personal = enrolment.schedules.get(feature.subject)
        return (own.before, own.on) if personal is None else (personal["before"], personal.get("on", DAYS))

    def kinds(self, feature: Feature, enrolment: Enrolment) -> tuple[str, ...]:
        subject = feature.subject
        if feature.name == "missed":
            subject = enrolment.programme.schedule[subject].kind
        return TOGETHER.get(subject, (subject,))

    def named(self, rule: Rule, enrolment: Enrolment) -> set[str]:
        all_comparisons = [c for _, condition in rule.conditions() for c in comparisons(condition)]
        return {kind for c in all_comparisons for kind in self.kinds(c.feature, enrolment)}

    def seen(self, feature: Feature, enrolment: Enrolment, t: int, window_us: int = NEVER) -> list[Taken]:
        kinds = self.kinds(feature, enrolment)
        return [r for r in self.readings if r.kind in kinds and t - window_us < r.t <= t]

    def feature(
        self, comparison: Comparison, rule: Rule, enrolment: Enrolment, name: str, t: int
    ) -> float | int | None:
        feature = comparison.feature
        seen = (
            [] if feature.name == "missed" else self.seen(feature, enrolment, t, feature.window_us or NEVER)
        )
        match feature.name.value:
            case "missed":
                return self.missed(feature, enrolment, name, t)
            case "age":
                return t - seen[-1].t if seen else None
            case "count":
                return len(seen)
            case _:
                unit = enrolment.programme.limits[comparison.limit].unit
                stale = bool(seen) and rule.max_age is not None and t - seen[-1].t > rule.max_age.us
                return of_values(feature.name.value, [in_unit(taken, unit) for taken in seen], stale=stale)

    def missed(self, feature: Feature, enrolment: Enrolment, name: str, t: int) -> int:
        before, on = self.schedule(feature, enrolment)
        start = self.history.slots_start(t, name, feature.subject)
        count = 0
        for due in due_moments(before, on, t - feature.window_us, t):
            previous = max(due_moments(before, on, due - 9 * 86_400_000_000, due - 1))
            measured = any(previous < r.t <= due for r in self.seen(feature, enrolment, t))
            if previous >= start and not measured:
                count += 1
        return count


def of_values(name: str, values: Sequence[float], *, stale: bool) -> float | None:
    """A feature of the values in its window, the newest last; stale when that one is too old to stand."""
    if not values or (stale and name in ("last", "rise", "fall")):
        return None
    *earlier, last = values
    match name:
        case "mean":
            return in_turn(values) / len(values)
        case "min" | "max":
            return min(values) if name == "min" else max(values)
        case "last":
            return last
        case _:
            if not earlier:
                return None
            return last - min(earlier) if name == "rise" else max(earlier) - last


def in_turn(values: Sequence[float]) -> float:
    """The sum, added one by one from the oldest on."""
    total = 0.0
    for value in values:
        total += value
    return total
