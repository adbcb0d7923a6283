"""The shadow's worker: reads the live log as a group of its own, evaluates candidates, keeps what they find.

As the alerting worker, whose state is a cache and whose place in the log stands beside what followed; but it
writes into tables of its own, as a role that can write nowhere else.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from alerting.booking import happened
from alerting.owned import Owned, Prepared, asked_again, place, prepare, ready
from alerting.partition import Found, Partition, Unfollowable
from alerting.rebuild import evaluate_again, restore
from alerting.shadow.booking import Booked, book
from alerting.shadow.candidates import Candidates
from ingest.decode import Record
from ingest.moments import places
from models import logs, metrics
from models.clock import SECOND_US
from models.db import positions, shadows, tombstones
from models.db.history import require_stored_by
from models.db.installation import require_migrated
from models.db.pool import Pool
from models.db.positions import Advance, AlreadyAdvanced, Position
from models.db.reevaluations import Reevaluation
from models.db.shadows import Shadow, Start, Unfit
from models.errors import NotMine, RefuseToStart, TryAgain
from models.settings import Settings

log = logs.get(__name__)

REBUILDS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class From:
    """From where a shadow reads the log. `at_us` None: from where storing is when it begins.

    **Units**: `at_us` in microseconds since 1970 UTC, 0 for the log's beginning. `said`: in the words of who
    asked.
    """

    said: str
    at_us: int | None


class ShadowHandler:
    """What `ingest.loop` does with the log for a shadow."""

    def __init__(
        self,
        pool: Pool,
        candidates: Candidates,
        settings: Settings,
        *,
        group: str,
        begins: From,
        moved: Callable[[], None] = lambda: None,
    ) -> None:
        self.group = group
        self._pool = pool
        self._candidates = candidates
        self._compiled = candidates.compiled()
        self._settings = settings
        self._begins = begins
        # To be called while work that takes long gets on.
        self._moved = moved
        self._cluster_id = ""
        self._owned: dict[int, Owned] = {}
        self._may_be_due = True
        self._is_recorded = False
        # By this series, rules of the dashboard know that this group is a shadow.
        metrics.SHADOW_REBUILDS_DUE.labels(group).set(0)

    async def assigned(
        self, cluster_id: str, partitions: Sequence[int], partition_count: int
    ) -> Mapping[int, int]:
        """Builds the state of the partitions; where the shadow is new, finds what their history holds.

        **Raises**: RefuseToStart when the group runs something else, or was forgotten meanwhile.
        """
        self._cluster_id = cluster_id
        where = cluster_id, self._settings.topic
        async with self._pool.transaction() as connection:
            purpose = await require_migrated(connection)
            await self._require_recorded()
            await require_stored_by(connection, self._settings.storing_group, *where, partitions)
            stored = await positions.read(connection, self._settings.storing_group, *where, partitions)
            destroyed = await tombstones.latest(connection)
        begun = await self._begin(partitions, stored)
        async with self._pool.transaction() as connection:
            own = await positions.take(connection, self.group, *where, partitions)
        return {
            number: await self._take_over(
                Partition(number, self._compiled, purpose, partition_count, hear=self._candidates.hear),
                begun[number],
                own[number],
                stored.get(number),
                destroyed,
            )
            for number in partitions
        }

    def prepare(self, records: Mapping[int, Sequence[Record]]) -> Prepared:
        """Evaluates a batch; what an earlier owner has stored already only brings the state forward."""
        return prepare(self._owned, records)

    async def commit(self, prepared: Prepared) -> None:
        """Writes what a batch means, and how far it brings us, in one transaction."""
        if not prepared:
            return
        where = self.group, self._cluster_id, self._settings.topic
        stretches = [stretch for part in prepared for stretch in part.evaluated.stretches]
        problems = [problem for part in prepared for problem in part.evaluated.problems]
        booked = Booked.of(())
        try:
            async with self._pool.transaction() as connection:
                await positions.advance(connection, *where, [part.advance for part in prepared])
                await tombstones.require_none_newer(
                    connection, {part.advance.partition: part.owned.destroyed for part in prepared}
                )
                booked = await book(connection, self.group, stretches)
                asked = asked_again(prepared, booked.contradictions)
                await shadows.ask(connection, *where, asked)
                await shadows.note_unfit(connection, self.group, _unfit(problems))
                self._may_be_due = self._may_be_due or bool(asked)
        except AlreadyAdvanced:
            self._may_be_due = True
        for part in prepared:
            part.owned.committed = part.advance.to_offset
            if part.evaluated.clock_us is not None:
                labels = (self.group, str(part.advance.partition))
                metrics.LOG_CLOCK.labels(*labels).set(part.evaluated.clock_us / SECOND_US)
        self._tell(booked, problems)

    async def dropped(self, partitions: Sequence[int]) -> None:
        """Forgets partitions; the next owner builds their state anew."""
        for number in partitions:
            self._owned.pop(number, None)
        if not self._owned:
            metrics.SHADOW_REBUILDS_DUE.labels(self.group).set(0)
        self._may_be_due = True

    async def idle(self) -> None:
        """Evaluates patients again who wait for it, a few at a time, or sees if the database is there."""
        settled = {n: o for n, o in self._owned.items() if o.next_offset == o.committed}
        if self._may_be_due and settled:
            await self._work_off(settled)
        else:
            async with self._pool.connection() as connection:
                await require_migrated(connection)

    # Beginning.

    async def _require_recorded(self) -> None:
        """The shadow as it was recorded first, or now."""
        ours = self._candidates
        wanted = Shadow(self.group, ours.content, ours.digest, self._begins.said)
        async with self._pool.transaction() as connection:
            found = (
                await shadows.find(connection, self.group)
                if self._is_recorded
                else await shadows.record(connection, wanted)
            )
        if found is None:
            raise RefuseToStart(f"The shadow {self.group} was forgotten while it ran.")
        self._is_recorded = True
        if found.digest != ours.digest:
            raise RefuseToStart(
                f"The shadow {self.group} runs other candidates ({found.digest[:12]}… then, "
                f"{ours.digest[:12]}… now): what they find may not be mixed. Give this one another name "
                f"(--group), or let the other go: `thuiswacht programme forget-shadow {self.group}`."
            )

    async def _begin(self, partitions: Sequence[int], stored: Mapping[int, Position]) -> Mapping[int, Start]:
        """Where it began in each partition: as recorded, or as asked for.

        **Raises**: TryAgain while storing has not begun, or the broker is away.
        """
        async with self._pool.connection() as connection:
            known = await shadows.starts(connection, self.group)
        new = [number for number in partitions if number not in known]
        for number in new:
            start = await self._first_start(number, stored.get(number))
            async with self._pool.transaction() as connection:
                await shadows.begin(connection, self.group, self._cluster_id, self._settings.topic, start)
        if not new:
            return known
        async with self._pool.connection() as connection:
            return await shadows.starts(connection, self.group)

    async def _first_start(self, number: int, stored: Position | None) -> Start:
        """Never ahead of storing: what is before must be in the database."""
        end, clock_us = place(stored)
        if self._begins.at_us is None:
            return Start(number, end, clock_us, is_built=False)
        async with places(self._settings) as log_places:
            found = await log_places.moment(number, self._begins.at_us, end)
        if found is None:
            return Start(number, end, clock_us, is_built=False)
        return Start(number, found.offset, found.clock_us, is_built=False)

    async def _take_over(
        self, partition: Partition, begun: Start, own: Position, stored: Position | None, destroyed: int
    ) -> int:
        """Builds one partition's state; from where the log is to be read on."""
        number = partition.number
        start, clock_us = min(place(own), place(stored), key=itemgetter(0))
        keep = None
        if not begun.is_built:
            # Nobody moves on before this is done, so that all who try find the same.
            start, clock_us = begun.from_offset, begun.valid_from_us
            keep = self._keeping(number, start, destroyed)
        where = self._cluster_id, self._settings.topic
        try:
            await restore(self._pool, partition, *where, start, clock_us, moved=self._moved, keep=keep)
            if keep is not None:
                async with self._pool.transaction() as connection:
                    await positions.claim(connection, self.group, *where, [Advance(number, start, start)])
                    await shadows.is_built(connection, self.group, number)
        except NotMine as error:
            raise TryAgain(f"Another worker of this shadow was faster: {error}") from error
        counts_from = own.next_offset
        self._owned[number] = Owned(partition, counts_from, counts_from, counts_from, destroyed=destroyed)
        log.info(
            "partition_restored",
            group=self.group,
            partition=number,
            patients=len(partition),
            from_offset=start,
            counts_from=counts_from,
        )
        return start

    def _keeping(self, number: int, start: int, destroyed: int) -> Callable[[Found], Awaitable[None]]:
        """Keeps what building the state up finds, as long as nobody moves the partition on meanwhile."""
        here = Advance(number, start, start)

        async def keep(found: Found) -> None:
            where = self.group, self._cluster_id, self._settings.topic
            async with self._pool.transaction() as connection:
                await positions.claim(connection, *where, [here])
                await tombstones.require_none_newer(connection, {number: destroyed})
                booked = await book(connection, self.group, found.stretches)
                await shadows.note_unfit(connection, self.group, _unfit(found.problems))
            self._tell(booked, found.problems)

        return keep

    # Going on.

    async def _work_off(self, settled: Mapping[int, Owned]) -> None:
        where = self._cluster_id, self._settings.topic
        async with self._pool.connection() as connection:
            due = await shadows.due(connection, self.group, *where, list(settled))
            stored = await positions.read(connection, self._settings.storing_group, *where, list(settled))
        metrics.SHADOW_REBUILDS_DUE.labels(self.group).set(len(due))
        first = ready(due, settled, stored)[:REBUILDS_AT_ONCE]
        for asked in first:
            await self._evaluate_again(settled[asked.partition], asked)
            self._moved()
        self._may_be_due = len(due) > len(first)

    async def _evaluate_again(self, owned: Owned, asked: Reevaluation) -> None:
        """One patient from the stored readings, as long as nobody moves the partition on meanwhile."""
        where = self.group, self._cluster_id, self._settings.topic
        here = Advance(asked.partition, owned.committed, owned.committed)
        async with self._pool.transaction() as connection:
            await positions.claim(connection, *where, [here])
            await tombstones.require_none_newer(connection, {asked.partition: owned.destroyed})
            stretch = await evaluate_again(connection, owned.partition, asked.patient_id, owned.committed)
            booked = await book(connection, self.group, [] if stretch is None else [stretch])
            await shadows.done(connection, *where, asked)
        self._tell(booked, ())

    def _tell(self, booked: Booked, problems: Sequence[Unfollowable]) -> None:
        """The metrics of what was committed, under this group's name."""
        for patient_id, why in booked.contradictions.items():
            log.error("findings_contradict", group=self.group, patient_id=str(patient_id), why=why)
        for change in booked.changes:
            after = change.after
            for event in happened(change):
                labels = (self.group, event, after.programme, after.rule, after.severity)
                metrics.SHADOW_FINDINGS.labels(*labels).inc()
        for problem in problems:
            log.warning(
                "agreed_with_patient_not_in_candidate",
                group=self.group,
                patient_id=str(problem.patient_id),
                field=problem.field,
                expected=problem.expected,
            )


def _unfit(problems: Sequence[Unfollowable]) -> list[Unfit]:
    return [Unfit(p.patient_id, p.organisation_id, p.field, p.expected) for p in problems]
