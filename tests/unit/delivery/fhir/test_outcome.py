"""OperationOutcomes are valid FHIR and name each thing; ids follow from the identity alone."""

from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.delivery.content import Code, Fault
from ingest.delivery.fhir.ids import observation_id
from ingest.delivery.fhir.outcome import information, issue_of, outcome_of

R4: Any = import_module("fhir.resources.R4B.operationoutcome")
PATIENT = UUID(int=1)


@pytest.mark.parametrize("code", Code)
def test_every_reason_is_a_valid_issue(code: Code) -> None:
    outcome = outcome_of([Fault("Observation.status", "final", "'done'", code)], information("See the log."))
    R4.OperationOutcome.model_validate(outcome)
    issues: Any = outcome["issue"]
    assert issues[0]["diagnostics"] == "expected final, found 'done'."
    assert issues[0]["expression"] == ["Observation.status"]
    assert [issue["severity"] for issue in issues] == ["error", "information"]


def test_nothing_wrong_is_valid_too() -> None:
    R4.OperationOutcome.model_validate(outcome_of([]))


def test_what_is_kept_says_so() -> None:
    fault = Fault("Observation.valueQuantity.value", "20 to 300 kg", "2.4", Code.VALUE, kept=True)
    assert issue_of(fault)["diagnostics"] == "expected 20 to 300 kg, found 2.4. It is kept in quarantine."


@pytest.mark.parametrize(
    ("place", "expression"),
    [
        ("Observation.valueQuantity", "Observation.effective"),
        ("Observation.component[1].valueQuantity", "Observation.effective"),
        ("Bundle.entry[3].resource.component[1].valueQuantity", "Bundle.entry[3].resource.effective"),
        ("Observation.dataAbsentReason", "Observation.effective"),
        ("QuestionnaireResponse.item[0].answer[0].valueBoolean", "QuestionnaireResponse.authored"),
        ("Observation", "Observation.effective"),
    ],
)
def test_a_time_stands_where_fhir_has_it_and_reads_as_one(place: str, expression: str) -> None:
    fault = Fault(f"{place}.taken_at_us", "at most 5 minutes after", "1795332680000000", Code.VALUE)
    issue = issue_of(fault)
    assert issue["expression"] == [expression]
    assert issue["diagnostics"] == "expected at most 5 minutes after, found 2026-11-22T07:31:20+00:00."


def test_an_id_is_always_the_same() -> None:
    # Ids that were given out are used in addresses: this one never changes.
    found = observation_id(PATIENT, "blood_pressure", 1_795_332_680_000_000, "cuff-1")
    assert str(found) == "94415eb6-25c0-5db5-a5f4-2b0303ab0cc7"


IDENTITIES = st.tuples(
    st.uuids(), st.sampled_from(["pulse", "spo2"]), st.integers(0, 9), st.text(st.characters(codec="utf-8"))
)


@given(IDENTITIES, IDENTITIES)
def test_ids_are_equal_exactly_where_identities_are(one: Any, other: Any) -> None:
    assert (observation_id(*one) == observation_id(*other)) == (one == other)
