"""Who looked: the review of what is unusual, and a patient's own overview of all looks."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import HTMLResponse

from alerting.console.frame import frame_of, happened, page, render
from ingest.acting import Acting
from ingest.auditing import reviewing
from ingest.gateway.register import IdentityKeys
from ingest.gateway.rights import Asked, Reviewed
from ingest.gateway.routes import Act, Routes
from ingest.register import acts
from ingest.register.forms import SearchForm
from ingest.rights import service
from models.access import Action
from models.audit import Kind
from models.clock import DAY_US, wall_now_us
from models.errors import BadInput

routes = Routes("/console", "console")


@routes.route("GET", "/looks", action=Action.AUDIT_REVIEW, kind=Kind.READ)
async def looks(request: Request, act: Act, days: Annotated[int, Query(ge=1, le=366)] = 7) -> HTMLResponse:
    """What is worth a second look, for one's own organisation."""
    return await page(request, act, "administration/looks.html.j2", days=days, **await _flags(act, days))


@routes.route("POST", "/looks/{emergency_id}/verdict", action=Action.AUDIT_REVIEW, kind=Kind.UPDATE)
async def give_verdict(
    request: Request, act: Act, emergency_id: UUID, form: Reviewed,
    days: Annotated[int, Query(ge=1, le=366)] = 7,
) -> HTMLResponse:  # fmt: skip
    """Closes the review of an emergency."""
    emergency = await reviewing.give_verdict(act.connection, act.user, emergency_id, form.verdict)
    act.touched.append(emergency.patient_id)
    act.details = f"emergency {emergency_id}: {form.verdict}"
    frame = await frame_of(request, act)
    response = render(
        "administration/flags.html.j2", frame=frame, t=frame.t, days=days, **await _flags(act, days)
    )
    return happened(response, said={"text": frame.t("administration.saved")})


@routes.route("POST", "/looks/search", action=Action.PATIENT_SEARCH, kind=Kind.READ)
async def search(request: Request, act: Act, keys: IdentityKeys, form: SearchForm) -> HTMLResponse:
    """Finds the patient who asks who looked; by number, or by name and birth date."""
    frame = await frame_of(request, act)
    found = await acts.search(act, keys, form)
    return render("administration/looks_found.html.j2", frame=frame, t=frame.t, found=found)


@routes.route(
    "POST", "/looks/of/{patient_id}", action=Action.LOOKS_READ, kind=Kind.READ, patient="patient_id"
)
async def overview(request: Request, act: Act, patient_id: UUID, form: Asked) -> HTMLResponse:
    """Who looked at this patient's data, when, what, on which ground, to print for the patient."""
    act.reason = form.reason
    frame = await frame_of(request, act)
    found = await service.looks(act.connection, patient_id, act.require)
    return render("administration/overview.html.j2", frame=frame, t=frame.t, looks=found[::-1])


async def _flags(act: Acting, days: int) -> dict[str, Any]:
    if days < 1:
        raise BadInput(where="days", expected="1 or more", found="fewer")
    now_us = wall_now_us()
    found = await reviewing.flags(act.connection, now_us - days * DAY_US, now_us)
    act.touched += reviewing.patients_of(found)
    return {"flags": found, "names": await reviewing.names(act.connection, found)}
