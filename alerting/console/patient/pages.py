"""One patient: who they are, why there are alerts, what was measured, what was done."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from alerting.console.frame import ByConsole, environment, frame_of, happened, render
from alerting.console.inclusion.proposals import load_shown
from alerting.console.patient.charts import STRETCHES, USUAL_STRETCH, kinds_of_chart
from alerting.console.patient.content import content_of
from alerting.console.patient.drawing import draw
from alerting.console.patient.record import load_record, mark
from alerting.console.patient.shown import SAID
from ingest.gateway.register import IdentityKeys
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind
from models.errors import NotThere

routes = Routes("/console", "console")

LONGEST_DAYS = 400


@routes.route(
    "GET", "/patients/{patient_id}", action=Action.PATIENT_READ, kind=Kind.READ, patient="patient_id"
)
async def show(
    request: Request, act: Act, keys: IdentityKeys, console: ByConsole, patient_id: UUID,
    days: Annotated[int, Query(ge=1, le=LONGEST_DAYS)] = USUAL_STRETCH,
) -> HTMLResponse:  # fmt: skip
    """The whole page of a patient; its charts come after, each by itself."""
    frame = await frame_of(request, act)
    record = await load_record(act, keys, console.rules, patient_id, frame.now_us)
    content = await content_of(act.connection, record, frame)
    content["proposals"] = await load_shown(act, keys, frame, patient_id)
    return render("patient/patient.html.j2", days=days, stretches=STRETCHES, **content)


@routes.route(
    "GET", "/patients/{patient_id}/now", action=Action.PATIENT_READ, kind=Kind.READ, patient="patient_id"
)
async def show_now(
    request: Request, act: Act, keys: IdentityKeys, console: ByConsole, patient_id: UUID,
    seen: Annotated[str, Query(max_length=500)] = "",
) -> Response:  # fmt: skip
    """The page as it is by now, without its charts; nothing where nothing changed since it was seen."""
    frame = await frame_of(request, act)
    if seen and await mark(act.connection, patient_id, frame.now_us) == seen:
        return Response(status_code=204)
    record = await load_record(act, keys, console.rules, patient_id, frame.now_us)
    content = await content_of(act.connection, record, frame)
    content["proposals"] = await load_shown(act, keys, frame, patient_id)
    return happened(render("patient/now.html.j2", **content), series=True)


@routes.route(
    "GET",
    "/patients/{patient_id}/series/{chart}",
    action=Action.PATIENT_READ,
    kind=Kind.READ,
    patient="patient_id",
)
async def show_series(
    request: Request, act: Act, keys: IdentityKeys, console: ByConsole, patient_id: UUID, chart: str,
    days: Annotated[int, Query(ge=1, le=LONGEST_DAYS)] = LONGEST_DAYS,
) -> JSONResponse:  # fmt: skip
    """What one chart is drawn from, and what stands beside it: its sentence, limits and table."""
    if not kinds_of_chart(chart):
        raise NotThere("There is no such chart.")
    frame = await frame_of(request, act)
    record = await load_record(act, keys, console.rules, patient_id, frame.now_us)
    columns, beside = await draw(act.connection, record, chart, days, frame)
    html = environment().get_template("patient/beside.html.j2").render(**SAID, frame=frame, **beside)
    return JSONResponse({**columns, "html": html})
