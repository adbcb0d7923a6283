"""A shadow followed step by step on a real Postgres, without Kafka: what its tests share."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from alerting.engine.programme import Programme
from alerting.shadow.candidates import Candidates
from alerting.shadow.service import begins_at
from alerting.shadow.worker import ShadowHandler
from models.db import shadow_findings
from models.db.pool import Pool
from models.findings import Finding
from models.settings import load_settings
from tests import shipped
from tests.integration.alerting.following import (
    BATCH,
    CLUSTER,
    PARTITION,
    TOPIC,
    Record,
    compared_by,
    findings_of,
    undisturbed,
)

GROUP = "thuiswacht.shadow.test"


def programme(name: str) -> Programme:
    """One of those that come with us."""
    return next(one for one in shipped.programmes() if one.programme == name)


def candidates(*names: str) -> Candidates:
    """As they come with us."""
    return Candidates.of([programme(name) for name in names or ("heart_failure", "hypertension")])


async def begin(
    pool: Pool, of: Candidates | None = None, begins: str = "now", group: str = GROUP
) -> tuple[ShadowHandler, int]:
    """A shadow that has just taken over the partition, and from which offset it wants to read."""
    handler = ShadowHandler(
        pool, of or candidates(), load_settings(topic=TOPIC), group=group, begins=begins_at(begins)
    )
    starts = await handler.assigned(CLUSTER, [PARTITION], 1)
    return handler, starts[PARTITION]


async def shadow(
    pool: Pool, log: Sequence[Record], until: int | None = None, of: Candidates | None = None
) -> ShadowHandler:
    """A new worker of the shadow evaluates the log up to an offset."""
    handler, start = await begin(pool, of)
    for first in range(start, len(log[:until]), BATCH):
        batch = log[first : min(first + BATCH, until or len(log))]
        await handler.commit(handler.prepare({PARTITION: batch}))
    return handler


async def stored(pool: Pool, group: str = GROUP) -> set[Finding]:
    """What the shadow has found, as far as it stands."""
    async with pool.connection() as connection:
        rows = await connection.fetch(
            "SELECT DISTINCT patient_id FROM shadow_finding WHERE consumer_group = $1", group
        )
        since: dict[UUID, int] = {row["patient_id"]: 0 for row in rows}
        found = await shadow_findings.load(connection, group, since)
    return {compared_by(finding) for finding in found if not finding.retracted}


def expected(log: Sequence[Record]) -> set[Finding]:
    """What the log means to the programmes of the candidates."""
    return of_candidates(findings_of(undisturbed(log)))


def of_candidates(findings: Iterable[Finding]) -> set[Finding]:
    """Those of the programmes that the candidates stand for."""
    return {finding for finding in findings if finding.programme in {"heart_failure", "hypertension"}}
