"""The API with all its routes: those of ingest, and those about alerts."""

import asyncio
from collections.abc import Sequence

from alerting.gateway import alerts, escalations, messages, patients, policies, task, technical
from alerting.worklist.rules import load_rules
from ingest.gateway.app import Pools
from ingest.gateway.configuration import ApiSettings
from ingest.gateway.routes import Routes
from ingest.gateway.service import ROUTES as ROUTES_OF_INGEST
from ingest.gateway.service import Application
from ingest.gateway.service import serve as serve_with
from models.settings import Settings

ROUTES: Sequence[Routes] = (
    alerts.routes,
    escalations.routes,
    technical.routes,
    messages.routes,
    policies.policies,
    policies.rosters,
    task.routes,
    patients.patients,
    patients.apps,
)
"""What alerting adds to the routes of ingest."""


async def serve(settings: Settings, configuration: ApiSettings, stop: asyncio.Event) -> None:
    """Answers until `stop`.

    **Raises**: RefuseToStart, as in ingest; BadFile for policies or rosters that are wrong.
    """
    rules = load_rules(settings)

    async def state(_: Pools) -> dict[str, object]:
        return {"alert_rules": rules}

    application = Application(routes=(*ROUTES_OF_INGEST, *ROUTES), state=state)
    await serve_with(settings, configuration, stop, application)
