"""Tells on the topic of requests what became of measurement requests: each change at least once.

Which are still to be told stands in Postgres, written with the verdict. A message is marked as told after the
broker confirmed it: killed in between, the next elected service tells it again, under the same ids.
"""

import json

from ingest.log import Writer
from models import logs, metrics
from models.db import requests
from models.db.pool import Connection
from models.db.requests import ToPublish
from models.errors import TryAgain
from models.messages import SCHEMA
from models.settings import Settings

log = logs.get(__name__)

AT_ONCE = 500


def message_of(change: ToPublish) -> bytes:
    """The message: what is asked of whom until when, or what became of it; nothing of what was measured.

    `version` counts the changes of a request: of two messages the higher one is the newer, and the same twice
    is one.
    """
    content = {
        "schema": SCHEMA,
        "type": "measurement_request",
        "request_id": str(change.request_id),
        "version": change.version,
        "patient_id": str(change.patient_id),
        "origin": change.origin,
        "kind": change.kind,
        "taken_at_us": change.taken_at_us,
        "due_us": change.due_us,
        "reason": change.reason,
        "status": change.status.value,
    }
    return json.dumps(content, separators=(",", ":")).encode()


class Publisher:
    """Keeps a producer, from the first change to tell on. One service at a time does this, the elected."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._writer: Writer | None = None

    async def publish(self, connection: Connection) -> None:
        """Tells what is to be told; while Kafka is away, it stays to be told and the metrics say so."""
        untold = await requests.to_publish(connection, AT_ONCE)
        if untold:
            try:
                await self._write(untold)
            except TryAgain as error:
                log.warning("requests_not_told", why=str(error), changes=len(untold))
                await self.close()
            else:
                await requests.published(connection, untold)
                metrics.ALERTING_REQUESTS_TOLD.inc(len(untold))
        number, waited_s = await requests.waiting(connection)
        metrics.ALERTING_REQUESTS_UNTOLD.set(number)
        metrics.ALERTING_REQUESTS_WAIT.set(waited_s)

    async def close(self) -> None:
        """Gives the producer up."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.__aexit__()

    async def _write(self, untold: list[ToPublish]) -> None:
        if self._writer is None:
            topic = self._settings.requests_topic
            self._writer = await Writer(self._settings, topic, idempotent=True).__aenter__()
        await self._writer.write_many([(change.patient_id, message_of(change)) for change in untold])
