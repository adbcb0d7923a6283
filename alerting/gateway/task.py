"""The way back of what we send as FHIR: a recipient's system tells the status of a Task."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Header
from fastapi.responses import JSONResponse

from alerting.gateway.rules import ByRules
from alerting.notify.fhir.answers import Decided, patched
from alerting.worklist.task_status import answer_task
from ingest.gateway.problems import FHIR_JSON, FHIR_PREFIX, outcome
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind
from models.errors import BadInput

routes = Routes(FHIR_PREFIX, "FHIR")

IfMatch = Annotated[str | None, Header(max_length=40)]


@routes.route("PUT", "/Task/{escalation_id}", action=Action.ESCALATION_ANSWER, kind=Kind.UPDATE)
async def put_task(
    act: Act,
    rules: ByRules,
    escalation_id: UUID,
    task: Annotated[dict[str, Any], Body()],
    if_match: IfMatch = None,
) -> JSONResponse:
    """The Task as it is with you now; only a named person as its owner takes it over."""
    return _told(*await answer_task(act, rules, escalation_id, task, _version(if_match)))


@routes.route("PATCH", "/Task/{escalation_id}", action=Action.ESCALATION_ANSWER, kind=Kind.UPDATE)
async def patch_task(
    act: Act,
    rules: ByRules,
    escalation_id: UUID,
    operations: Annotated[list[dict[str, Any]], Body(min_length=1, max_length=20)],
    if_match: IfMatch = None,
) -> JSONResponse:
    """The same as a JSON Patch: status, owner, statusReason, output."""
    return _told(*await answer_task(act, rules, escalation_id, patched(operations), _version(if_match)))


def _told(decided: Decided, version: int) -> JSONResponse:
    content = outcome("information", "informational", decided.says)
    return JSONResponse(content, media_type=FHIR_JSON, headers={"ETag": f'W/"{version}"'})


def _version(if_match: str | None) -> int | None:
    if if_match is None:
        return None
    version = if_match.removeprefix("W/").strip('"')
    if not version.isdecimal():
        raise BadInput(where="If-Match", expected='W/"VERSION", as in our ETag', found="another")
    return int(version)
