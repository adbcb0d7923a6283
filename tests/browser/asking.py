"""Nurses who ask others something, behind the screens."""

from typing import Any
from uuid import UUID

from alerting.worklist import asking
from alerting.worklist.forms import EscalateForm
from alerting.worklist.handling import Seen, handle
from alerting.worklist.rules import load_rules
from ingest.acting import Deed, Known, doing
from models.access import Action
from models.audit import Kind
from models.db.pool import connected
from tests.browser.screens import Screens


async def escalate(
    screens: Screens, database: str, alert_id: UUID, who: str = "M. Jansen", **asked: Any
) -> UUID:
    """Somebody hands an alert to the huisarts, or asks them a question; its id."""
    known = Known(screens.ward.people[who], "test")
    version = await screens.ward.admin.fetchval("SELECT version FROM alert WHERE alert_id = $1", alert_id)
    fields: dict[str, Any] = {
        "recipient": "huisarts",
        "request": "regular",
        "reason": "Kortademig sinds gisteren.",
    }
    form = EscalateForm(version=version, **(fields | asked))
    async with (
        connected(database, role="thuiswacht_people", application="test") as people,
        doing(people, known, Deed(Action.ESCALATION_ASK, Kind.CREATE, "test")) as act,
    ):
        escalation_id, decide = asking.escalate(known.user, form)
        await handle(act, load_rules(screens.settings), Seen(alert_id, version), decide)
    return escalation_id
