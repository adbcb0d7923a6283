"""What a patient has at home: handed out, last heard of, taken back; a page, and a dialog for other rooms."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from alerting.console.frame import Frame, frame_of, happened, render
from ingest.acting import Acting
from ingest.gateway.register import IdentityKeys
from ingest.gateway.routes import Act, Routes
from ingest.register import acts
from ingest.register.forms import ChangeForm, DeviceForm, Form, ReturnForm, filled_in
from models.access import Action
from models.audit import Kind
from models.clock import wall_now_us
from models.db.devices import last_heard
from models.db.identity import identities
from models.db.register import devices_of, registered
from models.identity import Keys

routes = Routes("/console", "console")
_DEVICES = "/patients/{patient_id}/devices"


class DevicesForm(Form):
    """A device that is handed out or comes back, of a patient as they were seen in `version`."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    hand_out: DeviceForm | None = None
    take_back: ReturnForm | None = None


@routes.route("GET", _DEVICES, action=Action.PATIENT_READ, kind=Kind.READ, patient="patient_id")
async def show(request: Request, act: Act, keys: IdentityKeys, patient_id: UUID) -> HTMLResponse:
    """All devices, those at home first, and the form to hand out another."""
    frame = await frame_of(request, act)
    return render("inclusion/devices.html.j2", **await _shown(frame, act, keys, patient_id))


@routes.route("GET", f"{_DEVICES}/dialog", action=Action.PATIENT_READ, kind=Kind.READ, patient="patient_id")
async def show_dialog(request: Request, act: Act, keys: IdentityKeys, patient_id: UUID) -> HTMLResponse:
    """The form alone, for `#dialog-content`."""
    frame = await frame_of(request, act)
    return render("inclusion/devices_dialog.html.j2", **await _shown(frame, act, keys, patient_id))


@routes.route("POST", _DEVICES, action=Action.PATIENT_CHANGE, kind=Kind.UPDATE, patient="patient_id")
async def change(
    request: Request, act: Act, keys: IdentityKeys, patient_id: UUID, form: DevicesForm
) -> HTMLResponse:
    """Hand one out, or take one back; 409 when somebody changed the patient meanwhile."""
    asked = form.model_dump(exclude={"version"}, exclude_none=True)
    version = await acts.change_patient(
        act,
        keys,
        patient_id,
        filled_in(ChangeForm, {"version": form.version, "change": asked}),
        wall_now_us(),
    )
    frame = await frame_of(request, act)
    shown = await _shown(frame, act, keys, patient_id)
    response = render("inclusion/devices_list.html.j2", **shown)
    said = _said(frame, form, version, f"/console/patients/{patient_id}/devices")
    return happened(response, said=said, changed=True, **{"close-dialog": True})


async def _shown(frame: Frame, act: Acting, keys: Keys, patient_id: UUID) -> dict[str, Any]:
    """What the page shows. **Raises**: NotAllowed."""
    who = await registered(act.connection, patient_id)
    persons = await identities(act.connection, keys, patients=[patient_id])
    devices = await devices_of(act.connection, patient_id)
    return {
        "frame": frame,
        "patient_id": patient_id,
        "version": who.version,
        "person": persons.get(patient_id),
        "at_home": [(device, out) for device, out, back in devices if back is None],
        "returned": [(device, out, back) for device, out, back in reversed(devices) if back is not None],
        "heard": await last_heard(act.connection, patient_id, frame.now_us),
    }


def _said(frame: Frame, form: DevicesForm, version: int, address: str) -> dict[str, Any]:
    """What happened, and how it is undone."""
    if form.hand_out is not None:
        device_id = form.hand_out.device_id
        back: dict[str, Any] = {"version:number": str(version), "take_back.device_id": device_id}
        text = frame.t("inclusion.devices.handed_out", device=device_id)
        return {"text": text, "undo": {"address": address, "values": back}}
    device_id = "" if form.take_back is None else form.take_back.device_id
    return {"text": frame.t("inclusion.devices.taken_back", device=device_id)}
