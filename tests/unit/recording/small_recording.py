"""Logs of a few partitions in memory, and recordings of them."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from alerting.recording.layout import End, Header
from alerting.recording.reading import RecordingFile
from ingest.keys import partition_of
from ingest.stretch import Read
from simulators.recording.messages import Messages, patients_of
from simulators.recording.order import betweens, merged
from simulators.recording.pseudonyms import Pseudonyms
from simulators.recording.record import write_steps
from simulators.recording.taking import Taking
from simulators.recording.writing import RecordingWriter

PARTITIONS = 2
NOON_US = 1_772_362_800_000_000
PATIENTS = [str(UUID(int=0x8000_0000_0000_4000_8000_0000_0000_0000 + number)) for number in range(1, 7)]
Log = Mapping[int, Sequence[bytes]]
"""The messages of each partition."""


def text(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()


def tick(minute: int) -> bytes:
    return text({"schema": 1, "type": "clock", "now_us": NOON_US + minute * 60_000_000})


def change(patient: str, content: Mapping[str, Any], number: int = 1, at_us: int = NOON_US) -> bytes:
    return text(
        {
            "schema": 1,
            "type": "change",
            "change_id": str(UUID(int=number)),
            "patient_id": patient,
            "valid_from_us": at_us,
            "change": content,
        }
    )


def upload(patient: str, *readings: Mapping[str, Any], number: int = 1, **fields: Any) -> bytes:
    envelope = {
        "schema": 1,
        "type": "upload",
        "upload_id": str(UUID(int=number)),
        "patient_id": patient,
        "device_id": "scale-4711",
        "source": "vendor-a",
        "sent_at_us": NOON_US,
        "received_at_us": NOON_US,
    }
    return text({**envelope, **fields, "readings": list(readings)})


def weight(value: float = 81.4, minute: int = 0, **fields: Any) -> dict[str, Any]:
    content = {"kind": "body_weight", "value": value, "unit": "kg"}
    return {**content, "taken_at_us": NOON_US + minute * 60_000_000, **fields}


def home_of(patient: str) -> int:
    return partition_of(patient, PARTITIONS)


async def _reads(messages: Sequence[bytes]) -> AsyncGenerator[Read]:
    for offset, value in enumerate(messages):
        yield Read(offset, None, value)


def recorded(
    file: Path, log: Log, pseudonyms: Pseudonyms | None = None, *, segment_rows: int = 1 << 17
) -> End:
    """Records a log as the command does."""
    header = Header("log", "simulated", pseudonymised=pseudonyms is not None, partitions=PARTITIONS)
    taking = Taking(pseudonyms, PARTITIONS)

    async def work() -> End:
        steps = merged({number: betweens(number, _reads(values), None) for number, values in log.items()})
        with RecordingWriter(file, header, segment_rows=segment_rows) as writer:
            return await write_steps(steps, taking, writer, print)

    return asyncio.run(work())


def replayed(file: Path, *, lenient: bool = False) -> list[bytes]:
    """The messages of a recording."""
    recording = RecordingFile(file, skip=lenient, tell=print)
    return [one.message.value for one in Messages(recording, patients_of(recording))]
