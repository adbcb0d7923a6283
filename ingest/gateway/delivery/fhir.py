"""FHIR R4 by HTTP: bundles, readings by themselves, and what is taken here.

Whatever is refused under this address is refused with an OperationOutcome.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ingest.delivery.content import Code, Fault, Outcome, Result
from ingest.delivery.desk import count
from ingest.delivery.fhir.bundle import read_bundle
from ingest.delivery.fhir.capability import FHIR_JSON, RESOURCES, TAKEN, Interaction, statement
from ingest.delivery.fhir.interaction import (
    Asked,
    Conditions,
    Refused,
    check_resource,
    object_of,
    with_conditions,
)
from ingest.delivery.fhir.negotiation import Return, read_prefer, refuse_answer_format, refuse_content_type
from ingest.delivery.fhir.outcome import outcome_of
from ingest.delivery.fhir.plan import Step, plan
from ingest.delivery.fhir.responses import Http, bundle_of, http_of, response_of, whole_refused
from ingest.delivery.fhir.responses import Response as ToldAlready
from ingest.delivery.interactions import Interactions
from ingest.delivery.strict import Unreadable, parse
from ingest.gateway.delivery import bodies, described_fhir
from ingest.gateway.delivery.routes import DeliveryRoutes, Handler, caller_of, gate_of
from models.access import Action

PREFIX = "/fhir"
routes = DeliveryRoutes(PREFIX, "FHIR R4")

_METHODS: Mapping[Interaction, str] = {Interaction.CREATE: "POST", Interaction.UPDATE: "PUT"}
_UNKEPT_CONDITIONS = ("if-none-match", "if-modified-since", "if-unmodified-since")


@dataclass(frozen=True, slots=True)
class FhirService:
    """What the handlers work with; in `app.state.fhir`. `url` is the address of FHIR as others see it."""

    interactions: Interactions
    url: str
    version: str
    is_trial: bool
    """Nobody in the database exists."""


class _Planned(NamedTuple):
    steps: Sequence[Step]
    together: bool


@routes.route(
    "POST", "", action=Action.READING_DELIVER, openapi=described_fhir.BUNDLE, responses=described_fhir.BUNDLES
)  # fmt: skip
async def deliver_bundle(request: Request) -> Response:
    """Delivers a Bundle: a batch, each entry by itself, or a transaction, all of it or nothing."""
    caller = await caller_of(request)
    wanted, body = await _read(request)
    now_us = gate_of(request).now_us()
    service = _service_of(request)
    planned = await bodies.aside(partial(_plan_bundle, body, is_trial=service.is_trial), len(body))
    if isinstance(planned, Refused):
        return _respond(http_of(response_of(planned), wanted, service.url))
    _count(planned.steps)
    responses = await service.interactions.carry_out(caller, planned.steps, now_us, together=planned.together)
    if planned.together and any(one.is_refused for one in responses):
        return _respond(http_of(whole_refused(responses), wanted, service.url))
    told = partial(_bundle, responses, wanted, together=planned.together)
    return await bodies.aside(told, len(body))


def _bundle(responses: Sequence[ToldAlready], wanted: Return | None, *, together: bool) -> Response:
    return _json(200, bundle_of(responses, wanted, together=together))


def _count(steps: Sequence[Step]) -> None:
    """Counts what is refused before it comes to the desk, each as one."""
    refused = sum(isinstance(step, ToldAlready) and step.is_refused for step in steps)
    count([Outcome(Result.REFUSED)] * refused)


def _plan_bundle(body: bytes, *, is_trial: bool) -> _Planned | Refused:
    content = _parse(body, "Bundle")
    if isinstance(content, Refused):
        return content
    bundle = read_bundle(content)
    if isinstance(bundle, Refused):
        return bundle
    steps = plan(bundle.entries, is_bundle=True, together=bundle.together, is_trial=is_trial)
    return _Planned(steps, bundle.together)


def _handler(type_: str, interaction: Interaction) -> Handler:
    async def deliver(request: Request) -> Response:
        caller = await caller_of(request)
        wanted, body = await _read(request)
        now_us = gate_of(request).now_us()
        service = _service_of(request)
        steps = await bodies.aside(partial(_plan_one, request, body, type_, interaction), len(body))
        _count(steps)
        (response,) = await service.interactions.carry_out(caller, steps, now_us)
        return _respond(http_of(response, wanted, service.url))

    deliver.__name__ = f"{interaction}_{type_}"
    verb = "Delivers" if interaction is Interaction.CREATE else "Delivers again, or corrects,"
    deliver.__doc__ = f"{verb} {'an' if type_[0] in 'AEIOU' else 'a'} {type_}."
    return deliver


for _taken in RESOURCES:
    _type = _taken.type
    for _interaction in _taken.interactions:
        routes.route(
            _METHODS[_interaction],
            f"/{_type}" if _interaction is Interaction.CREATE else f"/{_type}/{{id}}",
            action=Action.FOLLOW_UP_DELIVER if _taken.told else Action.READING_DELIVER,
            openapi=described_fhir.resource(_type, _interaction),
            responses=described_fhir.answers(_type),
            status=200 if _taken.told else 201,
        )(_handler(_type, _interaction))


def _plan_one(request: Request, body: bytes, type_: str, interaction: Interaction) -> Sequence[Step]:
    asked = _asked(request, _parse(body, type_), type_, interaction)
    return plan([asked], is_bundle=False, is_trial=_service_of(request).is_trial)


def _asked(request: Request, content: object, type_: str, interaction: Interaction) -> Asked | Refused:
    if isinstance(content, Refused):
        return content
    to: str | None = request.path_params.get("id")
    refused = check_resource(type_, type_, content, to) or _refuse_conditions(request)
    if refused is not None:
        return refused
    conditions = Conditions(_header(request, "if-match"), _header(request, "if-none-exist"))
    asked = Asked(type_, interaction, type_, object_of(content) or {}, to)
    return with_conditions(asked, conditions)


def _parse(body: bytes, where: str) -> object | Refused:
    try:
        return parse(body, where=where)
    except Unreadable as error:
        return Refused(413 if error.fault.code is Code.TOO_LONG else 400, (error.fault,))


async def _read(request: Request) -> tuple[Return | None, bytes]:
    """What the answer should hold, and the body. **Raises**: bodies.Refused."""
    require_answer_format(request)
    fault = refuse_content_type(request.headers.get("content-type"))
    if fault is not None:
        raise bodies.Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, fault)
    return read_prefer(request.headers.get("prefer")), await bodies.read_body(request, bodies.JSON)


def require_answer_format(request: Request) -> None:
    """Lets those through who take JSON of FHIR 4.0. **Raises**: bodies.Refused."""
    fault = refuse_answer_format(request.headers.get("accept"), request.query_params.get("_format"))
    if fault is not None:
        raise bodies.Refused(HTTPStatus.NOT_ACCEPTABLE, fault)


def _refuse_conditions(request: Request) -> Refused | None:
    for name in _UNKEPT_CONDITIONS:
        if name in request.headers:
            fault = Fault(
                f"http.{name.title()}", "If-Match or If-None-Exist", "another condition", Code.NOT_SUPPORTED
            )
            return Refused(412, (fault,))
    return None


def _header(request: Request, name: str) -> str | None:
    return ", ".join(request.headers.getlist(name)) or None


def _service_of(request: Request) -> FhirService:
    service: FhirService = request.app.state.fhir
    return service


def _respond(answer: Http) -> Response:
    if answer.body is None:
        return Response(status_code=answer.status, headers=dict(answer.headers))
    return _json(answer.status, answer.body, answer.headers)


def _json(status: int, content: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Response:
    body = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    return Response(body, status, headers=headers, media_type=FHIR_JSON)


_metadata = APIRouter(prefix=PREFIX, tags=["FHIR R4"])
_elsewhere = APIRouter(prefix=PREFIX)
_at_the_root = APIRouter()

PUBLIC: Mapping[str, APIRouter] = {
    f"{PREFIX}/metadata": _metadata,
    PREFIX: _at_the_root,
    f"{PREFIX}/{{rest:path}}": _elsewhere,
}
"""What anybody may reach: being told what is taken here, and what is not. They come behind all others."""


@_metadata.get("/metadata", responses=dict(described_fhir.METADATA), response_class=JSONResponse)
async def read_metadata(request: Request) -> Response:
    """What is taken here, as a CapabilityStatement."""
    require_answer_format(request)
    service = _service_of(request)
    return _json(200, statement(service.url, service.version))


_ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@_at_the_root.api_route(PREFIX, methods=_ALL_METHODS, include_in_schema=False)
@_elsewhere.api_route("/{rest:path}", methods=_ALL_METHODS, include_in_schema=False)
async def refuse_elsewhere(request: Request) -> Response:
    """Says what can be done here instead."""
    type_, _, id_ = str(request.path_params.get("rest", "")).partition("/")
    if not type_:
        return _not_allowed(request, "POST", "a Bundle by POST")
    if type_ == "metadata" and not id_:
        return _not_allowed(request, "GET", "metadata by GET")
    if type_ not in TAKEN or "/" in id_:
        expected = f"one of {', '.join(TAKEN)}, with an id or without one"
        fault = Fault("http.path", expected, "something else", Code.NOT_SUPPORTED)
        return _json(404, outcome_of([fault]))
    if id_:
        return _not_allowed(request, "PUT", f"a {type_} by PUT: nothing can be read or deleted here")
    return _not_allowed(request, "POST", f"a {type_} by POST: nothing can be searched here")


def _not_allowed(request: Request, allowed: str, expected: str) -> Response:
    fault = Fault("http.method", expected, request.method, Code.NOT_SUPPORTED)
    return _json(405, outcome_of([fault]), {"allow": allowed})
