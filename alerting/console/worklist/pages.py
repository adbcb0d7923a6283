"""The worklist: its page, the list in it, how much there is to do, saved views."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, Response

from alerting.console.frame import frame_of, happened, page, render, speaker_of
from alerting.console.worklist import deeds, detail, shift
from alerting.console.worklist.capacity import capacity
from alerting.console.worklist.drawing import Drawn
from alerting.console.worklist.filters import FILTERS, read_sought, written
from alerting.console.worklist.forms import NameForm, ViewForm
from alerting.console.worklist.listing import (
    LARGEST,
    PAGE,
    Listing,
    called_in,
    find_named,
    make_if_new,
    make_listing,
)
from alerting.engine.programme_files import PACKAGED
from alerting.escalation.recipients import as_recipient
from alerting.gateway.rules import ByRules
from ingest.acting import Acting
from ingest.gateway.register import IdentityKeys
from ingest.gateway.routes import Act, Routes
from models.access import POLICY, Action, Role
from models.audit import Kind
from models.db.open_patients import Sought, sees_anybody
from models.db.positions import dispatch_now_us
from models.db.shift import colleagues, handled, waiting
from models.db.worklist_views import MOST, drop_view, save_view, views
from models.errors import BadInput
from models.escalations import Party

routes = Routes("/console", "console")
ROUTES = (routes, detail.routes, deeds.routes, shift.routes)
"""All of this room."""

ADDRESS = "/console/worklist"
_DRAWN = Drawn()
Mark = Annotated[str, Query(max_length=16)]
Limit = Annotated[int, Query(ge=1, le=LARGEST)]


@routes.route("GET", "/worklist", action=Action.ALERT_READ, kind=Kind.READ)
async def show(
    request: Request, act: Act, rules: ByRules, keys: IdentityKeys, limit: Limit = PAGE
) -> HTMLResponse:
    """Patients with open alerts, the most severe first."""
    sought = read_sought(request.query_params)
    t = speaker_of(request)
    listing = await make_listing(act, rules, keys, t.language, sought, limit=limit)
    called = called_in(rules.settings.programmes or PACKAGED)
    return await page(
        request,
        act,
        "worklist/page.html.j2",
        listing=listing,
        rows=_DRAWN.draw(listing, t),
        **_of_list(sought, limit),
        is_first_run=not listing.rows and not await sees_anybody(act.connection),
        views=await _views(act),
        colleagues=await _colleagues(act),
        programmes=sorted(
            (key, both.said(t.language)) for key, both in called.programmes.items() if key != "canary"
        ),
    )


@routes.route("GET", "/worklist/rows", action=Action.ALERT_READ, kind=Kind.READ)
async def rows(
    request: Request, act: Act, rules: ByRules, keys: IdentityKeys, limit: Limit = PAGE, mark: Mark = ""
) -> Response:
    """The list alone, as it is now; nothing where it is what the mark stands for."""
    sought = read_sought(request.query_params)
    language = speaker_of(request).language
    listing = await make_if_new(act, rules, keys, language, sought, limit=limit, mark=mark)
    if listing is None:
        return Response(status_code=204)
    response = await _list(request, act, listing, _of_list(sought, limit))
    if request.headers.get("hx-trigger") == "filter":
        query = urlencode(written(sought))
        response.headers["HX-Replace-Url"] = f"{ADDRESS}?{query}" if query else ADDRESS
    return response


@routes.route("POST", "/worklist/search", action=Action.ALERT_READ, kind=Kind.READ)
async def search(
    request: Request, act: Act, rules: ByRules, keys: IdentityKeys, form: NameForm
) -> HTMLResponse:
    """The list of those who are called so; a name stands in no address."""
    sought = read_sought(form.sought)
    patients = await find_named(act, rules, keys, form.name, sought)
    wanted = Sought(patients=patients[:LARGEST], held_back=sought.held_back, state=sought.state)
    listing = await make_listing(act, rules, keys, speaker_of(request).language, wanted, limit=LARGEST)
    return await _list(request, act, listing, {**_of_list(sought, LARGEST), "is_search": True})


@routes.route("GET", "/worklist/summary", action=Action.ALERT_READ, kind=Kind.READ)
async def summary(request: Request, act: Act, rules: ByRules) -> HTMLResponse:
    """How much is open against what the shift can handle; counts, of no patient in particular."""
    now_us = await dispatch_now_us(act.connection, rules.settings)
    there = await waiting(act.connection, now_us)
    recipient = as_recipient(Party(act.user.role, act.user.organisation_id), {})
    can = capacity(
        there,
        await handled(act.connection, now_us),
        act.user.person_id,
        now_us=now_us,
        duty_until_us=rules.rosters.on_duty(recipient, now_us).until_us,
    )
    return await page(request, act, "worklist/summary.html.j2", waiting=there, capacity=can)


@routes.route("POST", "/worklist/views", action=Action.OWN_SESSION, kind=Kind.UPDATE)
async def keep_view(request: Request, act: Act, form: ViewForm) -> HTMLResponse:
    """Keeps a filter under a name. **Raises**: BadInput where there are too many."""
    if not await save_view(act.connection, form.name, written(read_sought(form.sought))):
        raise BadInput(where="name", expected=f"at most {MOST} views", found="one more")
    return await _views_again(request, act, "view_saved")


@routes.route("POST", "/worklist/views/{view_id}/drop", action=Action.OWN_SESSION, kind=Kind.UPDATE)
async def forget_view(request: Request, act: Act, view_id: UUID) -> HTMLResponse:
    """Forgets a filter."""
    await drop_view(act.connection, view_id)
    return await _views_again(request, act, "view_dropped")


async def _views_again(request: Request, act: Acting, said: str) -> HTMLResponse:
    response = await page(request, act, "worklist/views.html.j2", views=await _views(act))
    return happened(response, said={"text": speaker_of(request)(f"worklist.said.{said}")})


async def _views(act: Acting) -> list[tuple[UUID, str, str]]:
    """Id, name and address of each."""
    return [
        (one.view_id, one.name, f"{ADDRESS}?{urlencode(one.wanted)}") for one in await views(act.connection)
    ]


async def _colleagues(act: Acting) -> list[dict[str, object]]:
    """To whom one can hand over: who else works here, and whoever of one's own role takes it."""
    if act.user.role not in POLICY[Action.ALERT_HANDLE]:
        return []
    found = await colleagues(act.connection, act.user.organisation_id, act.user.role)
    return [
        {"person_id": one.person_id, "name": one.name, "role": one.role}
        for one in found
        if one.person_id != act.user.person_id and one.role is not Role.ENGINEER
    ]


async def _list(request: Request, act: Acting, listing: Listing, values: Mapping[str, Any]) -> HTMLResponse:
    frame = await frame_of(request, act)
    rows = _DRAWN.draw(listing, frame.t)
    return render("worklist/list.html.j2", frame=frame, t=frame.t, listing=listing, rows=rows, **values)


def _of_list(sought: Sought, limit: int) -> dict[str, Any]:
    """What the list itself has to know: by what it was made, and how to look again."""
    values = written(sought)
    return {
        "sought": values,
        "given": {**dict.fromkeys(FILTERS), **values},
        "is_sought": bool(values),
        "limit": limit,
        "is_search": False,
        "again": f"{ADDRESS}/rows?{urlencode({**values, 'limit': limit})}",
        "more": f"{ADDRESS}/rows?{urlencode({**values, 'limit': min(limit + PAGE, LARGEST)})}",
        "is_largest": limit >= LARGEST,
    }
