"""The engine of one log partition: readings and changes in, verdicts out."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from alerting.engine import intake, kernel
from alerting.engine.compiled import CompiledProgrammes, compared, compile_programmes
from alerting.engine.layout import (
    LIMIT,
    MOST_VALUES,
    PATIENT,
    READING,
    SCHEDULE,
    SEGMENT,
    SNAPSHOTS,
    STACK,
    STATE,
    TRANSITION,
    Memory,
    Rows,
)
from alerting.engine.programme import Programme
from alerting.engine.timeline import Problem, Stretch, timeline
from alerting.engine.too_late import TooLate
from alerting.engine.verdict import NO_CLOCK, Verdict
from models.columns import Readings
from models.kinds import KINDS
from models.messages import AnyChange, Enrol
from models.units import UNIT_BY_SPELLING, UNITS

LATEST_US = 4_102_444_800_000_000
"""The latest time that a message may carry."""

CANONICAL_UNITS = np.array([UNIT_BY_SPELLING[k.unit] if k.unit else -1 for k in KINDS], np.int16)

NOT_REPLAYED, NO_SNAPSHOT = -2, -3
FIRST_ROOM = 4_096
MOST_DIGESTS = 500_000
"""Digests of devices are kept to save time; one that changes its name each time must not take all memory."""


def device_digest(device: str) -> int:
    """Stands for a device in memory and gives the order of devices at the same microsecond."""
    return int.from_bytes(blake2b(device.encode(), digest_size=8).digest(), "little")


def unopened() -> Rows:
    """The state of a rule that has found nothing yet. **Shape**: [1]."""
    state = np.zeros(1, STATE)
    state["opened_us"] = state["run_us"] = -1
    state["due_us"] = kernel.NEVER
    return state


def _unknown_patients(number: int) -> Rows:
    patients = np.zeros(number, PATIENT)
    patients["done_us"] = patients["latest_us"] = -1
    patients["due_us"] = patients["again_us"] = kernel.NEVER
    return patients


def _grown(rows: Rows, size: int) -> Rows:
    grown = np.zeros((size, *rows.shape[1:]), rows.dtype)
    grown[: len(rows)] = rows
    return grown


class Placed(NamedTuple):
    """A segment as a value: what holds (version, limits, schedules), and where its rules' states are."""

    programme: str
    from_us: int
    to_us: int
    content: tuple[int, int, bytes]
    states: int


