"""The arenas in which patients lie, and how they grow; what lies in them is `kernel.layout`'s."""

from typing import Any

import numpy as np

from alerting.engine.atoms import Need, is_dense
from alerting.engine.kernel import intake
from alerting.engine.kernel.handing import handed
from alerting.engine.kernel.layout import (
    BIN,
    HISTORY,
    LIMIT,
    NEVER,
    PATIENT,
    READING,
    SCHEDULE,
    SEGMENT,
    SERIES,
    SNAPSHOTS,
    STATE,
    Memory,
    Rows,
)
from alerting.engine.kernel.numbers import ones, size_for

FIRST_ROOM = 4_096
SIZES = 64
"""Of blocks of readings: far more than memory has room for."""

WORTH_PACKING = 0.7
"""Readings are packed when they fill no larger part of their arena."""

MARGIN_DAYS = 32
MARGIN_BINS = 160
"""More bins and days than are looked back at: late readings find them, and room is rarely given up."""


def unopened() -> Rows:
    """The state of a rule that has found nothing yet. **Shape**: [1]."""
    state = np.zeros(1, STATE)
    state["since_us"] = -1
    state["due_us"] = NEVER
    return state


def grown(rows: Rows, size: int) -> Rows:
    """The same rows at the beginning of a larger array; copied as bytes, which is six times as fast."""
    larger = np.zeros((size, *rows.shape[1:]), rows.dtype)
    larger.reshape(-1).view(np.uint8)[: rows.nbytes] = rows.reshape(-1).view(np.uint8)
    return larger


def _unknown_patients(number: int) -> Rows:
    patients = np.zeros(number, PATIENT)
    patients["done_us"] = patients["latest_us"] = -1
    patients["again_us"] = patients["gate_due_us"] = NEVER
    return patients


