"""What OpenAPI says of webhooks: each vendor's messages have their own shape, the answers are the same."""

from collections.abc import Mapping
from typing import Any

from ingest.gateway.delivery.described import BODY, COMMON, problem, ref

_LEFT_OUT = {
    "type": "object",
    "description": "Something that is no reading: where it stands, and what it is.",
    "required": ["where", "what"],
    "properties": {"where": {"type": "string"}, "what": {"type": "string"}},
    "additionalProperties": False,
}
WEBHOOK_ANSWER: Mapping[str, Any] = {
    "type": "object",
    "description": "What was made of it. An event about no measurement has only something left out.",
    "required": ["uploads", "faults", "left_out"],
    "properties": {
        "uploads": {"type": "array", "items": ref("UploadAnswer")},
        "faults": {"type": "array", "items": ref("Fault")},
        "left_out": {"type": "array", "items": _LEFT_OUT},
    },
    "additionalProperties": False,
}
_ACCEPTED = {
    "uploads": [
        {
            "result": "accepted",
            "upload_id": "6a8f1c2e-3d4b-5a69-8788-96a5b4c3d2e1",
            "status": "/v1/uploads/AAEAAAAAAAASZwAAAAEwq2jYlHn9NOJ5tBHNMEQv",
        }
    ],
    "faults": [],
    "left_out": [{"where": "measuregrps[0].measures[1]", "what": "share of fat"}],
}
_NOTHING = {"uploads": [], "faults": [], "left_out": [{"where": "event", "what": "a test message"}]}


def _answer(description: str, example: object) -> dict[str, Any]:
    content = {"schema": WEBHOOK_ANSWER, "example": example}
    return {"description": description, "content": {"application/json": content}}


WEBHOOK: Mapping[str, Any] = {
    "summary": "Take a vendor's webhook",
    "description": "Signed by HMAC as the vendor signs, with the secret of this client, and read by the "
    "adapter with which the client was registered. A message that was answered with 2xx before, under the "
    "same id, counts once.",
    "security": [{"signature": []}],
    "parameters": [
        {
            "name": "client_id",
            "in": "path",
            "required": True,
            "description": "The vendor's cloud, as it is registered.",
            "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{1,62}$"},
        }
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"description": "As the vendor sends it."}}},
    },
}
WEBHOOK_ANSWERS: Mapping[int | str, dict[str, Any]] = {
    **COMMON,
    **BODY,
    200: {
        "description": "Stored already, or an event without effect, or one that was answered before.",
        "content": {
            "application/json": {
                "schema": {"anyOf": [WEBHOOK_ANSWER, ref("UploadAnswer")]},
                "example": _NOTHING,
            },
        },
    },
    202: _answer("In the log: each reading will be stored, or be in quarantine.", _ACCEPTED),
    403: problem("This client may not do this."),
    422: _answer("Nothing of it could be taken.", {**_NOTHING, "left_out": []}),
}
