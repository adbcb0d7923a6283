"""The route by which systems pull what was sent to their organisation: in order, without a gap."""

from typing import Annotated, Any

from fastapi import Query

from alerting.gateway.rules import ByRules
from alerting.notify.pulling import LARGEST_PAGE, PAGE, pull
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind

routes = Routes("/messages", "messages")


@routes.route("GET", "", action=Action.MESSAGES_PULL, kind=Kind.READ)
async def pull_messages(
    act: Act,
    rules: ByRules,
    after: Annotated[int, Query(ge=0, lt=2**63, description="The last number that you have.")] = 0,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = PAGE,
) -> dict[str, Any]:
    """The messages to your organisation after a number; asking for more says that those before arrived.

    Their numbers follow on each other without a gap, up to `newest`: whoever was down can show that nothing
    is missing. What was withdrawn or given up is among them, and says so.
    """
    return await pull(act, rules.settings, after, limit)
