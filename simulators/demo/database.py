"""What the demo asks the database: how far both groups are, what they stored and found, what is new."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.clock import to_datetime, to_us
from models.db.installation import require_trial
from models.db.live import listening
from models.db.pool import Connection, Pool
from models.db.positions import Position, log_clock_us, read
from models.errors import RefuseToStart
from models.findings import Signal
from simulators.demo.scoring import Found

GROUPS = ("thuiswacht.ingest", "thuiswacht.alerting")


@dataclass(frozen=True, slots=True)
class Stored:
    """Readings in the tables, counted one by one."""

    readings: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class NewAlert:
    """An alert as a nurse would first see it."""

    severity: str
    signal: str
    patient_id: UUID
    opened_at: datetime
    programme: str
    rule: str


@dataclass(frozen=True, slots=True)
class Dispatched:
    """How far the dispatcher is, by its clock: what is due now, and how much it has done."""

    due: int
    done: int


@dataclass(frozen=True, slots=True)
class Handed:
    """What escalations and messages there are: by whom was asked, and by channel and state."""

    asked: Mapping[str, int]
    messages: Mapping[tuple[str, str], int]
    delivered: frozenset[UUID]
    troubles: Mapping[str, int]


class Database:
    """Reads only, as the role that may."""

    def __init__(self, pool: Pool, cluster_id: str, topic: str, partitions: int) -> None:
        self._pool = pool
        self._log = cluster_id, topic
        self._partitions = range(partitions)

    async def require_empty_trial(self) -> None:
        """**Raises**: RefuseToStart on a live database, and on one that has patients already."""
        async with self._pool.connection() as connection:
            await require_trial(connection)
            used = await connection.fetchval(
                "SELECT EXISTS (SELECT FROM patient) OR EXISTS (SELECT FROM registration) "
                "OR EXISTS (SELECT FROM log_position)"
            )
        if used:
            raise RefuseToStart(
                "This trial database has been used. The demo counts everything in its database, so it needs "
                "an empty one."
            )

    async def positions(self) -> dict[str, dict[int, Position]]:
        """How far each group is, by partition; empty for those that have not begun."""
        async with self._pool.connection() as connection:
            return {
                group: await read(connection, group, *self._log, list(self._partitions)) for group in GROUPS
            }

    async def untold(self) -> int:
        """Decisions of the register that the log does not have yet."""
        return int(await self._value("SELECT count(*) FROM register_change WHERE told_at IS NULL"))

    async def waiting(self) -> int:
        """Patients that alerting still has to evaluate again."""
        return int(await self._value("SELECT count(*) FROM reevaluation WHERE done_at IS NULL"))

    async def stored(self) -> Stored:
        """Readings stored and quarantined, by counting the rows."""
        return Stored(
            readings=int(await self._value("SELECT count(*) FROM reading")),
            quarantined=int(await self._value("SELECT coalesce(sum(readings), 0) FROM quarantine")),
        )

    async def findings(self) -> list[tuple[UUID, str, Found]]:
        """Id, programme/rule, and what matters of each finding that was not retracted."""
        async with self._pool.connection() as connection:
            rows = await connection.fetch(
                """
                SELECT finding_id, programme || '/' || rule AS rule, patient_id, signal, opened_at, cleared_at
                FROM finding WHERE NOT retracted
                """
            )
        return [
            (
                row["finding_id"],
                row["rule"],
                Found(
                    patient_id=str(row["patient_id"]),
                    signal=Signal(row["signal"]),
                    opened_at_us=to_us(row["opened_at"]),
                    cleared_at_us=None if row["cleared_at"] is None else to_us(row["cleared_at"]),
                ),
            )
            for row in rows
        ]

    async def alerts_by_severity(self) -> Mapping[str, int]:
        """How many alerts were opened, ever."""
        async with self._pool.connection() as connection:
            rows = await connection.fetch("SELECT severity, count(*) AS n FROM alert GROUP BY severity")
        return {row["severity"]: row["n"] for row in rows}

    async def alerts_retracted(self) -> int:
        """How many of them turned out to have no ground, once late readings had come."""
        return int(await self._value("SELECT count(*) FROM alert WHERE retracted"))

    async def newest_alerts(self, count: int) -> list[NewAlert]:
        """The alerts that were opened last, each with its worst reason."""
        async with self._pool.connection() as connection:
            rows = await connection.fetch(
                """
                SELECT DISTINCT ON (a.created_at, a.alert_id)
                    a.severity, a.signal, a.patient_id, a.opened_at, f.programme, f.rule
                FROM (SELECT * FROM alert ORDER BY created_at DESC, alert_id LIMIT $1) AS a
                JOIN alert_finding AS l USING (patient_id, alert_id)
                JOIN finding AS f USING (patient_id, finding_id)
                ORDER BY
                    a.created_at DESC, a.alert_id, f.severity = 'high' DESC, f.severity = 'medium' DESC
                """,
                count,
            )
        return [NewAlert(*row) for row in rows]

    async def patients_with_open_alerts(self, signal: Signal) -> set[str]:
        """Who has an alert about this that nobody has resolved."""
        async with self._pool.connection() as connection:
            rows = await connection.fetch(
                "SELECT patient_id FROM alert WHERE signal = $1 AND state <> 'resolved'", signal.value
            )
        return {str(row["patient_id"]) for row in rows}

    async def alerts_of(self, alert_ids: Sequence[UUID]) -> list[tuple[UUID, str, str]]:
        """Id, patient and signal of the given alerts."""
        async with self._pool.connection() as connection:
            rows = await connection.fetch(
                "SELECT alert_id, patient_id, signal FROM alert WHERE alert_id = ANY($1::uuid[])",
                list(alert_ids),
            )
        return [(row["alert_id"], str(row["patient_id"]), row["signal"]) for row in rows]

    async def dispatched(self) -> Dispatched:
        """How far the dispatcher is with what is due by the clock of the log."""
        async with self._pool.connection() as connection:
            now_us = await log_clock_us(connection)
            row = await connection.fetchrow(
                """
                SELECT (SELECT count(*) FROM escalation_step WHERE state = 'due' AND due_at <= $1)
                    + (SELECT count(*) FROM message
                        WHERE state IN ('due', 'attempted') AND coalesce(next_attempt_at, due_at) <= $1)
                    AS due,
                    (SELECT count(*) FROM escalation_step WHERE state = 'done')
                    + (SELECT coalesce(sum(attempts), 0) FROM message) AS done
                """,
                to_datetime(now_us or 0),
            )
        return Dispatched(0, 0) if row is None else Dispatched(int(row["due"]), int(row["done"]))

    async def handed(self) -> Handed:
        """All escalations and messages."""
        async with self._pool.connection() as connection:
            asked = await connection.fetch("SELECT recipient, count(*) AS n FROM escalation GROUP BY 1")
            messages = await connection.fetch(
                "SELECT channel, state, count(*) AS n FROM message GROUP BY 1, 2"
            )
            delivered = await connection.fetch(
                "SELECT message_id FROM message WHERE delivered_at IS NOT NULL AND channel <> 'worklist'"
            )
            troubles = await connection.fetch(
                "SELECT trouble, count(*) AS n FROM technical_alert WHERE resolved_at IS NULL GROUP BY 1"
            )
        return Handed(
            {row["recipient"]: row["n"] for row in asked},
            {(row["channel"], row["state"]): row["n"] for row in messages},
            frozenset(row["message_id"] for row in delivered),
            {row["trouble"]: row["n"] for row in troubles},
        )

    def listening(self, hear: Callable[[UUID], None]) -> AbstractAsyncContextManager[Connection]:
        """Within the block, `hear` is called for each alert that changes, as its commit is told."""
        return listening(self._pool, hear)

    async def version(self) -> str:
        """Of Postgres."""
        return str(await self._value("SELECT current_setting('server_version')"))

    async def _value(self, query: str) -> Any:
        async with self._pool.connection() as connection:
            return await connection.fetchval(query)
