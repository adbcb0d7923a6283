"""Organisations, people, rules."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from alerting.console.frame import page
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind

routes = Routes("/console", "console")


@routes.route("GET", "/administration", action=Action.ORGANISATION_CHANGE, kind=Kind.READ)
async def show(request: Request, act: Act) -> HTMLResponse:
    """What can be administered."""
    return await page(request, act, "administration/page.html.j2")
