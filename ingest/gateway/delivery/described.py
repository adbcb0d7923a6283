"""What OpenAPI says of plain JSON: requests, every answer, and examples of both."""

from collections.abc import Mapping
from typing import Any

from ingest.delivery.content import Code, Correction, Result
from ingest.delivery.plain import MAX_UPLOADS
from ingest.gateway.delivery.bodies import MAX_BODY_BYTES, NDJSON
from models.kinds import KINDS
from models.messages import MAX_READINGS_PER_UPLOAD, Absent

Schema = Mapping[str, Any]

_MOMENT = {
    "type": "string",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)$",
    "examples": ["2026-11-22T08:31:00+01:00"],
}
_MICROSECONDS = {"type": "integer", "minimum": 0, "maximum": 4_102_444_800_000_000}
_SHORT = {"type": "string", "minLength": 1, "maxLength": 200}
_OWN = {"^x-": {"description": "Your own; nobody looks at it."}}

READING: Schema = {
    "type": "object",
    "description": "One value of one kind at one moment: exactly one of value with unit, code, text, absent, "
    "void, and exactly one of taken_at and taken_at_us.",
    "required": ["kind"],
    "properties": {
        "kind": {"enum": [kind.name for kind in KINDS]},
        "taken_at": {**_MOMENT, "description": "When it was measured, with the offset of its zone."},
        "taken_at_us": {**_MICROSECONDS, "description": "The same in microseconds since 1970, UTC."},
        "value": {"type": "number", "description": "At most 15 significant digits."},
        "unit": {
            **_SHORT,
            "description": "UCUM, or a spelling that is known: kg, mm[Hg], /min, Cel, mmol/L.",
        },
        "code": {**_SHORT, "description": "An entry of the closed list of its kind."},
        "text": {"type": "string", "minLength": 1, "maxLength": 4_000, "description": "A remark."},
        "absent": {"enum": [one.value for one in Absent], "description": "Why there is no value."},
        "void": {"const": True, "description": "Takes back what was delivered of this reading."},
        "revision": {"type": "integer", "minimum": 0, "maximum": 2_000_000_000},
        "group": {**_SHORT, "description": "Readings that belong together have the same."},
        "code_received": _SHORT,
        "utc_offset_min": {"type": "integer", "minimum": -840, "maximum": 840},
    },
    "patternProperties": _OWN,
    "additionalProperties": False,
}
UPLOAD: Schema = {
    "type": "object",
    "description": "What a device sends at once. For which patient it speaks is known here.",
    "required": ["readings"],
    "properties": {
        "device_id": {**_SHORT, "description": "The device, as it was handed out to the patient."},
        "patient_id": {
            "type": "string",
            "format": "uuid",
            "description": "Checked, never believed; without a device for who may name patients.",
        },
        "upload_id": {
            "type": "string",
            "format": "uuid",
            "description": "Yours. Without it one is made from the content: the same again has the same.",
        },
        "sent_at": _MOMENT,
        "sent_at_us": _MICROSECONDS,
        "correction": {
            "enum": [one.value for one in Correction],
            "description": "corrected: counts before what was delivered of these readings; in_error: takes "
            "it back.",
        },
        "readings": {
            "type": "array", "minItems": 1, "maxItems": MAX_READINGS_PER_UPLOAD,
            "items": {"$ref": "#/components/schemas/Reading"},
        },
        "schema": {"const": 1},
        "type": {"const": "upload"},
    },
    "patternProperties": _OWN,
    "additionalProperties": False,
}  # fmt: skip
FAULT: Schema = {
    "type": "object",
    "description": "One thing that is wrong, and where.",
    "required": ["where", "expected", "found", "code"],
    "properties": {
        "where": {"type": "string", "examples": ["readings[0].unit"]},
        "expected": {"type": "string"},
        "found": {"type": "string"},
        "code": {"enum": [one.value for one in Code]},
        "kept": {"type": "boolean", "description": "It is in quarantine all the same; do not send it again."},
    },
}
ANSWER: Schema = {
    "type": "object",
    "required": ["result"],
    "properties": {
        "result": {"enum": [one.value for one in Result]},
        "upload_id": {"type": "string", "format": "uuid"},
        "status": {"type": "string", "description": "Address that tells what became of it."},
        "readings": {
            "type": "array",
            "items": {"enum": [one.value for one in Result]},
            "description": "Of each reading, where they are not all the same.",
        },
        "faults": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
    },
    "additionalProperties": False,
}
ANSWERS: Schema = {
    "type": "object",
    "required": ["uploads"],
    "properties": {"uploads": {"type": "array", "items": {"$ref": "#/components/schemas/UploadAnswer"}}},
    "additionalProperties": False,
}
PROBLEM: Schema = {
    "type": "object",
    "description": "Why a request is not granted (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
    },
}
BECAME: Schema = {
    "type": "object",
    "required": ["state"],
    "properties": {
        "state": {"enum": ["pending", "done"], "description": "pending: it is in the log, not stored yet."},
        "stored": {"type": "integer", "minimum": 0},
        "refused": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["position", "reason", "field", "expected", "found"],
                "properties": {
                    "position": {"type": "integer", "description": "Counted from 0; -1: the whole upload."},
                    "reason": {"type": "string"},
                    "field": {"type": "string"},
                    "expected": {"type": "string"},
                    "found": {"type": "string"},
                },
            },
        },
    },
    "additionalProperties": False,
}
SCHEMAS: Mapping[str, Schema] = {
    "Reading": READING, "Upload": UPLOAD, "Fault": FAULT, "UploadAnswer": ANSWER, "UploadAnswers": ANSWERS,
    "Problem": PROBLEM, "Became": BECAME,
}  # fmt: skip
"""What the routes speak of by name."""


