"""To patients, through the app of the vendor with whose devices they measure.

A webhook, signed as all others, with a CommunicationRequest: the vendor knows its patient by our patient id,
and shows the text. Which app it is follows from the patient's newest reading.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from alerting.notify.answers import receipt_of
from alerting.notify.channels import Later, Note, Outgoing, Receipt, Refused
from alerting.notify.channels.fhir import FHIR_JSON
from alerting.notify.channels.webhook import signed
from alerting.notify.fhir.handed import Named
from alerting.notify.fhir.requests_to_patients import communication_request
from alerting.notify.https import Https, NotReached
from alerting.notify.to_patient import PatientText, Ringing, Texts, say
from models.clock import SECOND_US, wall_now_us
from models.db import patient_messages as stored
from models.db.patient_messages import Reached
from models.db.pool import Connection
from models.escalations import Channel
from models.register import OrganisationKind


class ToPatients:
    """Posts what patients read. `keys` as for webhooks."""

    name = Channel.PATIENT
    addressed = False

    def __init__(
        self, https: Https, keys: Sequence[bytes], texts: Texts, *, clock: Callable[[], int] = wall_now_us
    ) -> None:
        self._https = https
        self._keys = tuple(keys)
        self._texts = texts
        self._clock = clock

    async def compose(self, connection: Connection, note: Note) -> bytes | Refused:
        """The request and the app that it goes to; the app is found anew each time."""
        message = note.message
        who = await stored.reached(connection, message.patient_id)
        if who is None or who.has_ended:
            return Refused("the follow-up has ended")
        apps = await stored.apps_of(connection, [message.patient_id], note.now_us)
        app = apps.get(message.patient_id)
        # What is invented never reaches a real app, whatever stands in the message.
        if app is None or message.origin is not app.origin:
            return Refused("no app")
        facts: dict[str, Any] = json.loads(message.body)
        text, kind, until_us = PatientText(facts["text"]), facts.get("about"), facts.get("until_us")
        said = say(
            self._texts.of(who.language),
            text,
            kind=kind,
            until_us=until_us,
            now=_ringing(who, outside=False),
            outside=_ringing(who, outside=True),
            now_us=note.now_us,
        )
        sender = Named(note.sender.organisation_id, note.sender.name)
        request = communication_request(
            message, text, said, sender, kind=kind, until_us=until_us, copy=who.copy
        )
        return json.dumps(
            {"address_id": str(app.address_id), "address": app.address, "request": request},
            ensure_ascii=False,
        ).encode()

    async def send(self, outgoing: Outgoing) -> Receipt:
        """Posts one copy under the id of its message."""
        composed: dict[str, Any] = json.loads(outgoing.content)
        content = json.dumps(composed["request"], ensure_ascii=False, separators=(",", ":")).encode()
        message_id = str(outgoing.note.message.message_id)
        at_s = self._clock() // SECOND_US
        headers = {
            "content-type": f"{FHIR_JSON}; charset=utf-8",
            **signed(self._keys, UUID(composed["address_id"]), message_id, at_s, content),
        }
        try:
            answer = await self._https.post(composed["address"], content, headers)
        except NotReached as error:
            return Refused(error.why) if error.for_ever else Later(error.why)
        return receipt_of(answer.status, answer.headers, self._clock())

    async def close(self) -> None:
        """Nothing is kept open."""


def _ringing(who: Reached, *, outside: bool) -> Ringing | None:
    """By day the organisation that follows the patient; outside hours the post, where one can be rung."""
    for one in who.telephones:
        fits = (
            one.kind == OrganisationKind.OUT_OF_HOURS_POST
            if outside
            else one.organisation_id == who.organisation_id
        )
        if fits:
            return Ringing(one.name, one.phone)
    return None
