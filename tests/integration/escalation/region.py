"""A small region: organisations of every kind, patients, alerts with their findings."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from models.alerts import Alert, AlertEvent, AlertHappening
from models.clock import to_datetime
from models.db.alerts import Reason, write_alerts
from models.db.findings import write_findings
from models.db.pool import Connection
from models.findings import Finding, Severity, Signal
from models.messages import Origin
from models.register import OrganisationKind

T0_US = 1_795_332_660_000_000


@dataclass(slots=True)
class Region:
    """The test's database, and one organisation of each kind."""

    admin: Connection
    by_kind: dict[OrganisationKind, UUID] = field(default_factory=dict[OrganisationKind, UUID])

    @property
    def centre(self) -> UUID:
        """Whose nurses watch."""
        return self.by_kind[OrganisationKind.MONITORING_CENTRE]

    async def begin(self) -> None:
        """One organisation of each kind, each with an address for secure mail."""
        for kind in OrganisationKind:
            self.by_kind[kind] = await self.organisation(kind, "secure_mail")

    async def organisation(
        self, kind: OrganisationKind, *channels: str, origin: Origin = Origin.SIMULATED
    ) -> UUID:
        """A new one, with an address for each channel."""
        key = uuid4()
        await self.admin.execute("INSERT INTO organisation VALUES ($1, $2, $2, $3)", key, kind, origin)
        for channel in channels:
            await self.address(key, channel)
        return key

    async def address(self, organisation_id: UUID, channel: str, days_ago: int = 0) -> None:
        """An address, used for some days already."""
        await self.admin.execute(
            """
            INSERT INTO message_address (address_id, organisation_id, channel, address, from_at)
            VALUES ($1, $2, $3, $4, now() - $5::interval)
            """,
            uuid4(), organisation_id, channel, f"{channel}@example.nl", timedelta(days=days_ago),
        )  # fmt: skip

    async def patient(
        self,
        *,
        huisarts: UUID | None = None,
        treated_by: tuple[UUID, ...] = (),
        origin: Origin = Origin.SIMULATED,
    ) -> UUID:
        """A new patient of the centre."""
        key = uuid4()
        await self.admin.execute(
            "INSERT INTO patient VALUES ($1, $2, $3, NULL, NULL, 'nl', 'c', 't', 0, 0, now())",
            key, self.centre, origin,
        )  # fmt: skip
        await self.admin.execute(
            "INSERT INTO registration (patient_id, organisation_id, origin) VALUES ($1, $2, $3)",
            key, self.centre, origin,
        )  # fmt: skip
        practice = self.by_kind[OrganisationKind.GP_PRACTICE] if huisarts is None else huisarts
        await self.admin.execute(
            """
            INSERT INTO patient_care (patient_id, organisation_id, version, huisarts_id)
            VALUES ($1, $2, 1, $3)
            """,
            key, self.centre, practice,
        )  # fmt: skip
        for organisation_id in treated_by:
            await self.admin.execute(
                "INSERT INTO treatment_relation (patient_id, organisation_id) VALUES ($1, $2)",
                key, organisation_id,
            )  # fmt: skip
        return key

    async def alert(
        self,
        patient_id: UUID,
        *,
        severity: Severity = Severity.MEDIUM,
        signal: Signal = Signal.FLUID,
        at_us: int = T0_US,
        origin: Origin = Origin.SIMULATED,
    ) -> Alert:
        """A new alert with one finding that holds, as alerting writes it."""
        found = Finding(
            finding_id=uuid4(),
            patient_id=patient_id,
            organisation_id=self.centre,
            log_partition=0,
            programme="heart_failure",
            version=1,
            rule="gain",
            signal=signal,
            severity=severity,
            opened_at_us=at_us,
            opening=(),
            programme_hash="hash",
        )
        alert = Alert(uuid4(), patient_id, self.centre, signal, severity, at_us, origin)
        opened = AlertHappening(
            alert.alert_id, patient_id, self.centre, at_us, AlertEvent.OPENED, None, severity
        )
        await write_findings(self.admin, [found])
        reason = Reason(patient_id, alert.alert_id, found.finding_id, at_us)
        await write_alerts(self.admin, [alert], [reason], [opened])
        return alert

    async def clock(self, at_us: int, *, partition: int = 0, group: str = "thuiswacht.alerting") -> None:
        """How far a group has come, by the log's clock."""
        await self.admin.execute(
            """
            INSERT INTO log_position (consumer_group, cluster_id, topic, partition, clock_us)
            VALUES ($1, 'c', 't', $2, $3)
            ON CONFLICT ON CONSTRAINT log_position_pkey DO UPDATE SET clock_us = excluded.clock_us
            """,
            group, partition, at_us,
        )  # fmt: skip

    async def due_of(self, alert: Alert) -> tuple[int, str] | None:
        """When somebody looks at an alert next, seen from `T0_US`, and why."""
        row = await self.admin.fetchrow(
            "SELECT due_at, why FROM escalation_step WHERE alert_id = $1 AND state = 'due'", alert.alert_id
        )
        if row is None:
            return None
        return (row["due_at"] - to_datetime(T0_US)) // timedelta(microseconds=1), row["why"]
