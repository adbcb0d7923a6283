"""What OpenAPI says of FHIR: requests, every answer, and examples of both."""

from collections.abc import Mapping
from typing import Any

from ingest.delivery.fhir.bundle import MAX_ENTRIES
from ingest.delivery.fhir.capability import FHIR_JSON, SYSTEM_INTERACTIONS, Interaction

Schema = Mapping[str, Any]
Answers = Mapping[int | str, dict[str, Any]]

OPERATION_OUTCOME: Schema = {
    "type": "object",
    "description": "What is wrong, and where; or what else is to be said.",
    "required": ["resourceType", "issue"],
    "properties": {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["severity", "code"],
                "properties": {
                    "severity": {"enum": ["fatal", "error", "warning", "information"]},
                    "code": {"type": "string"},
                    "diagnostics": {"type": "string"},
                    "expression": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
    },
}


def _resource_schema(type_: str, *required: str) -> Schema:
    return {
        "type": "object",
        "description": f"{type_} (FHIR R4).",
        "required": ["resourceType", *required],
        "properties": {"resourceType": {"const": type_}, "id": {"type": "string"}},
    }


_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "Observation": ("status", "code"),
    "QuestionnaireResponse": ("status",),
    "Patient": (),
    "Encounter": ("status", "class"),
    "EpisodeOfCare": ("status", "patient"),
}
BUNDLE_SENT: Schema = {
    "type": "object",
    "description": "Bundle (FHIR R4).",
    "required": ["resourceType", "type", "entry"],
    "properties": {
        "resourceType": {"const": "Bundle"},
        "type": {"enum": [*SYSTEM_INTERACTIONS]},
        "entry": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_ENTRIES,
            "items": {
                "type": "object",
                "required": ["resource", "request"],
                "properties": {
                    "fullUrl": {"type": "string"},
                    "resource": {"type": "object"},
                    "request": {
                        "type": "object",
                        "required": ["method", "url"],
                        "properties": {
                            "method": {"enum": ["POST", "PUT"]},
                            "url": {"type": "string"},
                            "ifMatch": {"type": "string"},
                            "ifNoneExist": {"type": "string"},
                        },
                    },
                },
            },
        },
    },
}
BUNDLE_ANSWER: Schema = {
    "type": "object",
    "description": "An entry for each entry, in their order.",
    "required": ["resourceType", "type", "entry"],
    "properties": {
        "resourceType": {"const": "Bundle"},
        "type": {"enum": [f"{one}-response" for one in SYSTEM_INTERACTIONS]},
        "entry": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["response"],
                "properties": {
                    "response": {
                        "type": "object",
                        "required": ["status", "outcome"],
                        "properties": {
                            "status": {"type": "string"},
                            "location": {"type": "string"},
                            "etag": {"type": "string"},
                            "lastModified": {"type": "string"},
                            "outcome": {"$ref": "#/components/schemas/OperationOutcome"},
                        },
                    },
                },
            },
        },
    },
}
CAPABILITY_STATEMENT = _resource_schema(
    "CapabilityStatement", "status", "kind", "fhirVersion", "format", "rest"
)

SCHEMAS: Mapping[str, Schema] = {
    "OperationOutcome": OPERATION_OUTCOME,
    **{type_: _resource_schema(type_, *required) for type_, required in _REQUIRED.items()},
    "Bundle": BUNDLE_SENT,
    "BundleResponse": BUNDLE_ANSWER,
    "CapabilityStatement": CAPABILITY_STATEMENT,
}
"""What the routes speak of by name."""


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, *names: str, example: object = None) -> dict[str, Any]:
    schema: Schema = _ref(names[0]) if len(names) == 1 else {"anyOf": [_ref(name) for name in names]}
    content: dict[str, Any] = {"schema": schema}
    if example is not None:
        content["example"] = example
    return {"description": description, "content": {FHIR_JSON: content}}


def outcome(description: str, example: object = None) -> dict[str, Any]:
    """An answer that is an OperationOutcome."""
    return _answer(description, "OperationOutcome", example=example)


_ID = "0f4b8f0a-6f0e-5a3c-9a4e-8d6f2c1b7e55"
_STATUS = "/v1/uploads/AAEAAAAAAAASZwAAAAEwq2jYlHn9NOJ5tBHNMEQv"
_WEIGHT = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "effectiveDateTime": "2026-11-22T08:31:00+01:00",
    "valueQuantity": {"value": 81.4, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    "device": {"identifier": {"system": "urn:thuiswacht:device", "value": "scale-4711"}},
}
_PRESSURE = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
    "effectiveDateTime": "2026-11-22T08:39:30+01:00",
    "component": [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
        }
        for code, value in (("8480-6", 128), ("8462-4", 81))
    ],
    "device": {"reference": "urn:uuid:6d4c1d8e-0c4e-4a57-8a38-6d1f0e5b2c11"},
}
_CUFF = {
    "resourceType": "Device",
    "identifier": [{"system": "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680", "value": "ACDE480000000001"}],
}
_ANSWERS_OF_QUESTIONS = {
    "resourceType": "QuestionnaireResponse",
    "status": "completed",
    "authored": "2026-11-22T08:45:00+01:00",
    "questionnaire": "urn:thuiswacht:questionnaire:symptoms|1",
    "author": {"reference": "Device/tablet-12"},
    "item": [
        {
            "linkId": "symptom_dyspnoea",
            "answer": [{"valueCoding": {"system": "http://snomed.info/sct", "code": "255604002"}}],
        }
    ],
}
_WHOM = {"reference": "Patient/5e2c7a1e-9d0b-4a35-8f49-3c0f5b7d2a10"}
_EXAMPLES: Mapping[str, object] = {
    "Observation": _WEIGHT,
    "QuestionnaireResponse": _ANSWERS_OF_QUESTIONS,
    "Patient": {
        "resourceType": "Patient",
        "id": "5e2c7a1e-9d0b-4a35-8f49-3c0f5b7d2a10",
        "deceasedBoolean": True,
    },
    "Encounter": {
        "resourceType": "Encounter",
        "id": "stay-1",
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": _WHOM,
        "period": {"start": "2026-11-22T09:15:00+01:00"},
    },
    "EpisodeOfCare": {
        "resourceType": "EpisodeOfCare",
        "id": "episode-1",
        "status": "finished",
        "type": [{"coding": [{"system": "urn:thuiswacht:programme", "code": "heart_failure"}]}],
        "patient": _WHOM,
    },
}
_TAKEN = {
    "resourceType": "OperationOutcome",
    "issue": [
        {"severity": "information", "code": "informational", "diagnostics": "It is in the log."},
        {"severity": "information", "code": "informational", "diagnostics": f"What became of it: {_STATUS}"},
    ],
}
_REFUSED = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "error",
            "code": "code-invalid",
            "diagnostics": "expected a unit of body weight: kg, g or [lb_av], found 'stone'.",
            "expression": ["Observation.valueQuantity.code"],
        }
    ],
}

