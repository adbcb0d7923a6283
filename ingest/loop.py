"""Reads the log for a consumer group and hands it on, batch by batch, each exactly once.

The next offset lives in Postgres, beside what was derived from the messages; Kafka only says which partitions
are ours. One batch is prepared while the one before it is committed, never more. Where the database or the
broker is away, the loop keeps its place in the group, waits, says so, and goes on by itself.
"""
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# aiokafka says its types by halves.

import asyncio
import gc
import time
from collections.abc import Mapping
from typing import Any, TypeAlias

from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from ingest.batches import awaited, bounded
from ingest.handler import Handler, Prepared
from ingest.log import Log, consumer_of, log_of, where_the_log_ends
from models import logs, metrics
from models.errors import Broken, NotMine, TryAgain
from models.probes import Health
from models.settings import Settings

log = logs.get(__name__)

KafkaRecord: TypeAlias = "ConsumerRecord[bytes, bytes]"

POLL_S = 0.5
IDLE_EVERY_S = 1.0
BROKER_SILENT_S = 5.0
COLLECT_EVERY_S = 10.0
OUTAGE_AFTER_S = 1.0
STOP_GRACE_S = 10.0
"""How long the end of the service waits for a batch in flight; afterwards the next start does it again."""


async def run(handler: Handler[Prepared], settings: Settings, *, stop: asyncio.Event, health: Health) -> None:
    """Reads the log until `stop`; then commits the batch in flight and leaves the group.

    **Raises**: RefuseToStart, Broken: whatever waiting does not mend.
    """
    # The collector takes up to half of the time of decoding and finds nothing: batches have no cycles.
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        while not stop.is_set():
            health.progress()
            try:
                where = await log_of(settings)
                _say_back(handler.group, health, "broker")
                await _Reader(handler, settings, where, stop, health).read()
            except (TryAgain, KafkaError, OSError) as error:
                why = (
                    str(error) if isinstance(error, TryAgain) else f"Kafka is away ({type(error).__name__})."
                )
                _say_away(handler.group, health, "broker", why)
                await _pause(stop, 1.0)
    finally:
        gc.enable()
        gc.unfreeze()


