"""What hospital systems propose: a list of it, and on each patient's page; accepted or declined by people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import Request
from fastapi.responses import HTMLResponse

from alerting.console.frame import Frame, frame_of, happened, render
from alerting.explain.vocabulary import Both
from ingest.acting import Acting
from ingest.gateway.register import IdentityKeys
from ingest.gateway.routes import Act, Routes
from ingest.register import proposals
from ingest.register.proposals import AcceptForm, DeclineForm, MergeAcceptForm
from models.access import Action
from models.audit import Kind
from models.clock import DAY_US, wall_now_us
from models.db.hospital import long_stays, open_proposals
from models.db.identity import identities
from models.db.programmes import catalogue
from models.db.worklist import names_of
from models.errors import NotThere
from models.hospital import Proposal, ProposalKind
from models.identity import Identity, Keys

routes = Routes("/console", "console")
_ONE = "/patients/{patient_id}/proposals/{proposal_id}"
LONG_US = 14 * DAY_US
"""A stay that goes on for so long, without a word, may have been forgotten: it holds alerts back."""
_CLOSES = {"close-dialog": True}


@dataclass(frozen=True, slots=True)
class Shown:
    """A proposal with the names in it: of the patient, the other one, the programme, and who told."""

    proposal: Proposal
    person: Identity | None
    other: Identity | None
    programme: str
    system: str
    organisation: str


@routes.route("GET", "/include/proposals", action=Action.PATIENT_SEARCH, kind=Kind.READ)
async def show_list(request: Request, act: Act, keys: IdentityKeys) -> HTMLResponse:
    """All that is to be decided, the newest first; each patient is on record as seen."""
    frame = await frame_of(request, act)
    shown = await load_shown(act, keys, frame)
    stays = await long_stays(act.connection, frame.wall_us - LONG_US)
    of_stays = list(dict.fromkeys(one.patient_id for one in stays))
    act.touched += [key for key in of_stays if key not in act.touched]
    return render(
        "inclusion/proposals.html.j2",
        frame=frame,
        proposals=shown,
        stays=stays,
        persons=await identities(act.connection, keys, patients=of_stays),
        names=await names_of(act.connection, [key for one in stays for key in (one.told_by, one.by)]),
    )


@routes.route("GET", f"{_ONE}/accept", action=Action.PATIENT_READ, kind=Kind.READ, patient="patient_id")
async def ask_again(
    request: Request, act: Act, keys: IdentityKeys, patient_id: UUID, proposal_id: UUID
) -> HTMLResponse:
    """What accepting comes to, and whether that is meant: for `#dialog-content`."""
    return await _form(request, act, keys, (patient_id, proposal_id), "accept")


@routes.route("GET", f"{_ONE}/decline", action=Action.PATIENT_READ, kind=Kind.READ, patient="patient_id")
async def ask_why_not(
    request: Request, act: Act, keys: IdentityKeys, patient_id: UUID, proposal_id: UUID
) -> HTMLResponse:
    """The form in which somebody says why not: for `#dialog-content`."""
    return await _form(request, act, keys, (patient_id, proposal_id), "decline")


async def _form(request: Request, act: Acting, keys: Keys, key: tuple[UUID, UUID], form: str) -> HTMLResponse:
    frame = await frame_of(request, act)
    patient_id, proposal_id = key
    shown = await load_shown(act, keys, frame, patient_id)
    one = next((one for one in shown if one.proposal.proposal_id == proposal_id), None)
    if one is None or not frame.may(_needed(one.proposal)):
        raise NotThere("There is no such proposal any more: look again.")
    return render("inclusion/proposal_dialog.html.j2", frame=frame, one=one, form=form)


def _needed(proposal: Proposal) -> Action:
    is_merge = proposal.proposed.kind is ProposalKind.MERGE
    return Action.PATIENT_MERGE if is_merge else Action.PATIENT_CHANGE


@routes.route("POST", f"{_ONE}/accept", action=Action.PATIENT_CHANGE, kind=Kind.UPDATE, patient="patient_id")
async def accept(
    request: Request, act: Act, keys: IdentityKeys, patient_id: UUID, proposal_id: UUID, form: AcceptForm
) -> HTMLResponse:
    """It is done; joining a programme can be undone. 409 when somebody was faster."""
    frame = await frame_of(request, act)
    proposal, version = await proposals.accept(act, keys, patient_id, proposal_id, form, wall_now_us())
    said: dict[str, Any] = {"text": frame.t.of("inclusion.proposals.accepted", proposal.proposed.kind)}
    programme = proposal.proposed.programme
    if proposal.proposed.kind is ProposalKind.ENROL and programme is not None:
        undo = {"version:number": str(version), "change.withdraw.programme": programme}
        said["undo"] = {"address": f"/console/patients/{patient_id}/changes", "values": undo}
    return happened(HTMLResponse(""), said=said, changed=True, **_CLOSES)


@routes.route("POST", f"{_ONE}/merge", action=Action.PATIENT_MERGE, kind=Kind.UPDATE, patient="patient_id")
async def merge(
    request: Request, act: Act, keys: IdentityKeys, patient_id: UUID, proposal_id: UUID, form: MergeAcceptForm
) -> HTMLResponse:
    """Two registrations become one."""
    frame = await frame_of(request, act)
    await proposals.accept_merge(act, keys, patient_id, proposal_id, form, wall_now_us())
    said = {"text": frame.t("inclusion.proposals.accepted.merge")}
    return happened(HTMLResponse(""), said=said, changed=True, **_CLOSES)


@routes.route("POST", f"{_ONE}/decline", action=Action.PATIENT_CHANGE, kind=Kind.UPDATE, patient="patient_id")
async def decline(
    request: Request, act: Act, patient_id: UUID, proposal_id: UUID, form: DeclineForm
) -> HTMLResponse:
    """It is not done, and why."""
    frame = await frame_of(request, act)
    await proposals.decline(act, patient_id, proposal_id, form)
    said = {"text": frame.t("inclusion.proposals.declined")}
    return happened(HTMLResponse(""), said=said, changed=True, **_CLOSES)


async def load_shown(act: Acting, keys: Keys, frame: Frame, patient_id: UUID | None = None) -> list[Shown]:
    """What is to be decided, of one patient or of all, with the names in it; whose they are, is on record."""
    connection = act.connection
    found = await open_proposals(connection, patient_id)
    if not found:
        return []
    act.touched += [key for key in _patients_of(found) if key not in act.touched]
    persons = await identities(connection, keys, patients=_patients_of(found))
    names = await names_of(connection, [key for one in found for key in (one.told_by, one.by)])
    titles = {
        one.programme: Both(one.dutch, one.english).said(frame.language)
        for one in await catalogue(connection)
    }
    return [_shown(one, persons, names, titles) for one in found]


def _patients_of(found: Sequence[Proposal]) -> list[UUID]:
    ids = (key for one in found for key in (one.patient_id, one.proposed.into) if key is not None)
    return list(dict.fromkeys(ids))


def _shown(
    proposal: Proposal,
    persons: Mapping[UUID, Identity],
    names: Mapping[UUID, str],
    titles: Mapping[str, str],
) -> Shown:
    into, programme = proposal.proposed.into, proposal.proposed.programme or ""
    return Shown(
        proposal=proposal,
        person=persons.get(proposal.patient_id),
        other=None if into is None else persons.get(into),
        programme=titles.get(programme, programme),
        system=names.get(proposal.by, "?"),
        organisation=names.get(proposal.told_by, "?"),
    )
