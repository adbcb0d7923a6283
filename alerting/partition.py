"""One partition of the log as alerting knows it: a cache, built from the log and never stored.

Batches are cut at clock messages, so that what people get to see does not depend on how the log was cut into
batches: what was late for one clock message is late also when both come at once.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from heapq import heappop, heappush
from typing import Literal, TypeAlias
from uuid import UUID

import numpy as np

from alerting.because import FROM_SCRATCH, late_readings, why_again
from alerting.circumstances import Effective, Turn, turns
from alerting.engine.compiled import CompiledProgrammes
from alerting.engine.engine import Engine
from alerting.engine.verdict import NO_CLOCK, Transition, Verdict, What
from alerting.findings import PatientVerdict
from alerting.ledger import Stretch
from alerting.remarks import remarks_of
from ingest.changes import place
from ingest.decode import Record, decode
from ingest.normalise import normalise
from ingest.patients import PatientIndex
from ingest.quarantine.retries import first_time, retries_in
from models.changes import PlacedChange
from models.clock import MINUTE_US
from models.columns import Readings
from models.errors import Broken
from models.messages import AnyChange, Enrol, MoveVersion, Origin, Register
from models.requests import Requested

Version: TypeAlias = tuple[str, int]
"""A programme's name and the number of its version."""

BEFORE_EVERYTHING_US = -1
CUT_EVERY_US = MINUTE_US
"""Clock messages closer than this are taken together: in a backlog, every second would be too fine."""


@dataclass(slots=True)
class Followed:
    """A patient, with all changes so far in the order of the log."""

    patient_id: UUID
    organisation_id: UUID
    origin: Origin
    changes: list[Effective] = field(default_factory=list[Effective])
    timeline: tuple[Turn, ...] = ()
    latest_us: int = -1
    """The last time at which a finding of this patient opened, rose or cleared."""
    followed_us: int = 0
    """Up to here the alerts have been followed, where that is ahead of the clock."""
    told: int = 0
    """How many of the changes the engine has heard of."""


