"""What ingest makes of simulated messages, without a server: its own pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ingest.decode import decode
from ingest.normalise import normalise
from ingest.patients import PatientIndex
from models.columns import Readings, Refusal
from models.messages import Register
from simulators.wire import Message

BATCH = 500


@dataclass(frozen=True)
class Record:
    offset: int
    value: bytes | None


def read(messages: Sequence[Message]) -> tuple[list[Readings], list[Refusal], int]:
    """Everything in one partition, as a worker would read it: what counts, what does not, how much came."""
    patients, accepted, refused, received = PatientIndex(), list[Readings](), list[Refusal](), 0
    for first in range(0, len(messages), BATCH):
        records = [
            Record(first + place, message.value)
            for place, message in enumerate(messages[first : first + BATCH])
        ]
        decoded = decode(records, partition=0, nonce="fortests")
        for offset, change in decoded.changes:
            if isinstance(register := change.change.only, Register):
                patients.add(UUID(str(change.patient_id)), register.organisation_id, offset)
        readings, refusals, _ = normalise(decoded, patients)
        accepted.append(readings)
        refused += [*decoded.refusals, *refusals]
        received += decoded.received
    return accepted, refused, received
