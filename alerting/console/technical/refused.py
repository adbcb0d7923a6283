"""What of the flow concerns patients: refused readings, having them tried again, silent devices."""

from collections.abc import Iterable
from uuid import UUID

from fastapi import Request
from fastapi.responses import HTMLResponse

from alerting.console.frame import frame_of, render
from alerting.console.technical.pages import said
from alerting.console.technical.silence import AT_MOST, LOOKS_BACK_US, silent
from ingest.acting import Acting
from ingest.gateway.register import IdentityKeys
from ingest.gateway.routes import Act, Routes
from ingest.quarantine import acts
from ingest.quarantine.forms import RetryForm
from models.access import POLICY, Action
from models.audit import Kind
from models.columns import Reason
from models.db.devices import devices_of_whom_data_miss
from models.db.identity import identities
from models.db.refused import refusals_waiting
from models.errors import NotThere
from models.identity import Keys

routes = Routes("/console", "console")


@routes.route("GET", "/technical/refused", action=Action.QUARANTINE_READ, kind=Kind.READ)
async def show_refused(
    request: Request, act: Act, keys: IdentityKeys, reason: str = "", retried: bool = False
) -> HTMLResponse:
    """Refused readings of patients whom one may see, the newest first, by reason."""
    wanted = next((one for one in Reason if one.value == reason), None)
    found = await acts.look(act, wanted, retried_too=retried)
    return render(
        "technical/refused.html.j2",
        frame=await frame_of(request, act),
        found=found,
        at_most=acts.SHOWN,
        names=await _names(act, keys, (one.patient_id for one in found)),
        waiting=await refusals_waiting(act.connection),
        reason=None if wanted is None else wanted.value,
        retried=retried,
    )


@routes.route("POST", "/technical/refused/retry", action=Action.QUARANTINE_RETRY, kind=Kind.UPDATE)
async def retry(request: Request, act: Act, form: RetryForm) -> HTMLResponse:
    """Refused readings go to the log once more: one, several, or all that were refused for a reason."""
    number = await acts.try_again(act, form)
    key = "nothing" if number == 0 else "one" if number == 1 else "several"
    return said(request, f"technical.retry.done_{key}", number=number)


@routes.route("GET", "/technical/devices", action=Action.ALERT_READ, kind=Kind.READ)
async def show_devices(request: Request, act: Act, keys: IdentityKeys) -> HTMLResponse:
    """Devices that are silent, of patients about whom data are missing."""
    if act.user.role not in POLICY[Action.TECHNICAL_READ]:
        # More people may read alerts of patients than see to devices.
        raise NotThere("There is no such page for you.")
    frame = await frame_of(request, act)
    lent = await devices_of_whom_data_miss(act.connection, frame.now_us - LOOKS_BACK_US, AT_MOST)
    found = silent(lent, frame.now_us)
    act.touched += list(dict.fromkeys(one.patient_id for one in found))
    return render(
        "technical/devices.html.j2",
        frame=frame,
        found=found,
        names=await _names(act, keys, (one.patient_id for one in found)),
    )


async def _names(act: Acting, keys: Keys, patients: Iterable[UUID]) -> dict[UUID, str]:
    """Names of patients as they are listed: family name first."""
    found = await identities(act.connection, keys, patients=list(dict.fromkeys(patients)))
    return {key: ", ".join(filter(None, (who.family_name, who.given_names))) for key, who in found.items()}
