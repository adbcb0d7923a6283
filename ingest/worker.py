"""The ingest worker: every reading of the log into `reading` or `quarantine`, once."""

import json
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import numpy as np

from ingest.activity import Activities
from ingest.changes import place
from ingest.decode import MAX_NESTING, Record, decode
from ingest.foreseen import foreseen_in
from ingest.guard import Guard
from ingest.newest import Newest, keys_of
from ingest.normalise import normalise
from ingest.patients import PatientIndex
from ingest.quarantine.retries import first_time, retries_in
from ingest.store import Step, Stored, store
from ingest.veil import veiled
from models import logs, metrics
from models.clock import DAY_US, SECOND_US, wall_now_us
from models.db import copy_image, positions, tombstones
from models.db.installation import Purpose, require_migrated
from models.db.partitions import ensure_months, ensure_partitions, months_of
from models.db.patients import load_change_ids, load_patients
from models.db.pool import Pool
from models.db.positions import AlreadyAdvanced, Position
from models.db.readings import NotNew
from models.settings import Settings

log = logs.get(__name__)

GROUP = "thuiswacht.ingest"
AHEAD_US = 62 * DAY_US
"""So far ahead of the clock partitions of `reading` are made, to have them before the first reading."""


@dataclass(slots=True)
class Owned:
    """The state of a partition of ours: a cache of the database, plus what is being committed."""

    next_offset: int
    clock_us: int | None
    partition_count: int
    guard: Guard
    patients: PatientIndex = field(default_factory=PatientIndex)
    newest: Newest = field(default_factory=Newest)
    activities: Activities = field(default_factory=Activities)
    destroyed: int = 0
    """The latest tombstone that is known here."""


Prepared = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class _WarmUp:
    offset: int
    value: bytes


class IngestHandler:
    """What `ingest.loop` does with the log for this group."""

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self.group = settings.consumer_group or GROUP
        self._pool = pool
        self._settings = settings
        self._cluster_id = ""
        self._purpose: Purpose = "live"
        self._owned: dict[int, Owned] = {}
        self._months: set[date] = set()
        self._touched = True

    async def assigned(
        self, cluster_id: str, partitions: Sequence[int], partition_count: int
    ) -> Mapping[int, int]:
        """Loads who is known in these partitions; from where the log is to be read on."""
        self._cluster_id = cluster_id
        topic = self._settings.topic
        async with self._pool.transaction() as connection:
            self._purpose = await require_migrated(connection)
            taken = await positions.take(connection, self.group, cluster_id, topic, partitions)
            destroyed = await tombstones.latest(connection)
            gone = await tombstones.destroyed_patients(connection)
            for partition, position in taken.items():
                owned = self._own(partition, position, partition_count)
                owned.destroyed = destroyed
                owned.patients.never_again(gone)
                for patient in await load_patients(connection, cluster_id, topic, partition):
                    owned.patients.add(patient.patient_id, patient.organisation_id, patient.known_from)
                for change in await load_change_ids(connection, cluster_id, topic, partition):
                    owned.patients.remember_change(*change)
        clocks = [position.clock_us for position in taken.values() if position.clock_us is not None]
        if clocks:
            async with self._pool.connection() as connection:
                await ensure_partitions(connection, max(clocks), max(clocks) + AHEAD_US)
        return {partition: position.next_offset for partition, position in taken.items()}

    def prepare(self, records: Mapping[int, Sequence[Record]]) -> Prepared:
        """Decodes and normalises a batch. **Raises**: Broken where nearly everything is refused."""
        return tuple(self._step(partition, batch) for partition, batch in records.items())

    async def commit(self, prepared: Prepared) -> None:
        """Stores a batch with its offsets in one transaction. **Raises**: as `Handler.commit`."""
        stored = None
        is_done = False
        await self._ensure_months(prepared)
        try:
            stored = await self._store(prepared)
            is_done = True
        except AlreadyAdvanced:
            log.info("batch_was_stored_before", partitions=[step.partition for step in prepared])
        finally:
            if not is_done:
                self._forget_newest(prepared)
        self._touched = True
        if stored is not None:
            _count(self.group, prepared, stored)

    async def _store(self, prepared: Prepared, *, stage_all: bool = False) -> Stored:
        try:
            async with self._pool.transaction() as connection:
                return await store(
                    connection,
                    self.group,
                    self._cluster_id,
                    self._settings.topic,
                    prepared,
                    stage_all=stage_all,
                )
        except NotNew:
            # Known from elsewhere than this partition: then Postgres tells new from known, for this batch.
            log.warning("readings_not_new", partitions=[step.partition for step in prepared])
            self._forget_newest(prepared)
        return await self._store(prepared, stage_all=True)

    async def dropped(self, partitions: Sequence[int]) -> None:
        """Forgets these partitions."""
        for partition in partitions:
            self._owned.pop(partition, None)

    async def idle(self) -> None:
        """Sees whether the database is there, when nothing was committed lately."""
        if not self._touched:
            async with self._pool.connection() as connection:
                await require_migrated(connection)
        self._touched = False

    def _own(self, partition: int, position: Position, partition_count: int) -> Owned:
        guard = Guard(
            partition,
            limit=self._settings.refusal_limit,
            window_readings=self._settings.refusal_window_readings,
        )
        owned = self._owned[partition] = Owned(
            position.next_offset, position.clock_us, partition_count, guard
        )
        return owned

    def _step(self, partition: int, records: Sequence[Record]) -> Step:
        owned = self._owned[partition]
        decoded = decode(records, partition=partition, nonce=secrets.token_hex(8))
        placed = place(decoded, owned.patients, owned.clock_us, self._purpose, owned.partition_count)
        readings, refused, _ = normalise(decoded, owned.patients)
        refusals = veiled([*decoded.refusals, *placed.refusals, *refused], owned.patients)
        retries = retries_in(records)
        # What is tried again tells nothing of senders: that they fail was known, when they sent is long ago.
        newly = first_time(readings.offset, retries)
        told = foreseen_in(records) | retries.keys()
        judged = readings.offset[~np.isin(readings.offset, list(told))] if told else readings.offset
        owned.guard.watch(judged, [one for one in refusals if one.offset not in told])
        step = Step(
            partition=partition,
            from_offset=owned.next_offset,
            to_offset=records[-1].offset + 1,
            clock_us=placed.clock_us,
            records=records,
            readings=readings,
            changes=placed.changes,
            refusals=refusals,
            received=decoded.received,
            newest=owned.newest,
            destroyed=owned.destroyed,
            activities=owned.activities.note(readings.take(newly), placed.clock_us),
            retries=retries,
        )
        owned.next_offset, owned.clock_us = step.to_offset, placed.clock_us
        return step

    async def _ensure_months(self, prepared: Prepared) -> None:
        """Makes the partitions of `reading` that are missing, in a transaction of its own."""
        months = {month for step in prepared for month in months_of(step.readings.taken_at_us)} - self._months
        if months:
            async with self._pool.connection() as connection:
                await ensure_months(connection, months)
            self._months |= months

    def _forget_newest(self, prepared: Prepared) -> None:
        # They have seen readings that the database has not, or may not have.
        for step in prepared:
            step.newest.clear()


