"""Routes of escalations: handing an alert on or asking a question, and what who was asked does with it."""

from typing import Any
from uuid import UUID

from alerting import acts
from alerting.gateway.rules import ByRules
from alerting.transition import Transition
from alerting.worklist import answering, asking, looking
from alerting.worklist.forms import AnswerForm, EscalateForm, ReasonForm, SeenForm
from alerting.worklist.handling import Seen, Situation, handle
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind

routes = Routes("/alerts/{alert_id}/escalations", "escalations")


@routes.route("POST", "", action=Action.ESCALATION_ASK, kind=Kind.CREATE, status=201)
async def escalate(act: Act, rules: ByRules, alert_id: UUID, form: EscalateForm) -> dict[str, Any]:
    """Hand it on, or ask; until a named person accepts, responsibility stays where it is."""
    escalation_id, decide = asking.escalate(act.user, form)
    alert = await handle(act, rules, Seen(alert_id, form.version), decide)
    return {"escalation_id": escalation_id, "alert": await looking.as_it_is(act, alert)}


@routes.route("POST", "/{escalation_id}/accept", action=Action.ESCALATION_ANSWER, kind=Kind.UPDATE)
async def accept(
    act: Act, rules: ByRules, alert_id: UUID, escalation_id: UUID, form: SeenForm
) -> dict[str, Any]:
    """Take it over: from now on one's own party is responsible, and one has promised."""
    decide = answering.accept(act.user, escalation_id)
    return await looking.as_it_is(act, await handle(act, rules, Seen(alert_id, form.version), decide))


@routes.route("POST", "/{escalation_id}/answer", action=Action.ESCALATION_ANSWER, kind=Kind.UPDATE)
async def answer(
    act: Act, rules: ByRules, alert_id: UUID, escalation_id: UUID, form: AnswerForm
) -> dict[str, Any]:
    """Answer what was asked, and say whether a referral was avoided."""
    decide = answering.answer(act.user, escalation_id, form)
    return await looking.as_it_is(act, await handle(act, rules, Seen(alert_id, form.version), decide))


@routes.route("POST", "/{escalation_id}/hand-back", action=Action.ESCALATION_ANSWER, kind=Kind.UPDATE)
async def hand_back(
    act: Act, rules: ByRules, alert_id: UUID, escalation_id: UUID, form: ReasonForm
) -> dict[str, Any]:
    """Give it back: the nurses of the alert's own organisation are responsible again, the ladder goes on."""
    decide = answering.hand_back(act.user, escalation_id, form)
    return await looking.as_it_is(act, await handle(act, rules, Seen(alert_id, form.version), decide))


@routes.route("POST", "/{escalation_id}/withdraw", action=Action.ESCALATION_ASK, kind=Kind.UPDATE)
async def withdraw(
    act: Act, rules: ByRules, alert_id: UUID, escalation_id: UUID, form: ReasonForm
) -> dict[str, Any]:
    """Take the asking back."""

    def decide(at: Situation) -> Transition:
        return acts.withdraw(
            at.alert, at.escalation(escalation_id), act.user, reason=form.reason, now_us=at.now_us
        )

    return await looking.as_it_is(act, await handle(act, rules, Seen(alert_id, form.version), decide))
