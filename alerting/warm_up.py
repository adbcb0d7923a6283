"""Everything compiled before the worker joins its group, which would not wait for it that long."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from alerting.engine.compiled import CompiledProgrammes
from alerting.partition import Partition
from models.clock import DAY_US
from models.messages import Origin


@dataclass(frozen=True, slots=True)
class _Message:
    offset: int
    value: bytes


def warm_up(programmes: CompiledProgrammes) -> None:
    """Evaluates a little log about a patient who does not exist."""
    partition = Partition(0, programmes, "trial", 1)
    for place, content in enumerate(_little_log()):
        partition.advance([_Message(place, json.dumps(content).encode())], "w")


def _little_log() -> Iterator[dict[str, object]]:
    nobody = str(UUID(int=0))
    register = {"register": {"origin": Origin.SIMULATED.value, "organisation_id": nobody}}
    head = {"schema": 1, "patient_id": nobody}
    yield {**head, "type": "change", "change_id": nobody, "valid_from_us": DAY_US, "change": register}
    # Newest first, so that the slow path is compiled as well.
    for taken_us in (20_003 * DAY_US, 20_002 * DAY_US):
        reading = {"kind": "body_weight", "value": 80.5, "unit": "kg", "taken_at_us": taken_us}
        yield {
            **head,
            "type": "upload",
            "upload_id": nobody,
            "device_id": "scale",
            "source": "warm-up",
            "sent_at_us": 20_004 * DAY_US,
            "received_at_us": 20_004 * DAY_US,
            "readings": [reading],
        }
    yield {"schema": 1, "type": "clock", "now_us": 20_005 * DAY_US}
