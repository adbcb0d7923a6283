"""Takes the steps that are due: claims a batch, decides each, carries out all of it in one transaction.

Any number of dispatchers work side by side: what one has claimed, the others pass by.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from alerting.carrying_out import carry_out
from alerting.escalation.duty import Rosters
from alerting.escalation.ladder import decide
from alerting.escalation.policy import Policies
from alerting.escalation.recipients import Contacts, parties
from alerting.escalation.situation import Decision, News, Noticed, Reason, Situation
from alerting.escalation.versions import use
from models import logs, metrics
from models.alerts import Alert, AlertState
from models.clock import MINUTE_US
from models.db import steps
from models.db.alerts import Reason as Link
from models.db.alerts import write_alerts
from models.db.escalations import Claimed, claim, done, load_escalations
from models.db.policies import PolicyKind, PolicyVersion
from models.db.pool import Connection, Pool
from models.db.positions import dispatch_now_us
from models.db.situations import (
    Around,
    load_around,
    load_carrying,
    load_news,
    load_standing,
    write_heard,
)
from models.db.trouble import raise_trouble
from models.errors import TryAgain
from models.escalations import Escalation, Message, Trouble
from models.findings import Severity
from models.probes import Health
from models.settings import Settings

log = logs.get(__name__)

BATCH = 400
POLL_EVERY_S = 1.0
LONGEST_PAUSE_S = 30.0
MISTAKEN_AGAIN_US = 5 * MINUTE_US
"""When to look again at an alert about which a decision failed."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """By what decisions are made, and the versions of that: recorded when an alert first goes by them."""

    policies: Policies
    rosters: Rosters
    versions: tuple[PolicyVersion, ...] = ()
    recorded: set[PolicyVersion] = field(default_factory=set[PolicyVersion])


async def run(
    pool: Pool, settings: Settings, ladder: Ladder, *, stop: asyncio.Event, health: Health | None = None
) -> None:
    """Works off what is due, every second, until `stop`. While the database is away it waits, ever longer."""
    pause_s = POLL_EVERY_S
    while not stop.is_set():
        wait_s = POLL_EVERY_S
        try:
            taken = await dispatch(pool, settings, ladder)
        except TryAgain as error:
            log.warning("dispatch_waits", why=str(error))
            wait_s = max(pause_s, error.after_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            _say(health, error)
        else:
            pause_s = POLL_EVERY_S
            _say(health, None)
            if taken == BATCH:
                continue
        await _until(stop, wait_s)


async def dispatch(pool: Pool, settings: Settings, ladder: Ladder, *, limit: int = BATCH) -> int:
    """One batch of what is due, the most severe first; how many steps there were.

    **Raises**: TryAgain when the database is away: nothing has happened then, or all of it.
    """
    async with pool.transaction() as connection:
        now_us = await dispatch_now_us(connection, settings)
        claimed = await claim(connection, now_us, limit)
        decisions = await _decide(connection, claimed, ladder, now_us)
        await _carry_out(connection, claimed, decisions, now_us)
        gone_by = _gone_by(ladder, decisions)
        await use(connection, gone_by)
    ladder.recorded.update(gone_by)
    for decision in decisions:
        metrics.DISPATCH_STEPS.labels(decision.look if decision is not None else "mistaken").inc()
    oldest_us = min((step.due_us for step in claimed), default=now_us)
    metrics.DISPATCH_LAG.set(max(now_us - oldest_us, 0) / 1e6)
    return len(claimed)


async def _decide(
    connection: Connection, claimed: Sequence[Claimed], ladder: Ladder, now_us: int
) -> list[Decision | None]:
    if not claimed:
        return []
    ids = _new_ids()
    found: list[Decision | None] = []
    for situation in await load_situations(connection, [step.alert for step in claimed], now_us):
        try:
            found.append(
                decide(situation, policies=ladder.policies, rosters=ladder.rosters, now_us=now_us, ids=ids)
            )
        except Exception as error:  # noqa: BLE001
            # A mistake of ours about one alert. Ending the process would help nobody: the worst go first, so
            # whoever starts again would meet the same alert, and no other would ever be taken. It is looked
            # at again in minutes, and a severe technical alert says so (`_look_again_later`).
            log.error(  # noqa: TRY400
                "decision_failed", alert_id=str(situation.alert.alert_id), error=error
            )
            found.append(None)
    return found


async def load_situations(connection: Connection, alerts: Sequence[Alert], now_us: int) -> list[Situation]:
    """Everything that decisions about these alerts (locked by the caller) need, in their order."""
    escalations: dict[UUID, list[Escalation]] = defaultdict(list)
    for escalation in await load_escalations(connection, alerts):
        escalations[escalation.alert_id].append(escalation)
    carried: dict[UUID, list[Message]] = defaultdict(list)
    for message in await load_carrying(connection, [a for a in alerts if a.alert_id in escalations]):
        for alert_id in message.alerts:
            carried[alert_id].append(message)
    news: dict[UUID, list[News]] = defaultdict(list)
    for event_no, happening in await load_news(connection, alerts):
        news[happening.alert_id].append(News(event_no, happening))
    reasons: dict[UUID, list[Reason]] = defaultdict(list)
    for one in await load_standing(connection, alerts):
        reasons[one.alert_id].append(
            Reason(one.finding_id, one.programme, one.severity, one.holds, one.retracted, one.moved)
        )
    contacts: Mapping[UUID, Contacts] = await parties(
        connection, {alert.patient_id: alert.organisation_id for alert in alerts}
    )
    resolved = [alert for alert in alerts if alert.state is AlertState.RESOLVED]
    around = await load_around(connection, resolved, now_us)
    nothing = Around(None, ended=False, admitted=False)
    return [
        Situation(
            alert,
            tuple(reasons[alert.alert_id]),
            tuple(escalations[alert.alert_id]),
            tuple(carried[alert.alert_id]),
            tuple(news[alert.alert_id]),
            contacts.get(alert.patient_id, {}),
            (beside := around.get(alert.alert_id, nothing)).another,
            beside.ended,
            beside.admitted,
        )
        for alert in alerts
    ]


async def _carry_out(
    connection: Connection, claimed: Sequence[Claimed], decisions: Sequence[Decision | None], now_us: int
) -> None:
    """Writes all of it. The steps are over first: an alert has at most one that is due."""
    pairs = list(zip(claimed, decisions, strict=True))
    await done(connection, [(s, "mistaken" if d is None else " ".join((d.look, *d.why))) for s, d in pairs])
    made = [decision for decision in decisions if decision is not None]
    unchanged = [d.transition for d in made if not d.changes]
    await steps.set_next(
        connection, [steps.Look(t.alert, t.next_us, t.why) for t in unchanged if t.next_us is not None]
    )
    transitions = [decision.transition for decision in made if decision.changes]
    opened = [decision.opened for decision in made if decision.opened is not None]
    if transitions:
        await carry_out(connection, transitions, heard=True)
    if opened:
        await carry_out(connection, [one.transition for one in opened])
    links = [
        Link(one.transition.alert.patient_id, one.transition.alert.alert_id, finding_id, now_us)
        for one in opened
        for finding_id in one.findings
    ]
    if links:
        await write_alerts(connection, [], links, [])
    heard = [d.transition.alert for d in made if not d.changes and d.heard_event_no is not None]
    await write_heard(connection, heard)
    await _look_again_later(connection, [s for s, d in pairs if d is None], now_us)
    for noticed in _together([one for decision in made for one in decision.noticed]):
        await raise_trouble(
            connection,
            noticed.trouble,
            noticed.subject,
            organisation_id=noticed.organisation_id,
            severity=noticed.severity,
            now_us=now_us,
            details=noticed.details,
        )


def _gone_by(ladder: Ladder, decisions: Sequence[Decision | None]) -> list[PolicyVersion]:
    """What these decisions went by and was not recorded yet: their policies, and what all of them go by."""
    labels = {d.transition.alert.policy for d in decisions if d is not None and d.changes}
    if not labels:
        return []
    return [
        one
        for one in ladder.versions
        if one not in ladder.recorded
        and (one.kind is not PolicyKind.POLICY or f"{one.name}/{one.version}" in labels)
    ]


async def _look_again_later(connection: Connection, failed: Sequence[Claimed], now_us: int) -> None:
    """About these no decision could be made: our mistake, which must hold up nobody and be seen."""
    if not failed:
        return
    again_us = now_us + MISTAKEN_AGAIN_US
    await steps.set_next(connection, [steps.Look(s.alert, again_us, "mistaken") for s in failed])
    await raise_trouble(
        connection,
        Trouble.OVERDUE_STEP,
        "ladder",
        organisation_id=None,
        severity=Severity.HIGH,
        now_us=now_us,
        details=f"no decision about {len(failed)} alerts: a mistake in the program, see its log",
    )


def _together(noticed: Sequence[Noticed]) -> list[Noticed]:
    """Each trouble of a subject once, as severe as its worst; in one order, so that two never block."""
    worst: dict[tuple[str, str], Noticed] = {}
    for one in noticed:
        key = (one.trouble.value, one.subject)
        if key not in worst or worst[key].severity.rank < one.severity.rank:
            worst[key] = one
    return [worst[key] for key in sorted(worst)]


def _say(health: Health | None, error: TryAgain | None) -> None:
    if health is None:
        return
    health.set("database", error is None, str(error or ""))
    health.progress()
    if error is None:
        health.finish("steps that are due")
    elif error.is_away:
        health.moved()
    else:
        # It is there, and does not let us through: that has to end before long.
        health.begin("steps that are due")


async def _until(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


def _new_ids() -> Iterator[UUID]:
    while True:
        yield uuid4()
