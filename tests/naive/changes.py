"""The twin's reading of a patient's changes: what holds at a time, from the whole history, each time anew."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alerting.engine.programme import DAYS, Programme
from models.units import UNIT_BY_SPELLING, UNITS

Message = Mapping[str, Any]
NEVER = 10**19


@dataclass(frozen=True)
class Placed:
    """A change with the time from which it holds, in the order of the log."""

    effective_us: int
    name: str
    content: Message


@dataclass
class Enrolment:
    programme: Programme
    limits: dict[str, Message]
    schedules: dict[str, Message]
    enrolled_us: int


@dataclass
class Held:
    """What holds for a patient at one time."""

    enrolments: dict[str, Enrolment]
    paused: bool


def placed_changes(messages: Sequence[Message], patient_id: str) -> list[Placed]:
    """The patient's changes; never earlier than their place in the log, but for corrections."""
    found: list[Placed] = []
    sent_before: set[str] = set()
    now_us = 0
    for message in messages:
        if message["type"] == "clock":
            now_us = max(now_us, message["now_us"])
        elif message["type"] == "change" and message["patient_id"] == patient_id:
            if message["change_id"] in sent_before:
                continue
            sent_before.add(message["change_id"])
            valid_from_us = message["valid_from_us"]
            effective_us = valid_from_us if message.get("correction") else max(valid_from_us, now_us)
            ((name, content),) = message["change"].items()
            found.append(Placed(effective_us, name, content))
    return found


def fits(programme: Programme, name: str, limit: Message) -> bool:
    known = programme.limits.get(name)
    if known is None or not known.low <= limit["value"] <= known.high:
        return False
    if known.unit == limit["unit"]:
        return True
    number = UNIT_BY_SPELLING.get(limit["unit"])
    return number is not None and UNITS[number] == known.unit


def _is_over(limit: Message, t: int) -> bool:
    until = limit.get("until_us")
    return until is not None and until <= t


def _fitting(programme: Programme, limits: Mapping[str, Message]) -> dict[str, Message]:
    """The limits that a version knows; where one does not fit, the one before it that does."""
    found: dict[str, Message] = {}
    for name, newest in limits.items():
        chain: list[Message] = []
        limit: Message | None = newest
        while limit is not None:
            if fits(programme, name, limit):
                chain.append(limit)
            limit = limit.get("earlier")
        for each in reversed(chain):
            found[name] = {**each, "earlier": found.get(name)}
    return found


Slots = dict[tuple[str, str], tuple[object, int]]
"""By programme and schedule: what is due when, and since when its slots count."""


