"""The dispatching service: its probes, what it does side by side, its end."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from alerting import watch
from alerting.escalation import auditor, dispatcher
from alerting.escalation.dispatcher import Ladder
from alerting.escalation.policy_files import load_policies
from alerting.escalation.roster_files import load_rosters
from alerting.escalation.teleconsultation import load_list
from alerting.escalation.versions import of_list, of_policies, of_rosters, require_recorded
from alerting.notify import patient_round, sender
from ingest.service import together, until_told
from models import logs
from models.db.installation import require_migrated
from models.db.pool import Pool, connected
from models.db.positions import require_dispatch_time
from models.errors import TryAgain
from models.probes import Health, serving
from models.settings import Settings
from models.watchdog import watched

log = logs.get(__name__)

Work = Callable[[Pool, Settings, asyncio.Event], Awaitable[None]]
"""What a service does until its event is set; it ends soon after that."""

BESIDE: Sequence[Work] = (sender.run, patient_round.run, watch.run)
"""What else the dispatching service does."""

_TRY_AGAIN_S = 2.0


def load_ladder() -> Ladder:
    """What comes with Thuiswacht. **Raises**: BadFile, with all that is wrong."""
    rosters, questions = load_rosters(), load_list()
    policies = load_policies(rosters=rosters, questions=questions)
    versions = (*of_policies(policies), *of_rosters(rosters), of_list(questions))
    return Ladder(policies, rosters, versions)


async def serve(settings: Settings, ladder: Ladder, *, beside: Sequence[Work] = BESIDE) -> None:
    """Takes what is due, looks after itself, and does what is beside, until SIGTERM or SIGINT.

    **Raises**: RefuseToStart, Broken: whatever waiting does not mend.
    """
    health = Health(needs=("database",), stall_after_s=settings.stall_timeout_s)
    probes = serving(health, settings.probes_host, settings.probes_port)
    with watched(health, settings.stall_exit_s), probes:
        async with connected(
            settings.postgres_dsn,
            role="thuiswacht_dispatch",
            application="thuiswacht-dispatch",
            max_size=settings.postgres_connections,
        ) as pool:
            await until_told(lambda stop: _work(pool, settings, ladder, health, beside, stop))


async def _work(
    pool: Pool,
    settings: Settings,
    ladder: Ladder,
    health: Health,
    beside: Sequence[Work],
    stop: asyncio.Event,
) -> None:
    if not await _require_ready(pool, settings, ladder, health, stop):
        return
    log.info("started", group="dispatch")
    await together(
        stop,
        dispatcher.run(pool, settings, ladder, stop=stop, health=health),
        auditor.run(pool, settings, stop=stop),
        *(work(pool, settings, stop) for work in beside),
    )
    log.info("stopped", group="dispatch")


async def _require_ready(
    pool: Pool, settings: Settings, ladder: Ladder, health: Health, stop: asyncio.Event
) -> bool:
    """Waits for a database that is there and fit; False when told to end before that."""
    while not stop.is_set():
        try:
            async with pool.connection() as connection:
                require_dispatch_time(settings, await require_migrated(connection))
                await require_recorded(connection, ladder.versions)
        except TryAgain as error:
            log.warning("dispatch_waits", why=str(error))
            health.set("database", ok=False, why=str(error))
            health.progress()
        else:
            return True
        try:
            await asyncio.wait_for(stop.wait(), _TRY_AGAIN_S)
        except TimeoutError:
            continue
    return False
