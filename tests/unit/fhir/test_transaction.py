"""An escalation as a FHIR transaction: valid R4, whole, and the same when it is sent twice."""

import json
import re
from base64 import b64decode
from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from fhir.resources.R4B.bundle import Bundle

from alerting.notify.fhir.transaction import transaction
from models.clock import DAY_US
from models.escalations import EscalationState, MessageKind, RequestKind
from models.messages import Origin
from tests.unit.fhir import facts
from tests.unit.fhir.facts import ESCALATION, FINDING, HOSPITAL, MESSAGE, NURSE, OURS, PATIENT, handed

Entry = dict[str, Any]


def entries(bundle: Entry, kind: str) -> list[Entry]:
    return [one for one in bundle["entry"] if one["resource"]["resourceType"] == kind]


def only(bundle: Entry, kind: str) -> Entry:
    (found,) = entries(bundle, kind)
    return found["resource"]


def references(part: Any) -> list[str]:
    return re.findall(r'"reference": "(urn:[^"]+)"', json.dumps(part))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"escalations": (), "message": facts.message(kind=MessageKind.NOTICE, escalation_id=None)},
        {"asked_by": None},
        {"findings": (), "readings": (), "answers_at": None},
        {"message": facts.message(kind=MessageKind.CORRECTION, corrects=UUID(int=99, version=4))},
        {"escalations": (facts.escalation(), facts.escalation(escalation_id=UUID(int=77, version=4)))},
        {"escalations": (facts.escalation(question="Mag de furosemide omhoog?", answer_by_us=None),)},
        {"findings": (facts.finding(retracted=True), )},
    ],
)  # fmt: skip
def test_it_is_valid_and_whole(changes: dict[str, Any]) -> None:
    bundle = transaction(handed(**changes))
    Bundle.model_validate_json(json.dumps(bundle))
    urls = [one["fullUrl"] for one in bundle["entry"]]
    assert max(Counter(urls).values()) == 1
    assert set(references(bundle)) <= set(urls)


def test_what_the_task_says() -> None:
    task = only(transaction(handed()), "Task")
    assert (task["status"], task["intent"], task["priority"]) == ("requested", "order", "stat")
    assert task["identifier"][0]["value"] == str(ESCALATION)
    assert task["requester"]["identifier"]["value"] == str(OURS)
    assert task["owner"]["identifier"]["value"] == str(HOSPITAL)
    assert task["for"]["identifier"] == {"system": "urn:thuiswacht:patient", "value": str(PATIENT)}
    assert task["focus"]["reference"] == f"urn:uuid:{MESSAGE}"
    assert task["restriction"]["period"]["end"] == "2026-11-22T08:01:00+00:00"
    assert "Monitoringcentrum Duin verantwoordelijk" in task["note"][0]["text"]
    assert "070-1234567" in task["note"][0]["text"]
    assert task["extension"][0]["valueUrl"].endswith(f"/fhir/Task/{ESCALATION}")


@pytest.mark.parametrize(
    ("request_kind", "priority"),
    [(RequestKind.ACUTE, "stat"), (RequestKind.COMPLEX_REGIONAL, "urgent"), (RequestKind.REGULAR, "routine")],
)
def test_the_kind_of_request_says_how_urgent_it_is(request_kind: RequestKind, priority: str) -> None:
    bundle = transaction(handed(escalations=(facts.escalation(request=request_kind),)))
    assert only(bundle, "Task")["priority"] == priority
    assert only(bundle, "Communication")["priority"] == priority


def test_everything_is_made_once_however_often_it_is_sent() -> None:
    first, later = transaction(handed()), transaction(handed(now_us=facts.NOW_US + DAY_US))
    asked = [one["request"] for one in first["entry"]]
    assert asked == [one["request"] for one in later["entry"]]
    assert [one["fullUrl"] for one in first["entry"]] == [one["fullUrl"] for one in later["entry"]]
    for request in asked:
        by_identifier = request.get("ifNoneExist") or request["url"].partition("?")[2]
        assert by_identifier.startswith(("identifier=urn:thuiswacht:", "_tag=urn:thuiswacht:provenance|"))