class History:
    """All that ever held for one patient."""

    def __init__(self, programmes: Sequence[Programme], changes: Sequence[Placed]) -> None:
        self.programmes = {(p.programme, p.version): p for p in programmes}
        self.changes = sorted(changes, key=lambda change: change.effective_us)
        self.times = sorted(set(self._times()))
        self.held: dict[int, Held] = {}
        self.concerns: dict[int, set[str]] = {}
        self.started: dict[int, dict[tuple[str, str], int]] = {}
        self._fold()

    def _times(self) -> Iterator[int]:
        for change in self.changes:
            yield change.effective_us
            for limit in change.content.get("limits", {}).values():
                if limit is not None and limit.get("until_us") is not None:
                    yield limit["until_us"]
            if change.name == "pause" and change.content.get("until_us") is not None:
                yield change.content["until_us"]

    def at(self, t: int) -> Held:
        """What holds at t: the last time at which something changed says it."""
        times = [time for time in self.times if time <= t]
        return self.held[times[-1]] if times else Held({}, paused=False)

    def slots_start(self, t: int, programme: str, schedule: str) -> int:
        """Since when the slots of a schedule count; NEVER while paused."""
        time = max(time for time in self.times if time <= t)
        return self.started[time][programme, schedule]

    def _fold(self) -> None:
        enrolments: dict[str, Enrolment] = {}
        pause_until: int | None = None
        slots: Slots = {}
        for t in self.times:
            concerned: set[str] = set()
            for change in (change for change in self.changes if change.effective_us == t):
                if change.name == "pause":
                    until = change.content.get("until_us")
                    pause_until = NEVER if until is None else until
                elif change.name in ("resume", "end"):
                    pause_until = None
                if change.name == "end":
                    enrolments = {}
                elif change.name in ("pause", "resume"):
                    concerned |= set(enrolments)
                else:
                    concerned |= self._enrolment_change(enrolments, change)
                if change.name == "enrol" and change.content["programme"] in concerned:
                    slots = {
                        key: since for key, since in slots.items() if key[0] != change.content["programme"]
                    }
            if pause_until is not None and pause_until <= t:
                pause_until = None
                concerned |= set(enrolments)
            concerned |= self._expire(enrolments, t)
            slots = self._slots(enrolments, slots, t, paused=pause_until is not None)
            self.started[t] = {key: since for key, (_, since) in slots.items()}
            self.concerns[t] = concerned & set(enrolments)
            copied = {
                name: Enrolment(e.programme, dict(e.limits), dict(e.schedules), e.enrolled_us)
                for name, e in enrolments.items()
            }
            self.held[t] = Held(copied, paused=pause_until is not None)

    @staticmethod
    def _expire(enrolments: dict[str, Enrolment], t: int) -> set[str]:
        concerned: set[str] = set()
        for name, enrolment in enrolments.items():
            for limit, content in list(enrolment.limits.items()):
                if _is_over(content, t):
                    del enrolment.limits[limit]
                    earlier = content.get("earlier")
                    while earlier is not None and _is_over(earlier, t):
                        earlier = earlier.get("earlier")
                    if earlier is not None:
                        enrolment.limits[limit] = earlier
                    concerned.add(name)
        return concerned

    @staticmethod
    def _slots(enrolments: dict[str, Enrolment], before: Slots, t: int, *, paused: bool) -> Slots:
        now: Slots = {}
        for name, enrolment in enrolments.items():
            for schedule, own in enrolment.programme.schedule.items():
                personal = enrolment.schedules.get(schedule)
                times = (
                    (own.before, set(own.on))
                    if personal is None
                    else (personal["before"], set(personal.get("on", DAYS)))
                )
                was, since = before.get((name, schedule), (None, NEVER))
                if paused:
                    since = NEVER
                elif was != (own.kind, *times) or since == NEVER:
                    since = t
                now[name, schedule] = (own.kind, *times), since
        return now

    def _enrolment_change(self, enrolments: dict[str, Enrolment], change: Placed) -> set[str]:
        """Applies a change of one programme; says which programme it concerns, if it could be followed."""
        content = change.content
        name = content.get("programme", "")
        known = self.programmes.get((name, content.get("version", 0)))
        enrolment = enrolments.get(name)
        if change.name == "enrol" and known is not None:
            limits = {n: x for n, x in content.get("limits", {}).items() if fits(known, n, x)}
            schedules = {n: x for n, x in content.get("schedule", {}).items() if n in known.schedule}
            enrolments[name] = Enrolment(known, limits, schedules, change.effective_us)
            return {name}
        if enrolment is None:
            return set()
        if change.name == "withdraw":
            del enrolments[name]
        elif change.name == "version" and known is not None:
            enrolment.programme = known
            enrolment.limits = _fitting(known, enrolment.limits)
            enrolment.schedules = {n: x for n, x in enrolment.schedules.items() if n in known.schedule}
            return {name}
        elif change.name == "limits":
            return self._set(enrolment.limits, content["limits"], name, enrolment.programme, limits=True)
        elif change.name == "schedule":
            return self._set(
                enrolment.schedules, content["schedule"], name, enrolment.programme, limits=False
            )
        return set()

    @staticmethod
    def _set(
        held: dict[str, Message], new: Message, name: str, programme: Programme, *, limits: bool
    ) -> set[str]:
        concerned: set[str] = set()
        for key, content in new.items():
            if key not in (programme.limits if limits else programme.schedule):
                continue
            if limits and content is not None and not fits(programme, key, content):
                continue
            earlier = held.pop(key, None)
            if content is not None:
                is_temporary = limits and content.get("until_us") is not None
                held[key] = {**content, "earlier": earlier} if is_temporary else content
            concerned.add(name)
        return concerned
