"""Refusals as people read them: a part of the page to htmx, else a page; never a patient's data."""

import json
import re
from http import HTTPStatus

from fastapi import Request, Response

from alerting.console.frame import look_of, render, speaker_of
from ingest.gateway.problems import answer as answer_program
from ingest.gateway.problems import response_of
from ingest.gateway.routes import Identify
from models.access import POLICY, Action

PREFIX = "/console"
_PATIENT = re.compile(rf"{PREFIX}/patients/[0-9a-f-]{{36}}")
_SAID = frozenset({401, 403, 404, 409, 422, 429, 503})


async def answer(request: Request, error: Exception) -> Response:
    """The handler of all errors of the console's own addresses; the login answers as everywhere."""
    if not request.url.path.startswith(PREFIX):
        return await answer_program(request, error)
    problem = response_of(error)
    status = problem.status_code
    if "text/event-stream" in request.headers.get("accept", ""):
        return problem
    if status == HTTPStatus.UNAUTHORIZED and not _is_part(request):
        return Response(status_code=303, headers={"Location": "/login"})
    content = json.loads(bytes(problem.body))
    t = speaker_of(request)
    kept = {name: value for name, value in problem.headers.items() if name == "retry-after"}
    if status == HTTPStatus.CONFLICT:
        # What they saw is not how it is any more: the page looks again.
        kept["HX-Trigger"] = json.dumps({"changed": True})
    return render(
        "layout/said.html.j2" if _is_part(request) else "layout/error.html.j2",
        status=status,
        headers=kept,
        t=t,
        look=look_of(request),
        status_code=status,
        title=t(f"layout.error.{status if status in _SAID else 500}.title"),
        help=t(f"layout.error.{status if status in _SAID else 500}.help"),
        detail=content["detail"] if status in {409, 422} else None,
        errors=content.get("errors", []),
        owner=(content.get("now") or {}).get("owner"),
        emergency=await _emergency(request) if status == HTTPStatus.FORBIDDEN else None,
    )


async def _emergency(request: Request) -> str | None:
    """Where who may not see a patient can declare an emergency, if that is for their role to do."""
    found = _PATIENT.fullmatch(request.url.path)
    if found is None:
        return None
    identify: Identify = request.app.state.identify
    known = await identify(request)
    return f"{found[0]}/emergency" if known.user.role in POLICY[Action.EMERGENCY_DECLARE] else None


def _is_part(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"
