"""The alerting worker: reads the log, evaluates the rules, keeps findings and alerts, each message once.

Its state is a cache. What counts is in Postgres: how far it has come, beside everything that followed.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter

from alerting.booking import book, count
from alerting.engine.compiled import CompiledProgrammes
from alerting.escalation.choice import closing_by
from alerting.escalation.policy import Policies
from alerting.ledger import Ledger
from alerting.owned import Owned, Prepared, asked_again, place, prepare, ready
from alerting.partition import Partition, Version
from alerting.rebuild import evaluate_again, restore
from alerting.versions import offer, require_recorded, use
from ingest.decode import Record
from models import logs, metrics
from models.clock import SECOND_US, wall_now_us
from models.db import positions, reevaluations, tombstones
from models.db.alerts import count_open
from models.db.history import require_stored_by
from models.db.installation import Purpose, require_migrated
from models.db.pool import Pool
from models.db.positions import ALERTING_GROUP, Advance, AlreadyAdvanced
from models.db.reevaluations import Reevaluation
from models.findings import Severity
from models.settings import Settings

log = logs.get(__name__)

GROUP = ALERTING_GROUP
REBUILDS_AT_ONCE = 20
COUNT_EVERY_S = 15.0


class AlertingHandler:
    """What `ingest.loop` does with the log for this group."""

    def __init__(
        self,
        pool: Pool,
        programmes: CompiledProgrammes,
        policies: Policies,
        settings: Settings,
        *,
        moved: Callable[[], None] = lambda: None,
    ) -> None:
        self.group = settings.consumer_group or GROUP
        self._pool = pool
        self._may_close = closing_by(policies)
        self._programmes = programmes
        self._topic = settings.topic
        self._storing_group = settings.storing_group
        self._cluster_id = ""
        self._purpose: Purpose | None = None
        # To be called while work that takes long gets on.
        self._moved = moved
        self._owned: dict[int, Owned] = {}
        self._may_be_due = True
        self._touched = True
        self._count_at_s = 0.0
        self._versions: set[Version] = set()

    async def assigned(
        self, cluster_id: str, partitions: Sequence[int], partition_count: int
    ) -> Mapping[int, int]:
        """Builds the state of the partitions from the database; from where the log is to be read on.

        **Raises**: RefuseToStart when another group than ours believes has stored them, or a version of a
        programme that patients are in is not what it was.
        """
        self._cluster_id = cluster_id
        async with self._pool.transaction() as connection:
            if self._purpose is None:
                self._purpose = await require_migrated(connection)
            own = await positions.take(connection, self.group, cluster_id, self._topic, partitions)
            stored = await positions.read(
                connection, self._storing_group, cluster_id, self._topic, partitions
            )
            destroyed = await tombstones.latest(connection)
            await require_recorded(connection, self._programmes)
            await offer(connection, self._programmes)
            await require_stored_by(connection, self._storing_group, cluster_id, self._topic, partitions)
        starts: dict[int, int] = {}
        for number in partitions:
            start, clock_us = min(place(own.get(number)), place(stored.get(number)), key=itemgetter(0))
            with metrics.ALERTING_RESTORE.time():
                partition = Partition(number, self._programmes, self._purpose, partition_count)
                where = cluster_id, self._topic
                await restore(self._pool, partition, *where, start, clock_us, moved=self._moved)
            await self._use_versions(partition)
            counts_from = own[number].next_offset
            self._owned[number] = Owned(partition, counts_from, counts_from, counts_from, destroyed=destroyed)
            starts[number] = start
            log.info(
                "partition_restored",
                partition=number,
                patients=len(partition),
                from_offset=start,
                counts_from=counts_from,
            )
        self._may_be_due = True
        return starts

    def prepare(self, records: Mapping[int, Sequence[Record]]) -> Prepared:
        """Evaluates a batch; what an earlier owner has stored already only brings the state forward."""
        return prepare(self._owned, records)

    async def commit(self, prepared: Prepared) -> None:
        """Writes what a batch means, and how far it brings us, in one transaction."""
        if not prepared:
            return
        stretches = [stretch for part in prepared for stretch in part.evaluated.stretches]
        new = {version for part in prepared for version in part.evaluated.versions} - self._versions
        try:
            async with self._pool.transaction() as connection:
                await positions.advance(
                    connection,
                    self.group,
                    self._cluster_id,
                    self._topic,
                    [part.advance for part in prepared],
                )
                await tombstones.require_none_newer(
                    connection, {part.advance.partition: part.owned.destroyed for part in prepared}
                )
                await use(connection, self._programmes, new)
                ledger = await book(connection, stretches, self._may_close)
                asked = asked_again(prepared, ledger.contradictions)
                if asked:
                    await reevaluations.ask(connection, self._cluster_id, self._topic, asked)
        except AlreadyAdvanced:
            ledger, asked = Ledger.of((), (), ()), []
            self._may_be_due = True
        self._versions |= new
        self._touched = True
        self._may_be_due = self._may_be_due or bool(asked)
        for part in prepared:
            part.owned.committed = part.advance.to_offset
        _count(self.group, prepared, ledger)

    async def dropped(self, partitions: Sequence[int]) -> None:
        """Forgets partitions; the next owner builds their state anew."""
        for number in partitions:
            self._owned.pop(number, None)
            # Their next owner tells now.
            metrics.ALERTING_FINDINGS_OPEN.remove_by_labels({"partition": str(number)})
            metrics.ALERTING_ALERTS_OPEN.remove_by_labels({"partition": str(number)})
        if not self._owned:
            metrics.ALERTING_REBUILDS_DUE.set(0)
            metrics.ALERTING_REBUILDS_WAIT.set(0)

    async def idle(self) -> None:
        """Evaluates patients again who wait for it, a few at a time, or sees if the database is there."""
        settled = {n: o for n, o in self._owned.items() if o.next_offset == o.committed}
        if self._may_be_due and settled:
            await self._work_off(settled)
        elif not self._touched:
            async with self._pool.connection() as connection:
                await require_migrated(connection)
        self._touched = False
        if self._owned and time.monotonic() >= self._count_at_s:
            self._count_at_s = time.monotonic() + COUNT_EVERY_S
            await self._count_open(list(self._owned))

    async def _use_versions(self, partition: Partition) -> None:
        """Those in use from before versions were recorded are recorded now."""
        used = partition.versions() - self._versions
        async with self._pool.transaction() as connection:
            await use(connection, self._programmes, used)
        self._versions |= used

    async def _count_open(self, partitions: Sequence[int]) -> None:
        async with self._pool.connection() as connection:
            findings, alerts = await count_open(connection, self._cluster_id, self._topic, partitions)
            waited_s = await reevaluations.longest_wait_s(
                connection, self._cluster_id, self._topic, partitions
            )
        metrics.ALERTING_REBUILDS_WAIT.set(waited_s)
        for number in partitions:
            metrics.ALERTING_FINDINGS_OPEN.labels(str(number)).set(findings.get(number, 0))
            for severity in Severity:
                gauge = metrics.ALERTING_ALERTS_OPEN.labels(str(number), severity)
                gauge.set(alerts.get((number, severity), 0))

    async def _work_off(self, settled: Mapping[int, Owned]) -> None:
        async with self._pool.connection() as connection:
            due = await reevaluations.due(connection, self._cluster_id, self._topic, list(settled))
            stored = await positions.read(
                connection, self._storing_group, self._cluster_id, self._topic, list(settled)
            )
        metrics.ALERTING_REBUILDS_DUE.set(len(due))
        first = ready(due, settled, stored)[:REBUILDS_AT_ONCE]
        for asked in first:
            await self._evaluate_again(settled[asked.partition], asked)
            self._moved()
        self._may_be_due = len(due) > len(first)

    async def _evaluate_again(self, owned: Owned, asked: Reevaluation) -> None:
        """One patient from the stored readings, as long as nobody moves the partition on meanwhile."""
        here = Advance(asked.partition, owned.committed, owned.committed)
        async with self._pool.transaction() as connection:
            await positions.claim(connection, self.group, self._cluster_id, self._topic, [here])
            await tombstones.require_none_newer(connection, {asked.partition: owned.destroyed})
            stretch = await evaluate_again(connection, owned.partition, asked.patient_id, owned.committed)
            ledger = await book(connection, [] if stretch is None else [stretch], self._may_close)
            await reevaluations.done(connection, self._cluster_id, self._topic, asked)
        metrics.ALERTING_REBUILDS.inc()
        count(ledger)
        log.info(
            "patient_evaluated_again",
            patient_id=str(asked.patient_id),
            partition=asked.partition,
            findings_changed=len(ledger.changes),
        )


def _count(group: str, prepared: Prepared, ledger: Ledger) -> None:
    """The metrics of a committed batch."""
    opened = count(ledger)
    for patient_id, why in ledger.contradictions.items():
        log.error("findings_contradict", patient_id=str(patient_id), why=why)
    received_us = [part.evaluated.received_us for part in prepared]
    for part in prepared:
        evaluated = part.evaluated
        metrics.ALERTING_READINGS.inc(evaluated.readings)
        metrics.ALERTING_REPLAYS.inc(evaluated.replays)
        if evaluated.clock_us is not None:
            labels = (group, str(part.advance.partition))
            metrics.LOG_CLOCK.labels(*labels).set(evaluated.clock_us / SECOND_US)
        for problem in evaluated.problems:
            metrics.ALERTING_PROBLEMS.labels(problem.field.split(".")[0]).inc()
            log.warning(
                "change_not_followed",
                patient_id=str(problem.patient_id),
                field=problem.field,
                expected=problem.expected,
            )
    last_us = max((at_us for at_us in received_us if at_us is not None), default=None)
    if opened and last_us is not None:
        metrics.ALERTING_DELAY.observe(max(0.0, (wall_now_us() - last_us) / SECOND_US))