class Arenas:
    """Memory of one partition's patients."""

    def __init__(self, default_limits: Rows) -> None:
        arenas = "segments", "schedules", "states", "series", "histories", "days"
        self._used: dict[str, int] = dict.fromkeys(arenas, 0)
        self.memory = Memory(
            patients=_unknown_patients(0),
            due_us=np.zeros(0, np.int64),
            series=np.zeros(FIRST_ROOM, SERIES),
            readings=np.zeros(FIRST_ROOM, READING),
            histories=np.zeros(FIRST_ROOM // 8, HISTORY),
            bins=np.zeros(FIRST_ROOM, BIN),
            days=np.zeros(FIRST_ROOM, np.float64),
            segments=np.zeros(FIRST_ROOM, SEGMENT),
            schedules=np.zeros(FIRST_ROOM, SCHEDULE),
            states=np.zeros(FIRST_ROOM, STATE),
            limits=grown(default_limits, len(default_limits) + 64),
            snapshot_us=np.zeros((0, SNAPSHOTS), np.int64),
            snapshot_mark_us=np.zeros((0, SNAPSHOTS), np.int64),
            digests=np.zeros(1, np.uint64),
            free=np.full(SIZES, -1, np.int64),
            used=np.zeros(1, np.int64),
            free_bins=np.full(SIZES, -1, np.int64),
            used_bins=np.zeros(1, np.int64),
            longest=np.zeros(1, np.int64),
            readings_room=FIRST_ROOM,
            bins_room=FIRST_ROOM,
        )
        self._handed: tuple[Memory, Any] | None = None
        self._more = FIRST_ROOM
        self._laid_out: dict[int, frozenset[int]] = {}
        self._first_rows: dict[frozenset[int], Rows] = {}
        self._first_histories: dict[tuple[int, Need], Rows] = {}
        self.longest = 512
        """As many values as one series may hold, of whatever it is looked at by."""

    @property
    def bytes(self) -> int:
        """What is in use."""
        memory = self.memory
        parts = [getattr(memory, name)[:1].nbytes * used for name, used in self._used.items()]
        parts.append(memory.readings[:1].nbytes * int(memory.used[0]))
        parts.append(memory.bins[:1].nbytes * int(memory.used_bins[0]))
        parts += [memory.limits.nbytes, memory.digests.nbytes]
        patients = (memory.patients, memory.due_us, memory.snapshot_us, memory.snapshot_mark_us)
        return sum(parts) + sum(array.nbytes for array in patients)

    @property
    def handed(self) -> Any:
        """Memory as kernels take it."""
        if self._handed is None or self._handed[0] is not self.memory:
            self._handed = self.memory, handed(self.memory)
        return self._handed[1]

    def know(self, patient_row: int) -> None:
        """Room for a patient."""
        memory = self.memory
        if patient_row < len(memory.patients):
            return
        size = max(64, len(memory.patients) * 3 // 2, patient_row + 1)
        patients = _unknown_patients(size)
        patients[: len(memory.patients)] = memory.patients
        due_us = np.full(size, NEVER, np.int64)
        due_us[: len(memory.due_us)] = memory.due_us
        self.memory = memory._replace(
            patients=patients,
            due_us=due_us,
            snapshot_us=grown(memory.snapshot_us, size),
            snapshot_mark_us=grown(memory.snapshot_mark_us, size),
        )

    def grow_unless(self, all_fitted: bool, *, moved: bool) -> None:
        """Larger arenas of readings and bins after a call found no room; yet larger if it did not move."""
        if all_fitted:
            return
        self._more = FIRST_ROOM if moved else 2 * self._more
        memory, more = self.memory, self._more
        if int(memory.used[0]) + more > len(memory.readings):
            memory = self._more_readings(more)
        if int(memory.used_bins[0]) + more > len(memory.bins):
            size = len(memory.bins) * 3 // 2 + more
            memory = memory._replace(bins=grown(memory.bins, size), bins_room=size)
        self.memory = memory

    def _more_readings(self, more: int) -> Memory:
        """Room for more readings: what is free between them where that is much, otherwise a larger arena."""
        memory, size = self.memory, len(self.memory.readings)
        patients = len(memory.patients)
        if intake.rows_packed(patients, self.handed) + more > WORTH_PACKING * size:
            size = size * 3 // 2 + more
            return memory._replace(readings=grown(memory.readings, size), readings_room=size)
        packed = memory._replace(readings=np.zeros(size, READING))
        intake.pack(patients, self.handed, handed(packed))
        memory.free[:] = -1
        return packed

    def take(self, name: str, number: int) -> int:
        """Room for so many rows more in an arena; gives the first of them."""
        start = self._used[name]
        self._used[name] = start + number
        arena: Rows = getattr(self.memory, name)
        if self._used[name] >= len(arena):  # one row more than used, for an index just beyond
            size = max(self._used[name] + 1, len(arena) * 3 // 2)
            self.memory = self.memory._replace(**{name: grown(arena, size)})
        return start

    def store(self, patient_row: int, name: str, rows: Rows) -> None:
        """A patient's rows into the arena of that name, in place where they fit."""
        patient = self.memory.patients[patient_row]
        if len(rows) > int(patient[f"{name}_cap"]):
            patient[name] = self.take(name, len(rows))
            patient[f"{name}_cap"] = len(rows)
        start = int(patient[name])
        getattr(self.memory, name)[start : start + len(rows)] = rows
        if name != "series":
            patient[f"{name}_len"] = len(rows)

    def name_device(self, number: int, digest: int) -> None:
        """The order of one more device."""
        if number >= len(self.memory.digests):
            self.memory = self.memory._replace(digests=grown(self.memory.digests, 64 + 2 * number))
        self.memory.digests[number] = digest

    def keep_limits(self, start: int, rows: Rows) -> None:
        """Limits from a place on; there is always room at the end."""
        end = start + len(rows)
        if end > len(self.memory.limits):
            self.memory = self.memory._replace(limits=grown(self.memory.limits, 2 * end))
        self.memory.limits[start:end] = np.asarray(rows, LIMIT)

    def place_series(self, patient_row: int, versions: frozenset[int], needs: dict[int, Need]) -> bool:
        """Sees to it that so much of each series is kept, and no other; whether anything had to change.

        What was kept before stays as it is; what is kept anew is empty. `needs` is that of the versions.
        """
        if self._laid_out.get(patient_row) == versions:
            return False
        self._laid_out[patient_row] = versions
        before = self._series_of(patient_row)
        if not len(before):
            self._place_first(patient_row, versions, needs)
            return True
        kept = {int(row["number"]): self._kept(row) for row in before}
        if kept.keys() == needs.keys() and all(kept[number].covers(need) for number, need in needs.items()):
            return False
        wanted = {number: kept.get(number, Need()) | need for number, need in needs.items()}
        for row in before:
            if int(row["number"]) not in wanted:
                self._give_up(row)
        old = {int(row["number"]): row for row in before}
        rows = np.zeros(len(wanted), SERIES)
        for place, number in enumerate(sorted(wanted)):
            row = rows[place]
            if number in old:
                rows[place] = old[number]
            else:
                row["pending_us"], row["history"], row["number"] = NEVER, -1, number
            row["kept_us"] = wanted[number].kept_us
            if number not in old or not kept[number].covers(wanted[number]):
                row["history"] = self._new_history(number, wanted[number])
        self.store(patient_row, "series", rows)
        self.memory.patients[patient_row]["named"] = sum(1 << number for number in wanted)
        return True

    def _place_first(self, patient_row: int, versions: frozenset[int], needs: dict[int, Need]) -> None:
        """The series of a patient who had none; most patients are like another, but for their histories."""
        numbers = sorted(needs)
        if versions not in self._first_rows:
            rows = np.zeros(len(numbers), SERIES)
            rows["number"], rows["pending_us"], rows["history"] = numbers, NEVER, -1
            rows["kept_us"] = [needs[number].kept_us for number in numbers]
            self._first_rows[versions] = rows
        rows = self._first_rows[versions].copy()
        histories = rows["history"]
        for place, number in enumerate(numbers):
            histories[place] = self._new_history(number, needs[number])
        self.store(patient_row, "series", rows)
        self.memory.patients["named"][patient_row] = sum(1 << number for number in numbers)

    def _give_up(self, row: Any) -> None:
        """The block of a series that nobody looks at any more is for others."""
        block, rows = int(row["readings"]), int(row["readings_cap"])
        if rows:
            size = size_for(rows)
            self.memory.readings["taken_us"][block] = self.memory.free[size]
            self.memory.free[size] = block

    def _series_of(self, patient_row: int) -> Rows:
        patient = self.memory.patients[patient_row]
        start = int(patient["series"])
        return self.memory.series[start : start + ones(int(patient["named"]))].copy()

    def _kept(self, row: Any) -> Need:
        bins = days = 0
        if row["history"] >= 0:
            history = self.memory.histories[int(row["history"])]
            bins, days = int(history["bins_kept"]), int(history["days_kept"])
        return Need(int(row["kept_us"]), bins, days)

    def _new_history(self, number: int, need: Need) -> int:
        if not need.bins and not need.days:
            return -1
        at = self.take("histories", 1)
        bins_most = need.bins + MARGIN_BINS if need.bins else 0
        days_cap = need.days + MARGIN_DAYS if need.days else 0
        self.longest = max(self.longest, bins_most + 1, days_cap + 1)
        days = self.take("days", days_cap)
        key = number, need
        if key not in self._first_histories:
            row = np.zeros(1, HISTORY)
            row["bins_most"], row["bins_kept"] = bins_most, need.bins
            row["days_cap"], row["days_kept"], row["days_first"] = days_cap, need.days, -1
            row["dense"], row["cached_on"] = is_dense(number), -1
            self._first_histories[key] = row
        self.memory.histories[at] = self._first_histories[key][0]
        self.memory.histories["days"][at] = days
        return at

    def _empty_history(self, at: int) -> None:
        history = self.memory.histories[at]
        history["bins_len"] = history["days_len"] = history["binned"] = 0
        history["days_first"] = -1
        history["cached_on"] = -1

    def empty(self, patient_row: int) -> None:
        """Forgets a patient's readings and what was found."""
        memory = self.memory
        patient = memory.patients[patient_row]
        for name in ("done_us", "latest_us"):
            patient[name] = -1
        patient["again_us"] = patient["gate_due_us"] = NEVER
        patient["snapshots"] = patient["oldest"] = patient["jumps"] = 0
        patient["stale"] = 1
        start = int(patient["series"])
        for row in memory.series[start : start + ones(int(patient["named"]))]:
            row["readings_len"] = 0
            row["pending_us"] = NEVER
            if row["history"] >= 0:
                self._empty_history(int(row["history"]))
        start, length = int(patient["states"]), int(patient["states_len"])
        memory.states[start : start + length] = unopened()