def ref(name: str) -> dict[str, str]:
    """The schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def _json(description: str, *schemas: Schema, example: object = None) -> dict[str, Any]:
    schema: Schema = schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}
    content: dict[str, Any] = {"schema": schema}
    if example is not None:
        content["example"] = example
    return {"description": description, "content": {"application/json": content}}


def problem(description: str) -> dict[str, Any]:
    """An answer that says why a request is not granted."""
    return {"description": description, "content": {"application/problem+json": {"schema": ref("Problem")}}}


_WEIGHT = {
    "device_id": "scale-4711",
    "readings": [
        {"kind": "body_weight", "value": 81.4, "unit": "kg", "taken_at": "2026-11-22T08:31:00+01:00"}
    ],
}
_PRESSURE = {
    "device_id": "cuff-0815",
    "sent_at": "2026-11-22T08:40:05+01:00",
    "readings": [
        {"kind": kind, "value": value, "unit": unit, "taken_at": "2026-11-22T08:39:30+01:00", "group": "1"}
        for kind, value, unit in (
            ("systolic", 128, "mm[Hg]"),
            ("diastolic", 81, "mm[Hg]"),
            ("pulse", 68, "/min"),
        )
    ],
}
_ACCEPTED = {
    "result": "accepted",
    "upload_id": "6a8f1c2e-3d4b-5a69-8788-96a5b4c3d2e1",
    "status": "/v1/uploads/AAEAAAAAAAASZwAAAAEwq2jYlHn9NOJ5tBHNMEQv",
}
_REFUSED = {
    "result": "refused",
    "upload_id": "6a8f1c2e-3d4b-5a69-8788-96a5b4c3d2e1",
    "status": "/v1/uploads/AAEAAAAAAAASZwAAAAEwq2jYlHn9NOJ5tBHNMEQv",
    "faults": [
        {
            "where": "readings[0].value",
            "expected": "20 to 300 kg",
            "found": "814 (814 kg)",
            "code": "value",
            "kept": True,
        }
    ],
}

COMMON: Mapping[int | str, dict[str, Any]] = {
    401: problem("Nobody is known by this token, signature or certificate."),
    403: problem("This client may not do this."),
    429: problem("Too many requests; Retry-After says when again."),
    503: problem("Not taken now; Retry-After says when again. What was sent may be sent again as it is."),
}
"""Answers that every route may give."""

BODY: Mapping[int | str, dict[str, Any]] = {
    400: problem("The body cannot be read."),
    408: problem("The body did not come in time."),
    413: problem(f"The body has more than {MAX_BODY_BYTES} bytes, or too much is in it."),
    415: problem("A type or an encoding of content that is not taken."),
}
"""Answers that every route with a body may give."""

TAKEN: Mapping[int | str, dict[str, Any]] = {
    **COMMON,
    **BODY,
    200: _json(
        "One upload: stored already, the same, whole. Several: what became of each, in their order.",
        ref("UploadAnswer"), ref("UploadAnswers"),
        example={"uploads": [_ACCEPTED, {"result": "duplicate", "upload_id": _ACCEPTED["upload_id"]}]},
    ),
    202: _json(
        "In the log: each reading will be stored, or be in quarantine.",
        ref("UploadAnswer"),
        example=_ACCEPTED,
    ),
    403: {
        "description": "The patient is not the one who has this device, or this client may not deliver.",
        "content": {
            "application/json": {"schema": ref("UploadAnswer")},
            "application/problem+json": {"schema": ref("Problem")},
        },
    },
    404: _json("No such device or patient of yours.", ref("UploadAnswer")),
    422: _json("Refused; what is kept of it is in quarantine.", ref("UploadAnswer"), example=_REFUSED),
}  # fmt: skip

UPLOADS: Mapping[str, Any] = {
    "summary": "Deliver readings",
    "security": [{"token": []}, {"signature": []}],
    "parameters": [
        {
            "name": "Content-Encoding", "in": "header", "required": False,
            "schema": {"enum": ["identity", "gzip", "zstd"]},
        }
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        ref("Upload"),
                        {"type": "array", "minItems": 1, "maxItems": MAX_UPLOADS, "items": ref("Upload")},
                    ]
                },
                "examples": {
                    "one weight": {"value": _WEIGHT},
                    "a blood pressure": {"value": _PRESSURE},
                    "several uploads": {"value": [_WEIGHT, _PRESSURE]},
                },
            },
            NDJSON[0]: {"schema": {"type": "string", "description": "An upload on each line."}},
        },
    },
}  # fmt: skip

STATUS: Mapping[str, Any] = {
    "summary": "What became of an upload",
    "security": [{"token": []}, {"signature": []}],
    "parameters": [
        {
            "name": "mark", "in": "path", "required": True,
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,200}$"},
        }
    ],
}  # fmt: skip
STATUS_ANSWERS: Mapping[int | str, dict[str, Any]] = {
    **COMMON,
    200: _json("What became of it.", ref("Became"), example={"state": "done", "stored": 1, "refused": []}),
    404: problem("No such upload of yours."),
}

SECURITY: Schema = {
    "token": {
        "type": "http", "scheme": "bearer",
        "description": "A token of ten minutes, from POST /token (private_key_jwt).",
    },
    "signature": {
        "type": "apiKey", "in": "header", "name": "webhook-signature",
        "description": "HMAC of the body and its time (Standard Webhooks), with X-Client-Id.",
    },
}  # fmt: skip
