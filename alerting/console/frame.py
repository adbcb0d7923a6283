"""What every page has around it: who looks, where they may go, whether monitoring is late; and rendering."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from alerting.console import times
from alerting.console.assets import address
from alerting.console.delays import Delay
from alerting.console.live import Hub
from alerting.console.texts import Speaker
from alerting.explain.vocabulary import SEVERITIES, SIGNALS, Language, kind_name
from alerting.worklist.handling import Rules
from ingest.acting import Acting
from ingest.gateway.login.door import COOKIE
from ingest.gateway.login.forgery import CSRF_HEADER, csrf_token
from ingest.gateway.login.page import language_of
from models.access import POLICY, Action, Role, User
from models.clock import wall_now_us
from models.db.installation import Purpose
from models.db.positions import dispatch_now_us
from models.db.worklist import names_of
from models.errors import TryAgain

LANGUAGE_COOKIE = "thuiswacht-language"
LOOK_COOKIE = "thuiswacht-look"
LOOKS = ("auto", "light", "dark", "contrast")

ROOMS: Sequence[tuple[str, str, Action, frozenset[Role]]] = (
    ("/console/worklist", "worklist", Action.ALERT_HANDLE, frozenset(Role) - {Role.HUISARTS}),
    ("/console/huisarts", "huisarts", Action.ESCALATION_ANSWER, frozenset(Role) - {Role.NURSE, Role.SERVICE}),
    ("/console/patients", "patients", Action.PATIENT_SEARCH, frozenset(Role)),
    ("/console/include", "inclusion", Action.PATIENT_INCLUDE, frozenset(Role)),
    ("/console/technical", "technical", Action.TECHNICAL_READ, frozenset(Role)),
    ("/console/insight", "insight", Action.INSIGHT_READ, frozenset(Role)),
    (
        "/console/administration",
        "administration",
        Action.DIRECTORY_READ,
        frozenset({Role.ADMINISTRATOR, Role.COORDINATOR, Role.ENGINEER}),
    ),
    ("/console/looks", "looks", Action.AUDIT_REVIEW, frozenset(Role)),
)
"""Where one may go: address, name, what one must be allowed to do there, and who is meant at all."""


WORKLIST = "/console/worklist"
_HOMES: Mapping[Role, str] = {
    Role.HUISARTS: "/console/huisarts",
    Role.COORDINATOR: "/console/huisarts",
    Role.ADMINISTRATOR: "/console/administration",
    Role.PRIVACY_OFFICER: "/console/looks",
    Role.SERVICE: "/console/me",
}


def home_of(role: Role) -> str:
    """Where somebody begins: who handles alerts at the worklist, others at what they are there for.

    >>> home_of(Role.NURSE), home_of(Role.HUISARTS)
    ('/console/worklist', '/console/huisarts')
    """
    return _HOMES.get(role, WORKLIST)


@dataclass(frozen=True, slots=True)
class Console:
    """What the pages of this process share; in `app.state.console`."""

    hub: Hub
    rules: Rules
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Voice:
    """In which language it is said, and at what time. **Units**: microseconds since 1970 UTC.

    `now_us` is the time by which alerts are handled: the wall's or, in trials, the log's.
    """

    t: Speaker
    now_us: int

    @property
    def language(self) -> Language:
        """In which it is said."""
        return self.t.language

    def when(self, at: Any) -> str:
        """A moment at a glance."""
        return times.when(at, self.now_us, self.language)

    def since(self, at: Any) -> str:
        """How long ago something was, or how far off it is."""
        return times.stretch(self.now_us - times.at_us_of(at), self.language)

    def length(self, length_us: int) -> str:
        """How long something lasts."""
        return times.length(length_us, self.language)

    def full(self, at: Any) -> str:
        """A moment in words."""
        return times.full(at, self.language)


@dataclass(frozen=True, slots=True)
class Frame(Voice):
    """What stands around a page. **Units**: as `Voice`."""

    look: str
    user: User
    name: str
    organisation: str
    rooms: Sequence[tuple[str, str]]
    here: str
    csrf: str
    wall_us: int
    is_trial: bool
    delays: Sequence[Delay]

    def may(self, action: str) -> bool:
        """Whether the role of who looks may do this at all: what it may not, is not shown."""
        return self.user.role in POLICY[Action(action)]

    def at_wall(self, at: Any) -> str:
        """A moment of the wall's time at a glance, whatever time it is in the log."""
        return times.when(at, self.wall_us, self.language)


