"""Routes of alerts: the worklist, one alert, and what people do with it; whose it is stands in no address."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from alerting.gateway.rules import ByRules
from alerting.worklist import asking, deciding, looking
from alerting.worklist.forms import (
    HandOverForm,
    NoteForm,
    ReasonForm,
    ResolveForm,
    SeenForm,
    SeveralForm,
    SnoozeForm,
)
from alerting.worklist.handling import Decide, Rules, Seen, handle
from ingest.acting import Acting
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.alerts import AlertState
from models.audit import Kind
from models.clock import to_us
from models.db.worklist import Wanted
from models.escalations import Party
from models.findings import Severity, Signal

routes = Routes("/alerts", "alerts")


@routes.route("GET", "", action=Action.ALERT_READ, kind=Kind.READ)
async def list_alerts(
    act: Act,
    state: AlertState | None = None,
    severity: Severity | None = None,
    signal: Signal | None = None,
    organisation_id: UUID | None = None,
    owner: UUID | None = None,
    wijk: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")] = None,
    held_back: Annotated[bool, Query(description="Also those that are held back for now.")] = False,
    limit: Annotated[int, Query(ge=1, le=looking.LARGEST_PAGE)] = looking.PAGE,
    after: Annotated[str | None, Query(max_length=100, description="`next_page` of the page before.")] = None,
) -> dict[str, Any]:
    """The worklist: high first, silence right after, of each the oldest first. By default all unresolved."""
    wanted = Wanted(state, severity, signal, organisation_id, owner, wijk, held_back=held_back)
    return await looking.page(act, wanted, limit=limit, after=after)


@routes.route("GET", "/{alert_id}", action=Action.ALERT_READ, kind=Kind.READ)
async def show_alert(act: Act, rules: ByRules, alert_id: UUID) -> dict[str, Any]:
    """One alert: reasons, history, escalations, messages, who looks next and when, policy."""
    return await looking.show(act, rules, alert_id)


@routes.route("POST", "/acknowledge", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def acknowledge_several(act: Act, rules: ByRules, form: SeveralForm) -> dict[str, Any]:
    """Take several alerts at once; what comes of each is answered for each."""
    return {"results": await asking.acknowledge_each(act, rules, form)}


@routes.route("POST", "/{alert_id}/acknowledge", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def acknowledge(act: Act, rules: ByRules, alert_id: UUID, form: SeenForm) -> dict[str, Any]:
    """Take it: a promise to resolve it within the policy's time. 409 names who was faster."""
    return await _done(act, rules, Seen(alert_id, form.version), deciding.acknowledge(act.user))


@routes.route("POST", "/{alert_id}/give-back", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def give_back(act: Act, rules: ByRules, alert_id: UUID, form: SeenForm) -> dict[str, Any]:
    """Take the acknowledgement back: the ladder goes on at once."""
    return await _done(act, rules, Seen(alert_id, form.version), deciding.give_back(act.user))


@routes.route("POST", "/{alert_id}/snooze", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def snooze(act: Act, rules: ByRules, alert_id: UUID, form: SnoozeForm) -> dict[str, Any]:
    """Take it, and be left alone with it until then, or until it gets worse."""
    return await _done(
        act, rules, Seen(alert_id, form.version), deciding.snooze(act.user, lambda _: to_us(form.until))
    )


@routes.route("POST", "/{alert_id}/resolve", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def resolve(act: Act, rules: ByRules, alert_id: UUID, form: ResolveForm) -> dict[str, Any]:
    """Close it with what came of it; looked at again later where a finding still holds."""
    return await _done(
        act, rules, Seen(alert_id, form.version), deciding.resolve(act.user, form.outcome, form.note)
    )


@routes.route("POST", "/{alert_id}/reopen", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def reopen(act: Act, rules: ByRules, alert_id: UUID, form: ReasonForm) -> dict[str, Any]:
    """Undo a mistaken resolve of one's own, within 15 minutes."""
    return await _done(act, rules, Seen(alert_id, form.version), deciding.reopen(act.user, form.reason))


@routes.route("POST", "/{alert_id}/notes", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def note(act: Act, rules: ByRules, alert_id: UUID, form: NoteForm) -> dict[str, Any]:
    """Write down what was found or done."""
    return await _done(act, rules, Seen(alert_id, form.version), deciding.note(act.user, form.text))


@routes.route("POST", "/{alert_id}/hand-over", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def hand_over(act: Act, rules: ByRules, alert_id: UUID, form: HandOverForm) -> dict[str, Any]:
    """Offer it to somebody; until they accept it stays one's own, and it falls back when they do not."""
    to = Party(form.role, form.organisation_id)
    await asking.require_somebody(act, alert_id, to, form.person_id)
    return await _done(
        act, rules, Seen(alert_id, form.version), deciding.hand_over(act.user, to, form.person_id)
    )


@routes.route("POST", "/{alert_id}/hand-over/accept", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def accept_hand_over(act: Act, rules: ByRules, alert_id: UUID, form: SeenForm) -> dict[str, Any]:
    """Take what was offered."""
    return await _done(act, rules, Seen(alert_id, form.version), deciding.accept(act.user))


@routes.route("POST", "/{alert_id}/hand-over/decline", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def decline_hand_over(act: Act, rules: ByRules, alert_id: UUID, form: ReasonForm) -> dict[str, Any]:
    """Leave it with who offered it; or, as who did, take the offer back."""
    return await _done(act, rules, Seen(alert_id, form.version), deciding.decline(act.user, form.reason))


async def _done(act: Acting, rules: Rules, seen: Seen, decide: Decide) -> dict[str, Any]:
    return await looking.as_it_is(act, await handle(act, rules, seen, decide))
