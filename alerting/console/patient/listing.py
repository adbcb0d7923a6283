"""The list of patients: who is followed here, by pages, and the search."""

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import HTMLResponse

from alerting.console.frame import frame_of, page, render
from alerting.console.patient.shown import SAID
from ingest.gateway.register import IdentityKeys
from ingest.gateway.routes import Act, Routes
from ingest.register import acts
from ingest.register.forms import SearchForm
from models.access import Action
from models.audit import Kind
from models.db.hospital import count_open
from models.db.identity import identities
from models.db.patient_records import patients, place_after, place_of
from models.errors import BadInput

routes = Routes("/console", "console")

PAGE = 50


@routes.route("GET", "/patients", action=Action.PATIENT_SEARCH, kind=Kind.READ)
async def show_list(
    request: Request,
    act: Act,
    keys: IdentityKeys,
    after: Annotated[str | None, Query(max_length=80, pattern=r"^[0-9]+\.[0-9a-f]{32}$")] = None,
) -> HTMLResponse:
    """Who is followed here, who came last first; each is on record as seen."""
    try:
        before = None if after is None else place_of(after)
    except (ValueError, OverflowError):
        raise BadInput(where="after", expected="a place in the list", found="another text") from None
    rows = await patients(act.connection, limit=PAGE + 1, before=before)
    listed = rows[:PAGE]
    ids = [row.patient_id for row in listed]
    act.touched += ids
    act.details = f"{len(ids)} patients"
    return await page(
        request,
        act,
        "patient/list.html.j2",
        rows=listed,
        who=await identities(act.connection, keys, patients=ids),
        **SAID,
        more=place_after(listed[-1]) if len(rows) > PAGE else None,
        is_first=before is None,
        proposals=await count_open(act.connection),
    )


@routes.route("POST", "/patients/search", action=Action.PATIENT_SEARCH, kind=Kind.READ)
async def search(request: Request, act: Act, keys: IdentityKeys, form: SearchForm) -> HTMLResponse:
    """Who is found by number, or by name and birth date."""
    found = await acts.search(act, keys, form)
    return render("patient/found.html.j2", found=found, frame=await frame_of(request, act), **SAID)
