"""Versions of programmes, how many patients each has, and moving patients to the newest."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from alerting.console.frame import frame_of, happened, page, render
from ingest.acting import Acting
from ingest.gateway.register import IdentityKeys
from ingest.gateway.routes import Act, Routes
from ingest.register import acts
from ingest.register.forms import ChangeForm, Form, MoveForm, PatientChange
from models.access import Action
from models.audit import Kind
from models.clock import wall_now_us
from models.db import administration
from models.db.identity import identities
from models.db.programmes import catalogue
from models.errors import BadInput, NotAllowed, NotThere, Outdated
from models.identity import Keys
from models.programmes import Offered

routes = Routes("/console/administration/programmes", "console")
MOST_AT_ONCE = 100


class SeenPatient(Form):
    """One of several patients, and the version of the registration in which they were seen."""

    patient_id: UUID
    version: Annotated[int, Field(ge=1)]


class MoveSeveralForm(Form):
    """Who moves to the newest version of a programme."""

    patients: Annotated[tuple[SeenPatient, ...], Field(min_length=1, max_length=MOST_AT_ONCE)]


@routes.route("GET", "", action=Action.DIRECTORY_READ, kind=Kind.READ)
async def programmes(request: Request, act: Act) -> HTMLResponse:
    """Each programme with its versions, its limits, and how many patients are in it."""
    counts = await administration.count_enrolled(act.connection)
    found = sorted(await catalogue(act.connection), key=lambda one: (one.programme, -one.version))
    offered = {(one.programme, one.version) for one in found}
    return await page(
        request,
        act,
        "administration/programmes.html.j2",
        programmes=found,
        counts=counts,
        newest={
            one.programme: max(o.version for o in found if o.programme == one.programme) for one in found
        },
        gone=sorted(key for key in counts if key not in offered),
    )


@routes.route("GET", "/{programme}", action=Action.PATIENT_CHANGE, kind=Kind.READ)
async def behind(request: Request, act: Act, keys: IdentityKeys, programme: str) -> HTMLResponse:
    """The patients of one's own who are in an older version."""
    return await page(
        request, act, "administration/moving.html.j2", moved=[], failed=[],
        **await _behind(act, keys, programme),
    )  # fmt: skip


@routes.route("POST", "/{programme}/move", action=Action.PATIENT_CHANGE, kind=Kind.UPDATE)
async def move(
    request: Request, act: Act, keys: IdentityKeys, programme: str, form: MoveSeveralForm
) -> HTMLResponse:
    """Moves patients to the newest version; whom it does not fit stays, and it says why."""
    moved: list[UUID] = []
    failed: list[tuple[UUID, str]] = []
    change = PatientChange(move=MoveForm(programme=programme))
    for one in form.patients:
        try:
            await act.require(one.patient_id)
            async with act.connection.transaction():
                await acts.change_patient(
                    act, keys, one.patient_id, ChangeForm(version=one.version, change=change), wall_now_us()
                )
        except (BadInput, NotAllowed, Outdated) as error:
            failed.append((one.patient_id, str(error)))
        else:
            moved.append(one.patient_id)
    act.details = f"{len(moved)} moved to the newest version of {programme}"
    frame = await frame_of(request, act)
    values = await _behind(act, keys, programme)
    response = render(
        "administration/moving_list.html.j2", frame=frame, t=frame.t, moved=moved, failed=failed, **values
    )
    return happened(response, said={"text": frame.t("administration.moved", n=len(moved))})


async def _behind(act: Acting, keys: Keys, programme: str) -> dict[str, Any]:
    newest = _newest([one for one in await catalogue(act.connection) if one.programme == programme])
    found = await administration.enrolled_before(
        act.connection, programme, newest.version, limit=MOST_AT_ONCE
    )
    patients = [one.patient_id for one in found]
    act.touched += [one for one in patients if one not in act.touched]
    return {
        "programme": newest,
        "patients": found,
        "who": await identities(act.connection, keys, patients=patients),
    }


def _newest(offered: list[Offered]) -> Offered:
    if not offered:
        raise NotThere("There is no such programme.")
    return max(offered, key=lambda one: one.version)
