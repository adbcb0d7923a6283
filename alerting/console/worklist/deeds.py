"""What is done with alerts from the worklist: several at once, with what came of each, and a way back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from fastapi import Request
from fastapi.responses import HTMLResponse

from alerting.console.frame import happened, render, speaker_of
from alerting.console.texts import Speaker
from alerting.console.worklist.forms import (
    AskForm,
    SeveralHandOverForm,
    SeveralNoteForm,
    SeveralReasonForm,
    SeveralResolveForm,
    SeveralSnoozeForm,
)
from alerting.console.worklist.rows import deeds_of, isolated, listed_name
from alerting.explain.vocabulary import SIGNALS
from alerting.gateway.rules import ByRules
from alerting.worklist import asking, deciding
from alerting.worklist.forms import SeveralForm
from alerting.worklist.handling import Decide, Rules, Seen, Situation, handle, handle_each
from ingest.acting import Acting
from ingest.gateway.register import IdentityKeys
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.alerts import Alert, AlertState
from models.audit import Kind
from models.clock import MINUTE_US, to_us
from models.db.identity import identities
from models.db.open_patients import signals_of
from models.db.shift import are_there
from models.db.worklist import keys_of
from models.errors import BadInput, NotThere, Outdated
from models.escalations import Party
from models.identity import Keys

routes = Routes("/console/worklist", "console")

ADDRESS = "/console/worklist"
Result = Alert | BadInput | NotThere | Outdated


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done: the text that says so, and where it is undone; None where it cannot be."""

    name: str
    undo: str | None = None


