"""Plain JSON: `POST /v1/uploads`, and what became of an upload."""

import json
from collections.abc import Mapping
from functools import partial

from fastapi import Request, Response

from ingest.delivery.content import Code, Delivered, Outcome, Result
from ingest.delivery.desk import count
from ingest.delivery.plain import Whole, read_uploads
from ingest.delivery.strict import Unreadable
from ingest.gateway.delivery import described
from ingest.gateway.delivery.bodies import JSON, NDJSON, as_told, aside, media_type, read_body, refused
from ingest.gateway.delivery.routes import DeliveryRoutes, caller_of, gate_of, in_time
from models.access import Action
from models.audit import Kind
from models.errors import NotThere

routes = DeliveryRoutes("/v1/uploads", "uploads")
_TYPES = (JSON[0], *NDJSON)
_STATUSES: Mapping[Code, int] = {Code.NOT_FOUND: 404, Code.FORBIDDEN: 403}


@routes.route("POST", "", action=Action.READING_DELIVER, openapi=described.UPLOADS, responses=described.TAKEN,
              status=202)  # fmt: skip
async def deliver_uploads(request: Request) -> Response:
    """Delivers uploads: one, a list of them, or one on each line."""
    gate = gate_of(request)
    caller = await caller_of(request)
    body = await read_body(request, _TYPES)
    received_at_us = gate.now_us()
    by_line = media_type(request) in NDJSON
    try:
        found = await aside(partial(read_uploads, body, by_line=by_line), len(body))
    except Unreadable as error:
        raise refused(error) from None
    whole = [one for one in found.uploads if isinstance(one, Delivered)]
    outcomes = iter(await gate.desk.deliver(caller, whole, received_at_us) if whole else ())
    refused_whole = {
        number: Outcome(Result.REFUSED, faults=one.faults)
        for number, one in enumerate(found.uploads)
        if isinstance(one, Whole)
    }
    count(list(refused_whole.values()))
    every = [refused_whole.get(number) or next(outcomes) for number in range(len(found.uploads))]
    if found.is_several:
        return _answer(200, {"uploads": [answer_of(one) for one in every]})
    [one] = every
    status = None if one.status is None else {"Location": one.status}
    return _answer(status_of(one), answer_of(one), status)


@routes.route(
    "GET", "/{mark}", action=Action.DELIVERY_READ, kind=Kind.READ,
    openapi=described.STATUS, responses=described.STATUS_ANSWERS,
)  # fmt: skip
async def read_status(request: Request) -> Response:
    """What became of an upload, at the address that its answer gave."""
    gate = gate_of(request)
    caller = await caller_of(request)
    part = gate.marks.read(caller.client_id, request.path_params["mark"])
    if part is None:
        raise NotThere("There is no such upload of yours: expected an address from an answer of ours, whole.")
    became = await in_time(gate.became(part))
    if became is None:
        return _answer(200, {"state": "pending"}, {"Retry-After": "1"})
    faults = [
        {
            "position": one.position, "reason": one.reason, "field": one.field,
            "expected": one.expected, "found": one.found,
        }
        for one in became.refused
    ]  # fmt: skip
    return _answer(200, {"state": "done", "stored": became.stored, "refused": faults})


def status_of(outcome: Outcome) -> int:
    """The HTTP status when one thing was delivered."""
    match outcome.result:
        case Result.ACCEPTED:
            return 202
        case Result.DUPLICATE:
            return 200
        case Result.REFUSED:
            return 422 if outcome.results else _STATUSES.get(outcome.faults[0].code, 422)


def answer_of(outcome: Outcome) -> dict[str, object]:
    """What became of an upload, for who delivered it."""
    answer: dict[str, object] = {"result": outcome.result.value}
    if outcome.upload_id is not None:
        answer["upload_id"] = str(outcome.upload_id)
    if outcome.status is not None:
        answer["status"] = outcome.status
    if len(set(outcome.results)) > 1:
        answer["readings"] = [one.value for one in outcome.results]
    if outcome.faults:
        answer["faults"] = [{**as_told(one), "kept": one.kept} for one in outcome.faults]
    return answer


def _answer(status: int, content: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Response:
    body = json.dumps(content, separators=(",", ":")).encode()
    return Response(body, status, headers=headers, media_type=JSON[0])
