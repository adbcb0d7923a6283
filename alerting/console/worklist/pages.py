"""The worklist."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from alerting.console.frame import page
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind

routes = Routes("/console", "console")


@routes.route("GET", "", action=Action.ALERT_READ, kind=Kind.READ)
async def show(request: Request, act: Act) -> HTMLResponse:
    """Open alerts, the most severe first."""
    return await page(request, act, "worklist/page.html.j2")