class Engine:
    """State of all patients of one partition, and the rules they are under.

    A cache of the log: what it says is a function of the readings and changes it was given and the latest
    now, whatever their order and batches, except that of conflicting readings the first counts.
    """

    def __init__(self, programmes: CompiledProgrammes) -> None:
        self.programmes = programmes
        self._limits: dict[tuple[int, tuple[float, ...]], int] = {}
        self._limits_used = len(programmes.default_limits)
        self._digests: dict[str, int] = {}
        self._too_late = TooLate()
        self._touched: set[int] = set()
        self._out: Rows = np.zeros(FIRST_ROOM, TRANSITION)
        self._used = {"segments": 0, "schedules": 0, "states": 0}
        self._memory = Memory(
            patients=_unknown_patients(0),
            readings=np.zeros(FIRST_ROOM, READING),
            segments=np.zeros(FIRST_ROOM, SEGMENT),
            schedules=np.zeros(FIRST_ROOM, SCHEDULE),
            states=np.zeros(FIRST_ROOM, STATE),
            limits=_grown(programmes.default_limits, len(programmes.default_limits) + 64),
            snapshot_us=np.zeros((0, SNAPSHOTS), np.int64),
            snapshot_mark_us=np.zeros((0, SNAPSHOTS), np.int64),
            free=np.full(64, -1, np.int64),
            used=np.zeros(1, np.int64),
            stack=np.zeros(STACK, np.int64),
            values=np.zeros((2, MOST_VALUES)),
        )

    @property
    def bytes(self) -> int:
        """What its arrays take."""
        return sum(array.nbytes for array in self._memory)

    def change(
        self, patient_row: int, patient_id: UUID, changes: Sequence[tuple[int, AnyChange]]
    ) -> list[Problem]:
        """Takes a patient's whole history of changes, in the order of the log; says what cannot be followed.

        Each change comes with the time from which it holds. What changes in the past is evaluated again with
        the next batch; `patient_id` says whose history it is, in errors only.
        """
        if not 0 <= patient_row < 2**31 - 1:
            raise ValueError(f"patient {patient_id}: expected a row from 0 on, found {patient_row}")
        self._know(patient_row)
        stretches, problems = timeline(changes, self.programmes)
        before = self._placed(patient_row)
        self._place(patient_row, stretches, before)
        after = self._placed(patient_row)
        differs_us = _first_difference(before, after)
        patient = self._memory.patients[patient_row]
        if differs_us < kernel.NEVER:
            patient["again_us"] = min(int(patient["again_us"]), differs_us)
            patient["stale"] = 1
            self._touched.add(patient_row)
        return problems

    def forget(self, patient_row: int) -> None:
        """Forgets a patient's readings and what was found, not the changes; for building it up again."""
        self._know(patient_row)
        self._too_late.forget(patient_row)
        patient = self._memory.patients[patient_row]
        for name in ("done_us", "latest_us"):
            patient[name] = -1
        patient["again_us"] = kernel.NEVER
        patient["readings_len"] = patient["snapshots"] = patient["oldest"] = 0
        patient["stale"] = 1
        start, length = int(patient["states"]), int(patient["states_len"])
        self._memory.states[start : start + length] = unopened()
        self._touched.add(patient_row)

    def apply(self, readings: Readings | None, now_us: int) -> Verdict:
        """Takes the accepted readings of a batch and brings their patients, and whoever is due, up to now.

        Too late ones are left out. `now_us` is the last clock message so far, or NO_CLOCK. A patient may be
        rebuilt by `forget` and readings in order of time with NO_CLOCK, then none with now.
        """
        now_us = min(max(now_us, NO_CLOCK), LATEST_US)
        who = np.empty(0, np.int32)
        if readings is not None and len(readings):
            who = self._insert(readings, now_us)
        due = np.flatnonzero(self._memory.patients["due_us"] <= now_us).astype(np.int32)
        changed = np.fromiter(self._touched, np.int32, len(self._touched))
        self._touched.clear()
        others = np.concatenate([due, changed])
        return self._evaluate(np.union1d(who, others) if others.size else who, now_us)

    def give_back(self, patient_rows: Sequence[int]) -> None:
        """Gives back the room of readings that nobody looks back at any more; worth it after a rebuild."""
        rows = np.array(patient_rows, np.int32)
        if rows.size:
            self._know(int(rows.max()))
            intake.give_back(rows, self._memory, self.programmes.tables.kept_us)

    def _evaluate(self, touched: NDArray[np.int32], now_us: int) -> Verdict:
        if not touched.size:
            return Verdict(self.programmes, np.zeros(0, TRANSITION))
        most = 2 * int(self._memory.patients["states_len"][touched].max())
        if len(self._out) < 4 * most:
            self._out = np.zeros(4 * most, TRANSITION)
        replayed_us = np.full(touched.size, NOT_REPLAYED, np.int64)
        parts: list[Rows] = []
        done = 0
        while done < touched.size:
            done, filled = kernel.evaluate(
                touched, done, now_us, self._memory, self.programmes.tables, self._out, replayed_us
            )
            parts.append(self._out[:filled].copy())
        again = np.flatnonzero(replayed_us > NOT_REPLAYED)
        rebuild = self._too_late.doubtful.union(touched[replayed_us == NO_SNAPSHOT].tolist())
        self._too_late.doubtful.clear()
        return Verdict(
            programmes=self.programmes,
            transitions=np.concatenate(parts),
            replayed=tuple((int(touched[j]), int(replayed_us[j])) for j in again),
            rebuild=tuple(sorted(rebuild)),
        )

    def _insert(self, readings: Readings, now_us: int) -> NDArray[np.int32]:
        """Readings into their patients' memory; gives the patients. Leaves out kinds that no rule names."""
        kind, taken_at_us = readings.kind, readings.taken_at_us
        valid = (readings.patient >= 0) & (kind >= 0) & (kind < len(KINDS))
        valid &= (taken_at_us >= 0) & (taken_at_us <= LATEST_US)
        if not valid.all():
            readings = readings.take(valid)
        counting = self._too_late.counting(readings, now_us)
        if not counting.all():
            readings = readings.take(counting)
        if not len(readings):
            return np.empty(0, np.int32)
        who = readings.patient
        self._know(int(who.max()))
        order = np.argsort(who, kind="stable")
        sorted_who = who[order]
        another = np.ones(len(who), np.bool_)
        np.not_equal(sorted_who[1:], sorted_who[:-1], out=another[1:])
        starts = np.flatnonzero(another)
        touched = sorted_who[starts]
        latest_us = np.maximum.reduceat(readings.taken_at_us[order], starts)
        patients = self._memory.patients
        patients["latest_us"][touched] = np.maximum(patients["latest_us"][touched], latest_us)
        named = (self.programmes.tables.kept_us[readings.kind] >= 0)[order]
        self.make_room(touched, np.add.reduceat(named.astype(np.int64), starts))
        self.insert(order[named], who, self._rows_of(readings))
        return touched

    def _rows_of(self, readings: Readings) -> Rows:
        code = readings.code
        as_received = (readings.unit >= 0) & (readings.unit < len(UNITS))
        value = np.where(as_received, readings.value_received, readings.value)
        unit = np.where(as_received, readings.unit, CANONICAL_UNITS[readings.kind])
        coded = code >= 0
        if coded.any():
            value = np.where(coded, code, value)
            unit = np.where(coded, -1, unit)
        new = np.zeros(len(readings), READING)
        new["taken_us"] = readings.taken_at_us
        new["value"] = value
        new["device"] = self._devices(readings)
        new["revision"] = readings.revision
        new["kind"] = readings.kind
        new["unit"] = unit
        new["void"] = readings.void
        new["counts"] = ~(np.isnan(value) | readings.void)
        return new

    def _devices(self, readings: Readings) -> NDArray[np.uint64]:
        if len(self._digests) > MOST_DIGESTS:
            self._digests.clear()
        of_text = np.zeros(len(readings.texts) + 1, np.uint64)
        used = np.zeros(len(readings.texts) + 1, np.bool_)
        used[readings.device] = True
        for i in np.flatnonzero(used[:-1]).tolist():
            text = readings.texts[i]
            digest = self._digests.get(text)
            if digest is None:
                digest = self._digests[text] = device_digest(text)
            of_text[i] = digest
        return of_text[readings.device]

    def _know(self, patient_row: int) -> None:
        memory = self._memory
        if patient_row < len(memory.patients):
            return
        size = max(64, 2 * len(memory.patients), patient_row + 1)
        patients = _unknown_patients(size)
        patients[: len(memory.patients)] = memory.patients
        self._memory = memory._replace(
            patients=patients,
            snapshot_us=_grown(memory.snapshot_us, size),
            snapshot_mark_us=_grown(memory.snapshot_mark_us, size),
        )

    def insert(self, order: NDArray[np.int64], who: NDArray[np.int32], new: Rows) -> None:
        """New readings into their patients' memory, in the given order. There must be room."""
        intake.insert(order, who, new, self._memory, self.programmes.tables.kept_us)

    def make_room(self, touched: NDArray[np.int32], more: NDArray[np.int64]) -> None:
        """Room for so many more readings for each of the touched patients."""
        done = 0
        while True:
            kept_us = self.programmes.tables.kept_us
            done = intake.make_room(touched, more, done, self._memory, kept_us)
            if done == touched.size:
                return
            memory = self._memory
            needed = int(memory.patients["readings_len"][touched[done]]) + int(more[done])
            size = 2 * len(memory.readings) + 4 * needed
            self._memory = memory._replace(readings=_grown(memory.readings, size))

    def _placed(self, patient_row: int) -> list[Placed]:
        """A patient's segments as values."""
        memory = self._memory
        patient = memory.patients[patient_row]
        first, length = int(patient["segments"]), int(patient["segments_len"])
        own = int(patient["schedules"])
        placed: list[Placed] = []
        rows: list[tuple[int, ...]] = memory.segments[first : first + length].tolist()
        for from_us, to_us, version, states, limits, at in rows:
            programme = self.programmes.by_number[version].programme
            schedules = memory.schedules[own + at : own + at + len(programme.schedule)].tobytes()
            placed.append(Placed(programme.programme, from_us, to_us, (version, limits, schedules), states))
        return placed

    def _place(self, patient_row: int, stretches: Sequence[Stretch], before: Sequence[Placed]) -> None:
        states = self._place_states(patient_row, stretches, before)
        segments: list[tuple[int, ...]] = []
        schedules: list[tuple[int, int, int]] = []
        for x in stretches:
            place = states[x.programme], self._limits_of(x), len(schedules)
            segments.append((x.from_us, x.to_us, x.version.number, *place))
            schedules += [(start_us, minute, days) for minute, days, start_us in x.schedules]
        self._store(patient_row, "schedules", np.array(schedules, SCHEDULE))
        self._store(patient_row, "segments", np.array(segments, SEGMENT))

    def _place_states(
        self, patient_row: int, stretches: Sequence[Stretch], placed: Sequence[Placed]
    ) -> dict[str, int]:
        """Where each programme's states are; the block is laid out anew when a programme is new."""
        memory = self._memory
        patient = memory.patients[patient_row]
        before = {x.programme: x.states for x in placed}
        needed = {s.programme: s.version.states for s in stretches}
        if needed.keys() <= before.keys():
            return before
        length = int(patient["states_len"])
        block = memory.states[int(patient["states"]) : int(patient["states"]) + (1 + SNAPSHOTS) * length]
        old = block.reshape(1 + SNAPSHOTS, length)
        places, columns = dict(before), [old]
        for programme in needed.keys() - before.keys():
            places[programme] = length
            columns.append(np.tile(unopened(), (1 + SNAPSHOTS, needed[programme])))
            length += needed[programme]
        self._store(patient_row, "states", np.concatenate(columns, axis=1).reshape(-1))
        self._memory.patients[patient_row]["states_len"] = length
        return places

    def _limits_of(self, stretch: Stretch) -> int:
        """Where the limits of a stretch are; equal ones are kept once."""
        if not stretch.limits:
            return stretch.version.limits
        limits = stretch.version.programme.limits
        values = tuple(stretch.limits.get(name, limit.default) for name, limit in limits.items())
        key = stretch.version.number, values
        if key not in self._limits:
            rows = [(v, compared(v, limit)) for v, limit in zip(values, limits.values(), strict=True)]
            self._limits[key] = self._limits_used
            end = self._limits_used + len(rows)
            if end > len(self._memory.limits):
                self._memory = self._memory._replace(limits=_grown(self._memory.limits, 2 * end))
            self._memory.limits[self._limits_used : end] = np.array(rows, LIMIT)
            self._limits_used = end
        return self._limits[key]

    def _store(self, patient_row: int, name: str, rows: Rows) -> None:
        """A patient's rows into the arena of that name, in place where they fit."""
        patient = self._memory.patients[patient_row]
        if len(rows) > int(patient[f"{name}_cap"]):
            start = self._used[name]
            self._used[name] = start + len(rows)
            arena: Rows = getattr(self._memory, name)
            if self._used[name] >= len(arena):  # one row more than used, for an index just beyond
                grown = _grown(arena, 2 * self._used[name])
                self._memory = self._memory._replace(**{name: grown})
            patient[name] = start
            patient[f"{name}_cap"] = len(rows)
        start = int(patient[name])
        getattr(self._memory, name)[start : start + len(rows)] = rows
        patient[f"{name}_len"] = len(rows)


