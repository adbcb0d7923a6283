"""The questionnaires that are taken: which kinds each asks for, and each as a FHIR R4 Questionnaire.

An item's linkId is the name of its kind. They are published in `published/`, as made by `questionnaire`.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ingest.delivery.fhir.answers import our_answers
from ingest.delivery.fhir.codes import LOINC, OUR_KIND
from models.kinds import KIND_BY_NAME, KINDS, NO_YES, Kind

CANONICAL = "urn:thuiswacht:questionnaire:"
VERSION = "1"
_TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"

ASKED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "copd": (
            "symptom_dyspnoea", "symptom_sputum", "symptom_purulence", "symptom_cough", "symptom_wheeze",
            "symptom_cold", "symptom_fever",
        ),
        "frail_elderly": ("consciousness", "symptom_neurological", "symptom_dizziness"),
        "heart_failure": (
            "symptom_dyspnoea", "symptom_oedema", "symptom_chest_pain", "symptom_dizziness",
            "symptom_fatigue",
        ),
        "hospital_at_home": (
            "consciousness", "supplemental_oxygen", "symptom_dyspnoea", "symptom_chest_pain",
            "symptom_neurological",
        ),
        "hypertension": (
            "symptom_headache", "symptom_vision", "symptom_neurological", "symptom_chest_pain",
            "symptom_dyspnoea", "symptom_dizziness",
        ),
        "symptoms": tuple(
            kind.name for kind in KINDS if kind.name.startswith(("symptom_", "score_"))
        ),
    }
)  # fmt: skip
"""What each asks for: those of the programmes by their names, and one of every symptom and score."""

_TITLES: Mapping[str, tuple[str, str]] = {
    "copd": ("Vragen bij COPD", "Questions in COPD"),
    "frail_elderly": ("Vragen bij kwetsbare ouderen", "Questions for frail elderly people"),
    "heart_failure": ("Vragen bij hartfalen", "Questions in heart failure"),
    "hospital_at_home": ("Vragen bij ziekenhuiszorg thuis", "Questions in hospital care at home"),
    "hypertension": ("Vragen bij hoge bloeddruk", "Questions in high blood pressure"),
    "symptoms": ("Klachten", "Symptoms"),
}
_WORDS: Mapping[str, tuple[str, str]] = {
    "none": ("geen", "none"),
    "mild": ("een beetje", "mild"),
    "moderate": ("matig", "moderate"),
    "severe": ("ernstig", "severe"),
    "air": ("gewone lucht", "room air"),
    "oxygen": ("extra zuurstof", "extra oxygen"),
    "A": ("wakker en alert", "awake and alert"),
    "C": ("nieuwe verwardheid", "new confusion"),
    "V": ("reageert op aanspreken", "responds to voice"),
    "P": ("reageert op pijn", "responds to pain"),
    "U": ("reageert niet", "unresponsive"),
}


def questionnaire(name: str) -> dict[str, Any]:
    """A questionnaire as a FHIR R4 resource, in Dutch with English translations."""
    dutch, english = _TITLES[name]
    return {
        "resourceType": "Questionnaire",
        "id": name.replace("_", "-"),
        "url": f"{CANONICAL}{name}",
        "version": VERSION,
        "name": "".join(part.capitalize() for part in name.split("_")),
        "title": dutch,
        "_title": _translated(english),
        "status": "active",
        "language": "nl",
        "subjectType": ["Patient"],
        "item": [_item(KIND_BY_NAME[kind]) for kind in ASKED[name]],
    }


def _item(kind: Kind) -> dict[str, Any]:
    codes = [{"system": OUR_KIND, "code": kind.name}]
    codes += [{"system": LOINC, "code": code} for code in kind.loinc]
    item: dict[str, Any] = {
        "linkId": kind.name,
        "code": codes,
        "text": kind.dutch[0].upper() + kind.dutch[1:],
        "_text": _translated(kind.english[0].upper() + kind.english[1:]),
        "required": False,
    }
    if not kind.is_coded:
        return item | {"type": "integer"}
    if kind.codes == NO_YES:
        return item | {"type": "boolean"}
    return item | {"type": "choice", "answerOption": [_option(kind, code) for code in kind.codes]}


def _option(kind: Kind, code: str) -> dict[str, Any]:
    dutch, english = _WORDS[code]
    coding = {
        "system": our_answers(kind.name),
        "code": code,
        "display": dutch,
        "_display": _translated(english),
    }
    return {"valueCoding": coding}


def _translated(english: str) -> dict[str, Any]:
    said = [{"url": "lang", "valueCode": "en"}, {"url": "content", "valueString": english}]
    return {"extension": [{"url": _TRANSLATION, "extension": said}]}


def published(name: str) -> str:
    """The text of its file in `published/`."""
    return json.dumps(questionnaire(name), indent=2, ensure_ascii=False) + "\n"
