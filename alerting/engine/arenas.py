"""The arenas in which patients lie, and how they grow; what lies in them is `kernel.layout`'s."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from alerting.engine.atoms import Need, is_dense
from alerting.engine.kernel import blocks, readings
from alerting.engine.kernel.handing import handed
from alerting.engine.kernel.layout import (
    BIN,
    EXTREMES,
    HISTORY,
    HOUR_US,
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
from alerting.engine.reserves import Reserve

FIRST_ROOM = 4_096
MORE = 6
"""An arena that is full gets a sixth more: what is wasted until it is packed again is less than that."""

WORTH_PACKING, WORTH_IT_AT_ONCE = 1 / 12, 1 / 4
"""An arena of blocks that is full is packed when so large a part of it is wasted; or before it is full."""

MARGIN_DAYS = 32
MARGIN_BINS = 160
"""More bins and days than are looked back at: late readings find them, and room is rarely given up."""


def unopened() -> Rows:
    """The state of a rule that has found nothing yet. **Shape**: [1]."""
    state = np.zeros(1, STATE)
    state["since_us"] = -1
    state["due_us"] = NEVER
    return state


_ROWS: Mapping[str, tuple[Any, ...]] = {
    "patients": (PATIENT,),
    "due_us": (np.int64,),
    "series": (SERIES,),
    "readings": (np.int64,),
    "odd": (READING,),
    "histories": (HISTORY,),
    "bins": (BIN,),
    "extremes": (EXTREMES,),
    "days": (np.float64,),
    "segments": (SEGMENT,),
    "schedules": (SCHEDULE,),
    "states": (STATE,),
    "kept": (STATE,),
    "limits": (LIMIT,),
    "snapshot_us": (np.int64, SNAPSHOTS),
    "snapshot_mark_us": (np.int64, SNAPSHOTS),
    "digests": (np.uint64,),
}
"""What grows."""

_BLOCKS = (
    ("readings", "series", "readings"),
    ("bins", "histories", "bins"),
    ("extremes", "histories", "extremes"),
    ("days", "histories", "days"),
    ("kept", "patients", "kept"),
)
"""Arenas of blocks, in the order of `kernel.blocks`: what owns a block, in which field it says where."""

_GROWING = (*(name for name, *_ in _BLOCKS), "odd")
"""What grows while readings come, in the order of `kernel.blocks`; last the single rows."""

_OF_PATIENTS = "patients", "due_us", "snapshot_us", "snapshot_mark_us"


class Arenas:
    """Memory of one partition's patients."""

    def __init__(self, default_limits: Rows) -> None:
        arenas = "segments", "schedules", "states", "series", "histories"
        self._used: dict[str, int] = dict.fromkeys(arenas, 0)
        self._reserves = {name: Reserve(*row) for name, row in _ROWS.items()}
        room = dict.fromkeys(_ROWS, FIRST_ROOM) | dict.fromkeys(_OF_PATIENTS, 0)
        room |= {"digests": 1, "limits": len(default_limits) + 64}
        self.memory = Memory(
            **{name: self._reserves[name].first(size) for name, size in room.items()},
            used=np.zeros(len(_GROWING), np.int64),
            wasted=np.zeros(len(_GROWING), np.int64),
            room=np.full(len(_GROWING), FIRST_ROOM, np.int64),
            free=np.full(1, -1, np.int64),
            longest=np.zeros(1, np.int64),
        )
        self.memory.limits[: len(default_limits)] = default_limits
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
        parts += [
            getattr(memory, name)[:1].nbytes * int(used)
            for name, used in zip(_GROWING, memory.used, strict=True)
        ]
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
        known = len(memory.patients)
        self._grow(max(64, known * 9 // 8, patient_row + 1), *_OF_PATIENTS)
        patients = self.memory.patients[known:]
        patients["done_us"] = patients["latest_us"] = -1
        patients["again_us"] = patients["gate_due_us"] = NEVER
        self.memory.due_us[known:] = NEVER

    def _grow(self, size: int, *names: str) -> None:
        """So much room in some arenas."""
        self.memory = self.memory._replace(**{name: self._reserves[name].first(size) for name in names})

    def grow_unless(self, all_fitted: bool, *, moved: bool) -> None:
        """More room for blocks after a call found none; yet more if it did not move."""
        if all_fitted:
            return
        self._more = FIRST_ROOM if moved else 2 * self._more
        memory = self.memory
        for arena, name in enumerate(_GROWING):
            if memory.used[arena] + self._more > memory.room[arena]:
                if arena != blocks.ODD and memory.wasted[arena] > WORTH_PACKING * memory.used[arena]:
                    self._pack(arena)
                self._make_room(arena, name)

    def pack(self) -> None:
        """Packs the arenas of which much is wasted; between two calls."""
        for arena, (name, *_) in enumerate(_BLOCKS):
            if self.memory.wasted[arena] > max(FIRST_ROOM, WORTH_IT_AT_ONCE * self.memory.used[arena]):
                self._pack(arena)
                self._make_room(arena, name)

    def _make_room(self, arena: int, name: str) -> None:
        """Somewhat more room than is used; less than before where it was packed."""
        room = int(self.memory.used[arena]) * (MORE + 1) // MORE + self._more
        self._grow(room, name)
        self.memory.room[arena] = room

    def _pack(self, arena: int) -> None:
        """Moves the blocks of an arena together, in their order."""
        name, owner, field = _BLOCKS[arena]
        owners: Rows = getattr(self.memory, owner)
        begins, caps = owners[field], owners[f"{field}_cap"]
        lying = np.flatnonzero(caps > 0)
        lying = lying[np.argsort(begins[lying])]
        lengths = caps[lying].astype(np.int64)
        to = np.cumsum(lengths) - lengths
        rows: Rows = getattr(self.memory, name)
        words = rows[:1].nbytes // 8
        blocks.slide(rows.view(np.int64), begins[lying] * words, lengths * words, to * words)
        begins[lying] = to
        self.memory.used[arena] = lengths.sum()
        self.memory.wasted[arena] = 0

    def take(self, name: str, number: int) -> int:
        """Room for so many rows more in an arena; gives the first of them."""
        start = self._used[name]
        self._used[name] = start + number
        room = len(getattr(self.memory, name))
        if self._used[name] >= room:  # one row more than used, for an index just beyond
            self._grow(max(self._used[name] + 1, room * 3 // 2), name)
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

    def name_devices(self, digests: Mapping[int, int]) -> None:
        """The order of more devices, by number."""
        room = len(self.memory.digests)
        if (most := max(digests, default=-1)) >= room:
            self._grow(max(most + 1, room * 9 // 8), "digests")
        self.memory.digests[list(digests)] = np.fromiter(digests.values(), np.uint64, len(digests))

    def keep_limits(self, start: int, rows: Rows) -> None:
        """Limits from a place on; there is always room at the end."""
        end = start + len(rows)
        if end > len(self.memory.limits):
            self._grow(2 * end, "limits")
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
                self._forget_readings(row)
                self.memory.wasted[blocks.READINGS] += int(row["readings_cap"])
                self._give_up(row)
        old = {int(row["number"]): row for row in before}
        rows = np.zeros(len(wanted), SERIES)
        for place, number in enumerate(sorted(wanted)):
            row = rows[place]
            if number in old:
                rows[place] = old[number]
            else:
                row["pending_us"], row["history"], row["number"] = NEVER, -1, number
            row["kept_hours"] = wanted[number].kept_hours
            if number not in old or not kept[number].covers(wanted[number]):
                self._give_up(row)
                row["history"] = self._new_history(number, wanted[number])
        first = int(self.memory.patients["series"][patient_row])
        self.memory.series["readings_cap"][first : first + len(before)] = 0  # their blocks are the new rows'
        self.store(patient_row, "series", rows)
        self.memory.patients[patient_row]["named"] = sum(1 << number for number in wanted)
        return True

    def _place_first(self, patient_row: int, versions: frozenset[int], needs: dict[int, Need]) -> None:
        """The series of a patient who had none; most patients are like another, but for their histories."""
        numbers = sorted(needs)
        if versions not in self._first_rows:
            rows = np.zeros(len(numbers), SERIES)
            rows["number"], rows["pending_us"], rows["history"] = numbers, NEVER, -1
            rows["kept_hours"] = [needs[number].kept_hours for number in numbers]
            self._first_rows[versions] = rows
        rows = self._first_rows[versions].copy()
        histories = rows["history"]
        for place, number in enumerate(numbers):
            histories[place] = self._new_history(number, needs[number])
        self.store(patient_row, "series", rows)
        self.memory.patients["named"][patient_row] = sum(1 << number for number in numbers)

    def _give_up(self, row: Any) -> None:
        """The blocks of a series' history are wasted."""
        if row["history"] >= 0:
            history = self.memory.histories[int(row["history"])]
            for arena, (_, owner, field) in enumerate(_BLOCKS):
                if owner == "histories":
                    self.memory.wasted[arena] += int(history[f"{field}_cap"])
                    history[f"{field}_cap"] = 0

    def _forget_readings(self, row: Any) -> None:
        """What the readings of a series have beside them is free again."""
        start = int(row["readings"])
        for at in readings.odd_rows(self.memory.readings[start : start + int(row["readings_len"])]):
            self.memory.odd["taken_us"][at] = self.memory.free[0]
            self.memory.free[0] = at
            self.memory.wasted[blocks.ODD] += 1

    def _series_of(self, patient_row: int) -> Rows:
        patient = self.memory.patients[patient_row]
        start = int(patient["series"])
        return self.memory.series[start : start + int(patient["named"]).bit_count()].copy()

    def _kept(self, row: Any) -> Need:
        kept_us = int(row["kept_hours"]) * HOUR_US
        if row["history"] < 0:
            return Need(kept_us)
        history = self.memory.histories[int(row["history"])]
        extremes = bool(history["has_extremes"])
        return Need(kept_us, int(history["bins_kept"]), int(history["days_kept"]), extremes=extremes)

    def _new_history(self, number: int, need: Need) -> int:
        if not need.bins and not need.days:
            return -1
        at = self.take("histories", 1)
        bins_most = need.bins + MARGIN_BINS if need.bins else 0
        days_most = need.days + MARGIN_DAYS if need.days else 0
        self.longest = max(self.longest, bins_most + 1, days_most + 1)
        key = number, need
        if key not in self._first_histories:
            row = np.zeros(1, HISTORY)
            row["bins_most"], row["bins_kept"] = bins_most, need.bins
            row["days_most"], row["days_kept"], row["days_first"] = days_most, need.days, -1
            row["dense"], row["has_extremes"], row["cached_on"] = is_dense(number), need.extremes, -1
            self._first_histories[key] = row
        self.memory.histories[at] = self._first_histories[key][0]
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
        patient["snapshots"] = patient["jumps"] = 0
        patient["stale"] = 1
        start = int(patient["series"])
        for row in memory.series[start : start + int(patient["named"]).bit_count()]:
            self._forget_readings(row)
            row["readings_len"] = 0
            row["sources"] = 0
            row["pending_us"] = NEVER
            if row["history"] >= 0:
                self._empty_history(int(row["history"]))
        start, length = int(patient["states"]), int(patient["states_len"])
        memory.states[start : start + length] = unopened()
