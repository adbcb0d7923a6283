"""What a nurse tells a patient through their app, and through which apps patients are told at all."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from alerting.notify.to_patient import About, PatientText, message_to_patient, require_fitting
from alerting.worklist.forms import PatientAppForm, PatientMessageForm
from ingest.acting import Acting
from models.clock import DAY_US
from models.db import patient_messages as stored
from models.db.installation import purpose
from models.db.patient_messages import App
from models.errors import BadInput, NotThere, Outdated
from models.findings import Severity
from models.reachable import require_allowed
from models.register import Channel

KEEPS_US = DAY_US
"""So long a message to a patient has a use."""


async def tell(act: Acting, patient_id: UUID, form: PatientMessageForm, now_us: int) -> UUID:
    """Puts one message into the outbox; its id. **Raises**: BadInput, NotThere; Outdated where none arrives.

    **Units**: `now_us` in microseconds since 1970 UTC, by the clock that the dispatcher goes by.
    """
    require_fitting(form.text, form.about)
    if form.text is PatientText.MEASURE_AGAIN:
        # It says until when is waited, which the quality gate alone knows.
        raise BadInput(where="text", expected=PatientText.MEASURE_NOW, found=form.text)
    who = await stored.reached(act.connection, patient_id)
    if who is None:
        raise NotThere("There is no such patient.")
    if who.has_ended:
        raise Outdated("The follow-up of this patient has ended: they are told nothing any more.")
    if patient_id not in await stored.apps_of(act.connection, [patient_id], now_us):
        raise Outdated("No app is known through which this patient is told: ring them.")
    facts: dict[str, Any] = {"text": form.text, "by": str(act.user.person_id)}
    if form.about is not None:
        facts["about"] = form.about
    message = message_to_patient(
        uuid4(),
        About(patient_id, act.user.organisation_id, who.origin),
        Severity.MEDIUM,
        facts,
        now_us=now_us,
        deliver_by_us=now_us + KEEPS_US,
    )
    await stored.queue(act.connection, [message])
    act.details = f"message {message.message_id}: {form.text}"
    return message.message_id


async def list_apps(act: Acting) -> Sequence[dict[str, Any]]:
    """All apps that take messages, without their addresses."""
    return [
        {"address_id": one.address_id, "source": one.source, "origin": one.origin}
        for one in await stored.apps(act.connection)
    ]


async def add_app(act: Acting, form: PatientAppForm) -> UUID:
    """From now on patients of this source are told through it. **Raises**: BadInput."""
    own_machine = await purpose(act.connection) == "trial"
    require_allowed(Channel.WEBHOOK, form.address, own_machine=own_machine)
    new = App(uuid4(), form.source, form.address, form.origin)
    await stored.add_app(act.connection, new)
    act.details = f"app {new.address_id} for {form.source}"
    return new.address_id


async def end_app(act: Acting, address_id: UUID) -> None:
    """From now on nobody is told through it. **Raises**: NotThere."""
    await stored.end_app(act.connection, address_id)
    act.details = f"app {address_id} ends"
