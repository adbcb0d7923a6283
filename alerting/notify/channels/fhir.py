"""FHIR R4: escalations as a transaction, POSTed to the base of a recipient's FHIR server.

Signed by the scheme of the webhooks, so that a receiver knows whose it is without a token service of its own.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from alerting.notify.answers import receipt_of
from alerting.notify.channels import (
    Correspondent,
    Delivered,
    Finish,
    Later,
    Note,
    Outgoing,
    Receipt,
    Refused,
)
from alerting.notify.channels.webhook import signed
from alerting.notify.fhir.handed import Handed, Named, Written
from alerting.notify.fhir.observations import wanted_readings
from alerting.notify.fhir.transaction import transaction
from alerting.notify.https import Https, NotReached
from models import logs
from models.clock import SECOND_US, wall_now_us
from models.db.evidence import findings_of, readings_at
from models.db.pool import Connection
from models.db.worklist import names_of
from models.escalations import Channel

log = logs.get(__name__)

FHIR_JSON = "application/fhir+json"
_PRECONDITION_FAILED = 412
_ISSUES = frozenset({
    "invalid", "structure", "required", "value", "invariant", "security", "login", "forbidden", "processing",
    "not-supported", "duplicate", "multiple-matches", "not-found", "too-long", "code-invalid",
    "business-rule", "conflict", "transient", "lock-error", "exception", "timeout", "throttled",
})  # fmt: skip

Draw = Callable[[], Awaitable[Written]]
"""Writes a letter whose facts were read, when nobody waits for the connection any more."""
Letters = Callable[[Connection, Note], Awaitable[Draw]]
"""Reads the letter of a message."""


class FhirTransactions:
    """Posts transactions. `keys` as for webhooks; `public_url` is where Tasks come back, if we have one."""

    name = Channel.FHIR
    addressed = True

    def __init__(
        self,
        https: Https,
        keys: Sequence[bytes],
        letters: Letters,
        *,
        release: str,
        public_url: str | None = None,
        clock: Callable[[], int] = wall_now_us,
    ) -> None:
        self._https = https
        self._keys = tuple(keys)
        self._letters = letters
        self._release = release
        self._answers_at = None if public_url is None else f"{public_url}/fhir/Task"
        self._clock = clock

    async def compose(self, connection: Connection, note: Note) -> Refused | Finish:
        """The Bundle, with what holds now."""
        if note.to is None:
            return Refused("nobody to send it to")
        facts = await self._facts(connection, note, note.to)
        draw = await self._letters(connection, note)

        async def finish() -> bytes:
            bundle = transaction(facts(written=await draw()))
            return json.dumps(bundle, ensure_ascii=False, separators=(",", ":")).encode()

        return finish

    async def send(self, outgoing: Outgoing) -> Receipt:
        """Posts one copy; delivered is only what the server says that it carried out."""
        if outgoing.address is None:
            return Refused("no address")
        message_id = str(outgoing.note.message.message_id)
        at_s = self._clock() // SECOND_US
        headers = {
            "content-type": f"{FHIR_JSON}; charset=utf-8",
            "accept": FHIR_JSON,
            "prefer": "return=minimal",
            "x-request-id": message_id,
            **signed(self._keys, outgoing.address.address_id, message_id, at_s, outgoing.content),
        }
        try:
            answer = await self._https.post(outgoing.address.address, outgoing.content, headers)
        except NotReached as error:
            return Refused(error.why) if error.for_ever else Later(error.why)
        receipt = receipt_of(answer.status, answer.headers, self._clock())
        if isinstance(receipt, Delivered):
            # A page that says 200 is no transaction: a proxy, a login, another service.
            return receipt if b"transaction-response" in answer.body else Later("no transaction-response")
        log.warning("fhir_refused", message=message_id, status=answer.status, issues=issues_of(answer.body))
        if answer.status == _PRECONDITION_FAILED:
            return Refused(f"http {answer.status}")
        return receipt

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _facts(self, connection: Connection, note: Note, to: Correspondent) -> "partial[Handed]":
        """All that is handed over but the letter, `written`."""
        findings = await findings_of(connection, note.alerts)
        readings = await readings_at(connection, note.message.patient_id, wanted_readings(findings))
        return partial(
            Handed,
            message=note.message,
            alerts=note.alerts,
            escalations=note.escalations,
            findings=tuple(findings),
            readings=tuple(readings),
            sender=_named(note.sender),
            to=_named(to),
            asked_by=await _asked_by(connection, note),
            answers_at=self._answers_at,
            release=self._release,
            now_us=note.now_us,
        )


def issues_of(body: bytes) -> list[str]:
    """The codes of an OperationOutcome; never its words, which may speak of a patient."""
    try:
        issues = json.loads(body)["issue"]
        return [one["code"] for one in issues if one["code"] in _ISSUES][:5]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []


async def _asked_by(connection: Connection, note: Note) -> Named | None:
    person_id = note.escalations[0].asked_by if note.escalations else None
    if person_id is None:
        return None
    return Named(person_id, (await names_of(connection, [person_id])).get(person_id))


def _named(whom: Correspondent) -> Named:
    return Named(whom.organisation_id, whom.name, whom.telephone)