def warm_up() -> None:
    """Compiles the kernels, or loads them: a member of the group that compiles would lose its partitions."""
    raw = json.dumps(
        {
            "schema": 1, "type": "upload", "upload_id": str(UUID(int=0)), "patient_id": str(UUID(int=0)),
            "device_id": "none", "source": "none", "sent_at_us": 0, "received_at_us": 0,
            "readings": [{"kind": "steps", "taken_at_us": 0, "value": 0, "unit": "{steps}"}] * MAX_NESTING,
        }
    ).encode()  # fmt: skip
    decoded = decode([_WarmUp(0, raw)], partition=0, nonce="n")
    readings = normalise(decoded, PatientIndex()).readings
    keys, newest = keys_of(readings), Newest()
    newest.learn(keys[newest.unknown(keys)], readings.taken_at_us)
    newest.pass_on(keys, readings.taken_at_us)
    copy_image.warm_up()


def _count(group: str, steps: Prepared, stored: Stored) -> None:
    metrics.INGEST_READINGS_RECEIVED.inc(sum(step.received for step in steps))
    metrics.INGEST_READINGS_STORED.inc(stored.stored)
    metrics.INGEST_READINGS_DUPLICATE.inc(stored.duplicates)
    metrics.INGEST_READINGS_STAGED.inc(stored.staged)
    metrics.INGEST_CHANGES.inc(sum(len(step.changes) for step in steps))
    readings, messages = Counter[str](), Counter[str]()
    for refusal in stored.refusals:
        readings[refusal.reason.value] += refusal.readings
        messages[refusal.reason.value] += refusal.position < 0
    for reason, count in readings.items():
        metrics.INGEST_READINGS_QUARANTINED.labels(reason).inc(count)
        metrics.INGEST_MESSAGES_QUARANTINED.labels(reason).inc(messages[reason])
    now_us = wall_now_us()
    for step in steps:
        metrics.INGEST_READINGS_TOO_LATE.inc(int(step.readings.too_late.sum()))
        if step.clock_us is not None:
            metrics.LOG_CLOCK.labels(group, str(step.partition)).set(step.clock_us / SECOND_US)
        received_us = step.readings.received_at_us[first_time(step.readings.offset, step.retries)]
        if len(received_us):
            newest_us = int(received_us.max())
            metrics.INGEST_DELAY.observe(max(0.0, (now_us - newest_us) / SECOND_US))
