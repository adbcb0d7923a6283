"""The topic of alerts, for the integration engines of hospitals: the structured body, keyed by patient."""

import asyncio
from uuid import UUID

from alerting.notify.body import written
from alerting.notify.channels import Delivered, Later, Note, Outgoing, Receipt, Refused
from ingest.log import Writer
from models.db.pool import Connection
from models.errors import TryAgain
from models.escalations import Channel
from models.messages import Origin
from models.settings import Settings

SANDBOX_SUFFIX = ".sandbox"
"""Appended to the topic for what is about patients who do not exist: no engine takes them for real."""


class Kafka:
    """Keeps a producer for each topic, from the first message on."""

    name = Channel.KAFKA
    addressed = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._writers: dict[str, Writer] = {}
        self._opening = asyncio.Lock()

    async def compose(self, connection: Connection, note: Note) -> bytes | Refused:  # noqa: ARG002  a channel
        """The documented JSON."""
        return written(note, self._settings.public_url)

    async def send(self, outgoing: Outgoing) -> Receipt:
        """Writes one copy, acknowledged by all replicas."""
        message = outgoing.note.message
        topic = topic_of(self._settings.alerts_topic, message.origin)
        try:
            await self._write(topic, message.patient_id, outgoing.content)
        except TryAgain:
            return Later("kafka is away")
        return Delivered()

    async def close(self) -> None:
        """Gives the producers up."""
        writers, self._writers = list(self._writers.values()), {}
        for writer in writers:
            await writer.__aexit__()

    async def _write(self, topic: str, patient_id: UUID, content: bytes) -> None:
        async with self._opening:
            writer = self._writers.get(topic)
            if writer is None:
                writer = await Writer(self._settings, topic, idempotent=True).__aenter__()
                self._writers[topic] = writer
        try:
            await writer.write(patient_id, content)
        except TryAgain:
            # An idempotent producer that lost count does not come back by itself.
            async with self._opening:
                if self._writers.get(topic) is writer:
                    del self._writers[topic]
                    await writer.__aexit__()
            raise


def topic_of(alerts_topic: str, origin: Origin) -> str:
    """Real patients and invented ones never share a topic.

    >>> topic_of("thuiswacht.alerts", Origin.SIMULATED)
    'thuiswacht.alerts.sandbox'
    """
    return alerts_topic if origin is Origin.REAL else alerts_topic + SANDBOX_SUFFIX
