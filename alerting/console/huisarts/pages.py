"""What was asked of an organisation: a list, one escalation with its letter, what somebody does with it."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import HTMLResponse

from alerting.console.frame import ByConsole, Console, Frame, frame_of, happened, page, render
from alerting.console.huisarts.asked import Row, dialled, ids_of, lists_of, row_of
from alerting.console.huisarts.letters import letter_of, table_of
from alerting.console.programmes import programmes_of
from alerting.notify.body import link_of
from alerting.notify.letter.composing import compose
from alerting.notify.letter.pdf import render_pdf
from alerting.worklist import answering
from alerting.worklist.forms import AnswerForm, ReasonForm, SeenForm
from alerting.worklist.handling import Decide, Seen, handle
from ingest.acting import Acting
from ingest.gateway.register import IdentityKeys
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind
from models.db.asked import Asked, find_asked, list_asked
from models.db.identity import identities
from models.db.worklist import names_of
from models.errors import NotThere
from models.identity import Identity, Keys

routes = Routes("/console", "console")
_NOT_THERE = "There is no such request, or it was not asked of your organisation."
_ONE = "/huisarts/{escalation_id}"


@routes.route("GET", "/huisarts", action=Action.ESCALATION_ANSWER, kind=Kind.READ)
async def show(request: Request, act: Act, keys: IdentityKeys) -> HTMLResponse:
    """What is open, and what came of the others in the last day."""
    frame = await frame_of(request, act)
    asked = await list_asked(act.connection)
    patients = list(dict.fromkeys(one.escalation.patient_id for one in asked))
    act.touched += patients
    persons = await identities(act.connection, keys, patients=patients)
    names = await names_of(act.connection, ids_of(asked))
    rows = [row_of(one, persons, names, act.user, frame.now_us) for one in asked]
    return render("huisarts/page.html.j2", frame=frame, lists=lists_of(rows))


@routes.route("GET", _ONE, action=Action.ESCALATION_ANSWER, kind=Kind.READ)
async def show_one(
    request: Request, act: Act, keys: IdentityKeys, console: ByConsole, escalation_id: UUID
) -> HTMLResponse:
    """Who asks what, who is responsible meanwhile, and the letter."""
    asked = await _asked(act, escalation_id)
    shown = await _shown(await frame_of(request, act), act, keys, console, asked)
    return render("huisarts/one.html.j2", **shown)


@routes.route("GET", f"{_ONE}/standing", action=Action.ESCALATION_ANSWER, kind=Kind.READ)
async def show_standing(
    request: Request,
    act: Act,
    escalation_id: UUID,
    seen: Annotated[int, Query(ge=1, le=2**31 - 1)] = 1,
) -> HTMLResponse:
    """How it stands, for a page that is open: whether it is still as it was when it was read."""
    asked = await _asked(act, escalation_id)
    frame = await frame_of(request, act)
    row = await _row(frame, act, asked, {})
    return render("huisarts/standing.html.j2", frame=frame, row=row, seen=seen)


@routes.route("GET", f"{_ONE}/letter.pdf", action=Action.ESCALATION_ANSWER, kind=Kind.READ)
async def show_letter(
    request: Request, act: Act, keys: IdentityKeys, console: ByConsole, escalation_id: UUID
) -> Response:
    """The letter as PDF."""
    asked = await _asked(act, escalation_id)
    frame = await frame_of(request, act)
    settings = console.rules.settings
    link = link_of(asked.escalation, settings.public_url)
    letter = await letter_of(act, keys, asked, frame.now_us, programmes_of(settings), link)
    content = await asyncio.to_thread(render_pdf, letter, frame.language)
    named = {"Content-Disposition": 'attachment; filename="thuiswacht.pdf"'}
    return Response(content, media_type="application/pdf", headers=named)


@routes.route("POST", f"{_ONE}/accept", action=Action.ESCALATION_ANSWER, kind=Kind.UPDATE)
async def accept(
    request: Request, act: Act, keys: IdentityKeys, console: ByConsole, escalation_id: UUID, form: SeenForm
) -> HTMLResponse:
    """Take it over, or promise an answer; the page goes on with what there is to do then."""
    asked = await _asked(act, escalation_id)
    await _handle(act, console, asked, form, answering.accept(act.user, escalation_id))
    now = await _asked(act, escalation_id)
    shown = await _shown(await frame_of(request, act), act, keys, console, now)
    return happened(render("huisarts/escalation.html.j2", **shown), changed=True)


@routes.route("POST", f"{_ONE}/answer", action=Action.ESCALATION_ANSWER, kind=Kind.UPDATE)
async def answer(
    request: Request, act: Act, console: ByConsole, escalation_id: UUID, form: AnswerForm
) -> HTMLResponse:
    """Say what one knows or did; it is over then."""
    asked = await _asked(act, escalation_id)
    await _handle(act, console, asked, form, answering.answer(act.user, escalation_id, form))
    response = await page(request, act, "huisarts/done.html.j2", what="answered", asked=asked)
    return happened(response, changed=True)


@routes.route("POST", f"{_ONE}/hand-back", action=Action.ESCALATION_ANSWER, kind=Kind.UPDATE)
async def hand_back(
    request: Request, act: Act, console: ByConsole, escalation_id: UUID, form: ReasonForm
) -> HTMLResponse:
    """Not see to it: the nurses do."""
    asked = await _asked(act, escalation_id)
    await _handle(act, console, asked, form, answering.hand_back(act.user, escalation_id, form))
    response = await page(request, act, "huisarts/done.html.j2", what="handed_back", asked=asked)
    return happened(response, changed=True)


async def _asked(act: Acting, escalation_id: UUID) -> Asked:
    """An escalation to one's own organisation. **Raises**: NotThere, NotAllowed."""
    asked = await find_asked(act.connection, escalation_id)
    if asked is None:
        raise NotThere(_NOT_THERE)
    await act.require(asked.escalation.patient_id)
    return asked


async def _handle(act: Acting, console: Console, asked: Asked, form: SeenForm, decide: Decide) -> None:
    await handle(act, console.rules, Seen(asked.escalation.alert_id, form.version), decide)


async def _row(frame: Frame, act: Acting, asked: Asked, persons: Mapping[UUID, Identity]) -> Row:
    names = await names_of(act.connection, ids_of([asked]))
    return row_of(asked, persons, names, act.user, frame.now_us)


async def _shown(frame: Frame, act: Acting, keys: Keys, console: Console, asked: Asked) -> dict[str, Any]:
    """All that the page of one escalation shows."""
    programmes = programmes_of(console.rules.settings)
    letter = await letter_of(act, keys, asked, frame.now_us, programmes)
    return {
        "frame": frame,
        "row": await _row(frame, act, asked, {}),
        "seen": asked.alert_version,
        "letter": compose(letter, frame.language),
        "tables": [table_of(series, frame.language) for series in letter.series if series.points],
        "telephone": letter.sender.telephone,
        "dialled": dialled(letter.sender.telephone),
    }
