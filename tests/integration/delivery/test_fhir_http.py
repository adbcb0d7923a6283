"""FHIR's words in HTTP: formats, methods, addresses, and refusals that are OperationOutcomes."""

import json
from typing import Any

import httpx
from fastapi.routing import APIRoute
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationoutcome import OperationOutcome

from ingest.delivery.fhir.capability import RESOURCES, SYSTEM_INTERACTIONS
from ingest.gateway.delivery import service
from ingest.gateway.delivery.bodies import MAX_BODY_BYTES
from models.clock import wall_now_us
from tests.integration.delivery.asking import signed_headers
from tests.integration.delivery.fhir_gate import FHIR_JSON, HUB, Hub
from tests.integration.delivery.homes import make_patient

EMPTY = {"resourceType": "Observation"}


def refused(answer: httpx.Response) -> tuple[int, str]:
    """The status and the code of the first issue."""
    assert answer.headers["content-type"] == FHIR_JSON
    OperationOutcome.model_validate(answer.json())
    return answer.status_code, answer.json()["issue"][0]["code"]


async def test_metadata_is_there_for_anybody_and_says_what_there_is(fhir: Hub) -> None:
    answer = await fhir.http.get("/fhir/metadata")
    assert answer.status_code == 200
    said: dict[str, Any] = answer.json()
    CapabilityStatement.model_validate(said | {"fhirVersion": "4.3.0"})
    (rest,) = said["rest"]
    codes = {"create": ("POST", ""), "update": ("PUT", "/{id}")}
    promised = {
        (codes[one["code"]][0], f"/fhir/{resource['type']}{codes[one['code']][1]}")
        for resource in rest["resource"]
        for one in resource["interaction"]
    }
    assert {one["code"] for one in rest["interaction"]} == set(SYSTEM_INTERACTIONS)
    served = {
        (method, route.path)
        for routes in service.ROUTES
        for route in routes.router.routes
        if isinstance(route, APIRoute) and route.path.startswith("/fhir/")
        for method in route.methods or ()
    }
    assert promised == served
    assert {one["type"] for one in rest["resource"]} == {one.type for one in RESOURCES}
    assert refused(await fhir.http.get("/fhir/metadata?_format=xml")) == (406, "not-supported")


ELSEWHERE: list[tuple[str, str, int, str | None]] = [
    ("GET", "/fhir", 405, "POST"),
    ("POST", "/fhir/metadata", 405, "GET"),
    ("GET", "/fhir/Observation", 405, "POST"),
    ("GET", "/fhir/Observation/1", 405, "PUT"),
    ("DELETE", "/fhir/Observation/1", 405, "PUT"),
    ("PATCH", "/fhir/Patient/1", 405, "PUT"),
    ("POST", "/fhir/Observation/1", 405, "PUT"),
    ("POST", "/fhir/Medication", 404, None),
    ("GET", "/fhir/Observation/1/_history", 404, None),
    ("POST", "/fhir/Observation/$lastn/x", 404, None),
    ("GET", "/fhir/", 405, "POST"),
]


async def test_what_cannot_be_done_says_what_can(fhir: Hub) -> None:
    for method, path, status, allow in ELSEWHERE:
        answer = await fhir.send(method, path, b"")
        assert refused(answer) == (status, "not-supported"), path
        assert answer.headers.get("allow") == allow, path


HEADERS: list[tuple[dict[str, str], int]] = [
    ({"content_type": "application/fhir+xml"}, 415),
    ({"content_type": "text/plain"}, 415),
    ({"content_type": "application/fhir+json; fhirVersion=3.0"}, 415),
    ({"content_encoding": "br"}, 415),
    ({"accept": "application/fhir+xml"}, 406),
    ({"if_none_match": "*"}, 412),
    ({"if_match": "*"}, 400),
    ({"if_none_exist": "identifier=7"}, 412),
]


async def test_a_request_that_cannot_be_met_is_refused(fhir: Hub) -> None:
    for headers, status in HEADERS:
        answer = await fhir.post("/fhir/Observation", EMPTY, **headers)
        assert refused(answer)[0] == status, headers


BODIES: list[tuple[bytes, set[int]]] = [
    (b"", {400}),
    (b"<Observation/>", {400}),
    (b'{"resourceType": "Observation"', {400}),
    (b'{"resourceType": "Observation", "resourceType": "Observation"}', {400}),
    (b"[]", {400}),
    (b'{"resourceType": "Patient"}', {400}),
    # By itself it has a place; as a Bundle it is none.
    (b'{"resourceType": "Observation", "valueQuantity": {"value": NaN}}', {400, 422}),
    (b"[" * 10_000 + b"]" * 10_000, {400, 413}),
    (b'{"a": "' + b"a" * MAX_BODY_BYTES + b'"}', {413}),
]


async def test_a_body_that_is_no_good_is_refused_whole(fhir: Hub) -> None:
    for path in ("/fhir", "/fhir/Observation"):
        for body, status in BODIES:
            assert refused(await fhir.post(path, body))[0] in status, body[:40]


async def test_who_is_not_known_and_who_comes_too_often_are_told_in_fhir(fhir: Hub) -> None:
    unknown = await fhir.http.post("/fhir", json={})
    assert refused(unknown) == (401, "login")
    assert unknown.headers["www-authenticate"] == "Bearer"
    await fhir.admin.execute("UPDATE client SET per_second = 0.01, burst = 1")
    answers = [await fhir.post("/fhir/Observation", EMPTY) for _ in range(2)]
    assert [refused(one)[0] for one in answers] == [422, 429]
    assert int(answers[1].headers["retry-after"]) >= 1


async def test_what_cannot_be_taken_now_is_to_be_sent_again(fhir: Hub) -> None:
    await make_patient(fhir.admin, device="new")
    await fhir.admin.execute("UPDATE device_loan SET handed_out_at = handed_out_at - interval '9 days'")
    weight = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "effectiveDateTime": fhir.at(),
        "valueQuantity": {"value": 81.4, "system": "http://unitsofmeasure.org", "code": "kg"},
        "device": {"reference": "Device/new"},
    }
    answer = await fhir.post("/fhir/Observation", weight)
    assert refused(answer) == (503, "transient")
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_signed_request_that_comes_again_counts_once_and_is_told_so(fhir: Hub) -> None:
    await fhir.home("scale")
    body = json.dumps({"resourceType": "Bundle", "type": "batch", "entry": [{}]}).encode()
    headers = signed_headers(HUB, fhir.secret, body, wall_now_us()) | {"content-type": FHIR_JSON}
    first, again = [await fhir.http.post("/fhir", content=body, headers=headers) for _ in range(2)]
    assert first.json()["type"] == "batch-response"
    assert refused(again) == (200, "informational")
