"""Questionnaires: published as valid FHIR, asking what programmes look at; their answers become readings."""

import re
from importlib import import_module
from typing import Any

import pytest

from ingest.delivery.content import Correction
from ingest.delivery.fhir.observation import Mapped
from ingest.delivery.fhir.questionnaire import map_questionnaire_response
from ingest.delivery.fhir.questionnaires import ASKED, published, questionnaire
from models.kinds import KIND_BY_NAME
from tests.architecture.sources import ROOT
from tests.unit.delivery.fhir.samples import LOINC, PATIENT, SNOMED, TAKEN_AT, TAKEN_AT_US

PUBLISHED = ROOT / "ingest" / "delivery" / "fhir" / "published"
PROGRAMMES = ROOT / "alerting" / "programmes"
FHIR: Any = import_module("fhir.resources.R4B.questionnaire")


def response(*items: dict[str, Any], **changed: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "QuestionnaireResponse",
        "id": "r-1",
        "questionnaire": "urn:thuiswacht:questionnaire:copd|1",
        "status": "completed",
        "subject": {"reference": f"Patient/{PATIENT}"},
        "authored": TAKEN_AT,
        "item": list(items) or [item("symptom_fever", valueBoolean=True)],
    }
    made.update(changed)
    return {name: element for name, element in made.items() if element is not None}


def item(link: str, **answer: Any) -> dict[str, Any]:
    return {"linkId": link, "answer": [answer]}


def mapped(resource: dict[str, Any], **given: Any) -> Mapped:
    found = map_questionnaire_response(resource, **given)
    assert isinstance(found, Mapped), found
    return found


def answers(*items: dict[str, Any], **changed: Any) -> list[tuple[str, Any]]:
    readings = mapped(response(*items, **changed)).delivered.readings
    return [(one["kind"], one.get("code", one.get("value"))) for one in readings]


def faults(resource: dict[str, Any]) -> list[tuple[str, str]]:
    found = map_questionnaire_response(resource)
    assert not isinstance(found, Mapped), found
    return [(fault.where, fault.found) for fault in found]


@pytest.mark.parametrize("name", ASKED)
def test_each_is_published_as_it_is_taken_and_valid(name: str) -> None:
    assert (PUBLISHED / f"{name}.json").read_text(encoding="utf-8") == published(name)
    FHIR.Questionnaire.model_validate(questionnaire(name))
    items = questionnaire(name)["item"]
    assert [one["linkId"] for one in items] == list(ASKED[name])
    texts = [one["text"] for one in items]
    english = [one["_text"]["extension"][0]["extension"][1]["valueString"] for one in items]
    assert all(texts)
    assert all(english)


def test_nothing_else_is_published() -> None:
    assert {file.stem for file in PUBLISHED.iterdir()} == set(ASKED)


def test_each_programme_that_looks_at_symptoms_asks_for_them() -> None:
    for file in PROGRAMMES.glob("*.yaml"):
        looked_at = set(re.findall(r"symptom_[a-z_]+", file.read_text(encoding="utf-8")))
        programme = re.sub(r"_\d+$", "", file.stem)
        assert looked_at <= set(ASKED.get(programme, ())), file.stem


def test_the_one_of_all_symptoms_asks_for_each() -> None:
    assert set(ASKED["symptoms"]) == {
        name for name in KIND_BY_NAME if name.startswith(("symptom_", "score_"))
    }


def test_answers_become_readings_that_belong_together() -> None:
    dyspnoea = {"system": "urn:thuiswacht:answer:symptom_dyspnoea", "code": "moderate"}
    found = mapped(
        response(
            item("symptom_dyspnoea", valueCoding=dyspnoea),
            item("symptom_fever", valueBoolean=False),
            {"linkId": "symptom_cough"},
            author={"reference": "Device/tablet-7"},
        )
    )
    assert found.about == "questionnaire_copd"
    assert found.taken_at_us == TAKEN_AT_US
    delivered = found.delivered
    assert delivered.device_id == "tablet-7"
    assert delivered.places == (
        "QuestionnaireResponse.item[0].answer[0].valueCoding",
        "QuestionnaireResponse.item[1].answer[0].valueBoolean",
    )
    stamp: dict[str, Any] = {"taken_at_us": TAKEN_AT_US, "utc_offset_min": 60, "group": "r-1"}
    assert delivered.readings == (
        {"kind": "symptom_dyspnoea", "code": "moderate", **stamp},
        {"kind": "symptom_fever", "code": "no", "code_received": "false", **stamp},
    )


