"""One batch into Postgres, with its offsets, in one transaction: all of it, or nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.decode import Record
from ingest.newest import Keys, Newest, keys_of
from ingest.quarantine.retries import Place
from ingest.quarantine.senders import sender_of
from ingest.salvage import known_id, shown
from models.changes import PlacedChange
from models.columns import Readings, Reason, Refusal
from models.db import positions, tombstones
from models.db.patients import store_changes
from models.db.pool import Connection
from models.db.positions import Advance
from models.db.quarantine import Message, quarantine
from models.db.readings import Staged, copy_readings, newest_known, stage_readings
from models.db.sources import note_activity
from models.errors import Broken
from models.sources import Activity


@dataclass(frozen=True, slots=True)
class Step:
    """What a batch means in one partition: from one offset to another, and what was between them."""

    partition: int
    from_offset: int
    to_offset: int
    clock_us: int | None
    records: Sequence[Record]
    readings: Readings
    changes: Sequence[PlacedChange]
    refusals: Sequence[Refusal]
    received: int
    newest: Newest
    activities: Sequence[Activity] = ()
    destroyed: int = 0
    """The latest tombstone that was known when it was prepared."""
    retries: Mapping[int, Place] = field(default_factory=dict[int, Place])
    """The offsets of messages that repeat refused ones, and where those stand."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of the readings of a batch; together they are what was received."""

    stored: int
    staged: int
    duplicates: int
    refusals: Sequence[Refusal]


async def store(
    connection: Connection,
    group: str,
    cluster_id: str,
    topic: str,
    steps: Sequence[Step],
    *,
    stage_all: bool = False,
) -> Stored:
    """Stores a batch, within a transaction; the months of its readings must have their partitions.

    After an error, the `newest` of the steps are wrong and have to be forgotten.
    **Raises**: NotMine, AlreadyAdvanced, NotNew, with nothing stored; the last one not with `stage_all`.
    """
    await positions.claim(
        connection,
        group,
        cluster_id,
        topic,
        [Advance(s.partition, s.from_offset, s.to_offset) for s in steps],
    )
    await tombstones.require_none_newer(connection, {step.partition: step.destroyed for step in steps})
    await store_changes(connection, cluster_id, topic, [change for step in steps for change in step.changes])
    new: list[Readings] = []
    rest: list[Readings] = []
    for step in steps:
        is_new = np.zeros(len(step.readings), np.bool_) if stage_all else await _is_new(connection, step)
        new.append(step.readings if is_new.all() else step.readings.take(is_new))
        rest.append(step.readings.take(~is_new))
    copied = await copy_readings(connection, new)
    staged = await stage_readings(connection, rest) if any(map(len, rest)) else Staged(0, 0, [])
    duplicates = Counter(staged.duplicates_in)
    refusals = [refusal for step in steps for refusal in step.refusals]
    refusals += [_conflict(rest[batch], row) for batch, row in staged.conflicts]
    await quarantine(connection, cluster_id, topic, refusals, _messages(steps, refusals))
    noted = [(step.partition, activity) for step in steps for activity in step.activities]
    await note_activity(connection, cluster_id, topic, noted)
    quarantined = Counter[int]()
    for refusal in refusals:
        quarantined[refusal.partition] += refusal.readings
    advances = [
        Advance(
            step.partition,
            step.from_offset,
            step.to_offset,
            step.clock_us,
            received=step.received,
            stored=step.received - duplicates[step.partition] - quarantined[step.partition],
            duplicate=duplicates[step.partition],
            quarantined=quarantined[step.partition],
        )
        for step in steps
    ]
    stored = copied + staged.stored
    if stored != sum(advance.stored for advance in advances):
        raise Broken(f"Of a batch {stored} readings were stored, its counts tell otherwise: {advances}.")
    await positions.advance(connection, group, cluster_id, topic, advances)
    return Stored(stored, sum(map(len, rest)), duplicates.total(), refusals)


async def _is_new(connection: Connection, step: Step) -> NDArray[np.bool_]:
    """Which readings are newer than every one known of their patient, kind and device."""
    readings = step.readings
    keys = keys_of(readings)
    unknown = np.flatnonzero(step.newest.unknown(keys))
    if len(unknown):
        await _learn(connection, step, keys, unknown)
    return step.newest.pass_on(keys, readings.taken_at_us)


async def _learn(connection: Connection, step: Step, keys: Keys, rows: NDArray[np.intp]) -> None:
    readings = step.readings
    asked, first, of = np.unique(keys[rows], return_index=True, return_inverse=True)
    # Enough to know what is there from the first of them on; whatever is older stays in its shadow.
    since_us = np.full(len(asked), np.iinfo(np.int64).max)
    np.minimum.at(since_us, of, readings.taken_at_us[rows])
    one = rows[first]
    devices: list[str] = [readings.texts[device] for device in readings.device[one].tolist()]
    found = await newest_known(connection, readings.patient_id[one], readings.kind[one], devices, since_us)
    step.newest.learn(asked, found)


def _conflict(readings: Readings, row: int) -> Refusal:
    patient = readings.patient_id[row].tobytes().hex()
    value = float(readings.value[row])
    code, absent, text = (
        int(readings.code[row]), int(readings.absent[row]), int(readings.text[row]),
    )  # fmt: skip
    found = (
        f"code {code}" if code >= 0
        else readings.texts[absent] if absent >= 0
        else shown(readings.texts[text]) if text >= 0
        else f"{value:.15g}"
    )  # fmt: skip
    return Refusal(
        partition=readings.partition,
        offset=int(readings.offset[row]),
        position=int(readings.position[row]),
        reason=Reason.CONFLICT,
        field="value",
        expected="what is stored for the same patient, kind, time, device and revision",
        found=found,
        readings=1,
        patient_id=known_id(patient),
    )


def _messages(steps: Sequence[Step], refusals: Sequence[Refusal]) -> Mapping[tuple[int, int], Message]:
    """The messages of which something was refused, by their place: bytes, receipt, and who sent them."""
    places = {(refusal.partition, refusal.offset) for refusal in refusals}
    if not places:
        return {}
    nothing_kept = {(r.partition, r.offset) for r in refusals if r.reason is Reason.DESTROYED_PATIENT}
    received = {
        (step.partition, offset): at_us
        for step in steps
        for offset, at_us in zip(
            step.readings.offset.tolist(), step.readings.received_at_us.tolist(), strict=True
        )
        if (step.partition, offset) in places
    }
    found: dict[tuple[int, int], Message] = {}
    for step in steps:
        for record in step.records:
            place = (step.partition, record.offset)
            if place not in places:
                continue
            raw = b"" if place in nothing_kept else record.value or b""
            sender, retry_of = sender_of(raw), step.retries.get(record.offset)
            found[place] = Message(
                raw, received.get(place), sender.device_id, sender.source, tuple(sender.kinds), retry_of
            )
    return found
