"""Whatever the OpenAPI says can be asked is answered as it says: status, headers, content; and never a 5xx.

Asked by schemathesis from the document alone, and by Observations and Bundles that hypothesis makes: sound
ones, ones with a piece changed, and any JSON at all.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import checks as of_all
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks as of_openapi

from tests.gates import Gate
from tests.integration.hostile.conftest import FHIR, FHIR_TYPE, PLAIN, now, written

pytestmark = pytest.mark.usefixtures("unharmed")
pytestmark = pytest.mark.usefixtures("goes_on")

# Their types are said by halves.
_all, _openapi = cast("Any", of_all), cast("Any", of_openapi)
CHECKS = [
    _all.not_a_server_error,
    _openapi.status_code_conformance,
    _openapi.content_type_conformance,
    _openapi.response_headers_conformance,
    _openapi.response_schema_conformance,
]
bounded = settings(
    max_examples=150,
    derandomize=True,
    database=None,
    deadline=None,
    # One gate for all examples is what is meant: nothing that one of them does may show in another.
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
"""Seconds, not minutes; and the same ones each time."""


@schemathesis.serializer("application/x-ndjson")
def lines(_: Any, value: Any) -> bytes:
    """A text is sent as it is, other values as one line each."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    return b"\n".join(map(written, cast("list[Any]", value))) if isinstance(value, list) else written(value)


@cache
def operations(url: str) -> Mapping[str, Any]:
    """What the document says can be asked, by method and path."""
    # Its types are said by halves.
    schema: Any = schemathesis.openapi.from_url(f"{url}/openapi.json")
    found = [one.ok() for one in schema.get_all_operations()]
    return {one.label: one for one in found}


def ask(gate: Gate, case: Any) -> Any:
    """Sends it, and says what is otherwise than documented."""
    headers = {"Authorization": f"Bearer {gate.token}"}
    answer = case.call(base_url=gate.ground.url, headers=headers, timeout=30)
    case.validate_response(answer, checks=CHECKS)
    return answer


@pytest.mark.parametrize("mode", list(GenerationMode))
@bounded
@given(data=st.data())
def test_what_the_document_says_can_be_asked(gate: Gate, mode: GenerationMode, data: st.DataObject) -> None:
    known = operations(gate.ground.url)
    operation = known[data.draw(st.sampled_from(sorted(known)))]
    ask(gate, data.draw(operation.as_strategy(generation_mode=mode)))


LOINC = ("29463-7", "8480-6", "8867-4", "59408-5", "8310-5", "85354-9", "9279-1", "2339-0", "")
UNITS = ("kg", "g", "mm[Hg]", "/min", "%", "Cel", "[degF]", "mmol/L", "{nothing}", "")
NAMES = (
    "resourceType", "code", "coding", "system", "value", "valueQuantity", "valueCodeableConcept", "component",
    "effectiveDateTime", "effectivePeriod", "subject", "reference", "identifier", "device", "status", "entry",
    "request", "method", "url", "resource", "fullUrl", "type", "extension", "contained", "dataAbsentReason",
)  # fmt: skip

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=10,
)


@st.composite
def observations(draw: st.DrawFn, gate: Gate) -> dict[str, Any]:
    """Such as devices send, right and wrong."""
    home = draw(st.sampled_from(gate.homes))
    quantity = {
        "value": draw(st.floats(-1e6, 1e6, allow_nan=False) | st.integers(0, 300)),
        "system": "http://unitsofmeasure.org",
        "code": draw(st.sampled_from(UNITS)),
    }
    return {
        "resourceType": "Observation",
        "status": draw(st.sampled_from(["final", "amended", "entered-in-error", "preliminary", "x"])),
        "code": {"coding": [{"system": "http://loinc.org", "code": draw(st.sampled_from(LOINC))}]},
        "subject": {"reference": f"Patient/{home.patient_id}"},
        "device": {"identifier": {"value": home.device_id}},
        "effectiveDateTime": draw(st.sampled_from([now().isoformat(), "2026-11-29", "2099-01-01T00:00:00Z"])),
        "valueQuantity": quantity,
    }


@st.composite
def changed(draw: st.DrawFn, sound: Any) -> Any:
    """The same with a piece taken away, or something else in its place."""
    content = copy.deepcopy(sound)
    path = draw(st.sampled_from(list(paths(content))))
    holder = content
    for step in path[:-1]:
        holder = holder[step]
    if draw(st.booleans()):
        del holder[path[-1]]
    else:
        holder[path[-1]] = draw(json_values)
    return content


def paths(content: Any, before: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place within a JSON value."""
    inside: list[tuple[str | int, Any]] = []
    if isinstance(content, dict):
        inside = list(cast("dict[str, Any]", content).items())
    elif isinstance(content, list):
        inside = list(enumerate(cast("list[Any]", content)))
    for step, value in inside:
        yield (*before, step)
        yield from paths(value, (*before, step))


def bundle(kind: str, resources: list[Any]) -> dict[str, Any]:
    """As a hub sends it."""
    return {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [
            {"resource": resource, "request": {"method": "POST", "url": "Observation"}}
            for resource in resources
        ],
    }


@bounded
@given(data=st.data())
def test_observations_that_hypothesis_makes(gate: Gate, data: st.DataObject) -> None:
    made = data.draw(observations(gate))
    resource = data.draw(st.one_of(st.just(made), changed(made), json_values))
    operation = operations(gate.ground.url)["POST /fhir/Observation"]
    ask(gate, operation.Case(body=resource, media_type=FHIR_TYPE))


@bounded
@given(data=st.data())
def test_bundles_that_hypothesis_makes(gate: Gate, data: st.DataObject) -> None:
    made = [data.draw(observations(gate)) for _ in range(data.draw(st.integers(0, 4)))]
    sound = bundle(data.draw(st.sampled_from(["batch", "transaction", "message", "x"])), made)
    content = data.draw(st.one_of(st.just(sound), changed(sound), json_values))
    operation = operations(gate.ground.url)["POST /fhir"]
    answer = ask(gate, operation.Case(body=content, media_type=FHIR_TYPE))
    if content == sound and sound["type"] == "batch" and answer.status_code == 200:
        assert len(answer.json().get("entry", [])) == len(made)


@bounded
@given(data=st.data())
def test_uploads_that_hypothesis_makes(gate: Gate, data: st.DataObject) -> None:
    reading = {"kind": "body_weight", "value": 81.4, "unit": "kg", "taken_at": now().isoformat()}
    sound = {"device_id": gate.homes[0].device_id, "readings": [reading, reading | {"kind": "heart_rate"}]}
    content = data.draw(st.one_of(changed(sound), changed([sound, sound]), json_values))
    operation = operations(gate.ground.url)["POST /v1/uploads"]
    ask(gate, operation.Case(body=content, media_type="application/json"))


@bounded
@given(raw=st.binary(max_size=200))
@pytest.mark.parametrize("path", [PLAIN, FHIR, "/fhir/Observation"])
def test_any_bytes(gate: Gate, path: str, raw: bytes) -> None:
    answer = gate.post(path, raw, "application/json" if path == PLAIN else FHIR_TYPE)
    assert answer.status in (400, 413, 422)
    assert json.loads(answer.body)
    assert gate.post(path, written(raw.hex())).status in (400, 415, 422)
