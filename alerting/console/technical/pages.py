"""The flow as a whole: stages, technical alerts, incidents, messages that nobody took, figures."""

from uuid import UUID

from fastapi import Request
from fastapi.responses import HTMLResponse

from alerting.console.frame import ByConsole, frame_of, happened, render, speaker_of
from alerting.console.technical import tables
from alerting.engine.local_days import AMSTERDAM
from alerting.gateway.technical import resolve_technical
from alerting.holding_back import limits_of
from alerting.incidents import Limits
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind
from models.clock import DAY_US, to_datetime
from models.db.incidents import Counted, incidents_counted, let_through
from models.db.refused import refusals_counted
from models.db.trouble import given_up, load_trouble
from models.db.worklist import names_of
from models.errors import Outdated

routes = Routes("/console", "console")
_LATELY_US = 7 * DAY_US


@routes.route("GET", "/technical", action=Action.TECHNICAL_READ, kind=Kind.READ)
async def show(request: Request, act: Act, console: ByConsole) -> HTMLResponse:
    """Whether everything comes in and gets through, and what is wrong where it does not."""
    frame = await frame_of(request, act)
    settings = console.rules.settings
    by_wall, limits = settings.dispatch_time == "wall", limits_of(settings)
    troubles = await load_trouble(act.connection)
    unsent = await given_up(act.connection, frame.now_us - _LATELY_US)
    incidents = await incidents_counted(act.connection, frame.now_us - _LATELY_US)
    counted = await refusals_counted(act.connection, frame.wall_us - tables.DAYS * DAY_US)
    today = to_datetime(frame.wall_us).astimezone(AMSTERDAM).date()
    named = {_id_of(one.subject) for one in troubles} | {one.to_id for one in unsent}
    names = await names_of(act.connection, [key for key in named if key is not None])
    return render(
        "technical/page.html.j2", frame=frame,
        stands=tables.stands(await console.hub.look(act.connection), frame.delays, by_wall=by_wall),
        troubles=troubles, incidents=[(one, _holds_until_us(one, limits)) for one in incidents],
        unsent=unsent, days=tables.columns(today), total=tables.total(counted, today),
        by_reason=tables.by_reason(counted, today), by_source=tables.by_source(counted, today),
        names={str(key): name for key, name in names.items()},
    )  # fmt: skip


@routes.route(
    "POST",
    "/technical/alerts/{technical_alert_id}/resolve",
    action=Action.TECHNICAL_RESOLVE,
    kind=Kind.UPDATE,
)
async def resolve(request: Request, act: Act, console: ByConsole, technical_alert_id: UUID) -> HTMLResponse:
    """Somebody saw to it."""
    await resolve_technical(act, console.rules, technical_alert_id)
    return said(request, "technical.resolved")


@routes.route(
    "POST",
    "/technical/incidents/{incident_id}/let-through",
    action=Action.TECHNICAL_RESOLVE,
    kind=Kind.UPDATE,
)
async def let_incident_through(request: Request, act: Act, incident_id: UUID) -> HTMLResponse:
    """The alerts that an incident holds back are shown from the next round on."""
    if not await let_through(act.connection, incident_id):
        raise Outdated("There is no such incident, or somebody let its alerts through before.")
    act.details = f"incident {incident_id}"
    return said(request, "technical.let_through_done")


def said(request: Request, key: str, **values: object) -> HTMLResponse:
    """Nothing to put anywhere but what was done; and the page looks again."""
    return happened(HTMLResponse(""), said={"text": speaker_of(request)(key, **values)}, changed=True)


def _holds_until_us(incident: Counted, limits: Limits) -> int | None:
    """When the last of the alerts that it holds back are shown at the latest; None where it holds none."""
    if incident.held_since_us is None or incident.let_through:
        return None
    longest_us = incident.held_since_us + limits.longest_us
    return longest_us if incident.ended_us is None else min(longest_us, incident.ended_us + limits.grace_us)


def _id_of(subject: str) -> UUID | None:
    try:
        return UUID(subject)
    except ValueError:
        return None
