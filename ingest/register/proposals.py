"""What hospital systems propose is decided by people: accepted, and then done, or declined, and why."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from ingest.acting import Acting
from ingest.register import acts
from ingest.register.forms import (
    ChangeForm,
    EndForm,
    EnrolForm,
    Form,
    MergeForm,
    PatientChange,
    WithdrawForm,
)
from models.access import POLICY, Action
from models.db import hospital, register
from models.db.declared import REFUSED
from models.errors import NotAllowed, NotThere, Outdated
from models.hospital import Proposal, ProposalKind, ProposalState, Proposed
from models.identity import Keys
from models.register import Decided

Version = Annotated[int, Field(ge=1, le=2**31 - 1)]


class AcceptForm(Form):
    """The patient as they were seen by who accepts."""

    version: Version


class MergeAcceptForm(Form):
    """Both registrations as they were seen."""

    version: Version
    into_version: Version


class DeclineForm(Form):
    """Why not."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=1_000)]


async def accept(
    act: Acting, keys: Keys, patient_id: UUID, proposal_id: UUID, form: AcceptForm, now_us: int
) -> tuple[Proposal, int]:
    """Does what was proposed, but for a merge; the proposal, and the patient's new version.

    **Raises**: NotThere, Outdated, BadInput, NotAllowed.
    """
    proposal = await _find(act, patient_id, proposal_id)
    proposed = proposal.proposed
    if proposed.kind is ProposalKind.MERGE:
        raise NotThere("Registrations are merged by who may do that.")
    await _decide(act, proposal, ProposalState.ACCEPTED)
    if proposed.kind is ProposalKind.ALIVE:
        version = await _free_number(act, keys, patient_id, form.version, now_us)
    else:
        change = ChangeForm(version=form.version, change=_change(proposed))
        version = await acts.change_patient(act, keys, patient_id, change, now_us)
    act.details = f"proposal accepted: {proposed.kind}"
    return proposal, version


async def accept_merge(
    act: Acting, keys: Keys, patient_id: UUID, proposal_id: UUID, form: MergeAcceptForm, now_us: int
) -> Proposal:
    """Merges two registrations, as was proposed. **Raises**: as `accept`."""
    proposal = await _find(act, patient_id, proposal_id)
    into = proposal.proposed.into
    if into is None:
        raise NotThere("No merge was proposed here.")
    await _decide(act, proposal, ProposalState.ACCEPTED)
    merge = MergeForm(version=form.version, into=into, into_version=form.into_version)
    await acts.merge_patients(act, keys, patient_id, merge, now_us)
    act.details = "proposal accepted: merge"
    return proposal


async def decline(act: Acting, patient_id: UUID, proposal_id: UUID, form: DeclineForm) -> Proposal:
    """It is not done; of the same word it is not proposed again. **Raises**: as `accept`."""
    proposal = await _find(act, patient_id, proposal_id)
    if proposal.proposed.kind is ProposalKind.MERGE and act.user.role not in POLICY[Action.PATIENT_MERGE]:
        raise NotAllowed(REFUSED)
    act.reason = form.reason
    await _decide(act, proposal, ProposalState.DECLINED, form.reason)
    act.details = f"proposal declined: {proposal.proposed.kind}"
    return proposal


async def _find(act: Acting, patient_id: UUID, proposal_id: UUID) -> Proposal:
    found = await hospital.find_proposal(act.connection, patient_id, proposal_id)
    if found is None:
        raise NotThere("There is no such proposal.")
    return found


async def _decide(act: Acting, proposal: Proposal, state: ProposalState, reason: str | None = None) -> None:
    decided = await hospital.decide_proposal(act.connection, proposal, state, act.user.person_id, reason)
    if not decided:
        raise Outdated("Somebody decided this before, or the hospital took it back: look again.")


def _change(proposed: Proposed) -> PatientChange:
    match proposed.kind, proposed.programme:
        case ProposalKind.ENROL, str(programme):
            return PatientChange(enrol=EnrolForm(programme=programme))
        case ProposalKind.WITHDRAW, str(programme):
            return PatientChange(withdraw=WithdrawForm(programme=programme))
        case _:
            return PatientChange(end=EndForm(reason="died"))


async def _free_number(act: Acting, keys: Keys, patient_id: UUID, version: int, now_us: int) -> int:
    """Who is alive after all may be included anew: the follow-up that ended stays as it is."""
    await register.move_version(act.connection, patient_id, version)
    who = await register.registered(act.connection, patient_id)
    await register.change(act.connection, keys, who, Decided(now_us, frees_number=True), act.user.person_id)
    return who.version
