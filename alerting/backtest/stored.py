"""The history of a backtest from the database: what is stored, of patients whom somebody may see.

Pieces are read when their turn comes, each in a transaction of its own: no more lies in memory than is being
evaluated, and the database can clean up meanwhile.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, Collection, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from threading import Thread
from types import TracebackType
from typing import Any, TypeVar
from uuid import UUID

import numpy as np

from alerting.backtest.evaluating import Piece, Work
from alerting.backtest.files import series_of
from alerting.backtest.followed import Span
from alerting.backtest.history import Members
from alerting.backtest.kept import Kept
from alerting.backtest.progress import Progress
from alerting.backtest.result import Series
from alerting.offline.cutting import MOST_PATIENTS, MOST_ROWS
from alerting.offline.evaluation import History
from alerting.offline.preparing import Counted, Prepared
from alerting.offline.table import Columns
from alerting.rebuild import parts
from ingest.on_command import Who, acting_as
from ingest.rights.destruction import require_reason
from models.access import Action
from models.alerts import Outcome
from models.audit import Kind
from models.clock import to_datetime
from models.columns import Readings
from models.db.history import count_readings, load_readings
from models.db.installation import require_migrated
from models.db.pasts import (
    StoredPartition,
    concluded,
    installed_at,
    stored_partitions,
    stored_patients,
)
from models.db.patients import load_changes
from models.db.pool import Connection, Pool, Role, connected
from models.db.recorded import recordable
from models.errors import BadInput, NotAllowed, TryAgain
from models.labels import About, Label
from models.settings import Settings

Result = TypeVar("Result")

ABOUT: Mapping[Outcome, About] = {
    Outcome.TRUE_ACTED_ON: About.PATIENT,
    Outcome.TRUE_NO_ACTION: About.PATIENT,
    Outcome.MEASURING_TECHNIQUE: About.DEVICE,
    Outcome.TECHNICAL: About.DEVICE,
}
"""What people concluded that says what happened; the other outcomes say nothing of it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored, and who asks for it: nobody, where no patient exists.

    **Units**: `until_us`, by default the log's clock, in microseconds since 1970 UTC.
    """

    settings: Settings
    who: Who | None = None
    reason: str | None = None
    until_us: int | None = None

    def depends_on(self) -> Sequence[str]:
        """What makes another history of it, beside how far it is stored, in texts."""
        whose = hashlib.sha256(self.settings.postgres_dsn.encode()).hexdigest()
        return [f"postgres {whose} {self.who} until {self.until_us}"]


class OfDatabase(AbstractContextManager["OfDatabase"]):
    """Everybody whom somebody may see, partition by partition of the log, as it was stored at one moment.

    The database is spoken with in a loop of its own, in a thread of its own: those who evaluate wait for it.
    """

    name = "postgres"
    refused = 0

    def __init__(self, stored: Stored, threads: int, kept: Kept, progress: Progress) -> None:
        """**Raises**: BadInput (nobody is named in a live database), NotAllowed, TryAgain, RefuseToStart."""
        self._stored = stored
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="postgres", daemon=True)
        self._thread.start()
        self._closing = AsyncExitStack()
        self.rows, self.real, self._everybody = 0, False, list[UUID]()
        self._pieces: list[list[int]] = []
        self._partition_of: list[StoredPartition] = []
        self._allowed: Collection[UUID] | None = None
        try:
            self._wait(self._open(threads, kept, progress))
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves the database."""
        self._wait(self._closing.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def pieces(self) -> Iterator[Members]:
        """All patients, in pieces of a good size, each of one partition."""
        return iter(self._pieces)

    def names(self, members: Members) -> Sequence[str]:
        """Their ids."""
        return [str(self._everybody[member]) for member in members]

    def prepare(self, members: Members) -> Work:
        """What is stored of them; that it was read is on record, where they exist."""
        return self._wait(self._load(members))

    def end(self, pieces: Sequence[Piece]) -> None:
        """What did not count was told when it came."""

    def series(self, patients: Sequence[int]) -> Mapping[int, Series]:
        """The readings of some patients, by their places in the order."""
        return {patient: series_of(self.prepare([patient]).prepared) for patient in patients}

    def labels(self) -> Sequence[Label] | None:
        """What people concluded of alerts, as labels; None where nobody did."""
        return self._wait(self._concluded()) or None

    def _wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        waiting: Future[Result] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return waiting.result()

    @asynccontextmanager
    async def _reading(self, patients: Sequence[UUID] = ()) -> AsyncGenerator[Connection]:
        """A transaction in which these patients are read: on record, in one picture of the database."""
        stored = self._stored
        if stored.who is None:
            async with (
                self._pool.connection() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                yield connection
            return
        asks = acting_as(self._pool, stored.who, Action.RECORDING_MAKE, Kind.READ, reason=stored.reason)
        async with asks as act:
            if self._allowed is None:
                self._allowed = await recordable(act.connection, act.user.organisation_id)
            if patients:
                # The ground is that of the first; the database asks the same table for each.
                await act.require(patients[0])
                act.touched += patients[1:]
            act.details = "backtest"
            yield act.connection

    async def _open(self, threads: int, kept: Kept, progress: Progress) -> None:
        stored = self._stored
        role: Role = "thuiswacht_read" if stored.who is None else "thuiswacht_people"
        dsn = stored.settings.postgres_dsn
        self._pool: Pool = await self._closing.enter_async_context(
            connected(dsn, role=role, application="thuiswacht-backtest", max_size=threads + 1)
        )
        async with self._pool.connection() as connection:
            live = await require_migrated(connection) == "live"
        if live and stored.who is None:
            raise BadInput(where="--as", expected="who looks, in a live database", found="nobody")
        if stored.who is not None:
            require_reason(stored.reason or "")
        async with self._reading() as connection:
            partitions = await self._stretch(connection, kept)
        self.stretch = Span(0, _end_us(partitions, stored.until_us))
        for partition in partitions:
            await self._cut(partition, progress)
        if stored.who is not None and not self._everybody:
            raise NotAllowed("There are no patients whose history you may read.")

    async def _stretch(self, connection: Connection, kept: Kept) -> Sequence[StoredPartition]:
        """How far the log is stored; or was, when the run began that this one goes on with."""
        group = self._stored.settings.storing_group
        now = await stored_partitions(connection, group)
        made_at = str(await installed_at(connection))
        if (mark := kept.mark()) is not None and mark["made_at"] == made_at:
            return [StoredPartition(**each) for each in mark["partitions"]]
        kept.anew(json.dumps({"made_at": made_at, "partitions": [asdict(each) for each in now]}))
        return now

    async def _cut(self, partition: StoredPartition, progress: Progress) -> None:
        """Its patients in pieces, by how many readings they have."""
        async with self._reading() as connection:
            patients = await stored_patients(connection, partition)
        ids = [one for one in patients if self._allowed is None or one in self._allowed]
        self.real |= any(patients[one] for one in ids)
        for first in range(0, len(ids), MOST_PATIENTS):
            async with self._reading() as connection:
                numbers = await count_readings(connection, ids[first : first + MOST_PATIENTS])
            for part in parts(numbers, MOST_ROWS):
                begin = len(self._everybody)
                self._everybody += part
                self._pieces.append(list(range(begin, len(self._everybody))))
                self._partition_of.append(partition)
            self.rows += sum(numbers.values())
            progress("patients counted", len(self._everybody), None)

    async def _load(self, members: Members) -> Work:
        ids = [self._everybody[member] for member in members]
        partition = self._partition(members[0])
        async with self._reading(ids) as connection:
            readings = await load_readings(
                connection,
                {patient_id: row for row, patient_id in enumerate(ids)},
                partition=partition.partition,
                below_offset=partition.below_offset,
            )
            placed = await load_changes(
                connection,
                partition.cluster_id,
                partition.topic,
                partition.partition,
                partition.below_offset,
                ids,
            )
        histories: dict[UUID, list[tuple[int, Any]]] = {patient_id: [] for patient_id in ids}
        for each in placed:
            histories[each.change.patient_id].append((each.effective_from_us, each.change.change.only))
        prepared = await asyncio.to_thread(self._prepared, ids, readings)
        counted = Counted(rows=len(prepared.rows), evaluated=len(prepared.rows))
        told: list[History] = list(histories.values())
        return Work(prepared, told, counted)

    def _partition(self, member: int) -> StoredPartition:
        """The partition of a patient: that of the piece in which they are."""
        place = next(n for n, piece in enumerate(self._pieces) if piece[0] <= member <= piece[-1])
        return self._partition_of[place]

    def _prepared(self, ids: Sequence[UUID], readings: Readings) -> Prepared:
        """Readings as those of a file are, without what came too late or after the end."""
        kept = ~readings.too_late & (readings.received_at_us <= self.stretch.until_us)
        readings = readings.take(kept)
        # They come in the order of time, and stay so within each patient.
        readings = readings.take(np.argsort(readings.patient, kind="stable"))
        begins = np.searchsorted(readings.patient, np.arange(len(ids)))
        ends = np.append(begins[1:], len(readings))
        first_us = np.full(len(ids), self.stretch.from_us, np.int64)
        first_us[begins < ends] = readings.taken_at_us[begins[begins < ends]]
        rows = Columns(
            patient=readings.patient,
            taken_at_us=readings.taken_at_us,
            value=readings.value_received,
            kind=readings.kind,
            unit=readings.unit,
            code=readings.code,
            counts=np.ones(len(readings), np.bool_),
            device=readings.device,
            received_at_us=readings.received_at_us,
            revision=readings.revision,
            void=readings.void,
        )
        return Prepared(
            ids=ids,
            names=[str(patient_id) for patient_id in ids],
            first_us=first_us.tolist(),
            rows=rows,
            value=readings.value,
            patient=readings.patient,
            devices=readings.texts,
        )

    async def _concluded(self) -> Sequence[Label]:
        """An alert that people called true was an event, one of measuring explains what was odd."""
        async with self._reading() as connection:
            found = await concluded(connection, list(ABOUT))
        followed = set(self._everybody)
        return [
            Label(
                patient_id=str(one.patient_id),
                kind=one.signal.value,
                signals=(one.signal.value,),
                onset_us=one.opened_at_us,
                detectable_at_us=one.opened_at_us,
                worst_us=one.resolved_at_us,
                end_us=one.resolved_at_us,
                admitted=False,
                cut_off=False,
                about=ABOUT[one.outcome],
            )
            for one in found
            if one.patient_id in followed and one.resolved_at_us <= self.stretch.until_us
        ]


def _end_us(partitions: Sequence[StoredPartition], until_us: int | None) -> int:
    """The clock that every partition has reached which knows one, or a moment before it that was asked for.

    **Raises**: TryAgain where none knows one; BadInput for a moment of which nothing is stored yet.
    """
    clocks_us = [each.clock_us for each in partitions if each.clock_us is not None]
    if not clocks_us:
        if until_us is not None:
            return until_us
        raise TryAgain("Nothing is stored up to a clock message yet: expected one, or --until, found none.")
    if until_us is not None and until_us > min(clocks_us):
        # Days of which nothing is known would look like days without alerts, or without readings.
        expected = f"a moment up to which is stored, at most {to_datetime(min(clocks_us)).isoformat()}"
        raise BadInput(where="--until", expected=expected, found=to_datetime(until_us).isoformat())
    return min(clocks_us) if until_us is None else until_us
