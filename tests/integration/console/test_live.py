"""What is committed is told, whatever was told while it was being written."""
# pyright: reportPrivateUsage=false

import asyncio
from uuid import UUID, uuid4

from alerting.console.live import Hub
from models.alerts import ALERTING, Alert, AlertEvent, AlertHappening
from models.clock import wall_now_us
from models.db.alerts import write_alerts
from models.db.pool import Pool, connected
from models.findings import Severity, Signal
from models.messages import Origin
from models.settings import Settings

PLACE = UUID(int=2)


async def test_an_alert_whose_number_was_seen_before_its_commit_is_told_at_its_commit(
    pool: Pool, database: str
) -> None:
    now_us = wall_now_us()
    alert = Alert(uuid4(), uuid4(), PLACE, Signal.FLUID, Severity.HIGH, now_us, Origin.SIMULATED)
    opened = AlertHappening(
        alert.alert_id, alert.patient_id, PLACE, now_us, AlertEvent.OPENED, None, "high", ALERTING, {}
    )
    hub, stop = Hub(Settings()), asyncio.Event()
    async with connected(database, role="thuiswacht_people", application="test", max_size=1) as people:
        following = asyncio.create_task(hub.run(people, stop))
        try:
            async with asyncio.timeout(30):
                async with pool.transaction() as connection:
                    await write_alerts(connection, [alert], [], [opened])
                    while hub._newest < 1:  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                    before = hub.changes
                while hub.changes == before:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        finally:
            stop.set()
            await following
