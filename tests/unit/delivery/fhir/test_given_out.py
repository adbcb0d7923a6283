"""What we give out of a record can be delivered again, and says the same."""

from typing import Any

import pytest

from ingest.rights.resources import observation
from models.kinds import KINDS, Kind
from tests.unit.delivery.fhir.samples import TAKEN_AT, content

PATIENT = "00000000-0000-4000-8000-000000000001"


def row(kind: Kind, **content: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("value", "code", "text", "absent", "unit_received", "value_received"))
    place = {"log_partition": 0, "log_offset": 1, "log_position": 2}
    known = {
        "kind": kind.number,
        "patient_id": PATIENT,
        "taken_at": TAKEN_AT,
        "received_at": TAKEN_AT,
        "device_id": "scale-4711",
        "source": "hospital-1",
        "revision": 0,
    }
    return nothing | place | known | content


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_kind(kind: Kind) -> None:
    given: dict[str, Any] = {"code": 1} if kind.is_coded else {"value": 61.5}
    made = observation(row(kind, **given), "final")
    # References of a copy lead to its own resources; a sender names the device as it is known here.
    sent = made | {
        "device": {"reference": "Device/scale-4711"},
        "subject": {"reference": f"Patient/{PATIENT}"},
    }
    said = {"code": kind.codes[1]} if kind.is_coded else {"value": 61.5, "unit": kind.unit}
    assert content(sent) == [{"kind": kind.name, **said}]


def test_why_there_was_no_value() -> None:
    weight = KINDS[0]
    made = observation(row(weight, absent="not-performed"), "final")
    sent = made | {
        "device": {"reference": "Device/scale-4711"},
        "subject": {"reference": f"Patient/{PATIENT}"},
    }
    assert content(sent) == [{"kind": "body_weight", "absent": "not-performed"}]
