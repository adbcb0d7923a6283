"""The log itself: how to reach it, to write into it, and making its topic."""

import asyncio
import ssl
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, Self
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, OffsetOutOfRangeError, TopicAlreadyExistsError, for_code
from aiokafka.helpers import create_ssl_context
from aiokafka.producer.message_accumulator import BatchBuilder

from ingest.keys import key_of, partition_of
from models.endpoints import require_safe_kafka
from models.errors import Broken, TryAgain
from models.settings import Settings

MAX_MESSAGE_BYTES_OF_TOPIC = 16 * 1024 * 1024
"""What the topic takes: more than we read, so that a too large upload reaches quarantine and is not lost."""

WRITE_TIMEOUT_S = 10.0
"""After so long a message counts as not written."""

MAX_POLL_INTERVAL_MS = 300_000
"""A member of a group that does not poll for so long is thrown out of it."""


Headers = Sequence[tuple[str, bytes]]
"""Marks of a message, beside its key and value."""


def connection_options(settings: Settings) -> dict[str, Any]:
    """What consumers, producers and the admin client need to reach the log of these settings.

    **Raises**: RefuseToStart when the address is not a safe one.
    """
    require_safe_kafka(settings.kafka, settings.kafka_security_protocol)
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka,
        "security_protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol == "SASL_SSL":
        options["ssl_context"] = _tls(settings)
    if settings.kafka_security_protocol != "PLAINTEXT":
        password = settings.kafka_sasl_password
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_sasl_username,
            "sasl_plain_password": password.get_secret_value() if password else None,
        }
    return options


class Log(NamedTuple):
    """The cluster that holds the log, for offsets mean something within it alone, and its partitions."""

    cluster_id: str
    partition_count: int


async def cluster_of(settings: Settings) -> str:
    """The id of the cluster that holds the log. **Raises**: as `log_of`."""
    return (await log_of(settings)).cluster_id


async def log_of(settings: Settings) -> Log:
    """Where the log is and how many partitions it has.

    **Raises**: TryAgain while the broker is away or the topic does not exist.
    """
    admin = AIOKafkaAdminClient(**connection_options(settings), request_timeout_ms=10_000)
    try:
        await admin.start()
        cluster: dict[str, Any] = await admin.describe_cluster()
        is_there = settings.topic in await admin.list_topics()
        topics: list[dict[str, Any]] = await admin.describe_topics([settings.topic]) if is_there else []
    except (KafkaError, OSError) as error:
        raise TryAgain(f"Kafka at {settings.kafka} is away ({type(error).__name__}).") from error
    finally:
        await admin.close()
    partition_count = sum(len(topic["partitions"]) for topic in topics)
    if not partition_count:
        raise TryAgain(f"The log has no topic {settings.topic} yet: it has to be made, with its partitions.")
    return Log(str(cluster["cluster_id"]), partition_count)


