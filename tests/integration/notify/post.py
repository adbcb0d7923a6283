"""A small post office: organisations with addresses, alerts that were handed over, messages that wait."""

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from alerting.notify.putting import put_messages
from models.access import Role
from models.alerts import Alert, AlertState
from models.clock import to_datetime, to_us
from models.db.alerts import write_alerts
from models.db.escalations import write_escalations
from models.db.outbox import load_message
from models.db.pool import Connection, Pool
from models.escalations import Escalation, Message, Party
from models.messages import Origin
from tests import notes
from tests.notes import CENTRE, CENTRE_NAME, CENTRE_PHONE, HOSPITAL, NOW_US, PRACTICE


@dataclass(slots=True)
class Post:
    """The test's database, as superuser and as the dispatcher has it."""

    admin: Connection
    pool: Pool
    addresses: dict[UUID, UUID] = field(default_factory=dict[UUID, UUID])

    async def begin(self) -> None:
        """A centre that sends, a practice and a hospital that receive; all of them invented."""
        for key, name in ((CENTRE, CENTRE_NAME), (PRACTICE, "Praktijk Duinoord"), (HOSPITAL, "Ziekenhuis")):
            await self.organisation(key, name)
        await self.address(CENTRE, "phone", CENTRE_PHONE)

    async def organisation(self, key: UUID, name: str, origin: Origin = Origin.SIMULATED) -> None:
        await self.admin.execute(
            "INSERT INTO organisation VALUES ($1, $2, 'hospital', $3)", key, name, origin
        )

    async def address(self, organisation_id: UUID, channel: str, address: str) -> UUID:
        key = uuid4()
        await self.admin.execute(
            """
            INSERT INTO message_address (address_id, organisation_id, channel, address)
            VALUES ($1, $2, $3, $4)
            """,
            key, organisation_id, channel, address,
        )  # fmt: skip
        return key

    async def patient(self, origin: Origin = Origin.SIMULATED) -> UUID:
        key = uuid4()
        await self.admin.execute(
            "INSERT INTO patient VALUES ($1, $2, $3, NULL, NULL, 'nl', 'c', 't', 0, 0, now())",
            key,
            CENTRE,
            origin,
        )
        return key

    async def hand_over(
        self,
        patient_id: UUID | None = None,
        *,
        to: UUID = PRACTICE,
        signal: str | None = None,
        **changes: Any,
    ) -> Message:
        """A new alert of a patient is handed over; `changes` are those of its message.

        Returns the message that waits for that, perhaps an earlier one.
        """
        origin: Origin = changes.get("origin", Origin.SIMULATED)
        patient_id = patient_id or await self.patient(origin)
        made = notes.alert(patient_id=patient_id, origin=origin)
        alert = made if signal is None else replace(made, signal=signal)
        escalation = notes.escalation(alert, to=Party(Role.HUISARTS, to))
        message = notes.message(escalation, number=None, **{"severity": alert.severity, **changes})
        return await self.put(message, alert, escalation)

    async def put(self, message: Message, alert: Alert, escalation: Escalation | None = None) -> Message:
        async with self.pool.transaction() as connection:
            await write_alerts(connection, [alert], [], [])
            if escalation is not None:
                await write_escalations(connection, [escalation])
            [put] = await put_messages(connection, [message])
        return put

    async def now(self, message: Message) -> Message:
        """The message as it is now."""
        found = await load_message(self.admin, message.message_id)
        assert found is not None
        return found

    async def next_attempt_us(self, message: Message) -> int | None:
        at = await self.admin.fetchval(
            "SELECT next_attempt_at FROM message WHERE message_id = $1", message.message_id
        )
        return None if at is None else to_us(at)

    async def all_messages(self) -> list[Message]:
        ids = await self.admin.fetch("SELECT message_id FROM message ORDER BY to_id, number")
        return [found for row in ids if (found := await load_message(self.admin, row[0])) is not None]

    async def escalation_delivered_us(self, message: Message) -> int | None:
        at = await self.admin.fetchval(
            "SELECT delivered_at FROM escalation WHERE escalation_id = $1", message.escalation_id
        )
        return None if at is None else to_us(at)

    async def resolve(self, message: Message) -> None:
        """All alerts of a message are resolved meanwhile."""
        for alert_id in message.alerts:
            await self.admin.execute(
                "UPDATE alert SET state = $2, resolved_at = $3, outcome = 'expected' WHERE alert_id = $1",
                alert_id, AlertState.RESOLVED, to_datetime(NOW_US),
            )  # fmt: skip

    async def trouble(self) -> list[tuple[str, str]]:
        """What somebody has to look at: which trouble, about what."""
        rows = await self.admin.fetch(
            "SELECT trouble, subject, details FROM technical_alert ORDER BY opened_at"
        )
        return [(row["trouble"], row["subject"]) for row in rows]
