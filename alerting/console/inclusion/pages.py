"""Including a patient: the form, who is registered already, and what came of it."""

from datetime import date
from typing import Annotated

from fastapi import Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from alerting.console.frame import ByConsole, frame_of, happened, render
from alerting.console.inclusion.offers import offers_of
from alerting.console.programmes import programmes_of
from alerting.explain.vocabulary import WEEKDAYS
from ingest.gateway.register import IdentityKeys
from ingest.gateway.routes import Act, Routes
from ingest.register import acts
from ingest.register.forms import Form, InclusionForm, SearchForm, Short
from models.access import Action
from models.audit import Kind
from models.bsn import bsn_of
from models.clock import wall_now_us
from models.db.directory import colleagues
from models.errors import BadInput

routes = Routes("/console", "console")


class TypedIdentity(Form):
    """As much of who somebody is as was typed already."""

    bsn: Annotated[str | None, Field(repr=False, max_length=20)] = None
    family_name: Annotated[Short | None, Field(repr=False)] = None
    birth_date: Annotated[date | None, Field(repr=False)] = None


class KnownForm(Form):
    """What is looked for: somebody who is registered already."""

    identity: TypedIdentity = TypedIdentity()


@routes.route("GET", "/include", action=Action.PATIENT_INCLUDE, kind=Kind.READ)
async def show(request: Request, act: Act, console: ByConsole) -> HTMLResponse:
    """The form: what is needed is open, what is usual is folded."""
    frame = await frame_of(request, act)
    given = await acts.given(act, wall_now_us())
    offers = offers_of(given, programmes_of(console.rules.settings), frame.language)
    days = [(day, both.said(frame.language)) for day, both in WEEKDAYS.items()]
    people = await colleagues(act.connection, act.user.organisation_id)
    others = [(who, name) for who, name in people.items() if who != act.user.person_id]
    return render("inclusion/page.html.j2", frame=frame, offers=offers, days=days, colleagues=others)


@routes.route("POST", "/include/known", action=Action.PATIENT_SEARCH, kind=Kind.READ)
async def find_known(request: Request, act: Act, keys: IdentityKeys, form: KnownForm) -> HTMLResponse:
    """Who is registered with this number, or this name and birth date; and whether the number is one."""
    typed = form.identity
    wanted: list[SearchForm] = []
    bad_number = False
    if typed.bsn is not None:
        try:
            wanted.append(SearchForm(bsn=bsn_of(typed.bsn)))
        except BadInput:
            bad_number = True
    if typed.family_name is not None and typed.birth_date is not None:
        wanted.append(SearchForm(family_name=typed.family_name, birth_date=typed.birth_date))
    found = {one["patient_id"]: one for search in wanted for one in await acts.search(act, keys, search)}
    return render(
        "inclusion/known.html.j2",
        frame=await frame_of(request, act),
        found=list(found.values()),
        bad_number=bad_number,
    )


@routes.route("POST", "/include", action=Action.PATIENT_INCLUDE, kind=Kind.CREATE, status=201)
async def include(request: Request, act: Act, keys: IdentityKeys, form: InclusionForm) -> HTMLResponse:
    """Include them; what one may want to do next."""
    now_us = wall_now_us()
    included = await acts.include_patient(act, keys, form, now_us)
    response = render(
        "inclusion/included.html.j2",
        status=201,
        frame=await frame_of(request, act),
        included=included,
        later=included.valid_from_us > now_us,
    )
    return happened(response, changed=True)
