"""Webhooks of vendors' clouds: `POST /webhooks/{client_id}`, signed by the vendor, read by its adapter."""

import json
from collections.abc import Mapping
from functools import partial

from fastapi import Request, Response

from ingest.delivery.adapter import Event, adapters
from ingest.delivery.clients.signatures import Form
from ingest.delivery.content import Outcome, Result
from ingest.delivery.desk import count
from ingest.delivery.strict import Unreadable, parse
from ingest.gateway.delivery.bodies import JSON, as_told, aside, read_body, refused
from ingest.gateway.delivery.described_webhooks import WEBHOOK, WEBHOOK_ANSWERS
from ingest.gateway.delivery.routes import DeliveryRoutes, gate_of
from ingest.gateway.delivery.uploads import answer_of
from models.access import Action

routes = DeliveryRoutes("/webhooks", "webhooks")


@routes.route("POST", "/{client_id}", action=Action.READING_DELIVER, openapi=WEBHOOK,
              responses=WEBHOOK_ANSWERS, status=202)  # fmt: skip
async def take_webhook(request: Request) -> Response:
    """Takes what a vendor's cloud tells, in the vendor's own shape."""
    gate = gate_of(request)
    caller, name = await gate.entrance.webhook(request, request.path_params["client_id"], form_of)
    body = await read_body(request, (JSON[0],))
    received_at_us = gate.now_us()
    try:
        event = await aside(partial(_read, name, body, dict(request.headers)), len(body))
    except Unreadable as error:
        raise refused(error) from None
    outcomes = await gate.desk.deliver(caller, event.delivered, received_at_us) if event.delivered else []
    count([Outcome(Result.REFUSED, faults=(fault,)) for fault in event.faults])
    answer = {
        "uploads": [answer_of(one) for one in outcomes],
        "faults": [{**as_told(one), "kept": one.kept} for one in event.faults],
        "left_out": [{"where": one.where, "what": one.what} for one in event.left_out],
    }
    content = json.dumps(answer, separators=(",", ":")).encode()
    return Response(content, status_of(event, outcomes), media_type=JSON[0])


def form_of(name: str) -> Form | None:
    """How a vendor signs, by the name of its adapter; None for one that there is not."""
    adapter = adapters().get(name)
    return None if adapter is None else adapter.signature


def status_of(event: Event, outcomes: list[Outcome]) -> int:
    """Well where anything came into the log or nothing had to; refused where nothing of it could be taken.

    An event about no measurement has no effect, and is well all the same: it would only come again.
    """
    results = {one.result for one in outcomes}
    if Result.ACCEPTED in results:
        return 202
    return 422 if event.faults or Result.REFUSED in results else 200


def _read(name: str, body: bytes, headers: Mapping[str, str]) -> Event:
    return adapters()[name].read(parse(body), headers)
