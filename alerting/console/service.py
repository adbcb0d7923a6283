"""The console as a service: the login, its rooms, and the live connection beside them."""

import asyncio
from collections.abc import Sequence

from alerting.console import events
from alerting.console.administration import pages as administration
from alerting.console.assets import PATH, make_assets
from alerting.console.errors import answer
from alerting.console.frame import Console
from alerting.console.huisarts import pages as huisarts
from alerting.console.inclusion import devices, proposals
from alerting.console.inclusion import pages as inclusion
from alerting.console.insight import pages as insight
from alerting.console.live import Hub
from alerting.console.patient import deeds, dialogs, listing
from alerting.console.patient import pages as patient
from alerting.console.technical import pages as technical
from alerting.console.technical import refused
from alerting.console.turns import Turns
from alerting.console.worklist import pages as worklist
from alerting.worklist.rules import load_rules
from ingest.gateway.app import Pools
from ingest.gateway.configuration import ApiSettings
from ingest.gateway.routes import Routes
from ingest.gateway.service import Application
from ingest.gateway.service import serve as serve_with
from models.db.installation import purpose
from models.settings import Settings

ROUTES: Sequence[Routes] = (
    events.routes,
    *worklist.ROUTES,
    listing.routes,
    patient.routes,
    dialogs.routes,
    deeds.routes,
    inclusion.routes,
    devices.routes,
    proposals.routes,
    huisarts.routes,
    technical.routes,
    refused.routes,
    insight.routes,
    *administration.ROUTES,
)
HOME = "/console"


async def serve(settings: Settings, configuration: ApiSettings, stop: asyncio.Event) -> None:
    """Answers until `stop`.

    **Raises**: RefuseToStart, as the API; BadFile for policies or rosters that are wrong.
    """
    rules = load_rules(settings)
    hub = Hub(settings)

    async def state(pools: Pools) -> dict[str, object]:
        async with pools.people.connection() as connection:
            return {
                "alert_rules": rules,
                "console": Console(hub, rules, await purpose(connection)),
                "stop": stop,
            }

    async def listen(pools: Pools, until: asyncio.Event) -> None:
        await hub.run(pools.people, until)

    application = Application(
        routes=ROUTES,
        state=state,
        answer=answer,
        home=HOME,
        port=settings.console_port,
        public={PATH: make_assets()},
        around=(Turns,),
        beside=listen,
    )
    await serve_with(settings, configuration, stop, application)