COMMON: Answers = {
    401: outcome("Nobody is known by this token, signature or certificate."),
    403: outcome("This client may not do this, or the patient is not the one who has this device."),
    406: outcome("An answer is wanted in another format than JSON."),
    429: outcome("Too many requests; Retry-After says when again."),
    503: outcome("Not taken now; Retry-After says when again. What was sent may be sent again as it is."),
    400: outcome("The body cannot be read, or is not what the address says."),
    408: outcome("The body did not come in time."),
    413: outcome("The body is too large, or too much is in it."),
    415: outcome("A type or an encoding of content that is not taken."),
}
"""Answers that every route with a body may give."""

_REFUSALS: Answers = {
    404: outcome("No such device or patient of yours."),
    409: outcome("The same reading is known with another value."),
    412: outcome("A condition does not hold, or cannot be looked at."),
    422: outcome("Refused; what is kept of it is in quarantine.", _REFUSED),
}

_PREFER = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "examples": ["return=minimal"]},
    "description": "What the answer should hold: return=minimal, representation or OperationOutcome.",
}
_SECURITY: list[dict[str, list[str]]] = [{"token": []}, {"signature": []}]

BUNDLE: Mapping[str, Any] = {
    "summary": "Deliver a Bundle: a batch or a transaction",
    "security": _SECURITY,
    "parameters": [_PREFER],
    "requestBody": {
        "required": True,
        "content": {
            FHIR_JSON: {
                "schema": _ref("Bundle"),
                "example": {
                    "resourceType": "Bundle",
                    "type": "batch",
                    "entry": [
                        {
                            "fullUrl": "urn:uuid:6d4c1d8e-0c4e-4a57-8a38-6d1f0e5b2c11",
                            "resource": _CUFF,
                            "request": {"method": "POST", "url": "Device"},
                        },
                        {"resource": _PRESSURE, "request": {"method": "POST", "url": "Observation"}},
                    ],
                },
            }
        },
    },
}
BUNDLES: Answers = {
    **COMMON,
    **_REFUSALS,
    200: _answer(
        "What became of each entry; of a transaction, that all of it is taken. An OperationOutcome where a "
        "signed request comes again, which counts once.",
        "BundleResponse",
        "OperationOutcome",
        example={
            "resourceType": "Bundle",
            "type": "batch-response",
            "entry": [
                {
                    "response": {
                        "status": "201 Created",
                        "location": f"Observation/{_ID}/_history/0",
                        "etag": 'W/"0"',
                        "lastModified": "2026-11-22T07:31:02.123456+00:00",
                        "outcome": _TAKEN,
                    }
                }
            ],
        },
    ),
}


def resource(type_: str, interaction: Interaction) -> Mapping[str, Any]:
    """A request with one resource."""
    creates = interaction is Interaction.CREATE
    condition = {
        "name": "If-None-Exist" if creates else "If-Match",
        "in": "header",
        "required": False,
        "schema": {"type": "string"},
        "description": "identifier=system|value, or device.identifier=…|…&date=…, as it stands there."
        if creates
        else 'The version that is stored: W/"0".',
    }
    id_ = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": _OF_IDS}}
    return {
        "summary": f"Deliver {type_}" if creates else f"Deliver {type_} to its own id",
        "security": _SECURITY,
        "parameters": [_PREFER, condition] if creates else [_PREFER, condition, id_],
        "requestBody": {
            "required": True,
            "content": {FHIR_JSON: {"schema": _ref(type_), "example": _EXAMPLES[type_]}},
        },
    }


_OF_IDS = "^[A-Za-z0-9.-]{1,64}$"


def answers(type_: str) -> Answers:
    """What may be answered to one resource; what was sent stands in it where that is asked for."""
    return {
        **COMMON,
        **_REFUSALS,
        200: _answer("Stored already, the same; or a new version of it.", "OperationOutcome", type_),
        201: _answer(
            "In the log; Content-Location tells what became of it.", "OperationOutcome", type_, example=_TAKEN
        ),
    }


METADATA: Answers = {
    200: _answer("What is taken here.", "CapabilityStatement"),
    406: outcome("It is wanted in another format than JSON."),
}
