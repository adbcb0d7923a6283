"""A patient."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from alerting.console.frame import page
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind

routes = Routes("/console", "console")


@routes.route("GET", "/patients", action=Action.PATIENT_SEARCH, kind=Kind.READ)
async def show(request: Request, act: Act) -> HTMLResponse:
    """Who is followed here."""
    return await page(request, act, "patient/page.html.j2")
