"""The worklist."""

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from alerting.console.frame import WORKLIST, home_of, page
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind

routes = Routes("/console", "console")


@routes.route("GET", "", action=Action.ALERT_READ, kind=Kind.READ)
async def show(request: Request, act: Act) -> Response:
    """Open alerts, the most severe first; who begins elsewhere is led there."""
    if (home := home_of(act.user.role)) != WORKLIST:
        return RedirectResponse(home, status_code=303)
    return await page(request, act, "worklist/page.html.j2")
