"""The alerting service: puts the worker together and runs it until it is told to stop."""

import asyncio
import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from alerting.engine.compiled import CompiledProgrammes, compile_programmes
from alerting.engine.programme_files import PACKAGED, load_folder
from alerting.partition import Partition
from alerting.worker import GROUP, AlertingHandler
from ingest.loop import run
from models import logs
from models.clock import DAY_US
from models.db.pool import connect
from models.messages import Origin
from models.probes import Health, serving
from models.settings import Settings

log = logs.get(__name__)


async def serve(settings: Settings, *, stop: asyncio.Event | None = None) -> None:
    """Runs until `stop` or SIGTERM; the batch in flight is committed before.

    **Raises**: RefuseToStart for settings or programmes that are wrong; Broken where going on makes it worse.
    """
    programmes = compile_programmes(load_folder(settings.programmes or PACKAGED))
    stop = stop or asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # Before joining the group: compiling takes longer than the group waits for a sign of life.
    await asyncio.to_thread(warm_up, programmes)
    pool = await connect(
        settings.postgres_dsn,
        role="thuiswacht_alerting",
        application="thuiswacht alerting",
        max_size=settings.postgres_connections,
    )
    handler = AlertingHandler(pool, programmes, settings.topic, group=settings.consumer_group or GROUP)
    health = Health(stall_after_s=settings.stall_timeout_s)
    names = [f"{version.programme.programme} {version.programme.version}" for version in programmes.by_number]
    log.info("alerting_started", programmes=names, topic=settings.topic)
    try:
        with serving(health, settings.probes_host, settings.probes_port):
            await run(handler, settings, stop=stop, health=health)
    finally:
        await pool.close()
    log.info("alerting_stopped")


@dataclass(frozen=True, slots=True)
class _Message:
    offset: int
    value: bytes


def warm_up(programmes: CompiledProgrammes) -> None:
    """Compiles everything, or loads it compiled, with a little log about a patient who does not exist."""
    partition = Partition(0, programmes, "trial")
    messages = [_Message(place, json.dumps(content).encode()) for place, content in enumerate(_little_log())]
    for message in messages:
        partition.advance([message], "w")


def _little_log() -> Iterator[dict[str, object]]:
    nobody = str(UUID(int=0))
    register = {"register": {"origin": Origin.SIMULATED.value, "organisation_id": nobody}}
    head = {"schema": 1, "patient_id": nobody}
    yield {**head, "type": "change", "change_id": nobody, "valid_from_us": DAY_US, "change": register}
    # Newest first, so that the slow path is compiled as well.
    for taken_us in (3 * DAY_US, 2 * DAY_US):
        reading = {"kind": "body_weight", "value": 80.5, "unit": "kg", "taken_at_us": taken_us}
        yield {
            **head,
            "type": "upload",
            "upload_id": nobody,
            "device_id": "scale",
            "source": "warm-up",
            "sent_at_us": 4 * DAY_US,
            "received_at_us": 4 * DAY_US,
            "readings": [reading],
        }
    yield {"schema": 1, "type": "clock", "now_us": 5 * DAY_US}
