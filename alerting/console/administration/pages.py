"""Administration: one page for each thing, as tabs; those that a role may not see are not shown."""

from collections.abc import Sequence

from fastapi import Request
from fastapi.responses import HTMLResponse

from alerting.console.administration import directory, looks, programmes, rules, systems
from alerting.console.frame import page
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind

routes = Routes("/console/administration", "console")

ROUTES: Sequence[Routes] = (
    routes, directory.routes, systems.routes, programmes.routes, rules.routes, looks.routes,
)  # fmt: skip


@routes.route("GET", "", action=Action.DIRECTORY_READ, kind=Kind.READ)
async def show(request: Request, act: Act) -> HTMLResponse:
    """Organisations, which everybody knows who works here, and what else there is to administer."""
    values = await directory.of_organisations(act)
    return await page(request, act, "administration/organisations.html.j2", **values)
