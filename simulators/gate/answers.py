"""What the front gate answered, counted by uploads and by readings: pure."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any, NamedTuple, cast

from models.errors import Broken
from simulators.gate.requests import FHIR_PATH, Request

_SHOWN = 300
_ADDRESS = "/v1/uploads/"
_REFUSED = (400, 403, 404, 422)


class Answered(StrEnum):
    """What the gate says of an upload, or of an Observation."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class Said(NamedTuple):
    """What is said of one entry of a request; `is_in_log`: an address tells what becomes of it there."""

    answered: Answered
    is_in_log: bool


@dataclass(slots=True)
class Answers:
    """Uploads by what was answered; readings by whether they are in the log, and if not, why.

    `in_log`: by row of the patient. `again`: requests that were sent again, for the gate was busy or away.
    """

    uploads: Counter[Answered] = field(default_factory=Counter[Answered])
    in_log: Counter[int] = field(default_factory=Counter[int])
    not_in_log: Counter[Answered] = field(default_factory=Counter[Answered])
    requests: int = 0
    again: int = 0

    def add(self, request: Request, said: Sequence[Said]) -> None:
        """Counts the answers to a request. **Shape**: `said` as many as all its parts have entries."""
        self.requests += 1
        told = iter(said)
        for part in request.parts:
            own = [next(told) for _ in part.entries]
            self.uploads[_of_all([one.answered for one in own])] += 1
            for one, readings in zip(own, part.entries, strict=True):
                if one.is_in_log:
                    self.in_log[part.message.patient] += readings
                else:
                    self.not_in_log[one.answered] += readings


def said_of(request: Request, status: int, body: bytes) -> list[Said]:
    """What was answered to each entry of a request.

    **Raises**: Broken for an answer that no upload of a simulation may get: about who sends it, or none of
    the gate's at all.
    """
    entries = sum(len(part.entries) for part in request.parts)
    if entries == 1 and status in _REFUSED:
        return [Said(Answered.REFUSED, _ADDRESS.encode() in body)]
    if status not in (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED):
        shown = body[:_SHOWN].decode("utf-8", "replace")
        raise Broken(f"The gate answered {status} to {request.path}: {shown}")
    content: Any = json.loads(body)
    said = cast("Sequence[Mapping[str, Any]]", content["entry" if request.path == FHIR_PATH else "uploads"])
    return [_of_entry(one) if "response" in one else _of_upload(one) for one in said]


def _of_all(answered: Sequence[Answered]) -> Answered:
    """Several Observations stand for an upload: all alike, or accepted, as of several readings."""
    kinds = set(answered)
    return kinds.pop() if len(kinds) == 1 else Answered.ACCEPTED


def _of_upload(said: Mapping[str, Any]) -> Said:
    return Said(Answered(said["result"]), "status" in said)


def _of_entry(entry: Mapping[str, Any]) -> Said:
    response: Mapping[str, Any] = entry["response"]
    status = int(str(response["status"])[:3])
    in_log = _ADDRESS in json.dumps(response.get("outcome", {}))
    match status:
        case HTTPStatus.CREATED:
            return Said(Answered.ACCEPTED, in_log)
        case HTTPStatus.OK:
            return Said(Answered.DUPLICATE, in_log)
        case _:
            return Said(Answered.REFUSED, in_log)