def test_answers_as_texts_numbers_and_in_other_systems() -> None:
    assert answers(item("symptom_cough", valueString="severe")) == [("symptom_cough", "severe")]
    severe = {"system": SNOMED, "code": "24484000"}
    assert answers(item("symptom_cough", valueCoding=severe)) == [("symptom_cough", "severe")]
    yes = {"system": LOINC, "code": "LA33-6"}
    assert answers(item("symptom_cold", valueCoding=yes)) == [("symptom_cold", "yes")]
    symptoms = "urn:thuiswacht:questionnaire:symptoms"
    assert answers(item("score_news2", valueInteger=5), questionnaire=symptoms) == [("score_news2", 5)]


def test_items_within_items_and_within_answers() -> None:
    inner = item("symptom_cold", valueBoolean=True)
    outer = {"linkId": "symptom_fever", "answer": [{"valueBoolean": True, "item": [inner]}]}
    group = {"linkId": "group", "item": [item("symptom_cough", valueString="mild"), outer]}
    assert answers(group) == [("symptom_cough", "mild"), ("symptom_fever", "yes"), ("symptom_cold", "yes")]


def test_a_group_without_an_id_is_named_for_what_was_asked() -> None:
    def group(**changed: Any) -> object:
        return mapped(response(**changed)).delivered.readings[0].get("group")

    assert group(id=None) == "copd"
    assert group(id=None, identifier={"system": "urn:x", "value": "77"}) == "77"
    assert group(id="x" * 300, identifier=3) == "copd"


@pytest.mark.parametrize(
    ("status", "correction", "has_value"),
    [("amended", Correction.CORRECTED, True), ("entered-in-error", Correction.IN_ERROR, False)],
)
def test_corrections(status: str, correction: Correction, has_value: bool) -> None:
    delivered = mapped(response(status=status)).delivered
    assert delivered.correction is correction
    assert ("code" in delivered.readings[0]) is has_value


@pytest.mark.parametrize(
    ("changed", "where", "found"),
    [
        ({"status": "in-progress"}, "status", "'in-progress'"),
        ({"status": "stopped"}, "status", "'stopped'"),
        ({"status": None}, "status", "nothing"),
        ({"questionnaire": None}, "questionnaire", "nothing"),
        ({"questionnaire": "http://example.org/q"}, "questionnaire", "'http://example.org/q'"),
        (
            {"questionnaire": "urn:thuiswacht:questionnaire:copd|2"},
            "questionnaire",
            "'urn:thuiswacht:questionnaire:copd|2'",
        ),
        ({"authored": None}, "authored", "nothing"),
        ({"authored": "2026-11-22"}, "authored", "'2026-11-22', a date without a time"),
        ({"item": []}, "item", "nothing"),
        ({"item": [{"linkId": "symptom_fever"}]}, "item", "nothing"),
        ({"item": [{"answer": [{"valueBoolean": True}]}]}, "item[0].linkId", "nothing"),
        ({"item": [item("symptom_vision", valueBoolean=True)]}, "item[0].linkId", "'symptom_vision'"),
        (
            {
                "item": [
                    {"linkId": "symptom_cold", "answer": [{"valueBoolean": True}, {"valueBoolean": True}]}
                ]
            },
            "item[0].answer",
            "several",
        ),
        (
            {"item": [item("symptom_cold", valueBoolean=True), item("symptom_cold", valueBoolean=True)]},
            "item[1].answer",
            "several",
        ),
        ({"item": [item("symptom_cold", valueBoolean="yes")]}, "item[0].answer[0].valueBoolean", "'yes'"),
        ({"item": [item("symptom_cough", valueInteger=2)]}, "item[0].answer[0].valueInteger", "valueInteger"),
        ({"item": [item("symptom_cough")]}, "item[0].answer[0]", "nothing"),
        ({"author": {"type": "Device"}}, "author", "nothing"),
    ],
)
def test_what_is_refused(changed: dict[str, Any], where: str, found: str) -> None:
    assert (f"QuestionnaireResponse.{where}", found) in faults(response(**changed))


def test_modifiers_and_unknown_elements_are_refused() -> None:
    assert faults(response(modifierExtension=[]))[0][0] == "QuestionnaireResponse.modifierExtension"
    assert faults(response(items=[])) == [("QuestionnaireResponse", "an unknown one, 'items'")]
    sent = response(item("symptom_cold", valueBoolean=True, modifierExtension=[]))
    assert faults(sent)[0][0] == "QuestionnaireResponse.item[0].answer[0].modifierExtension"
    assert faults(response() | {"resourceType": "Questionnaire"})[0][1] == "'Questionnaire'"


def test_an_author_who_is_no_device_names_none() -> None:
    assert mapped(response(author={"reference": f"Patient/{PATIENT}"})).delivered.device_id is None
