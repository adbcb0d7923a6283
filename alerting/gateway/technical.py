"""Routes of technical alerts: what is wrong with the service itself, or whom it talks to. No patients."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from alerting.gateway.rules import ByRules
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind
from models.clock import to_datetime
from models.db.positions import dispatch_now_us
from models.db.trouble import TechnicalAlert, load_trouble, resolve_trouble
from models.errors import NotThere, Outdated

routes = Routes("/technical-alerts", "technical alerts")


@routes.route("GET", "", action=Action.TECHNICAL_READ, kind=Kind.READ)
async def list_technical(act: Act, resolved_too: bool = False) -> dict[str, Any]:
    """What is wrong now, the oldest first; with `resolved_too` also what was."""
    found = await load_trouble(act.connection, resolved_too=resolved_too)
    return {"technical_alerts": [_structure(one) for one in found]}


@routes.route(
    "POST", "/{technical_alert_id}/resolve", action=Action.TECHNICAL_RESOLVE, kind=Kind.UPDATE, status=204
)
async def resolve_technical(act: Act, rules: ByRules, technical_alert_id: UUID) -> None:
    """Somebody saw to it. It opens again when it is noticed again."""
    every = await load_trouble(act.connection, resolved_too=True)
    found = next((one for one in every if one.technical_alert_id == technical_alert_id), None)
    if found is None:
        raise NotThere("There is no such technical alert.")
    now_us = await dispatch_now_us(act.connection, rules.settings)
    by = act.user.person_id
    if found.resolved_at_us is not None or not await resolve_trouble(
        act.connection, found.trouble, found.subject, now_us=now_us, by=by
    ):
        raise Outdated("It is resolved already.")
    act.details = f"{found.trouble}: {found.subject}"


def _structure(one: TechnicalAlert) -> dict[str, Any]:
    times = {"opened_at": one.opened_at_us, "last_at": one.last_at_us, "resolved_at": one.resolved_at_us}
    kept = {name: value for name, value in asdict(one).items() if not name.endswith("_us")}
    return kept | {name: None if us is None else to_datetime(us) for name, us in times.items()}
