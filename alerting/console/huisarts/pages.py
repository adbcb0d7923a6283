"""What was asked of a huisarts."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from alerting.console.frame import page
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind

routes = Routes("/console", "console")


@routes.route("GET", "/huisarts", action=Action.ESCALATION_ANSWER, kind=Kind.READ)
async def show(request: Request, act: Act) -> HTMLResponse:
    """What is asked of this practice."""
    return await page(request, act, "huisarts/page.html.j2")
