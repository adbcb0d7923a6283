"""Quarantine, devices, incidents."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from alerting.console.frame import page
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind

routes = Routes("/console", "console")


@routes.route("GET", "/technical", action=Action.TECHNICAL_READ, kind=Kind.READ)
async def show(request: Request, act: Act) -> HTMLResponse:
    """What is wrong with the flow."""
    return await page(request, act, "technical/page.html.j2")
