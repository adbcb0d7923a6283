"""The engine of one log partition: readings and changes in, verdicts out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from alerting.engine import evidence
from alerting.engine.arenas import Arenas, unopened
from alerting.engine.atoms import SERIES_OF_KIND, Need
from alerting.engine.compiled import CompiledProgrammes, compared, compile_programmes
from alerting.engine.devices import Devices
from alerting.engine.gates import GATES
from alerting.engine.kernel import intake, names, walk
from alerting.engine.kernel.handing import handed
from alerting.engine.kernel.layout import (
    ASKED,
    LIMIT,
    MOST_SERIES,
    MOST_VALUES,
    NEVER,
    SCHEDULE,
    SEGMENT,
    STACK,
    TRANSITION,
    Rows,
    Scratch,
)
from alerting.engine.programme import Programme
from alerting.engine.timeline import Problem, Stretch, timeline
from alerting.engine.too_late import TooLate
from alerting.engine.verdict import NO_CLOCK, Verdict, requested
from models.columns import Readings
from models.kinds import KINDS
from models.messages import AnyChange, Enrol
from models.units import UNITS

LATEST_US = 4_102_444_800_000_000
"""The latest time that a message may carry."""

FIRST_ROOM = 4_096
PART = 8_192
"""So many readings are taken in before their patients are evaluated, who lie in the caches then."""

_OF_SCHEDULE = ["start_us", "before_min", "days"]

if len(KINDS) >= MOST_SERIES - 1 or len(UNITS) > 30:
    raise AssertionError("sets of series are numbers of 62 bits, units of a reading have 5")


class Placed(NamedTuple):
    """A segment as a value: what holds (version, enrolment, limits, schedules), and where its states are."""

    programme: str
    from_us: int
    to_us: int
    content: tuple[int, int, int, tuple[tuple[int, ...], ...]]
    states: int


@dataclass(slots=True)
class _Found:
    """What evaluating patients came to, so far."""

    transitions: list[Rows] = field(default_factory=list[Rows])
    asked: list[Rows] = field(default_factory=list[Rows])
    replayed: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    too_old: list[int] = field(default_factory=list[int])


class Engine:
    """State of all patients of one partition, and the rules they are under.

    A cache of the log: what it says is a function of the readings and changes it was given and the latest
    now, whatever their order and batches, except that of conflicting readings the first counts.
    """

    def __init__(self, programmes: CompiledProgrammes) -> None:
        self.programmes = programmes
        self._arenas = Arenas(programmes.default_limits)
        self._limits: dict[tuple[int, tuple[float, ...]], int] = {}
        self._limits_used = len(programmes.default_limits)
        self._needs: dict[frozenset[int], dict[int, Need]] = {}
        self._first_states: dict[int, Rows] = {}
        self._most_states = 0
        self._devices = Devices()
        self._too_late = TooLate()
        self._touched: set[int] = set()
        self._lacking: set[int] = set()
        self._tables = handed(programmes.tables)
        self._scratch = _scratch(programmes.tables.slots, FIRST_ROOM, FIRST_ROOM, FIRST_ROOM)
        self._room = handed(self._scratch)
        self._series_of_kind = np.array(SERIES_OF_KIND, np.int64)

    @property
    def bytes(self) -> int:
        """What its patients take."""
        return self._arenas.bytes + self._devices.bytes

    def change(
        self, patient_row: int, patient_id: UUID, changes: Sequence[tuple[int, AnyChange]]
    ) -> list[Problem]:
        """Takes a patient's whole history of changes, in the order of the log; says what cannot be followed.

        Each change comes with the time from which it holds. What changes in the past is evaluated again with
        the next batch; `patient_id` says whose history it is, in errors only.
        """
        if not 0 <= patient_row < 2**31 - 1:
            raise ValueError(f"patient {patient_id}: expected a row from 0 on, found {patient_row}")
        self._arenas.know(patient_row)
        stretches, problems = timeline(changes, self.programmes)
        before = self._placed(patient_row)
        versions = frozenset(stretch.version.number for stretch in stretches)
        more = self._arenas.place_series(patient_row, versions, self._needs_of(versions))
        self._place(patient_row, stretches, before)
        differs_us = _first_difference(before, self._placed(patient_row))
        patient = self._arenas.memory.patients[patient_row]
        patient["fresh"] = patient["named"]  # what is kept anew needs room for what came before
        if more and patient["latest_us"] >= 0:
            self._lacking.add(patient_row)
        if differs_us < NEVER:
            patient["again_us"] = min(int(patient["again_us"]), differs_us)
            patient["stale"] = 1
            self._touched.add(patient_row)
        return problems

    def _needs_of(self, versions: frozenset[int]) -> dict[int, Need]:
        """What the rules of some versions together look back at, by series."""
        needs = self._needs.get(versions)
        if needs is None:
            needs = self._needs[versions] = {}
            for number in versions:
                for series, need in self.programmes.by_number[number].needs.items():
                    needs[series] = needs.get(series, Need()) | need
        return needs

    def forget(self, patient_row: int) -> None:
        """Forgets a patient's readings and what was found, not the changes; for building it up again."""
        self._arenas.know(patient_row)
        self._too_late.forget(patient_row)
        self._lacking.discard(patient_row)
        self._arenas.empty(patient_row)
        self._touched.add(patient_row)

    def apply(self, readings: Readings | None, now_us: int) -> Verdict:
        """Takes the accepted readings of a batch and brings their patients, and whoever is due, up to now.

        Too late ones are left out. `now_us` is the last clock message so far, or NO_CLOCK. A patient may be
        rebuilt by `forget` and readings in order of time with NO_CLOCK (in one batch what was taken at
        the same moment), then none with now.
        """
        now_us = min(max(now_us, NO_CLOCK), LATEST_US)
        found = _Found()
        if readings is not None and len(readings):
            for who in self._insert(readings, now_us):
                self._evaluate(who, now_us, found)
        due = np.flatnonzero(self._arenas.memory.due_us <= now_us).astype(np.int32)
        changed = np.fromiter(self._touched, np.int32, len(self._touched))
        self._touched.clear()
        self._evaluate(_each_once(np.concatenate([due, changed])), now_us, found)
        return Verdict(
            programmes=self.programmes,
            transitions=np.concatenate([np.zeros(0, TRANSITION), *found.transitions]),
            replayed=tuple(found.replayed),
            rebuild=self._to_rebuild(found.too_old),
            requests=tuple(requested(row) for rows in found.asked for row in rows),
            looked_at=self.looked_at,
        )

    def give_back(self, patient_rows: Sequence[int]) -> None:
        """Gives back the room of readings that nobody looks back at any more; worth it after a rebuild."""
        rows = np.array(patient_rows, np.int32)
        if not rows.size:
            return
        self._arenas.know(int(rows.max()))
        done = 0
        while (last := done) < rows.size:
            done = intake.give_back(rows, done, self._arenas.handed, self._tables, self._room)
            self._arenas.grow_unless(done == rows.size, moved=done > last)
        self._arenas.pack()

    def looked_at(self, row: Any, comparison: evidence.Comparison) -> evidence.Looked:
        """What a feature looked at when a transition of the last verdict happened."""
        return evidence.looked_at(self._arenas.memory, self.programmes, row, comparison)

    def _evaluate(self, touched: NDArray[np.int32], now_us: int, found: "_Found") -> None:
        """Brings patients up to now."""
        if not touched.size:
            return
        self._make_room_for_results()
        replayed_us = np.full(touched.size, walk.NOT_REPLAYED, np.int64)
        done = 0
        while (last := done) < touched.size:
            done, filled, questions = walk.evaluate(
                touched, done, now_us, self._arenas.handed, self._tables, self._room, replayed_us
            )
            is_full = filled > 0 or questions > 0
            self._arenas.grow_unless(is_full or done == touched.size, moved=done > last)
            found.transitions.append(self._scratch.out[:filled].copy())
            found.asked.append(self._scratch.asked[:questions].copy())
        for j in np.flatnonzero(replayed_us > walk.NOT_REPLAYED).tolist():
            found.replayed.append((int(touched[j]), int(replayed_us[j])))
        found.too_old += touched[replayed_us == walk.NO_SNAPSHOT].tolist()

    def _to_rebuild(self, too_old: list[int]) -> tuple[int, ...]:
        rebuild = self._too_late.doubtful.union(self._lacking, too_old)
        self._too_late.doubtful.clear()
        self._lacking.clear()
        return tuple(sorted(rebuild))

    def _make_room_for_results(self) -> None:
        """Room for what the patient with the most to say may say at one moment, and for their values."""
        readings = len(GATES) * int(self._arenas.memory.longest[0])
        states, values = self._most_states, max(readings, self._arenas.longest)
        scratch = self._scratch
        if scratch.out_room < 2 * states or scratch.asked_room < readings or len(scratch.some) < values:
            self._scratch = _scratch(
                self.programmes.tables.slots,
                max(len(scratch.some), 2 * values),
                max(scratch.out_room, 8 * states),
                max(scratch.asked_room, 2 * readings),
            )
            self._room = handed(self._scratch)

    def _insert(self, readings: Readings, now_us: int) -> Iterator[NDArray[np.int32]]:
        """Readings into their patients' memory; leaves out kinds that no rule names.

        Gives some of the patients at a time, all of whose readings are there then.
        """
        used, (fine, in_time, is_sorted, most) = _surveyed(readings)
        if not fine:
            kind, taken_at_us = readings.kind, readings.taken_at_us
            valid = (readings.patient >= 0) & (kind >= 0) & (kind < len(KINDS))
            valid &= (taken_at_us >= 0) & (taken_at_us <= LATEST_US) & (readings.revision >= 0)
            readings = readings.take(valid)
        if not in_time or self._too_late.remembers:
            counting = self._too_late.counting(readings, now_us)
            if not counting.all():
                readings = readings.take(counting)
        n = len(readings)
        if not n:
            return
        who = np.ascontiguousarray(readings.patient)
        self._arenas.know(most)
        order = np.arange(n) if is_sorted else intake.order_by_patient(who, most + 1)
        columns: tuple[Any, ...] = (
            order,
            who,
            np.ascontiguousarray(readings.taken_at_us),
            np.ascontiguousarray(readings.kind),
            np.ascontiguousarray(readings.value),
            np.ascontiguousarray(readings.value_received),
            np.ascontiguousarray(readings.unit),
            np.ascontiguousarray(readings.code),
            np.ascontiguousarray(readings.device),
            np.ascontiguousarray(readings.revision),
            np.ascontiguousarray(readings.void),
            self._devices_of(readings.texts, used),
        )
        take_in: Any = intake.take_in
        done = end = 0
        while end < n:
            begin, end = end, intake.end_of_part(who, order, end, PART)
            while (last := done) < end:
                done = take_in(
                    done, end, *columns, self._series_of_kind, self._arenas.handed, self._tables, self._room
                )
                self._arenas.grow_unless(done == end, moved=done > last)
            yield intake.each_once(who, order[begin:end])

    def _devices_of(self, texts: Sequence[str], used: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The numbers of the devices among some texts; the last one is of readings that name none."""
        numbers = np.zeros(len(texts) + 1, np.int64)
        places = np.flatnonzero(used)
        names = [*compress(texts, used.tolist()), *([""] if used[-1] else [])]
        numbers[places], digests = self._devices.numbers(names)
        self._arenas.name_devices(digests)
        return numbers

    def _placed(self, patient_row: int) -> list[Placed]:
        """A patient's segments as values."""
        memory = self._arenas.memory
        patient = memory.patients[patient_row]
        first, length = int(patient["segments"]), int(patient["segments_len"])
        own = int(patient["schedules"])
        placed: list[Placed] = []
        rows: list[tuple[int, ...]] = memory.segments[first : first + length].tolist()
        for from_us, to_us, enrolled_us, limits, version, states, at, *_ in rows:
            programme = self.programmes.by_number[version].programme
            schedules = memory.schedules[own + at : own + at + len(programme.schedule)][_OF_SCHEDULE]
            content = version, enrolled_us, limits, tuple(schedules.tolist())
            placed.append(Placed(programme.programme, from_us, to_us, content, states))
        return placed

    def _place(self, patient_row: int, stretches: Sequence[Stretch], before: Sequence[Placed]) -> None:
        states = self._place_states(patient_row, stretches, before)
        segments: list[tuple[int, ...]] = []
        schedules: list[tuple[int, ...]] = []
        for x in stretches:
            times = x.from_us, x.to_us, x.enrolled_us
            place = x.version.number, states[x.programme], len(schedules), -1
            segments.append((*times, self._limits_of(x), *place, 0, 0))
            schedules += [(start_us, minute, days, 0, 0) for minute, days, start_us in x.schedules]
        self._arenas.store(patient_row, "schedules", np.array(schedules, SCHEDULE))
        self._arenas.store(patient_row, "segments", np.array(segments, SEGMENT))

    def _place_states(
        self, patient_row: int, stretches: Sequence[Stretch], placed: Sequence[Placed]
    ) -> dict[str, int]:
        """Where each programme's states are; the block is laid out anew when a programme is new."""
        memory = self._arenas.memory
        patient = memory.patients[patient_row]
        before = {x.programme: x.states for x in placed}
        needed = {s.programme: s.version.states for s in stretches}
        if needed.keys() <= before.keys():
            return before
        length = int(patient["states_len"])
        first, places = int(patient["states"]), dict(before)
        old = memory.states[first : first + length]
        for programme in sorted(needed.keys() - before.keys()):
            places[programme] = length
            length += needed[programme]
        if length not in self._first_states:
            self._first_states[length] = np.tile(unopened(), length)
        states = self._first_states[length]
        if len(old):
            states = np.concatenate([old, states[len(old) :]])
        self._arenas.store(patient_row, "states", states)
        self._most_states = max(self._most_states, length)
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
            self._arenas.keep_limits(self._limits_used, np.array(rows, LIMIT))
            self._limits_used += len(rows)
        return self._limits[key]


def _each_once(rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """Rows in order, each once; by sorting, which is faster here than what numpy has for it."""
    ordered = np.sort(rows, kind="stable")
    another = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=another[1:])
    return ordered[another]


def _surveyed(readings: Readings) -> tuple[NDArray[np.bool_], tuple[bool, bool, bool, int]]:
    """Which devices are named, and what `intake.survey` says of readings."""
    used = np.zeros(len(readings.texts) + 1, np.bool_)
    columns = readings.patient, readings.kind, readings.taken_at_us, readings.device, readings.revision
    parts = [np.ascontiguousarray(column) for column in (*columns, readings.too_late)]
    survey: Any = intake.survey
    return used, survey(*parts, len(KINDS), LATEST_US, used)


def _scratch(slots: int, longest: int, transitions: int, jumps: int) -> Scratch:
    return Scratch(
        ends=np.zeros(MOST_SERIES, np.int64),
        stack=np.zeros(STACK, np.int64),
        values=np.zeros(2 * MOST_VALUES),
        memo=np.zeros(max(1, slots)),
        memo_at=np.zeros(max(1, slots), np.int64),
        some=np.zeros(longest),
        others=np.zeros(longest),
        coming=np.zeros(MOST_SERIES, np.int64),
        coming_us=np.zeros(MOST_SERIES, np.int64),
        moved=np.zeros(MOST_SERIES, np.int64),
        arrived=np.zeros(MOST_SERIES, np.int64),
        out=np.zeros(transitions, TRANSITION),
        asked=np.zeros(jumps, ASKED),
        out_room=transitions,
        asked_room=jumps,
    )


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
    return min(differing, default=NEVER)


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
    intake.order_by_patient(np.zeros(1, np.int32), 1)
    engine.apply(_one_weight(), 1)
    engine.give_back([0])
    names.move(np.zeros(1, names.NAME), np.zeros(2, names.NAME))


def _one_weight() -> Readings:
    """A reading of whom nobody knows."""
    number, empty = np.zeros(1, np.int64), np.full(1, -1, np.int32)
    ids = np.zeros((1, 16), np.uint8)
    return Readings(
        partition=0, texts=("",), offset=number, position=number.astype(np.int32),
        patient=number.astype(np.int32), patient_id=ids, organisation_id=ids, upload_id=ids,
        kind=number.astype(np.int16), taken_at_us=number, device=number.astype(np.int32),
        revision=number.astype(np.int32), void=np.zeros(1, np.bool_), value=np.full(1, 80.0),
        value_received=np.full(1, 80.0), unit=number.astype(np.int16), unit_received=empty,
        code=np.full(1, -1, np.int16), code_received=empty, absent=empty, text=empty, group=empty,
        source=empty, received_at_us=number, sent_at_us=number, utc_offset_min=number.astype(np.int16),
        too_late=np.zeros(1, np.bool_),
    )  # fmt: skip