def _first_difference(before: Sequence[Placed], after: Sequence[Placed]) -> int:
    """The first time at which two sets of segments differ; NEVER when they are equal."""
    differing: list[int] = []
    old, new = ({(x.programme, x.from_us): x for x in placed} for placed in (before, after))
    for key in old.keys() | new.keys():
        one, other = old.get(key), new.get(key)
        if one is None or other is None or one.content != other.content:
            differing.append(key[1])
        elif one.to_us != other.to_us:
            differing.append(min(one.to_us, other.to_us))
    return min(differing, default=kernel.NEVER)


def warm_up() -> None:
    """Compiles the kernels, or reads them from their cache, before a worker takes partitions."""
    text = {"nl": "x", "en": "x"}
    limit = {"default": 1.0, "unit": "kg", "low": 0.0, "high": 2.0, "mark": "P", "source": "x", "text": text}
    rule = {"signal": "device", "severity": "low", "when": "rise(body_weight, days=1) > x", "text": text}
    programme = Programme.model_validate(
        {
            "programme": "warm_up",
            "version": 1,
            "title": text,
            "source": "x",
            "limits": {"x": limit},
            "rules": {"x": {**rule, "clear": "rise(body_weight, days=1) < x", "source": "x", "mark": "P"}},
        }
    )
    engine = Engine(compile_programmes([programme]))
    engine.change(0, UUID(int=0), [(0, Enrol(programme="warm_up", version=1))])
    touched, one = np.zeros(1, np.int32), np.zeros(1, np.int64)
    engine.make_room(touched, one + 1)
    engine.insert(one, touched, np.zeros(1, READING))
    engine.apply(None, 1)
    engine.give_back([0])
