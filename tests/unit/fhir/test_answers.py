"""What the status of a Task that comes back means: only a named person takes over; twice is once."""

from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.notify.fhir.answers import Move, TaskAnswer, TaskStatus, decide, patched, read_task
from models.errors import BadInput, Outdated
from models.escalations import EscalationState
from tests.unit.fhir.facts import ESCALATION, NOW_US, NURSE, escalation

OTHER = UUID(int=40, version=4)


def task(**changes: Any) -> dict[str, Any]:
    return {"resourceType": "Task", "status": "accepted"} | changes


def owner(person: UUID = NURSE) -> dict[str, Any]:
    return {"identifier": {"system": "urn:thuiswacht:person", "value": str(person)}}


def at(state: EscalationState) -> Any:
    accepted = {"accepted_at_us": NOW_US, "accepted_by": NURSE} if state is EscalationState.ACCEPTED else {}
    return escalation(state=state, **accepted)


@pytest.mark.parametrize(
    "given_task",
    [
        task(owner=owner()),
        task(owner={"reference": f"Practitioner/{NURSE}"}),
        task(owner={"reference": f"PractitionerRole/{NURSE}"}),
        task(
            owner={"reference": "#who"},
            contained=[{"resourceType": "Practitioner", "id": "who", "identifier": [owner()["identifier"]]}],
        ),
        task(
            owner={"reference": "#who"},
            contained=[{"resourceType": "PractitionerRole", "id": "who", "practitioner": owner()}],
        ),
    ],
)
def test_whom_a_task_names(given_task: dict[str, Any]) -> None:
    assert read_task(given_task, ESCALATION).people == (NURSE,)


@pytest.mark.parametrize(
    "given_task",
    [
        task(),
        task(owner={"display": "Dr. Zee"}),
        task(owner={"identifier": {"system": "http://fhir.nl/agb-z", "value": "01234567"}}),
        task(owner={"reference": "Organization/9"}),
        task(owner=[owner()]),
    ],
)
def test_whom_it_does_not_name(given_task: dict[str, Any]) -> None:
    assert read_task(given_task, ESCALATION).people == ()


@pytest.mark.parametrize(
    ("given_task", "where"),
    [
        (task(resourceType="Patient"), "resourceType"),
        (task(status="cancelled"), "Task.status"),
        (task(status=None), "Task.status"),
        (task(identifier=[{"system": "urn:thuiswacht:escalation", "value": str(OTHER)}]), "Task.identifier"),
        (task(statusReason={"text": "x" * 4_001}), "Task.statusReason"),
        (
            task(output=[{"type": {"coding": [{"code": "referral_avoided"}]}, "valueBoolean": "yes"}]),
            "Task.output",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(given_task: dict[str, Any], where: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_task(given_task, ESCALATION)
    assert refused.value.where == where


def test_an_answer_is_read_whole() -> None:
    output = [
        {"type": {"text": "antwoord"}, "valueString": "  Verhoog naar 80 mg. "},
        {"type": {"coding": [{"code": "referral_avoided"}]}, "valueBoolean": True},
    ]
    found = read_task(task(status="completed", output=output), ESCALATION)
    assert (found.answer, found.referral_avoided) == ("Verhoog naar 80 mg.", True)


@pytest.mark.parametrize(
    ("state", "status", "named", "move"),
    [
        (EscalationState.ASKED, "requested", None, Move.SEEN),
        (EscalationState.ASKED, "received", None, Move.SEEN),
        (EscalationState.ASKED, "accepted", None, Move.SEEN),
        (EscalationState.ASKED, "in-progress", None, Move.SEEN),
        (EscalationState.ASKED, "accepted", NURSE, Move.ACCEPT),
        (EscalationState.ASKED, "in-progress", NURSE, Move.ACCEPT),
        (EscalationState.ASKED, "rejected", None, Move.HAND_BACK),
        (EscalationState.ASKED, "completed", NURSE, Move.ANSWER),
        (EscalationState.ACCEPTED, "accepted", NURSE, Move.NOTHING),
        (EscalationState.ACCEPTED, "in-progress", None, Move.NOTHING),
        (EscalationState.ACCEPTED, "rejected", None, Move.HAND_BACK),
        (EscalationState.ACCEPTED, "completed", None, Move.ANSWER),
        (EscalationState.ANSWERED, "completed", None, Move.NOTHING),
        (EscalationState.HANDED_BACK, "rejected", None, Move.NOTHING),
    ],
)
def test_what_a_status_does(state: EscalationState, status: str, named: UUID | None, move: Move) -> None:
    answer = TaskAnswer(TaskStatus(status), (), reason="vol", answer="ja")
    assert decide(at(state), answer, named).move is move


def test_accepted_by_nobody_says_that_it_is_only_seen() -> None:
    says = decide(at(EscalationState.ASKED), TaskAnswer(TaskStatus.ACCEPTED, ()), None).says
    assert "not accepted" in says
    assert "urn:thuiswacht:person" in says


@pytest.mark.parametrize(
    ("state", "status", "named"),
    [
        (EscalationState.ACCEPTED, "received", None),
        (EscalationState.ACCEPTED, "accepted", OTHER),
        (EscalationState.ANSWERED, "accepted", NURSE),
        (EscalationState.HANDED_BACK, "accepted", NURSE),
        *[(state, status.value, NURSE) for state, status in product(
            (EscalationState.PASSED_ON, EscalationState.WITHDRAWN), TaskStatus
        )],
    ],
)  # fmt: skip
def test_what_is_not_open_any_more(state: EscalationState, status: str, named: UUID | None) -> None:
    with pytest.raises(Outdated):
        decide(at(state), TaskAnswer(TaskStatus(status), (), reason="vol", answer="ja"), named)


@pytest.mark.parametrize(
    ("state", "status", "named", "where"),
    [
        (EscalationState.ASKED, "rejected", None, "Task.statusReason.text"),
        (EscalationState.ACCEPTED, "failed", None, "Task.statusReason.text"),
        (EscalationState.ASKED, "completed", NURSE, "Task.output"),
        (EscalationState.ASKED, "completed", None, "Task.owner"),
    ],
)
def test_what_misses(state: EscalationState, status: str, named: UUID | None, where: str) -> None:
    answer = "ja" if where == "Task.owner" else None
    with pytest.raises(BadInput) as refused:
        decide(at(state), TaskAnswer(TaskStatus(status), (), answer=answer), named)
    assert refused.value.where == where


def test_a_patch_sets_whole_elements() -> None:
    found = patched([
        {"op": "replace", "path": "/status", "value": "accepted"},
        {"op": "add", "path": "/owner", "value": owner()},
    ])  # fmt: skip
    assert read_task(found, ESCALATION) == TaskAnswer(TaskStatus.ACCEPTED, (NURSE,))


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/status"},
        {"op": "test", "path": "/status", "value": "requested"},
        {"op": "replace", "path": "/owner/identifier", "value": {}},
        {"op": "replace", "path": "/for", "value": {}},
        {},
    ],
)
def test_other_patches_are_refused(operation: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        patched([operation])


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from(["", "x", "accepted", "#x", str(NURSE), "urn:thuiswacht:person"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["identifier", "reference", "system", "value", "type", "coding", "code", "text"]),
            inner,
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["status", "owner", "statusReason", "output", "contained"]), anything))
def test_whatever_comes_is_read_or_refused(given_task: dict[str, Any]) -> None:
    found: TaskAnswer | BadInput
    try:
        found = read_task({"resourceType": "Task"} | given_task, ESCALATION)
    except BadInput as error:
        found = error
    assert isinstance(found, TaskAnswer) or found.where.startswith("Task.")
