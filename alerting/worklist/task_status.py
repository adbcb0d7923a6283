"""The status of a Task that comes back from a recipient, as what a person does with an escalation."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from alerting import acts
from alerting.notify.fhir.answers import Decided, Move, TaskAnswer, decide, read_task
from alerting.transition import Transition
from alerting.worklist.handling import Rules, Seen, Situation, handle
from ingest.acting import Acting
from models.access import POLICY, Action, Role, User
from models.db.alerts import lock_alerts
from models.db.answers import find_escalation, roles_at, seen_by_recipient
from models.db.outbox import accepted
from models.db.positions import dispatch_now_us
from models.errors import NotAllowed, NotThere, Outdated
from models.escalations import Escalation

NOT_THERE = "There is no such Task, or you may not see it."

_PEOPLE = tuple(role for role in POLICY[Action.ESCALATION_ANSWER] if role is not Role.SERVICE)


async def answer_task(
    act: Acting, rules: Rules, escalation_id: UUID, resource: Mapping[str, Any], version: int | None
) -> tuple[Decided, int]:
    """Does what a Task says; what that was, and the version of the escalation from now on.

    Of the same status twice, the second changes nothing. `version` is the one that was seen, where the sender
    says one. **Raises**: NotThere, NotAllowed, BadInput, Outdated.
    """
    escalation = await _locked(act, escalation_id)
    if version is not None and version != escalation.version:
        raise Outdated(f"The Task is at version {escalation.version}, not {version}: look again.")
    answer = read_task(resource, escalation_id)
    named = await _named(act, escalation, answer)
    decided = decide(escalation, answer, None if named is None else named.person_id)
    if decided.move is Move.SEEN:
        await seen_by_recipient(
            act.connection, escalation, await dispatch_now_us(act.connection, rules.settings)
        )
    elif decided.move is not Move.NOTHING:
        await _carry_out(act, rules, escalation, answer, decided.move, named or _holder(act, escalation))
    who = "" if named is None else f" by {named.person_id}"
    done = "" if act.details is None else f"; {act.details}"
    act.details = f"task {answer.status}: {decided.move}{who}{done}"
    after = await find_escalation(act.connection, escalation_id)
    return decided, escalation.version if after is None else after.version


async def _locked(act: Acting, escalation_id: UUID) -> Escalation:
    """The escalation, its alert locked so that it stays as read. **Raises**: NotThere, NotAllowed."""
    found = await find_escalation(act.connection, escalation_id)
    if found is None:
        raise NotThere(NOT_THERE)
    await act.require(found.patient_id)
    if found.to.organisation_id != act.user.organisation_id:
        raise NotAllowed(NOT_THERE)
    await lock_alerts(act.connection, [(found.patient_id, found.alert_id)])
    again = await find_escalation(act.connection, escalation_id)
    return found if again is None else again


async def _named(act: Acting, escalation: Escalation, answer: TaskAnswer) -> User | None:
    """Whom the Task names, as what they were asked for, or else as what they are; of people, who acts."""
    organisation_id = escalation.to.organisation_id
    held = await roles_at(act.connection, answer.people, organisation_id)
    for person_id in answer.people:
        roles = [role for role in held.get(person_id, ()) if role in _PEOPLE]
        if roles:
            role = escalation.to.role if escalation.to.role in roles else roles[0]
            return User(person_id, organisation_id, role)
    return None if act.user.role is Role.SERVICE else act.user


def _holder(act: Acting, escalation: Escalation) -> User:
    """Who accepted it, for whom their system speaks now; nobody did: the system itself."""
    if escalation.accepted_by is None:
        return act.user
    return User(escalation.accepted_by, escalation.to.organisation_id, escalation.to.role)


async def _carry_out(
    act: Acting, rules: Rules, escalation: Escalation, answer: TaskAnswer, move: Move, by: User
) -> None:
    (alert,) = await lock_alerts(act.connection, [(escalation.patient_id, escalation.alert_id)])

    def decision(at: Situation) -> Transition:
        return _transition(at, rules, at.escalation(escalation.escalation_id), answer, move, by)

    await handle(act, rules, Seen(alert.alert_id, alert.version), decision)
    if move in (Move.ACCEPT, Move.ANSWER):
        now_us = await dispatch_now_us(act.connection, rules.settings)
        await accepted(act.connection, escalation.patient_id, escalation.escalation_id, now_us)


def _transition(
    at: Situation, rules: Rules, escalation: Escalation, answer: TaskAnswer, move: Move, by: User
) -> Transition:
    if move is Move.ACCEPT:
        return acts.accept_escalation(
            at.alert,
            escalation,
            by,
            policy=at.policy,
            duty=rules.rosters.on_duty(escalation.recipient, at.now_us),
            now_us=at.now_us,
            others=[one for one in at.open_escalations if one.escalation_id != escalation.escalation_id],
        )
    if move is Move.HAND_BACK:
        return acts.hand_back(at.alert, escalation, by, reason=answer.reason or "", now_us=at.now_us)
    return acts.answer_escalation(
        at.alert,
        escalation,
        by,
        answer=answer.answer or "",
        referral_avoided=answer.referral_avoided,
        now_us=at.now_us,
    )