@dataclass(frozen=True, slots=True)
class Unfollowable:
    """A change names what its programme does not have; the rest of the change holds."""

    patient_id: UUID
    organisation_id: UUID
    field: str
    expected: str


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A patient who is to be evaluated again from the database."""

    patient_id: UUID
    organisation_id: UUID


@dataclass(frozen=True, slots=True)
class Found:
    """What building patients up found, each patient's from scratch, and what could not be followed."""

    stretches: tuple[Stretch, ...]
    problems: tuple[Unfollowable, ...]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What a stretch of the log means for the partition's patients, in the order of the clock.

    `versions` are those of programmes that somebody was enrolled in or moved to.
    **Units**: `clock_us` and `received_us` (of the last reading
    that came for the first time) in microseconds since 1970 UTC.
    """

    stretches: tuple[Stretch, ...]
    rebuild: tuple[Rebuild, ...]
    problems: tuple[Unfollowable, ...]
    clock_us: int | None
    readings: int
    replays: int
    received_us: int | None
    versions: frozenset[Version]


class Partition:
    """Everything that alerting keeps of one partition between batches."""

    def __init__(
        self,
        number: int,
        programmes: CompiledProgrammes,
        purpose: Literal["live", "trial"],
        partition_count: int,
        *,
        hear: Callable[[AnyChange], AnyChange | None] | None = None,
    ) -> None:
        """`hear`: what is to be followed of a change, None for nothing of it; without: each as it is."""
        self.number = number
        self.clock_us: int | None = None
        self._purpose: Literal["live", "trial"] = purpose
        self._partition_count = partition_count
        self._hear = hear
        self._patients = PatientIndex()
        self._followed: list[Followed] = []
        self._turns: list[tuple[int, int]] = []
        self._engine = Engine(programmes)

    def __len__(self) -> int:
        return len(self._followed)

    def rows(self) -> Mapping[UUID, int]:
        """The row of each patient."""
        return {followed.patient_id: row for row, followed in enumerate(self._followed)}

    def row(self, patient_id: UUID) -> int | None:
        """The row of a patient, None where they are not known."""
        return self._patients.row(patient_id)

    def versions(self) -> frozenset[Version]:
        """The versions of programmes that its patients are or were in."""
        contents = (effective.change for followed in self._followed for effective in followed.changes)
        return frozenset(_versions(contents))

    # Building up from the database

    def never_again(self, patient_ids: Iterable[UUID]) -> None:
        """Takes in whose records were destroyed, before anything of the log is followed."""
        self._patients.never_again(patient_ids)

    def know(self, changes: Iterable[PlacedChange], clock_us: int | None) -> None:
        """Takes in all changes before the place from which the log is read on, and the clock there."""
        self.clock_us = clock_us
        for placed in changes:
            content = placed.change.change.only
            self._patients.remember_change(placed.change.patient_id, placed.change.change_id)
            if isinstance(content, Register):
                self._patients.add(placed.change.patient_id, content.organisation_id, placed.offset)
            self._keep(placed)
        for row in range(len(self._followed)):
            self._turn(row, since_us=clock_us or 0)

    def build(self, rows: Iterable[int], readings: Readings) -> None:
        """Brings patients up to the clock from all their changes and readings so far."""
        built = list(rows)
        for row in built:
            self._tell_engine(row)
        self._note_latest(self._engine.apply(readings, self._now))
        self._engine.give_back(built)

    def find(self, rows: Sequence[int], readings: Readings) -> Found:
        """As `build`, and what was found on the way, from scratch; also of whom nothing was."""
        problems = [problem for row in rows for problem in self._tell_engine(row)]
        verdict = self._engine.apply(readings, self._now)
        said: dict[int, list[Transition]] = {row: [] for row in rows}
        for transition in verdict.readable():
            said[transition.patient_row].append(transition)
        self._note_latest(verdict)
        self._engine.give_back(rows)
        stretches = tuple(self._from_scratch(row, transitions) for row, transitions in said.items())
        return Found(stretches, tuple(problems))

    def evaluate_again(self, patient_id: UUID, readings: Readings) -> Stretch | None:
        """A patient from scratch, from all their readings so far; None where they are not known."""
        row = self._patients.row(patient_id)
        if row is None:
            return None
        self._engine.forget(row)
        verdict = self._engine.apply(readings, self._now)
        self._engine.give_back([row])
        self._note_latest(verdict)
        transitions = [t for t in verdict.readable() if t.patient_row == row]
        requests = tuple(said for said in verdict.requests if said.patient_row == row)
        return replace(self._from_scratch(row, transitions), requests=requests)

    def rebuild_of(self, patient_id: UUID) -> Rebuild:
        """Asks for a patient to be evaluated again."""
        row = self._patients.row(patient_id)
        if row is None:
            raise Broken(f"Patient {patient_id} is not known in partition {self.number}.")
        return Rebuild(patient_id, self._followed[row].organisation_id)

    # Following the log

    def advance(self, records: Sequence[Record], nonce: str) -> Evaluated:
        """What the next records of the log mean. `nonce`: see `ingest.decode.decode`."""
        decoded = decode(records, partition=self.number, nonce=nonce)
        placed = place(decoded, self._patients, self.clock_us, self._purpose, self._partition_count)
        counting, _, notices = normalise(decoded, self._patients)
        readings = counting.merged(notices)
        work = _Collected()
        changes = sorted(placed.changes, key=lambda change: change.offset)
        offsets = np.union1d(
            readings.offset, np.array([change.offset for change in changes], np.int64)
        ).tolist()
        first_row = first_change = 0
        for end, clock_us in cuts(placed.clocks, offsets, self.clock_us):
            end_row = len(readings) if end is None else int(np.searchsorted(readings.offset, end))
            end_change = first_change
            while end_change < len(changes) and (end is None or changes[end_change].offset < end):
                end_change += 1
            part = _rows(readings, first_row, end_row)
            self._step(part, changes[first_change:end_change], clock_us, work)
            first_row, first_change = end_row, end_change
        newly_us = readings.received_at_us[first_time(readings.offset, retries_in(records))]
        received_us = int(newly_us.max()) if len(newly_us) else None
        return Evaluated(
            stretches=tuple(work.stretches),
            rebuild=tuple(work.rebuild),
            problems=tuple(work.problems),
            clock_us=self.clock_us,
            readings=len(counting),
            replays=work.replays,
            received_us=received_us,
            versions=frozenset(_versions(placed.change.change.only for placed in changes)),
        )

    def _step(
        self, readings: Readings, changes: Sequence[PlacedChange], clock_us: int | None, work: "_Collected"
    ) -> None:
        """What lies between two clock messages, and the second of them."""
        since_us, self.clock_us = self.clock_us or 0, clock_us
        concerned: set[int] = set()
        for row in dict.fromkeys([self._keep(placed) for placed in changes]):
            work.problems += self._tell_engine(row)
            if self._turn(row, since_us):
                concerned.add(row)
        while self._turns and self._turns[0][0] <= self._now:
            concerned.add(heappop(self._turns)[1])
        verdict = self._engine.apply(readings if len(readings) else None, self._now)
        work.replays += len(verdict.replayed)
        work.rebuild += [self.rebuild_of(self._followed[row].patient_id) for row in verdict.rebuild]
        said: dict[int, list[Transition]] = {}
        for transition in verdict.readable():
            said.setdefault(transition.patient_row, []).append(transition)
        asked: dict[int, list[Requested]] = {}
        for request in verdict.requests:
            asked.setdefault(request.patient_row, []).append(request)
        concerned |= asked.keys()
        remarks = remarks_of(readings)
        concerned |= remarks.keys()
        replayed = dict(verdict.replayed)
        late = late_readings(readings, replayed, since_us) if replayed else {}
        for row in sorted(concerned | said.keys() | replayed.keys()):
            transitions = said.get(row, [])
            if row not in concerned and self._is_nothing_new(row, transitions, replayed.get(row)):
                continue
            stretch = self._stretch(row, transitions, replayed.get(row), since_us)
            requests = tuple(asked.get(row, ()))
            if row in replayed:
                own = [placed for placed in changes if placed.change.patient_id == stretch.verdict.patient_id]
                because = why_again(late.get(row, {}), own, requests, since_us)
                stretch = replace(stretch, because=because)
            remarked = tuple(remarks.get(row, ()))
            work.stretches.append(replace(stretch, requests=requests, remarks=remarked))
        self._note_latest(verdict)

    def _is_nothing_new(self, row: int, transitions: Sequence[Transition], from_us: int | None) -> bool:
        """Whether a replay from a moment after all that was ever found has found nothing."""
        return (
            from_us is not None
            and self._followed[row].latest_us <= from_us
            and all(transition.what is What.KEEP for transition in transitions)
        )

    def _stretch(
        self, row: int, transitions: Sequence[Transition], replayed_from_us: int | None, since_us: int
    ) -> Stretch:
        followed = self._followed[row]
        now_us = self.clock_us or 0
        stretch = Stretch(
            verdict=PatientVerdict(
                followed.patient_id,
                followed.organisation_id,
                self.number,
                tuple(transitions),
                replayed_from_us,
            ),
            origin=followed.origin,
            timeline=followed.timeline,
            since_us=max(since_us, followed.followed_us),
            now_us=now_us,
        )
        until_us = max([stretch.since_us, now_us, *(transition.at_us for transition in transitions)])
        followed.followed_us = until_us if until_us > now_us else 0
        return stretch

    def _from_scratch(self, row: int, transitions: Sequence[Transition]) -> Stretch:
        stretch = self._stretch(row, transitions, BEFORE_EVERYTHING_US, since_us=self.clock_us or 0)
        return replace(stretch, from_scratch=True, because=FROM_SCRATCH)

    def _keep(self, placed: PlacedChange) -> int:
        """Adds a change to what is known of its patient; gives the patient's row."""
        content = placed.change.change.only
        row = self._patients.row(placed.change.patient_id)
        if row is None or content is None:
            raise Broken(
                f"The change at offset {placed.offset} of partition {self.number} is of a patient who is not "
                "registered, or empty; it should have been refused."
            )
        if isinstance(content, Register) and row == len(self._followed):
            self._followed.append(Followed(placed.change.patient_id, content.organisation_id, content.origin))
        heard = content if self._hear is None else self._hear(content)
        if heard is not None:
            self._followed[row].changes.append(Effective(placed.effective_from_us, placed.offset, heard))
        return row

    def _turn(self, row: int, since_us: int) -> bool:
        """Works out a patient's circumstances anew; whether they have changed."""
        followed = self._followed[row]
        timeline = turns(followed.changes)
        if timeline == followed.timeline:
            return False
        followed.timeline = timeline
        for turn in timeline:
            if turn.at_us > since_us:
                heappush(self._turns, (turn.at_us, row))
        return True

    def _tell_engine(self, row: int) -> list[Unfollowable]:
        followed = self._followed[row]
        changes = [(effective.at_us, effective.change) for effective in followed.changes]
        problems = self._engine.change(row, followed.patient_id, changes)
        told, followed.told = followed.told, len(changes)
        return [
            Unfollowable(followed.patient_id, followed.organisation_id, problem.field, problem.expected)
            for problem in problems
            if problem.change >= told
        ]

    def _note_latest(self, verdict: Verdict) -> None:
        found = verdict.transitions[verdict.transitions["what"] != What.KEEP]
        rows: list[int] = found["patient"].tolist()
        times: list[int] = found["at_us"].tolist()
        for row, at_us in zip(rows, times, strict=True):
            followed = self._followed[row]
            followed.latest_us = max(followed.latest_us, at_us)

    @property
    def _now(self) -> int:
        return NO_CLOCK if self.clock_us is None else self.clock_us


