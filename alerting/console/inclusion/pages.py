"""Including a patient."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from alerting.console.frame import page
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind

routes = Routes("/console", "console")


@routes.route("GET", "/include", action=Action.PATIENT_INCLUDE, kind=Kind.READ)
async def show(request: Request, act: Act) -> HTMLResponse:
    """The form."""
    return await page(request, act, "inclusion/page.html.j2")