class _Reader(ConsumerRebalanceListener):
    """One membership of the group, from joining to leaving it."""

    def __init__(
        self,
        handler: Handler[Any],
        settings: Settings,
        where: Log,
        stop: asyncio.Event,
        health: Health,
    ) -> None:
        self.handler = handler
        self.group = handler.group
        self.settings = settings
        self.where = where
        self.stop = stop
        self.health = health
        self.consumer = consumer_of(settings, handler.group)
        # What the group has given us. `deal` counts: what was prepared in an earlier deal is dropped.
        self.dealt: tuple[int, ...] = ()
        self.deal = 0
        self.is_new_deal = False
        self.fault: Broken | None = None
        # What the handler holds, and of that what is in use, each with the offset to prepare next.
        self.held: tuple[int, ...] = ()
        self.next_offset: dict[int, int] = {}
        self.polling: asyncio.Task[dict[TopicPartition, list[KafkaRecord]]] | None = None
        # `moves` counts how often we said from where to read. What a poll took before the last move may lie
        # beyond what is awaited now, with a gap in between.
        self.moves = self.polling_since = 0
        self.asking: asyncio.Task[Mapping[int, int]] | None = None
        self.committing: asyncio.Task[None] | None = None
        self.round_at_s = self.heard_at_s = self.collected_at_s = time.monotonic()

    # What Kafka calls. An exception that leaves these is logged by aiokafka and forgotten.

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Keeps the new partitions still until it is known from where to read.

        Not a coroutine, so that nothing happens in between. Each gets a position of ours at once, or aiokafka
        would look for one and hand out records from there.
        """
        self.fault = Broken("Kafka dealt partitions that could not be taken over; see the log above.")
        self.consumer.pause(*assigned)
        for partition in assigned:
            self.consumer.seek(partition, 0)
        self.moves += 1
        self.dealt = tuple(sorted(partition.partition for partition in assigned))
        self._deal_anew()
        self.fault = None

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride]  (may be a coroutine)
        self, revoked: set[TopicPartition]
    ) -> None:
        """Lets a commit in flight end, so that the next owner need not do it again; for a while only."""
        self.dealt = ()
        self._deal_anew()
        if revoked:
            log.info("partitions_revoked", group=self.group, partitions=_numbers(revoked))
        if self.committing is not None:
            await asyncio.wait([self.committing], timeout=self.settings.session_timeout_ms / 2000)

    def _deal_anew(self) -> None:
        self.next_offset = {}
        self.deal += 1
        self.is_new_deal = True
        metrics.LOG_ASSIGNED.labels(self.group).set(0)
        # Or two workers would tell of the same partition, one of them what was long ago.
        metrics.LOG_LAG.clear()
        metrics.LOG_CLOCK.clear()
        self.health.set("assignment", False, "the group deals its partitions anew")

    # The loop.

    async def read(self) -> None:
        """Joins the group, reads until the end, leaves it. **Raises**: as `run`, and KafkaError."""
        try:
            await self.consumer.start()
            self.consumer.subscribe([self.settings.topic], listener=self)
            while not self.stop.is_set():
                await self._go_round()
            await self._settle(STOP_GRACE_S)
        finally:
            self._deal_anew()
            await _cancel(self.polling)
            await _cancel(self.asking)
            await _cancel(self.committing)
            await self.handler.dropped(self.held)
            await self._leave()

    async def _go_round(self) -> None:
        self.health.progress()
        if self.fault is not None:
            raise self.fault
        if self.is_new_deal:
            await self._take_over()
        for batch in bounded(await self._poll(), self.settings.batch_max_bytes):
            await self._process(batch)
        if time.monotonic() - self.round_at_s >= IDLE_EVERY_S:
            self.round_at_s = time.monotonic()
            await self._do_the_rest()

    async def _take_over(self) -> None:
        """Goes on with what the group has given us, from where the database says."""
        deal, self.is_new_deal = self.deal, False
        await self._settle()
        await self.handler.dropped(self.held)
        self.held = self.dealt
        offsets = await self._offsets(deal)
        if offsets is None or deal != self.deal:
            return
        self.next_offset = dict(offsets)
        self._resume()
        self.health.set("assignment", True)
        metrics.LOG_ASSIGNED.labels(self.group).set(len(offsets))
        metrics.LOG_REBALANCES.labels(self.group).inc()
        log.info("partitions_taken", group=self.group, partitions=sorted(offsets))

    async def _offsets(self, deal: int) -> Mapping[int, int] | None:
        """From where to read what we hold; None when the group deals anew, or we end, before we know."""
        self.health.begin("taking partitions over")
        try:
            return await self._found_offsets(deal)
        finally:
            self.health.finish("taking partitions over")

    async def _found_offsets(self, deal: int) -> Mapping[int, int] | None:
        while deal == self.deal and not self.stop.is_set():
            if not self.held:
                return {}
            try:
                offsets = await self._ask(deal)
            except TryAgain as error:
                self._database_away(error)
                await self._poll()
                await _pause(self.stop, error.after_s)
            else:
                if offsets is not None:
                    self._database_back()
                return offsets
        return None

    async def _ask(self, deal: int) -> Mapping[int, int] | None:
        """Has the handler build its state, which may take long; None where that is not wanted any more."""
        self.asking = asyncio.create_task(self._assigned())
        await asyncio.wait([self.asking], timeout=OUTAGE_AFTER_S)
        while not self.asking.done() and deal == self.deal and not self.stop.is_set():
            await self._keep_our_place(self.asking)
        asked, self.asking = self.asking, None
        if asked.done():
            return await asked
        await _cancel(asked)
        return None

    async def _assigned(self) -> Mapping[int, int]:
        where = self.where
        return await self.handler.assigned(where.cluster_id, self.held, where.partition_count)

    async def _keep_our_place(self, waiting_for: "asyncio.Task[Any]") -> None:
        """A moment of waiting, with a poll: a member that does not poll is thrown out.

        What still arrives is read again afterwards.
        """
        self.health.progress()
        await self._poll()
        await asyncio.wait([waiting_for], timeout=POLL_S)

    async def _poll(self) -> dict[int, list[KafkaRecord]]:
        """What has arrived. A poll is never cut off, for what it took would be lost: it goes on next time."""
        if self.polling is None:
            self.polling = asyncio.create_task(self._get_many())
            self.polling_since = self.moves
        done, _ = await asyncio.wait([self.polling], timeout=2 * POLL_S)
        if not done:
            return {}
        polled, self.polling = self.polling, None
        is_stale = self.polling_since != self.moves
        try:
            found = await polled
        except OffsetOutOfRangeError as error:
            if not is_stale:
                raise Broken(await where_the_log_ends(self.consumer, self.group, error)) from error
            found = {}
        if found:
            self.health.finish("messages that do not arrive")
            self._heard_the_broker()
        if is_stale:
            # It may have moved on from where we said since.
            self._seek()
            return {}
        return {partition.partition: records for partition, records in found.items()}

    async def _get_many(self) -> dict[TopicPartition, list[KafkaRecord]]:
        return await self.consumer.getmany(
            timeout_ms=int(POLL_S * 1000), max_records=self.settings.batch_max_records
        )

    async def _process(self, batch: dict[int, list[KafkaRecord]]) -> None:
        """Prepares a batch, and leaves it to be committed once the one before it is."""
        deal = self.deal
        mine = awaited(batch, self.next_offset)
        if not mine:
            return
        count = sum(map(len, mine.values()))
        metrics.LOG_BATCH_RECORDS.labels(self.group).observe(count)
        with metrics.LOG_PREPARE.labels(self.group).time():
            prepared = await asyncio.to_thread(self.handler.prepare, mine)
        if deal == self.deal:
            self.next_offset |= {partition: records[-1].offset + 1 for partition, records in mine.items()}
        await self._settle()
        if deal == self.deal:
            self.committing = asyncio.create_task(self._commit(prepared, deal, count))

    async def _commit(self, prepared: object, deal: int, count: int) -> None:
        """Commits a batch, however long the database is away, as long as its partitions are ours."""
        self.health.begin("a batch")
        try:
            await self._commit_at_last(prepared, deal, count)
        finally:
            self.health.finish("a batch")

    async def _commit_at_last(self, prepared: object, deal: int, count: int) -> None:
        while deal == self.deal:
            try:
                with metrics.LOG_COMMIT.labels(self.group).time():
                    await self.handler.commit(prepared)
            except TryAgain as error:
                self._database_away(error)
                if self.stop.is_set():
                    log.warning("batch_left_for_the_next_start", group=self.group, records=count)
                    return
                await _pause(self.stop, error.after_s)
            else:
                self._database_back()
                metrics.LOG_RECORDS.labels(self.group).inc(count)
                return

    async def _settle(self, grace_s: float | None = None) -> None:
        """Waits until nothing is being committed; when that takes long, keeps our place in the group."""
        if self.committing is None:
            return
        done, _ = await asyncio.wait([self.committing], timeout=grace_s or OUTAGE_AFTER_S)
        if not done and grace_s is None:
            await self._wait_out(self.committing)
        elif not done:
            log.warning("batch_left_for_the_next_start", group=self.group)
            return
        committed, self.committing = self.committing, None
        try:
            await committed
        except NotMine as error:
            await self._lose(error)

    async def _wait_out(self, committing: "asyncio.Task[None]") -> None:
        self.consumer.pause(*self._in_use())
        while not committing.done():
            await self._keep_our_place(committing)
        self._resume()

    async def _lose(self, error: NotMine) -> None:
        """Takes everything over anew: what was prepared stands on a batch that does not count."""
        log.warning("partitions_lost", group=self.group, partitions=list(error.partitions), why=str(error))
        metrics.LOG_LOST.labels(self.group).inc(len(error.partitions))
        self.consumer.pause(*self._in_use())
        self._deal_anew()
        # Who has them needs a moment to hear that they are still ours, if they are.
        await _pause(self.stop, 1.0)

    def _resume(self) -> None:
        self.moves += 1
        self._seek()
        self.consumer.resume(*self._in_use())

    def _seek(self) -> None:
        for partition in self._in_use():
            self.consumer.seek(partition, self.next_offset[partition.partition])

    def _in_use(self) -> list[TopicPartition]:
        return [TopicPartition(self.settings.topic, partition) for partition in self.next_offset]

    # What is done about every second.

    async def _do_the_rest(self) -> None:
        await self._settle()
        try:
            await self.handler.idle()
        except TryAgain as error:
            self._database_away(error)
        except NotMine as error:
            await self._lose(error)
        else:
            self._database_back()
        for partition in self._in_use():
            newest = self.consumer.highwater(partition)
            if newest is not None:
                lag = newest - self.next_offset[partition.partition]
                metrics.LOG_LAG.labels(self.group, str(partition.partition)).set(lag)
        now_s = time.monotonic()
        if now_s - self.collected_at_s > COLLECT_EVERY_S:
            self.collected_at_s = now_s
            gc.collect()
        if now_s - self.heard_at_s > BROKER_SILENT_S:
            await self._listen_for_the_broker()

    async def _listen_for_the_broker(self) -> None:
        """Whether the broker answers when no message comes; and whether none comes because there is none."""
        # Its types are said by halves.
        consumer: Any = self.consumer
        try:
            await asyncio.wait_for(consumer.topics(), BROKER_SILENT_S)
            ends = await asyncio.wait_for(self._ends(), BROKER_SILENT_S)
            waiting = [tp for tp, end in ends.items() if end > await consumer.position(tp)]
        except (KafkaError, TimeoutError, OSError) as error:
            _say_away(self.group, self.health, "broker", f"Kafka is away ({type(error).__name__}).")
        else:
            if waiting:
                self.health.begin("messages that do not arrive")
            else:
                self.health.finish("messages that do not arrive")
            self._heard_the_broker()

    async def _ends(self) -> Mapping[TopicPartition, int]:
        in_use = self._in_use()
        consumer: Any = self.consumer
        return await consumer.end_offsets(in_use) if in_use else {}

    def _heard_the_broker(self) -> None:
        self.heard_at_s = time.monotonic()
        _say_back(self.group, self.health, "broker")

    def _database_away(self, error: TryAgain) -> None:
        _say_away(self.group, self.health, "database", str(error), is_there=not error.is_away)

    def _database_back(self) -> None:
        _say_back(self.group, self.health, "database")

    async def _leave(self) -> None:
        try:
            await asyncio.wait_for(self.consumer.stop(), STOP_GRACE_S)
        except TimeoutError:
            log.warning("group_not_left", group=self.group)
        self.health.set("assignment", False, "not in the group")


def _numbers(partitions: set[TopicPartition]) -> list[int]:
    return sorted(partition.partition for partition in partitions)


def _say_away(group: str, health: Health, what: str, why: str, *, is_there: bool = False) -> None:
    health.set(what, False, why)
    if not is_there:
        health.moved()
    metrics.LOG_AWAY.labels(group, what).set(1)
    metrics.LOG_RETRIES.labels(group, what).inc()
    log.warning("away", group=group, what=what, why=why)


def _say_back(group: str, health: Health, what: str) -> None:
    health.set(what, True)
    metrics.LOG_AWAY.labels(group, what).set(0)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Waits, unless the service is to end."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def _cancel(task: "asyncio.Task[Any] | None") -> None:
    if task is not None:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("given_up", why=logs.describe(error))
