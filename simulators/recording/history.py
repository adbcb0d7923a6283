"""The stored history as messages: what held, then what was received, with a clock made from when it was."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid5

from models.clock import MINUTE_US, to_datetime, to_us
from models.db.patients import load_changes
from models.db.pool import Connection
from models.db.recorded import followed_until_us, partitions_of_patients, received_between
from models.errors import BadInput
from models.kinds import KINDS
from models.messages import WireReading, WireUpload
from simulators.recording.restating import restated
from simulators.recording.taking import Taking
from simulators.recording.writing import RecordingWriter

TICK_US = MINUTE_US
TELL_EVERY_S = 1.0
NOTICES = UUID("2ad7a1f4-5ea4-5a53-8a1e-6a8c3a9e1d02")
"""In which uploads get an id that stand for what was said of refused readings."""
OURS = "thuiswacht.record"


async def history(
    connection: Connection,
    begin_us: int | None,
    end_us: int | None,
    taking: Taking,
    writer: RecordingWriter,
    tell: Callable[[str], None],
) -> None:
    """All changes that held by the end, from when each did; then readings, with ticks at their minutes.

    **Units**: microseconds since 1970 UTC. **Raises**: BadInput.
    """
    until_us = end_us if end_us is not None else await followed_until_us(connection)
    if until_us is None:
        expected = "a clock, in --to or in the log that was read"
        raise BadInput(where="the stored history", expected=expected, found="none")
    for placed in await _changes(connection):
        if placed.effective_from_us <= until_us:
            taking.change(None, *restated(placed), writer.rows)
            writer.settle()
    told_s = time.monotonic()
    clock_us = -1
    async for upload in _uploads(received_between(connection, begin_us or 0, until_us)):
        minute_us = upload["received_at_us"] // TICK_US * TICK_US
        if minute_us > clock_us:
            clock_us = minute_us
            taking.tick(clock_us, None, writer.rows)
        taking.upload(upload, writer.rows)
        writer.settle()
        if time.monotonic() - told_s >= TELL_EVERY_S:
            told_s = time.monotonic()
            tell(f"{writer.rows.messages:,} messages, up to {to_datetime(clock_us).isoformat()}")
    taking.tick(until_us, None, writer.rows)


async def _changes(connection: Connection) -> list[Any]:
    places = await partitions_of_patients(connection)
    logs = {(cluster, topic) for cluster, topic, _ in places}
    if len(logs) > 1:
        raise BadInput(where="the stored history", expected="that of one log", found=f"{len(logs)} logs")
    return [
        placed
        for cluster, topic, number in places
        for placed in await load_changes(connection, cluster, topic, number)
    ]


async def _uploads(rows: AsyncIterator[Any]) -> AsyncIterator[WireUpload]:
    """Readings put together again as they came."""
    current: WireUpload | None = None
    of: tuple[Any, ...] = ()
    async for row in rows:
        key = row["log_partition"], row["log_offset"], row["upload_id"], row["device_id"], row["received_at"]
        if current is None or key != of:
            if current is not None:
                yield current
            current, of = _upload(row), key
        current["readings"].append(_reading(row))
    if current is not None:
        yield current


def _upload(row: Any) -> WireUpload:
    received_at_us = to_us(row["received_at"])
    place = f"{row['log_partition']}/{row['log_offset']}/{row['device_id']}"
    return {
        "schema": 1,
        "type": "upload",
        "upload_id": str(row["upload_id"] or uuid5(NOTICES, place)),
        "patient_id": str(row["patient_id"]),
        "device_id": row["device_id"],
        "source": row["source"] or OURS,
        "sent_at_us": received_at_us if row["sent_at"] is None else to_us(row["sent_at"]),
        "received_at_us": received_at_us,
        "readings": [],
    }


def _reading(row: Any) -> WireReading:
    number: int = row["kind"]
    kind = KINDS[number]
    said: dict[str, Any] = {
        "kind": kind.name,
        "value": row["value_received"],
        "unit": row["unit_received"] if row["value_received"] is not None else None,
        "code": None if row["code"] is None else kind.codes[row["code"]],
        "absent": row["absent"],
        "text": row["text"],
        "void": row["void"] or None,
        "taken_at_us": to_us(row["taken_at"]),
        "revision": row["revision"] or None,
        "group": row["group_label"],
        "code_received": row["code_received"],
        "utc_offset_min": row["utc_offset_min"],
    }
    reading: Any = {name: value for name, value in said.items() if value is not None}
    return reading