@routes.route("POST", "/claim", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def claim(
    request: Request, act: Act, rules: ByRules, keys: IdentityKeys, form: SeveralForm
) -> HTMLResponse:
    """Takes alerts: a promise to resolve them within the policy's time."""
    results = await _each(act, rules, form, deciding.acknowledge(act.user))
    return await _answer(request, act, keys, results, Deed("claimed", "give-back"))


@routes.route("POST", "/give-back", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def give_back(
    request: Request, act: Act, rules: ByRules, keys: IdentityKeys, form: SeveralForm
) -> HTMLResponse:
    """Takes the promise back: the ladder goes on at once."""
    results = await _each(act, rules, form, deciding.give_back(act.user))
    return await _answer(request, act, keys, results, Deed("given_back", "claim"))


@routes.route("POST", "/snooze", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def snooze(
    request: Request, act: Act, rules: ByRules, keys: IdentityKeys, form: SeveralSnoozeForm
) -> HTMLResponse:
    """Takes alerts and has them out of sight for a while, or until they get worse."""
    were_open: set[UUID] = set()

    def until_us(at: Situation) -> int:
        if at.alert.state is AlertState.OPEN:
            were_open.add(at.alert.alert_id)
        return _until_us(form, at)

    results = await _each(act, rules, form, deciding.snooze(act.user, until_us))
    done = {key for key, one in results.items() if isinstance(one, Alert)}
    undo = "give-back" if done <= were_open else "claim"
    return await _answer(request, act, keys, results, Deed("snoozed", undo))


@routes.route("POST", "/resolve", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def resolve(
    request: Request, act: Act, rules: ByRules, keys: IdentityKeys, form: SeveralResolveForm
) -> HTMLResponse:
    """Closes alerts with what came of them."""
    results = await _each(act, rules, form, deciding.resolve(act.user, form.outcome, form.note))
    return await _answer(request, act, keys, results, Deed("resolved", "reopen"))


@routes.route("POST", "/reopen", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def reopen(
    request: Request, act: Act, rules: ByRules, keys: IdentityKeys, form: SeveralForm
) -> HTMLResponse:
    """Undoes closing, of one's own, within a quarter of an hour."""
    reason = speaker_of(request)("worklist.undone")
    return await _answer(
        request, act, keys, await _each(act, rules, form, deciding.reopen(act.user, reason)), Deed("reopened")
    )


@routes.route("POST", "/hand-over", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def hand_over(
    request: Request, act: Act, rules: ByRules, keys: IdentityKeys, form: SeveralHandOverForm
) -> HTMLResponse:
    """Offers alerts to somebody; until they accept, they stay one's own. **Raises**: BadInput."""
    to = Party(form.role, form.organisation_id)
    keys_there = await keys_of(act.connection, [one.alert_id for one in form.alerts])
    patients = {patient_id for patient_id, _ in keys_there.values()}
    if not await are_there(act.connection, patients, to, form.person_id):
        raise BadInput(where="person_id", expected="somebody who has this role today", found="nobody")
    results = await _each(act, rules, form, deciding.hand_over(act.user, to, form.person_id))
    return await _answer(request, act, keys, results, Deed("offered", "take-back"))


@routes.route("POST", "/take-back", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def take_back(
    request: Request, act: Act, rules: ByRules, keys: IdentityKeys, form: SeveralForm
) -> HTMLResponse:
    """Takes an offer of one's own back."""
    reason = speaker_of(request)("worklist.undone")
    results = await _each(act, rules, form, deciding.decline(act.user, reason))
    return await _answer(request, act, keys, results, Deed("taken_back"))


@routes.route("POST", "/accept", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def accept(
    request: Request, act: Act, rules: ByRules, keys: IdentityKeys, form: SeveralForm
) -> HTMLResponse:
    """Takes what was offered."""
    return await _answer(
        request, act, keys, await _each(act, rules, form, deciding.accept(act.user)), Deed("accepted")
    )


@routes.route("POST", "/decline", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def decline(
    request: Request, act: Act, rules: ByRules, keys: IdentityKeys, form: SeveralReasonForm
) -> HTMLResponse:
    """Leaves with who offered it what was offered."""
    results = await _each(act, rules, form, deciding.decline(act.user, form.reason))
    return await _answer(request, act, keys, results, Deed("declined"))


@routes.route("POST", "/notes", action=Action.ALERT_HANDLE, kind=Kind.UPDATE)
async def note(
    request: Request, act: Act, rules: ByRules, keys: IdentityKeys, form: SeveralNoteForm
) -> HTMLResponse:
    """Writes down what was found or done."""
    return await _answer(
        request, act, keys, await _each(act, rules, form, deciding.note(act.user, form.text)), Deed("noted")
    )


@routes.route("POST", "/ask", action=Action.ESCALATION_ASK, kind=Kind.CREATE)
async def ask(request: Request, act: Act, rules: ByRules, keys: IdentityKeys, form: AskForm) -> HTMLResponse:
    """Hands one alert on, or asks a question about it. **Raises**: as the API's route."""
    _, decide = asking.escalate(act.user, form)
    alert = await handle(act, rules, Seen(form.alert_id, form.version), decide)
    return await _answer(request, act, keys, {alert.alert_id: alert}, Deed("asked"))


def _until_us(form: SeveralSnoozeForm, at: Situation) -> int:
    if form.until is not None:
        return to_us(form.until)
    return at.duty.until_us if form.minutes is None else at.now_us + form.minutes * MINUTE_US


async def _each(act: Acting, rules: Rules, form: SeveralForm, decide: Decide) -> Mapping[UUID, Result]:
    seen = {one.alert_id: Seen(one.alert_id, one.version) for one in form.alerts}
    return await handle_each(act, rules, list(seen.values()), decide)


async def _answer(
    request: Request, act: Acting, keys: Keys, results: Mapping[UUID, Result], deed: Deed
) -> HTMLResponse:
    """Says what was done, with a way back; what was not done stands where errors stand, each with its why."""
    t = speaker_of(request)
    done = [one for one in results.values() if isinstance(one, Alert)]
    failed = {key: one for key, one in results.items() if not isinstance(one, Alert)}
    said = await _said(act, keys, done, deed, t) if done else None
    acted = {"alerts": [_as_it_is(alert, act) for alert in done]}
    if not failed:
        return happened(HTMLResponse(""), changed=True, said=said, acted=acted)
    response = render(
        "worklist/refused.html.j2",
        status=200 if done else _status(list(failed.values())),
        t=t,
        done=None if said is None else said["text"],
        refusals=await _refusals(act, keys, failed, t),
    )
    response.headers.update({"HX-Retarget": "#said", "HX-Reswap": "innerHTML"})
    return happened(response, changed=True, acted=acted)


def _as_it_is(alert: Alert, act: Acting) -> dict[str, object]:
    """As a row has it, so that the next key is about this version; no offer of just now is over."""
    deeds = "" if alert.state is AlertState.RESOLVED else "".join(deeds_of(alert, act.user, 0))
    return {"id": str(alert.alert_id), "v": alert.version, "can": deeds}


async def _said(act: Acting, keys: Keys, done: Sequence[Alert], deed: Deed, t: Speaker) -> dict[str, object]:
    patients = list(dict.fromkeys(alert.patient_id for alert in done))
    who = t("worklist.said.patients", n=len(patients))
    if len(patients) == 1:
        found = await identities(act.connection, keys, patients=patients)
        who = t("worklist.said.one_patient")
        if patients[0] in found:
            who = isolated(listed_name(found[patients[0]]))
    said: dict[str, object] = {"text": t.of("worklist.said", deed.name).format(who=who)}
    if deed.undo is not None:
        values: dict[str, str] = {}
        for place, alert in enumerate(done):
            values[f"alerts.{place}.alert_id"] = str(alert.alert_id)
            values[f"alerts.{place}.version:number"] = str(alert.version)
        said["undo"] = {"address": f"{ADDRESS}/{deed.undo}", "values": values}
    return said


async def _refusals(
    act: Acting, keys: Keys, failed: Mapping[UUID, BadInput | NotThere | Outdated], t: Speaker
) -> list[tuple[str, str, str]]:
    """Of each alert that nothing was done with: whose, about what, and why not."""
    known = await signals_of(act.connection, list(failed))
    named = await identities(act.connection, keys, patients=list({who for who, _ in known.values()}))
    refusals: list[tuple[str, str, str]] = []
    for alert_id, error in failed.items():
        patient_id, signal = known.get(alert_id, (None, None))
        identity = None if patient_id is None else named.get(patient_id)
        name = t("worklist.no_name") if identity is None else listed_name(identity)
        about = "" if signal is None else SIGNALS[signal].said(t.language)
        refusals.append((name, about, why_not(error, act.user.person_id, t)))
    return refusals


def why_not(error: BadInput | NotThere | Outdated, me: UUID, t: Speaker) -> str:
    """Why something was not done with an alert, as a nurse would say it."""
    if isinstance(error, NotThere):
        return t("worklist.why_not.not_there")
    if isinstance(error, BadInput):
        known = error.where in {"until", "by", "person_id", "to.role", "outcome"}
        return t(f"worklist.why_not.{error.where.replace('.', '_') if known else 'other'}")
    now = error.now or {}
    owner = cast("dict[str, str | None] | None", now.get("owner"))
    name = None if owner is None or owner["name"] is None else isolated(owner["name"])
    if now.get("state") == AlertState.RESOLVED:
        return t("worklist.why_not.resolved", name=name or t("worklist.by_itself"))
    if owner is None:
        return t("worklist.why_not.nobodys")
    if owner["person_id"] == str(me):
        return t("worklist.why_not.mine")
    return t("worklist.why_not.others", name=name or "?")


def _status(errors: Sequence[BadInput | NotThere | Outdated]) -> int:
    if any(isinstance(one, Outdated) for one in errors):
        return 409
    return 404 if all(isinstance(one, NotThere) for one in errors) else 422