@dataclass(slots=True)
class _Collected:
    stretches: list[Stretch] = field(default_factory=list[Stretch])
    rebuild: list[Rebuild] = field(default_factory=list[Rebuild])
    problems: list[Unfollowable] = field(default_factory=list[Unfollowable])
    replays: int = 0


def cuts(
    clocks: Sequence[tuple[int, int]], content: Sequence[int], clock_us: int | None
) -> Iterator[tuple[int | None, int | None]]:
    """Where to cut a batch: up to which offset (None: the rest) to go with which clock.

    `clocks` are offsets and times of clock messages, `content` the offsets of everything else, both in order.
    A clock that goes back counts for nothing; clocks with nothing in between are one.

    >>> list(cuts([(3, 60_000_000), (5, 120_000_000), (7, 180_000_000)], [4, 8], None))
    [(3, 60000000), (7, 180000000), (None, 180000000)]
    """
    cut_us, waiting, reached = clock_us, None, -1
    for offset, tick_us in clocks:
        clock_us = tick_us if clock_us is None else max(clock_us, tick_us)
        if cut_us is not None and clock_us // CUT_EVERY_US == cut_us // CUT_EVERY_US:
            continue
        before = bisect_left(content, offset)
        if waiting is not None and before > reached:
            yield waiting
        waiting, reached, cut_us = (offset, clock_us), before, clock_us
    if waiting is not None and len(content) > reached:
        yield waiting
    if clocks or content:
        yield None, clock_us


def _versions(contents: Iterable[AnyChange | None]) -> Iterator[Version]:
    for content in contents:
        if isinstance(content, Enrol | MoveVersion):
            yield content.programme, content.version


def _rows(readings: Readings, first: int, end: int) -> Readings:
    """Consecutive rows, as views."""
    if first == 0 and end == len(readings):
        return readings
    columns = {
        column.name: getattr(readings, column.name)[first:end]
        for column in fields(readings)
        if column.name not in ("partition", "texts")
    }
    return Readings(partition=readings.partition, texts=readings.texts, **columns)
