"""The hand-over of a shift: what is still open and with whom, the last notes, one's own offered at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request
from fastapi.responses import HTMLResponse

from alerting.console.frame import page, speaker_of
from alerting.console.worklist.detail import person_of
from alerting.console.worklist.listing import LARGEST, make_listing
from alerting.console.worklist.rows import Row, RowAlert
from alerting.gateway.rules import ByRules
from ingest.gateway.register import IdentityKeys
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind
from models.db.open_patients import Sought
from models.db.shift import colleagues, last_notes
from models.db.worklist import names_of

routes = Routes("/console/worklist", "console")


@dataclass(frozen=True, slots=True)
class Pile:
    """What one person has, or nobody: rows, each with the alerts of it that they have."""

    owner_id: UUID | None
    owner: str | None
    rows: tuple[tuple[Row, tuple[RowAlert, ...]], ...]

    @property
    def alerts(self) -> tuple[RowAlert, ...]:
        """All of them."""
        return tuple(one for _, alerts in self.rows for one in alerts)


@routes.route("GET", "/shift", action=Action.ALERT_READ, kind=Kind.READ)
async def show(request: Request, act: Act, rules: ByRules, keys: IdentityKeys) -> HTMLResponse:
    """What there is to hand over when a shift ends; also for paper."""
    sought = Sought(asleep=True)
    listing = await make_listing(act, rules, keys, speaker_of(request).language, sought, limit=LARGEST)
    alerts = [one.alert for row in listing.rows for one in row.alerts]
    notes = await last_notes(act.connection, alerts)
    wrote = {key: person_of(note.by) for key, note in notes.items()}
    writers = await names_of(act.connection, [one for one in wrote.values() if one is not None])
    there = await colleagues(act.connection, act.user.organisation_id, act.user.role)
    return await page(
        request,
        act,
        "worklist/shift.html.j2",
        piles=piles_of(listing.rows, act.user.person_id),
        has_more=listing.has_more,
        notes=notes,
        writers={key: writers.get(one) for key, one in wrote.items() if one is not None},
        colleagues=[
            one for one in there if one.person_id != act.user.person_id and one.role is act.user.role
        ],
    )


def piles_of(rows: Sequence[Row], me: UUID) -> list[Pile]:
    """What each has: first one's own, then what nobody has, then the others by name."""
    owners = {one.alert.owner: one.owner for row in rows for one in row.alerts}
    piles = [
        Pile(
            owner_id=owner_id,
            owner=name,
            rows=tuple(
                (row, had)
                for row in rows
                if (had := tuple(one for one in row.alerts if one.alert.owner == owner_id))
            ),
        )
        for owner_id, name in owners.items()
    ]
    return sorted(piles, key=lambda pile: (pile.owner_id != me, pile.owner_id is not None, pile.owner or ""))
