"""Figures for plan-do-check-act."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from alerting.console.frame import page
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind

routes = Routes("/console", "console")


@routes.route("GET", "/insight", action=Action.INSIGHT_READ, kind=Kind.READ)
async def show(request: Request, act: Act) -> HTMLResponse:
    """The figures."""
    return await page(request, act, "insight/page.html.j2")
