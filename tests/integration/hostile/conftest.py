"""A real gate that hostile and broken input is thrown at: it goes on as before, whatever comes."""

import json
import os
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from models.clock import SECOND_US, to_datetime, wall_now_us
from simulators.stack import Stack
from tests.gates import Answer, Gate, at_work

PLAIN, FHIR, FHIR_TYPE = "/v1/uploads", "/fhir", "application/fhir+json"
MEMORY_BYTES = 256 << 20
SECONDS = 2.0
"""What one request may take at most, of memory and of a processor's time."""


@pytest.fixture(scope="module")
def gate(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """Of these tests alone, each file its own."""
    with at_work(stack, tmp_path_factory.mktemp("gate")) as gate:
        yield gate


@pytest.fixture
def goes_on(gate: Gate) -> Iterator[None]:
    """After a test the gate takes in a good upload, and it is stored: no partition is stuck."""
    yield
    gate.ground.services.require_running()
    sound = upload(gate)
    answer = gate.deliver(PLAIN, written(sound))
    assert answer.status in (200, 202), answer
    at = datetime.fromisoformat(sound["readings"][0]["taken_at"])
    (row,) = gate.stored("SELECT value FROM reading WHERE taken_at = $1 AND kind = 0", at)
    assert row["value"] == 81.4


@pytest.fixture
def unharmed(gate: Gate, goes_on: None) -> Iterator[None]:
    """What a test does takes bounded memory and time, and then the gate goes on as before."""
    before = peak_bytes(gate.pid)
    busy_s = processor_s(gate.pid)
    yield
    assert peak_bytes(gate.pid) - before < MEMORY_BYTES
    assert processor_s(gate.pid) - busy_s < SECONDS


def now() -> datetime:
    """A moment that no other upload of a test has."""
    return to_datetime(wall_now_us() // SECOND_US * SECOND_US + secrets.randbelow(SECOND_US))


def upload(gate: Gate, **changed: Any) -> dict[str, Any]:
    """A sound upload, changed as said; a field that is None is left out."""
    reading = {"kind": "body_weight", "value": 81.4, "unit": "kg", "taken_at": now().isoformat()} | changed
    reading = {name: value for name, value in reading.items() if value is not None}
    return {"device_id": gate.homes[0].device_id, "readings": [reading]}


def written(content: Any) -> bytes:
    """As JSON."""
    return json.dumps(content).encode()


def refused(answer: Answer, *statuses: int) -> Answer:
    """It is refused in one of these ways, in a form that the sender's program understands."""
    assert answer.status in statuses, answer
    assert answer.headers["content-type"].startswith(
        ("application/problem+json", "application/json", FHIR_TYPE)
    )
    return answer


def peak_bytes(pid: int) -> int:
    """The most memory that a process ever had since this was last asked."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (peak,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    return int(peak.split()[1]) << 10


def processor_s(pid: int) -> float:
    """Processor seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
