"""A reading told by telephone as an upload: what was said, in the unit in which it was said."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rights.corrections import Revision
from ingest.rights.telephone import DEVICE, SOURCE, Told, upload_of
from models.errors import BadInput

PATIENT, UPLOAD, CENTRE = (UUID(int=n, version=4) for n in range(1, 4))
NOW_US = 1_795_332_660_000_000


def upload(told: Told, **stored: list[Revision]) -> dict[str, Any]:
    return json.loads(upload_of(PATIENT, told, stored, UPLOAD, CENTRE, NOW_US))


@given(st.floats(20, 300).map(lambda value: round(value, 1)))
def test_it_says_what_was_said_and_by_which_way(value: float) -> None:
    told = Told(NOW_US, {"body_weight": value}, codes={"symptom_cough": "mild"})
    message = upload(told)
    assert (message["source"], message["device_id"]) == (SOURCE, DEVICE)
    assert (message["upload_id"], message["patient_id"]) == (str(UPLOAD), str(PATIENT))
    assert message["readings"] == [
        {"kind": "body_weight", "taken_at_us": NOW_US, "value": value, "unit": "kg"},
        {"kind": "symptom_cough", "taken_at_us": NOW_US, "code": "mild"},
    ]


def test_glucose_may_be_said_as_the_meter_shows_it() -> None:
    (reading,) = upload(Told(NOW_US, {"glucose": 126}, {"glucose": "mg/dL"}))["readings"]
    assert (reading["value"], reading["unit"]) == (126, "mg/dL")


def test_what_was_taken_back_can_be_told_again_and_what_counts_cannot() -> None:
    told = Told(NOW_US, {"body_weight": 81.4})
    again = upload(told, body_weight=[Revision(0, is_void=False), Revision(0, is_void=True)])
    assert again["readings"][0]["revision"] == 1
    with pytest.raises(BadInput, match="told already"):
        upload(told, body_weight=[Revision(0, is_void=True), Revision(1, is_void=False)])
