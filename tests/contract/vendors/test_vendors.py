"""Every adapter, by its examples and by messages that nobody would send: what all of them owe."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from ingest.delivery.adapter import Adapter, Event, adapters
from models.kinds import KIND_BY_NAME
from models.messages import WireUpload

EXAMPLES = Path(__file__).parent / "examples"
NAMES = sorted(adapters())
UPLOAD = TypeAdapter(WireUpload)


def examples(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))
    return cases


CASES = [pytest.param(name, case, id=f"{name}: {case['title']}") for name in NAMES for case in examples(name)]


def read(name: str, body: object, headers: Mapping[str, str]) -> Event:
    adapter: Adapter = adapters()[name]
    return adapter.read(body, headers)


def require_sound(event: Event) -> None:
    """What is delivered could stand in the log, and something is said of every message."""
    assert event.delivered or event.faults or event.left_out
    for one in event.delivered:
        assert one.readings
        assert len(one.readings) == len(one.places)
        assert one.device_id
        assert one.patient is None, "a vendor's word for a patient is not believed"
        for reading in one.readings:
            assert reading["kind"] in KIND_BY_NAME
            assert "unit" in reading or "value" not in reading
        UPLOAD.validate_python(
            {
                "schema": 1, "type": "upload", "upload_id": str(UUID(int=1)), "patient_id": str(UUID(int=2)),
                "device_id": one.device_id, "source": "a-vendor", "sent_at_us": 0, "received_at_us": 0,
                "readings": list(one.readings),
            },
            strict=True,
        )  # fmt: skip
    for fault in event.faults:
        assert fault.where
        assert fault.expected
        assert fault.found
        assert len(fault.found) <= 200


@pytest.mark.parametrize(("name", "case"), CASES)
def test_an_example_comes_to_exactly_what_it_says(name: str, case: dict[str, Any]) -> None:
    event = read(name, case["body"], case.get("headers", {}))
    assert [reading for one in event.delivered for reading in one.readings] == case.get("readings", [])
    assert [one.device_id for one in event.delivered] == case.get("devices", [])
    assert [[fault.where, fault.code] for fault in event.faults] == case.get("faults", [])
    assert [one.where for one in event.left_out] == case.get("left_out", [])
    require_sound(event)


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_show_readings_refusals_and_events_without_effect(name: str) -> None:
    cases = examples(name)
    assert any(case.get("readings") for case in cases)
    assert any(case.get("faults") for case in cases)
    assert any(set(case) <= {"title", "headers", "body", "left_out"} for case in cases)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def changed(body: Any, place: int, to: object) -> Any:
    """A message with one of its parts changed to something else."""
    parts: list[tuple[Any, Any]] = []

    def walk(at: Any) -> None:
        keys: list[Any] = []
        if isinstance(at, dict):
            keys = list(cast("dict[str, Any]", at))
        elif isinstance(at, list):
            keys = list(range(len(cast("list[Any]", at))))
        for key in keys:
            parts.append((cast("Any", at), key))
            walk(at[key])

    walk(body)
    at, key = parts[place % len(parts)]
    at[key] = to
    return body


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_whatever_comes_it_never_raises_and_says_what_it_made_of_it(name: str, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(examples(name)))
    body = copy.deepcopy(case["body"])
    for _ in range(data.draw(st.integers(1, 3))):
        body = changed(body, data.draw(st.integers(0, 200)), data.draw(JSON))
    before = copy.deepcopy(body)
    event = read(name, body, case.get("headers", {}))
    require_sound(event)
    assert body == before
    assert read(name, body, case.get("headers", {})) == event


@pytest.mark.parametrize("name", NAMES)
@given(body=JSON, headers=st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=3))
def test_no_message_of_somebody_else_is_taken_for_one(
    name: str, body: object, headers: dict[str, str]
) -> None:
    event = read(name, body, headers)
    assert not event.delivered
    require_sound(event)
