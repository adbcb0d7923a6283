"""Policies and rosters as they are in force: who is asked when, who is on duty, in a picture of the week."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import HTMLResponse

from alerting.console.frame import ByConsole, page
from alerting.escalation.calendar import local, moment_us
from alerting.escalation.policy import Policy, Step
from alerting.escalation.roster import RosterBook, changes
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind
from models.clock import DAY_US, MINUTE_US
from models.db.positions import dispatch_now_us
from models.escalations import Recipient

routes = Routes("/console/administration", "console")
DAYS = 7
WIDTH = 700
"""Of the picture of a week, in its own units: a hundred for a day."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of a ladder, and when it is taken if nobody reacts. **Units**: microseconds since opening."""

    number: int
    after_us: int
    step: Step


@dataclass(frozen=True, slots=True)
class Bar:
    """A duty in the picture of a week. **Units**: `x`, `width` of `WIDTH`; microseconds since 1970 UTC."""

    x: float
    width: float
    recipient: Recipient
    shift: str
    title_nl: str
    title_en: str
    from_us: int
    until_us: int
    is_now: bool


def ladder(policy: Policy) -> Sequence[Rung]:
    """The steps of a policy, each with the moment at which it is taken when nobody reacts before."""
    rungs: list[Rung] = []
    at_us = 0
    for number, step in enumerate(policy.steps, 1):
        rungs.append(Rung(number, at_us, step))
        waits = (step.delivered_within_us, step.accepted_within_us, step.resolved_within_us)
        # An acknowledgement stops the first two; who only looks at the clock waits for the shortest.
        at_us += min((one for one in waits if one is not None), default=policy.repeat_every_us)
    return rungs


def week(book: RosterBook, recipient: Recipient, begin_us: int, now_us: int) -> Sequence[Bar]:
    """Who answers for a recipient from a moment on, for a week."""
    end_us = begin_us + DAYS * DAY_US
    bars: list[Bar] = []
    for duty in changes(book, recipient, begin_us, end_us):
        from_us, until_us = max(duty.from_us, begin_us), min(duty.until_us, end_us)
        title = book.title(duty)
        bars.append(
            Bar(
                x=(from_us - begin_us) * WIDTH / (DAYS * DAY_US),
                width=(until_us - from_us) * WIDTH / (DAYS * DAY_US),
                recipient=duty.recipient,
                shift=duty.shift.value,
                title_nl=title.nl,
                title_en=title.en,
                from_us=duty.from_us,
                until_us=duty.until_us,
                is_now=duty.from_us <= now_us < duty.until_us,
            )
        )
    return bars


@routes.route("GET", "/policies", action=Action.POLICY_READ, kind=Kind.READ)
async def policies(request: Request, act: Act, console: ByConsole) -> HTMLResponse:
    """Every policy as a ladder, and for which alerts it is."""
    by_label: dict[str, Policy] = {}
    uses: dict[str, list[tuple[str, str | None, str]]] = {}
    for (programme, signal, severity), policy in console.rules.policies.by_key.items():
        by_label[policy.label] = policy
        uses.setdefault(policy.label, []).append((programme, signal, severity))
    return await page(
        request,
        act,
        "administration/policies.html.j2",
        policies=[(one, ladder(one), uses[label]) for label, one in sorted(by_label.items())],
    )


@routes.route("GET", "/rosters", action=Action.POLICY_READ, kind=Kind.READ)
async def rosters(request: Request, act: Act, console: ByConsole) -> HTMLResponse:
    """Who answers for each recipient now and in the week to come."""
    book = console.rules.rosters
    now_us = await dispatch_now_us(act.connection, console.rules.settings)
    begin_us = moment_us(local(now_us).date(), 0)
    return await page(
        request,
        act,
        "administration/rosters.html.j2",
        rosters=book.rosters,
        weeks={one: week(book, one, begin_us, now_us) for one in Recipient},
        days=[begin_us + day * DAY_US + 12 * 60 * MINUTE_US for day in range(DAYS)],
        now_x=(now_us - begin_us) * WIDTH / (DAYS * DAY_US),
        width=WIDTH,
    )
