"""What is answered is valid FHIR R4, in HTTP's own words where it is a response by itself."""

import json
from typing import Any, cast
from uuid import UUID

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.operationoutcome import OperationOutcome

from ingest.delivery.content import Code, Fault
from ingest.delivery.fhir.negotiation import Return
from ingest.delivery.fhir.responses import (
    Response,
    Version,
    bundle_of,
    http_of,
    outcome_of,
    refusal,
    whole_refused,
)
from ingest.delivery.strict import parse

SENT = {"resourceType": "Observation", "id": "theirs", "meta": {"profile": ["urn:x"]}, "status": "final"}
ID = UUID("5f3c9ad0-5b7c-5c3e-9a43-1b7a5f0c0d11")
VERSION = Version("Observation", ID, 1, 1_772_348_400_123_456, SENT)
NEW = Response(201, "It is in the log.", version=VERSION, address="/v1/uploads/abc")
FAULT = Fault("Observation.component[0]", "at most 300 mm[Hg]", "900", Code.VALUE, kept=True)
PARTLY = Response(201, None, (FAULT,), VERSION, "/v1/uploads/abc")
REFUSED = refusal(409, Fault("Bundle.entry[1].resource", "a reading once", "twice", Code.CONFLICT))
URL = "https://gate.example/fhir"


def test_a_new_resource_says_where_it_is_and_what_becomes_of_it() -> None:
    made = http_of(NEW, None, URL)
    assert made.status == 201
    assert made.headers == {
        "content-location": "/v1/uploads/abc",
        "location": f"{URL}/Observation/{ID}/_history/1",
        "etag": 'W/"1"',
        "last-modified": "Sun, 01 Mar 2026 07:00:00 GMT",
    }
    OperationOutcome.model_validate(made.body)
    assert made.body is not None
    assert "/v1/uploads/abc" in str(made.body["issue"])


def test_the_answer_holds_what_is_wanted() -> None:
    assert http_of(NEW, Return.MINIMAL, URL).body is None
    sent = http_of(NEW, Return.REPRESENTATION, URL).body
    assert sent == SENT | {
        "id": str(ID),
        "meta": {"profile": ["urn:x"], "versionId": "1", "lastUpdated": "2026-03-01T07:00:00.123456+00:00"},
    }


def test_what_could_not_be_used_is_left_out() -> None:
    parsed = parse(
        b'{"resourceType": "Observation", "note": [{"text": "\\u0000"}, "\\ud800"], "issued": 1e999}'
    )
    version = Version("Observation", ID, 0, None, cast("dict[str, object]", parsed))
    sent = http_of(Response(200, version=version), Return.REPRESENTATION, URL).body
    assert json.loads(json.dumps(sent)) == {
        "resourceType": "Observation", "note": [{}], "id": str(ID), "meta": {"versionId": "0"},
    }  # fmt: skip


@pytest.mark.parametrize("wanted", [None, *Return])
def test_what_is_wrong_is_said_whatever_is_wanted(wanted: Return | None) -> None:
    assert http_of(PARTLY, wanted, URL).body == outcome_of(PARTLY)
    assert http_of(REFUSED, wanted, URL).body == outcome_of(REFUSED)


def test_a_part_that_is_refused_is_a_warning() -> None:
    severities = [issue["severity"] for issue in issues(outcome_of(PARTLY))]
    assert severities == ["warning", "information"]
    assert [issue["severity"] for issue in issues(outcome_of(REFUSED))] == ["error"]


def issues(outcome: dict[str, Any]) -> list[dict[str, Any]]:
    OperationOutcome.model_validate(outcome)
    return outcome["issue"]


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("wanted", [None, Return.MINIMAL, Return.OUTCOME])
def test_a_bundle_is_answered_entry_by_entry(wanted: Return | None, together: bool) -> None:
    made: dict[str, Any] = bundle_of([NEW, REFUSED, Response(200, "x")], wanted, together=together)
    Bundle.model_validate(made)
    assert made["type"] == ("transaction-response" if together else "batch-response")
    first, second, third = (one["response"] for one in made["entry"])
    assert (first["status"], first["location"], first["etag"], first["lastModified"]) == (
        "201 Created",
        f"Observation/{ID}/_history/1",
        'W/"1"',
        "2026-03-01T07:00:00.123456+00:00",
    )
    assert "/v1/uploads/abc" in str(first["outcome"])
    assert (second["status"], "location" in second) == ("409 Conflict", False)
    assert third["status"] == "200 OK"


def test_a_bundle_may_hold_what_was_sent() -> None:
    made: dict[str, Any] = bundle_of([NEW, REFUSED], Return.REPRESENTATION, together=False)
    assert [one.get("resource", {}).get("id") for one in made["entry"]] == [str(ID), None]


def test_a_refused_transaction_tells_everything() -> None:
    whole = whole_refused([NEW, REFUSED, refusal(422, FAULT)])
    assert (whole.status, len(whole.faults)) == (409, 2)
