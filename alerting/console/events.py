"""The live connection, and how somebody wants the screens: language and look."""

import asyncio
from typing import Annotated, Literal

from fastapi import Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from pydantic import Field

from alerting.console.frame import LANGUAGE_COOKIE, LOOK_COOKIE, ByConsole, frame_of, home_of, page, render
from alerting.explain.vocabulary import Language
from ingest.gateway.problems import NotAllowed, NotLoggedIn
from ingest.gateway.routes import Act, Routes
from ingest.register.forms import Form
from models.access import Action
from models.audit import Kind
from models.clock import wall_now_us
from models.db.roles import roles_of
from models.db.worklist import names_of

routes = Routes("/console", "console")
_KEPT_S = 365 * 86_400


class WishesForm(Form):
    """How somebody wants the screens, on this machine."""

    language: Language | None = None
    look: Annotated[Literal["auto", "light", "dark", "contrast"] | None, Field()] = None


@routes.route("GET", "/events", action=Action.OWN_SESSION, kind=Kind.READ)
async def events(request: Request, act: Act, console: ByConsole) -> StreamingResponse:  # noqa: ARG001
    """Server-sent events, one connection for a browser: *changed*, *delayed*, *away*, *ended*."""
    identify = request.app.state.identify
    stop: asyncio.Event = request.app.state.stop

    async def still() -> bool:
        try:
            await identify(request)
        except (NotLoggedIn, NotAllowed):
            return False
        return True

    return StreamingResponse(
        console.hub.events(still, stop),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


@routes.route("GET", "", action=Action.OWN_SESSION, kind=Kind.READ)
async def home(act: Act) -> Response:
    """Leads everybody to where they begin: after login, and as another role."""
    return RedirectResponse(home_of(act.user.role), status_code=303)


@routes.route("POST", "/here", action=Action.OWN_SESSION, kind=Kind.READ, status=204)
async def here(act: Act) -> None:
    """Somebody moves the pointer or types: the session is in use, though nothing was asked for."""


@routes.route("GET", "/delays", action=Action.OWN_SESSION, kind=Kind.READ)
async def delayed(request: Request, act: Act) -> Response:
    """The banner that says that the monitoring is delayed; empty when it is not."""
    return render("layout/delays.html.j2", frame=await frame_of(request, act))


@routes.route("GET", "/me", action=Action.OWN_SESSION, kind=Kind.READ)
async def me(request: Request, act: Act) -> Response:
    """As what one works, as what else one may, and how one wants the screens."""
    held = await roles_of(act.connection, act.user.person_id, wall_now_us())
    names = await names_of(act.connection, [one.organisation_id for one in held])
    return await page(request, act, "layout/me.html.j2", held=held, names=names)


@routes.route("POST", "/wishes", action=Action.OWN_SESSION, kind=Kind.READ, status=204)
async def wish(act: Act, form: WishesForm) -> Response:  # noqa: ARG001
    """Keeps language and look in the browser, and has the page drawn anew."""
    response = Response(status_code=204, headers={"HX-Refresh": "true"})
    for name, value in ((LANGUAGE_COOKIE, form.language), (LOOK_COOKIE, form.look)):
        if value is not None:
            response.set_cookie(
                name, value, max_age=_KEPT_S, path="/", secure=True, httponly=True, samesite="lax"
            )
    return response
