"""Looking at alerts: a page of the worklist, one alert with all about it; each look is on record."""

from uuid import UUID

from alerting.worklist.handling import NOT_THERE, Rules, findings_of, policy_for
from alerting.worklist.structure import (
    Names,
    Shown,
    Structure,
    ids_of_alert,
    ids_of_shown,
    of_alert,
    of_listed,
    of_shown,
    read,
    written,
)
from ingest.acting import Acting
from models.alerts import Alert
from models.db.escalations import load_escalations
from models.db.worklist import Wanted, find_alert, keys_of, list_alerts, load_beside, names_of
from models.errors import NotThere

PAGE = 50
LARGEST_PAGE = 500


async def page(act: Acting, wanted: Wanted, *, limit: int = PAGE, after: str | None = None) -> Structure:
    """A page of the worklist, and where the next one begins. **Raises**: BadInput."""
    place = None if after is None else read(after)
    rows = await list_alerts(act.connection, wanted, limit=limit + 1, after=place)
    shown = rows[:limit]
    act.touched += dict.fromkeys(row.alert.patient_id for row in shown)
    act.details = f"{len(shown)} alerts"
    names = await names_of(act.connection, (key for row in shown for key in ids_of_alert(row.alert)))
    return {
        "alerts": [of_listed(row, names) for row in shown],
        "next_page": written(shown[-1].place) if len(rows) > limit else None,
    }


async def show(act: Acting, rules: Rules, alert_id: UUID) -> Structure:
    """One alert with all that belongs to it. **Raises**: NotThere."""
    keys = await keys_of(act.connection, [alert_id])
    alert = await find_alert(act.connection, keys[alert_id]) if alert_id in keys else None
    if alert is None:
        raise NotThere(NOT_THERE)
    await act.require(alert.patient_id)
    act.details = f"alert {alert_id}"
    findings = (await findings_of(act.connection, [alert]))[alert_id]
    shown = Shown(
        alert=alert,
        beside=await load_beside(act.connection, alert),
        findings=findings,
        escalations=await load_escalations(act.connection, [alert]),
        policy=policy_for(alert, findings, rules.policies),
    )
    return of_shown(shown, await names_of(act.connection, ids_of_shown(shown)))


async def as_it_is(act: Acting, alert: Alert) -> Structure:
    """An alert as somebody left it."""
    return of_alert(alert, await _names(act, alert))


async def _names(act: Acting, alert: Alert) -> Names:
    return await names_of(act.connection, ids_of_alert(alert))
