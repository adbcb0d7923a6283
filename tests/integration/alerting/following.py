"""The worker followed step by step on a real Postgres, without Kafka: what its tests share."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from uuid import UUID

from alerting.engine.compiled import CompiledProgrammes
from alerting.escalation.policy_files import load_policies
from alerting.ledger import Ledger
from alerting.partition import Partition
from alerting.worker import AlertingHandler
from ingest.worker import IngestHandler
from models.db.findings import load_findings
from models.db.pool import Pool
from models.findings import Finding
from models.settings import load_settings
from tests import shipped
from tests.integration.alerting.small_log import SmallLog

CLUSTER, TOPIC, PARTITION = "cluster", "topic", 0
BATCH = 150


@dataclass(frozen=True, slots=True)
class Record:
    offset: int
    value: bytes


def small_log(*extra: dict[str, object]) -> list[Record]:
    log = SmallLog(seed=4, patients=12, days=20)
    values = [message.value for message in log.messages()]
    values += [json.dumps(message).encode() for message in extra]
    return [Record(offset, value) for offset, value in enumerate(values)]


async def worker(pool: Pool, compiled: CompiledProgrammes | None = None) -> tuple[AlertingHandler, int]:
    """A worker that has just taken over the partition, and from which offset it wants to read."""
    handler = AlertingHandler(
        pool, compiled or shipped.compiled(), load_policies(), load_settings(topic=TOPIC)
    )
    starts = await handler.assigned(CLUSTER, [PARTITION], 1)
    return handler, starts[PARTITION]


async def follow(
    pool: Pool,
    log: Sequence[Record],
    until: int | None = None,
    compiled: CompiledProgrammes | None = None,
) -> AlertingHandler:
    """A new worker evaluates the log up to an offset."""
    handler, start = await worker(pool, compiled)
    batch_from = start
    while batch_from < len(log[:until]):
        batch = log[batch_from : min(batch_from + BATCH, until or len(log))]
        await handler.commit(handler.prepare({PARTITION: batch}))
        batch_from += len(batch)
    return handler


async def store(
    pool: Pool, log: Sequence[Record], until: int | None = None, group: str | None = None
) -> None:
    """A new worker stores the log up to an offset."""
    handler = IngestHandler(pool, load_settings(topic=TOPIC, consumer_group=group))
    start = (await handler.assigned(CLUSTER, [PARTITION], 1))[PARTITION]
    for batch_from in range(start, len(log[:until]), BATCH):
        batch = log[batch_from : min(batch_from + BATCH, until or len(log))]
        await handler.commit(handler.prepare({PARTITION: batch}))


async def stored_findings(pool: Pool) -> set[Finding]:
    async with pool.connection() as connection:
        patients = await connection.fetch("SELECT DISTINCT patient_id FROM finding")
        findings = await load_findings(connection, {row["patient_id"]: 0 for row in patients})
    return {compared_by(finding) for finding in findings if not finding.retracted}


def compared_by(finding: Finding) -> Finding:
    """What semantics.md calls equal: without what alerts are about, and which readings were there by then.

    A late reading may lie in the window of a finding that it does not change, and that is not opened again.
    """
    opening, raised = (
        tuple(replace(evidence, count=0, readings=()) for evidence in part)
        for part in (finding.opening, finding.raised)
    )
    return replace(finding, quiet=False, opening=opening, raised=raised)


def undisturbed(log: Sequence[Record], compiled: CompiledProgrammes | None = None) -> Ledger:
    """What the log means, evaluated at once in memory."""
    partition = Partition(PARTITION, compiled or shipped.compiled(), "trial", 1)
    ledger = Ledger.of((), (), ())
    ids = (UUID(int=number) for number in count(1))
    for stretch in partition.advance(log, "nonce").stretches:
        ledger.take(stretch, ids)
    return ledger


def findings_of(ledger: Ledger) -> set[Finding]:
    stored = (finding for of_patient in ledger.findings.values() for finding in of_patient.values())
    return {compared_by(finding) for finding in stored if not finding.retracted}
