"""What is counted for insight, obviously right: day by day, alert by alert, patient by patient."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from uuid import UUID
from zoneinfo import ZoneInfo

from models.figures import HANDLING_AT_MOST_S, REGION, WITHIN_MIN, Count, Dimension, Window

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
BY_THEMSELVES = ("by_itself", "ended")
IN_WIJK = ("huisarts", "community_nurse", "out_of_hours_post")
BEYOND = ("referral_desk", "specialist", "coordination_centre", "home_visit")
TAKES = ("acknowledged", "hand_over_accepted", "snooze_ended")
LETS_GO = ("snoozed", "lapsed", "resolved")


@dataclass(frozen=True)
class Patient:
    patient_id: UUID
    organisation_id: UUID
    wijk: str | None
    language: str
    origin: str
    treated_by: frozenset[UUID]


@dataclass(frozen=True)
class Changed:
    """A change in the log, in the order in which it stands there."""

    patient_id: UUID
    at: datetime
    what: str
    programme: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Read:
    patient_id: UUID
    taken_at: datetime
    counts: bool = True


@dataclass(frozen=True)
class Escalated:
    recipient: str
    asked_at: datetime
    is_accepted: bool


@dataclass(frozen=True)
class Alerted:
    alert_id: UUID
    patient_id: UUID
    origin: str
    opened_at: datetime
    rules: frozenset[tuple[str, str]]
    events: tuple[tuple[str, datetime, str], ...]
    """What, when, by whom."""
    outcome: str | None
    resolved_at: datetime | None
    escalations: tuple[Escalated, ...] = ()


@dataclass(frozen=True)
class World:
    patients: Sequence[Patient]
    changes: Sequence[Changed]
    readings: Sequence[Read]
    alerts: Sequence[Alerted]


Fact = tuple[UUID, str, date, str, int]
"""Of a patient, in a programme (empty: any), on a day, so much of a measure."""


Key = tuple[UUID, str, Dimension, str, int | None, bool, str]
"""Scope, programme, dimension, group, step, whether before, measure."""


def day_of(at: datetime) -> date:
    return at.astimezone(AMSTERDAM).date()


def facts(world: World, window: Window) -> Iterator[Fact]:
    for patient in world.patients:
        for programme in ("", "heart_failure", "copd"):
            yield from of_days(world, window, patient.patient_id, programme)
    for alert in world.alerts:
        if alert.origin != "canary":
            yield from of_rules(alert)
            for programme in {"", *(programme for programme, _ in alert.rules)}:
                for at, measure, n in of_alert(alert):
                    yield alert.patient_id, programme, day_of(at), measure, n


def of_days(world: World, window: Window, patient_id: UUID, programme: str) -> Iterator[Fact]:
    measured = {
        day_of(read.taken_at) for read in world.readings if read.patient_id == patient_id and read.counts
    }
    day = window.since
    while day < window.until:
        if is_followed(world, patient_id, programme, day):
            yield patient_id, programme, day, "days_followed", 1
            if day in measured:
                yield patient_id, programme, day, "days_measured", 1
        day += timedelta(days=1)


def of_rules(alert: Alerted) -> Iterator[Fact]:
    for programme, rule in alert.rules:
        yield alert.patient_id, programme, day_of(alert.opened_at), f"rule/{rule}/opened", 1
        if alert.resolved_at is not None and alert.outcome not in BY_THEMSELVES:
            for what in ("judged", alert.outcome):
                yield alert.patient_id, programme, day_of(alert.resolved_at), f"rule/{rule}/{what}", 1


def of_alert(alert: Alerted) -> Iterator[tuple[datetime, str, int]]:
    yield alert.opened_at, "alerts", 1
    if alert.outcome not in BY_THEMSELVES:
        yield alert.opened_at, "needed", 1
    for one in alert.escalations:
        yield one.asked_at, f"asked/{one.recipient}", 1
    answers = [
        place
        for place, (event, _, by) in enumerate(alert.events)
        if event in ("acknowledged", "resolved") and by != "alerting"
    ]
    if answers:
        answered_at = alert.events[answers[0]][1]
        seen = [at for event, at, _ in alert.events[: answers[0]] if event in ("opened", "released")]
        yield answered_at, f"answered/{within(answered_at - max(seen))}", 1
    if alert.resolved_at is None or alert.outcome in BY_THEMSELVES:
        return
    at = alert.resolved_at
    yield at, "judged", 1
    yield at, f"resolved/{within(at - alert.events[0][1])}", 1
    if alert.outcome in ("true_acted_on", "true_no_action"):
        yield at, "true", 1
    accepted = {one.recipient for one in alert.escalations if one.is_accepted}
    level = "regional" if accepted & set(BEYOND) else "wijk" if accepted & set(IN_WIJK) else "centre"
    yield at, f"level/{level}", 1
    seconds = handled_s(alert)
    if seconds is not None:
        yield at, "handled", 1
        yield at, "handling_s", seconds


def handled_s(alert: Alerted) -> int | None:
    """Seconds in which somebody had it and it was not snoozed; None where nobody took it."""
    since: datetime | None = None
    worked, taken = 0.0, False
    for event, at, _ in alert.events:
        if event not in TAKES + LETS_GO:
            continue
        if since is not None:
            worked += (at - since).total_seconds()
        since = at if event in TAKES else None
        taken = taken or event in TAKES
    return min(round(worked), HANDLING_AT_MOST_S) if taken else None


def within(took: timedelta) -> int:
    seconds = ceil(took.total_seconds())
    return next(
        (place for place, minutes in enumerate(WITHIN_MIN) if seconds <= minutes * 60), len(WITHIN_MIN)
    )


def is_followed(world: World, patient_id: UUID, programme: str, day: date) -> bool:
    """Enrolled on that day, and neither on a pause nor in hospital."""
    changes = [change for change in world.changes if change.patient_id == patient_id]
    enrolled = any(
        lasts(changes, place, day, {"end"}, {"withdraw"})
        for place, change in enumerate(changes)
        if change.what == "enrol" and programme in ("", change.programme)
    )
    away = any(
        lasts(
            changes,
            place,
            day,
            {"pause", "resume", "end"} if change.what == "pause" else {"admit", "discharge", "end"},
        )
        for place, change in enumerate(changes)
        if change.what in ("pause", "admit")
    )
    return enrolled and not away


def lasts(
    changes: Sequence[Changed],
    place: int,
    day: date,
    over: AbstractSet[str],
    over_of_same: AbstractSet[str] = frozenset(),
) -> bool:
    """Whether what began with a change holds on a day: it counts from its first day, not on its last."""
    begun = changes[place]
    ends = [
        change.at
        for change in changes[place + 1 :]
        if change.what in over or (change.what in over_of_same and change.programme == begun.programme)
    ]
    if begun.until is not None:
        ends.append(begun.until)
    return day_of(begun.at) <= day and (not ends or day < day_of(min(ends)))


def counted(world: World, window: Window, *, is_trial: bool = True) -> dict[UUID, set[Count]]:
    """The counts of each scope."""
    sums: dict[Key, int] = defaultdict(int)
    who: dict[Key, set[UUID]] = defaultdict(set)
    patients = {
        patient.patient_id: patient
        for patient in world.patients
        if patient.origin == "real" or (is_trial and patient.origin == "simulated")
    }
    for patient_id, programme, day, measure, n in facts(world, window):
        patient = patients.get(patient_id)
        if patient is None or not window.since <= day < window.until:
            continue
        step = (window.until - timedelta(days=1) - day).days // window.step_days
        before = step >= window.steps
        groups = [(Dimension.ALL, "", None, before), (Dimension.ALL, "", step, before)]
        if not before:
            groups += [
                (Dimension.ORGANISATION, str(patient.organisation_id), None, before),
                (Dimension.WIJK, patient.wijk or "?", None, before),
                (Dimension.LANGUAGE, patient.language, None, before),
            ]
        for dimension, value, at, was in groups:
            if measure.startswith("rule/") and (dimension is not Dimension.ALL or at is not None):
                continue
            for scope in {REGION, *patient.treated_by}:
                key = (scope, programme, dimension, value, at, was, measure)
                sums[key] += n
                who[key].add(patient_id)
    found: dict[UUID, set[Count]] = defaultdict(set)
    for key, n in sums.items():
        scope, programme, dimension, value, at, was, measure = key
        found[scope].add(Count(programme, dimension, value, at, was, measure, n, len(who[key])))
    return dict(found)