def _console(request: Request) -> Console:
    console: Console = request.app.state.console
    return console


ByConsole = Annotated[Console, Depends(_console)]
"""What a handler asks for."""


async def page(request: Request, act: Acting, template: str, **values: Any) -> HTMLResponse:
    """A whole page, or to htmx, which has its frame already, the part that it asked for."""
    return render(template, frame=await frame_of(request, act), **values)


async def frame_of(request: Request, act: Acting) -> Frame:
    """The frame for who acts in this request. **Raises**: TryAgain."""
    console = _console(request)
    user = act.user
    names = await names_of(act.connection, [user.person_id, user.organisation_id])
    wall_us = wall_now_us()
    try:
        now_us = await dispatch_now_us(act.connection, console.rules.settings)
    except TryAgain:
        # Before the log's clock has begun: there is nothing yet whose age could be wrong.
        now_us = wall_us
    return Frame(
        t=speaker_of(request),
        look=look_of(request),
        user=user,
        name=names.get(user.person_id, ""),
        organisation=names.get(user.organisation_id, ""),
        rooms=[
            (path, name)
            for path, name, action, roles in ROOMS
            if user.role in roles and user.role in POLICY[action]
        ],
        here=request.url.path,
        csrf=csrf_token(request.cookies.get(COOKIE, "")),
        now_us=now_us,
        wall_us=wall_us,
        is_trial=console.purpose == "trial",
        delays=console.hub.delays,
    )


def speaker_of(request: Request) -> Speaker:
    """In the language that was chosen, else the browser's."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return Speaker(Language(language_of(chosen, request.headers.get("accept-language", ""))))


def look_of(request: Request) -> str:
    """Light, dark, high contrast, or as the machine is set."""
    chosen = request.cookies.get(LOOK_COOKIE, "auto")
    return chosen if chosen in LOOKS else "auto"


def render(
    template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> HTMLResponse:
    """A template with these values; every text in it is escaped."""
    content = environment().get_template(template).render(**values)
    return HTMLResponse(content, status_code=status, headers=dict(headers or {}))


def happened(response: HTMLResponse, **events: Any) -> HTMLResponse:
    """Tells the page beside its new part that something happened: `said={"text": …}`, `changed=True`."""
    response.headers["HX-Trigger"] = json.dumps(events)
    return response


@cache
def environment() -> Environment:
    """All templates, by room: `worklist/page.html.j2`."""
    found = Environment(
        loader=PackageLoader("alerting.console", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # They come with the package: whether they changed is not asked for each row of each list.
        auto_reload=False,
    )
    more: dict[str, Any] = {
        "asset": address,
        "csrf_header": CSRF_HEADER,
        "clock": times.clock,
        "date_said": times.date_said,
        "day": times.day,
        "severity": _severity,
        "signal": _signal,
        "kind_name": kind_name,
        "own": _own,
        "dumps": partial(json.dumps, ensure_ascii=True, default=str),
    }
    found.globals.update(more)
    return found


def _severity(name: Any, language: Language) -> str:
    return next(both.said(language) for one, both in SEVERITIES.items() if one == name)


def _signal(name: Any, language: Language) -> str:
    return next(both.said(language) for one, both in SIGNALS.items() if one == name)


def _own(named: Mapping[str, Any] | None, user: User) -> bool:
    return named is not None and named["id"] == UUID(str(user.person_id))