def consumer_of(settings: Settings, group: str) -> AIOKafkaConsumer:
    """A member of a consumer group, without partitions yet; offsets are the caller's to keep."""
    return AIOKafkaConsumer(
        **connection_options(settings),
        group_id=group,
        group_instance_id=settings.group_instance_id,
        # Where an offset is missing, nobody may guess.
        enable_auto_commit=False,
        auto_offset_reset="none",
        session_timeout_ms=settings.session_timeout_ms,
        max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
        heartbeat_interval_ms=min(3_000, settings.session_timeout_ms // 3),
        fetch_max_bytes=settings.batch_max_bytes,
        max_partition_fetch_bytes=max(1, settings.batch_max_bytes // 4),
        metadata_max_age_ms=30_000,
    )


async def where_the_log_ends(consumer: AIOKafkaConsumer, group: str, error: OffsetOutOfRangeError) -> str:
    """What to tell of a group that wants to read what the log does not hold."""
    asked: dict[TopicPartition, int] = error.args[0]
    # Its types are said by halves.
    log: Any = consumer
    first, end = await log.beginning_offsets(list(asked)), await log.end_offsets(list(asked))
    places = "; ".join(
        f"partition {tp.partition}: next is {offset}, the log holds {first[tp]} up to {end[tp]}"
        for tp, offset in asked.items()
    )
    topics = ", ".join({tp.topic for tp in asked})
    return (
        f"The topic {topics} does not hold what {group} has to read next ({places}). Either it was made "
        "anew, or messages were deleted before they were read. Nothing was skipped: bring the log back, or "
        "begin a new database with it."
    )


class Ends:
    """Knows where the log ends now. Belongs to no group and reads nothing."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer = AIOKafkaConsumer(**connection_options(settings), enable_auto_commit=False)

    async def __aenter__(self) -> Self:
        with _reaching(self._settings):
            try:
                await asyncio.wait_for(self._consumer.start(), WRITE_TIMEOUT_S)
            except (KafkaError, OSError):
                await self._consumer.stop()
                raise
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(self._consumer.stop(), WRITE_TIMEOUT_S)

    async def end_of(self, partition: int) -> int:
        """The offset that the next message of a partition will get. **Raises**: TryAgain."""
        place = TopicPartition(self._settings.topic, partition)
        # Its types are said by halves.
        consumer: Any = self._consumer
        with _reaching(self._settings):
            found: dict[TopicPartition, int] = await consumer.end_offsets([place])
        return found[place]


class Placed(NamedTuple):
    """Where a message stands in the log."""

    partition: int
    offset: int


class Writer:
    """Writes messages into given partitions of the log, or of another topic, acknowledged by all replicas.

    With `idempotent`, what is sent again because an answer was lost is in the topic once, and in order; but
    then nothing is ever given up: it may get into the topic long after whoever sent it was told that it did
    not. `timeout_s`: after so long it is; so much is sent at once to a partition as `batch_bytes` says.
    """

    def __init__(
        self,
        settings: Settings,
        topic: str | None = None,
        *,
        idempotent: bool = False,
        timeout_s: float = WRITE_TIMEOUT_S,
        batch_bytes: int = 16_384,
    ) -> None:
        self._settings = settings
        self._topic = topic or settings.topic
        self._producer = AIOKafkaProducer(
            **connection_options(settings),
            acks="all",
            max_request_size=MAX_MESSAGE_BYTES_OF_TOPIC,
            max_batch_size=batch_bytes,
            request_timeout_ms=int(timeout_s * 1000),
            enable_idempotence=idempotent,
        )
        self.partitions: tuple[int, ...] = ()

    async def __aenter__(self) -> Self:
        with _reaching(self._settings):
            try:
                await asyncio.wait_for(self._producer.start(), WRITE_TIMEOUT_S)
                found = await asyncio.wait_for(self._producer.partitions_for(self._topic), WRITE_TIMEOUT_S)
            except (KafkaError, OSError):
                await self._producer.stop()
                raise
        self.partitions = tuple(sorted(found))
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await asyncio.wait_for(self._producer.stop(), WRITE_TIMEOUT_S)
        except (KafkaError, TimeoutError):
            # What was not acknowledged was reported when it was written.
            return

    async def reach(self, deadline_s: float) -> None:
        """Looks whether a broker answers. **Raises**: TryAgain."""
        with _reaching(self._settings):
            async with asyncio.timeout(deadline_s):
                if not await self._producer.client.force_metadata_update():
                    raise TryAgain(f"Kafka at {self._settings.kafka} does not answer.")

    async def write_to_all(self, value: bytes) -> None:
        """Writes one message, without a key, into every partition.

        **Raises**: TryAgain when that is not acknowledged in time; some may have it then.
        """
        await self._write([(partition, None, value) for partition in self.partitions])

    async def write(self, patient_id: UUID | str, *values: bytes) -> None:
        """Writes messages about one patient, in this order. **Raises**: as `write_to_all`."""
        key = key_of(patient_id)
        partition = partition_of(patient_id, len(self.partitions))
        await self._write([(partition, key, value) for value in values])

    async def write_many(self, messages: Sequence[tuple[UUID, bytes]]) -> None:
        """Writes messages about several patients, in this order. **Raises**: as `write_to_all`."""
        count = len(self.partitions)
        await self._write([(partition_of(who, count), key_of(who), value) for who, value in messages])

    async def write_marked(self, messages: Sequence[tuple[UUID, bytes, tuple[str, bytes]]]) -> None:
        """Writes messages about several patients, each with a header. **Raises**: as `write_to_all`."""
        count = len(self.partitions)
        await self._write(
            [(partition_of(who, count), key_of(who), value) for who, value, _ in messages],
            [[header] for _, _, header in messages],
        )

    def partition_of(self, patient_id: UUID) -> int:
        """Where messages about a patient go."""
        return partition_of(patient_id, len(self.partitions))

    async def place(
        self, messages: Sequence[tuple[UUID, bytes, Headers]], *, together: bool = False
    ) -> list[Placed]:
        """Writes messages about patients and tells where they stand; `together`: all or none of them.

        What is written together is one record batch of one partition, which a broker takes whole or not. How
        long that may take is for the caller to say, with `asyncio.timeout`: nobody waits here for less.

        **Raises**: TryAgain when the broker does not take it; it may get into the log all the same, also of
        what was cancelled.
        """
        count = len(self.partitions)
        placed = [(partition_of(who, count), key_of(who), value, marks) for who, value, marks in messages]
        with _reaching(self._settings):
            if together and len(placed) > 1:
                return await self._place_together(placed)
            return await self._place(placed)

    async def _place(self, messages: Sequence[tuple[int, bytes, bytes, Headers]]) -> list[Placed]:
        producer: Any = self._producer
        sent: list[asyncio.Future[Any]] = []
        try:
            for partition, key, value, marks in messages:
                sent.append(await producer.send(self._topic, value, key, partition, headers=marks))
            return [Placed((found := await one).partition, found.offset) for one in sent]
        finally:
            for one in sent:
                one.cancel()

    async def _place_together(self, messages: Sequence[tuple[int, bytes, bytes, Headers]]) -> list[Placed]:
        (partition,) = {partition for partition, *_ in messages}
        batch = BatchBuilder(MAX_MESSAGE_BYTES_OF_TOPIC, 0)
        for _, key, value, marks in messages:
            if batch.append(timestamp=None, key=key, value=value, headers=marks) is None:
                raise Broken("Messages that are to be written together are more than a topic takes at once.")
        batch.close()
        producer: Any = self._producer
        sent = await producer.send_batch(batch, self._topic, partition=partition)
        first: int = (await sent).offset
        return [Placed(partition, first + number) for number in range(len(messages))]

    async def _write(
        self,
        messages: Sequence[tuple[int, bytes | None, bytes]],
        headers: Sequence[Headers] | None = None,
    ) -> None:
        topic = self._topic
        with _reaching(self._settings):
            # Left alone, sending waits for ever while the broker is away.
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                sent: list[Any] = [
                    await self._producer.send(topic, value, key, partition, headers=marks)
                    for (partition, key, value), marks in zip(
                        messages, headers or [()] * len(messages), strict=True
                    )
                ]
                await asyncio.gather(*sent)


@contextmanager
def _reaching(settings: Settings) -> Generator[None]:
    try:
        yield
    except (KafkaError, OSError) as error:
        raise TryAgain(f"Kafka at {settings.kafka} is away ({type(error).__name__}).") from error


async def create_topic(
    bootstrap: str,
    topic: str,
    partitions: int,
    *,
    replication: int = 1,
    options: Mapping[str, Any] | None = None,
) -> bool:
    """Makes the topic of a log; False where it is there already, with as many partitions.

    `options` are those of `connection_options`, for brokers that want to know who asks.
    **Raises**: Broken when it is there with another number of partitions, for then patients would move
    between partitions; TryAgain when the broker is away.
    """
    reach: dict[str, Any] = {"bootstrap_servers": bootstrap, **(options or {})}
    admin = AIOKafkaAdminClient(**reach)
    new = NewTopic(
        topic,
        partitions,
        replication,
        topic_configs={"retention.ms": "-1", "max.message.bytes": str(MAX_MESSAGE_BYTES_OF_TOPIC)},
    )
    try:
        await admin.start()
        answer: Any = await admin.create_topics([new])
        error = for_code(answer.topic_errors[0][1])
        if error is TopicAlreadyExistsError:
            described: list[dict[str, Any]] = await admin.describe_topics([topic])
            _require_partitions(topic, partitions, len(described[0]["partitions"]))
            return False
        if answer.topic_errors[0][1]:
            raise error
    except (KafkaError, OSError) as error:
        raise TryAgain(f"The topic {topic} could not be made ({type(error).__name__}).") from error
    finally:
        await admin.close()
    return True


def _require_partitions(topic: str, wanted: int, found: int) -> None:
    if found != wanted:
        raise Broken(
            f"The topic {topic} exists with {found} partitions, {wanted} were asked for; the number of "
            "partitions of a log never changes. Use another topic."
        )


def _tls(settings: Settings) -> ssl.SSLContext:
    ca_file = settings.kafka_ca_file
    context: ssl.SSLContext = create_ssl_context(cafile=str(ca_file) if ca_file else None)
    return context