def test_a_condition_finds_the_resource_that_it_makes() -> None:
    for one in transaction(handed())["entry"]:
        request, resource = one["request"], one["resource"]
        condition = request.get("ifNoneExist") or request["url"].partition("?")[2]
        name, _, value = condition.partition("=")
        system, _, code = value.partition("|")
        if name == "identifier":
            assert {"system": system, "value": code}.items() <= resource["identifier"][0].items()
        else:
            assert {"system": system, "code": code} in resource["meta"]["tag"]


def test_the_letter_is_text_and_pdf() -> None:
    text, pdf = only(transaction(handed()), "Communication")["payload"]
    assert text["contentString"] == "De patiënt houdt vocht vast."
    assert b64decode(pdf["contentAttachment"]["data"]) == b"%PDF-1.7"


def test_readings_are_what_was_measured() -> None:
    observation = only(transaction(handed()), "Observation")
    assert observation["valueQuantity"]["code"] == "kg"
    assert observation["valueQuantity"]["value"] == 84.1
    assert {"system": "http://loinc.org", "code": "29463-7"} in observation["code"]["coding"]
    assert observation["status"] == "final"


def test_of_several_revisions_the_highest_goes_along() -> None:
    rows = (facts.reading(), facts.reading(revision=1, value=84.0, log_offset=5))
    observation = only(transaction(handed(readings=rows)), "Observation")
    assert (observation["status"], observation["valueQuantity"]["value"]) == ("corrected", 84.0)


def test_a_reading_that_was_taken_back_is_said_to_be_a_mistake() -> None:
    rows = (facts.reading(), facts.reading(void=True, value=None, log_offset=5))
    assert only(transaction(handed(readings=rows)), "Observation")["status"] == "entered-in-error"


def test_who_flagged_and_who_sent() -> None:
    flagged, sent = (one["resource"] for one in entries(transaction(handed()), "Provenance"))
    assert flagged["target"] == [{"reference": f"urn:uuid:{FINDING}"}]
    assert flagged["agent"][0]["who"]["identifier"]["value"] == "heart_failure/3"
    assert {one["reference"] for one in sent["target"]} == {f"urn:uuid:{MESSAGE}", f"urn:uuid:{ESCALATION}"}
    assert sent["agent"][0]["who"]["identifier"]["value"] == str(NURSE)
    assert sent["agent"][0]["onBehalfOf"]["identifier"]["value"] == str(OURS)


def test_the_ladder_sends_by_its_policy() -> None:
    _, sent = entries(transaction(handed(asked_by=None)), "Provenance")
    assert sent["resource"]["agent"][0]["who"]["identifier"]["value"] == "heart_failure/1"


@pytest.mark.parametrize("state", [EscalationState.WITHDRAWN, EscalationState.PASSED_ON])
def test_what_is_over_is_taken_back_at_the_receiver(state: EscalationState) -> None:
    over = facts.escalation(state=state, over_at_us=facts.NOW_US)
    correction = facts.message(kind=MessageKind.CORRECTION, corrects=UUID(int=99, version=4))
    bundle = transaction(handed(escalations=(over,), message=correction))
    (entry,) = entries(bundle, "Task")
    assert entry["request"]["method"] == "PUT"
    assert entry["resource"]["status"] == "cancelled"
    assert only(bundle, "Communication")["inResponseTo"][0]["identifier"]["value"] == str(
        UUID(int=99, version=4)
    )


def test_a_task_that_is_the_receivers_is_not_written_over() -> None:
    accepted = facts.escalation(state=EscalationState.ACCEPTED, accepted_at_us=1, accepted_by=NURSE)
    (entry,) = entries(transaction(handed(escalations=(accepted,))), "Task")
    assert entry["request"]["method"] == "POST"


def test_who_does_not_exist_is_test_data_everywhere() -> None:
    for one in transaction(handed())["entry"]:
        assert one["resource"]["meta"]["security"][0]["code"] == "HTEST"
    real = transaction(handed(message=facts.message(origin=Origin.REAL)))
    assert not any("security" in one["resource"]["meta"] for one in real["entry"])


def test_nothing_says_who_the_patient_is() -> None:
    said = json.dumps(transaction(handed()))
    assert "bsn" not in said.lower()
    assert str(PATIENT) not in "".join(one["request"]["url"] for one in transaction(handed())["entry"])
