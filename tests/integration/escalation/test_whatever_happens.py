"""Whatever people, findings, late data, crashes and clocks do: no open alert without anybody, none forgotten.

A state machine drives what the services run (the rules of alerts, the acts, the dispatcher) against a real
database, and looks at the rows after every step. More examples on demand: EXAMPLES_TIMES.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, cast
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from alerting import acts
from alerting.carrying_out import carry_out
from alerting.circumstances import Effective, turns
from alerting.escalation.dispatcher import dispatch, load_situations
from alerting.escalation.situation import Situation
from alerting.findings import FindingChange
from alerting.lifecycle import Book, follow
from alerting.transition import Transition
from models.access import Role, User
from models.alerts import Alert, AlertState
from models.clock import MINUTE_US, to_datetime
from models.db.alerts import Reason, alert_of, load_alerts, load_reasons, lock_alerts, write_alerts
from models.db.findings import write_findings
from models.db.pool import Connection, Pool, connect
from models.errors import BadInput, Outdated, TryAgain
from models.escalations import OPEN_ESCALATION, EscalationState, Party, Recipient
from models.findings import Finding, Severity, Signal, finding_id
from models.messages import Admit, AnyChange, Discharge, End, Origin
from models.register import OrganisationKind
from models.settings import Settings
from tests.examples import TIME_LIMIT_S, TIMES
from tests.integration.escalation.nurses import ACTS, LADDER, NursesDeed, policy_for
from tests.integration.escalation.region import T0_US, Region

pytestmark = pytest.mark.timeout(TIME_LIMIT_S)

SETTINGS = Settings(dispatch_time="log")
SIGNALS = (Signal.FLUID, Signal.PRESSURE, Signal.SILENCE)
LONGEST_US = max(
    max(policy.repeat_every_us, policy.resolve_within_us + policy.snooze_at_most_us, policy.recheck_after_us)
    for policy in LADDER.policies.by_key.values()
)
"""Nothing that is promised or waited for is longer than this."""


class _Crashing:
    """A pool whose transactions do all of their work, and are cut off before they are committed."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        async with self._pool.transaction() as connection:
            yield connection
            raise TryAgain("killed")


@dataclass
class World:
    """What all courses have in common: a database with one region, and the connections of the services."""

    loop: asyncio.AbstractEventLoop
    admin: Connection
    dispatcher: Pool
    alerting: Pool
    region: Region

    @classmethod
    async def begin(cls, dsn: str) -> "World":
        admin = await asyncpg.connect(dsn)
        region = Region(admin)
        await region.begin()
        return cls(
            asyncio.get_running_loop(),
            admin,
            await connect(dsn, role="thuiswacht_dispatch", application="test", max_size=2),
            await connect(dsn, role="thuiswacht_alerting", application="test", max_size=2),
            region,
        )

    async def end(self) -> None:
        await self.dispatcher.close()
        await self.alerting.close()
        await self.admin.close()


class Course(RuleBasedStateMachine):
    """One patient; every rule is something that happens."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.now_us = T0_US
        self.findings: dict[UUID, Finding] = {}
        self.changes: list[Effective] = []
        self.since_us = 0
        self.latest_us = self.now_us
        self.region, self.admin = self.world.region, self.world.admin
        self.dispatcher, self.alerting = self.world.dispatcher, self.world.alerting
        self.patient_id: UUID = self.run(self._begin())
        kinds = self.region.by_kind
        self.nurses = [User(UUID(int=number), self.region.centre, Role.NURSE) for number in (1, 2)]
        self.asked = {
            Role.HUISARTS: User(UUID(int=3), kinds[OrganisationKind.GP_PRACTICE], Role.HUISARTS),
            Role.COMMUNITY_NURSE: User(
                UUID(int=4), kinds[OrganisationKind.COMMUNITY_NURSING], Role.COMMUNITY_NURSE
            ),
        }

    @property
    def log_us(self) -> int:
        """The clock of the log, by which findings are told: it never goes back."""
        return max(self.now_us, self.since_us)

    def run(self, work: Awaitable[Any]) -> Any:
        return self.world.loop.run_until_complete(work)

    async def _begin(self) -> UUID:
        # What is left of the course before must not be due in this one.
        await self.admin.execute(
            "UPDATE escalation_step SET state = 'dropped', done_at = now() WHERE state = 'due'"
        )
        await self.region.clock(self.now_us)
        return await self.region.patient()

    # What alerting does.

    @rule(signal=st.sampled_from(SIGNALS), severity=st.sampled_from(Severity))
    def a_finding_opens(self, signal: Signal, severity: Severity) -> None:
        name = f"{signal}_{len(self.findings)}"
        finding = Finding(
            finding_id(self.patient_id, "heart_failure", name, self.log_us), self.patient_id,
            self.region.centre, 0, "heart_failure", 1, name, signal, severity, self.log_us, (), "hash",
        )  # fmt: skip
        self.run(self._follow(FindingChange(None, finding, self.log_us)))

    @precondition(lambda self: any(f.holds for f in self.findings.values()))
    @rule(data=st.data(), how=st.sampled_from(["clears", "rises", "was_never"]))
    def a_finding_changes(self, data: st.DataObject, how: str) -> None:
        before = data.draw(st.sampled_from([f for f in self.findings.values() if f.holds]))
        if how == "clears":
            after = replace(before, cleared_at_us=self.log_us)
        elif how == "rises":
            after = replace(before, severity=Severity.HIGH, raised_at_us=self.log_us)
        else:
            after = replace(before, retracted=True)
        self.run(self._follow(FindingChange(before, after, self.log_us, late=how == "was_never")))

    @precondition(lambda self: any(not f.holds for f in self.findings.values()))
    @rule(data=st.data())
    def late_data_brings_a_finding_back(self, data: st.DataObject) -> None:
        before = data.draw(st.sampled_from([f for f in self.findings.values() if not f.holds]))
        after = replace(before, cleared_at_us=None, retracted=False)
        self.run(self._follow(FindingChange(before, after, self.log_us, late=True)))

    @rule(change=st.sampled_from([Admit(), Discharge()]))
    def circumstances_change(self, change: AnyChange) -> None:
        self.changes.append(Effective(self.log_us, self.log_us, change))
        self.run(self._follow())

    @rule(reason=st.just("finished"))
    @precondition(lambda self: len(self.findings) > 5)
    def follow_up_ends(self, reason: Literal["finished"]) -> None:
        self.changes.append(Effective(self.log_us, self.log_us, End(reason=reason)))
        self.run(self._follow())

    async def _follow(self, *changes: FindingChange) -> None:
        async with self.alerting.transaction() as connection:
            alerts = await load_alerts(connection, {self.patient_id: 0})
            links = {r.finding_id: r.alert_id for r in await load_reasons(connection, alerts)}
            book = Book(
                self.patient_id, self.region.centre, Origin.SIMULATED, turns(self.changes), self.findings,
                {alert.alert_id: alert for alert in alerts}, links,
            )  # fmt: skip
            ids = iter(uuid4, None)
            told = follow(book, changes, since_us=self.since_us, now_us=self.log_us, ids=ids)
            self.findings |= {change.after.finding_id: change.after for change in changes}
            await write_findings(connection, [change.after for change in changes])
            reasons = [Reason(self.patient_id, j.alert_id, j.finding_id, j.at_us) for j in told.joined]
            await write_alerts(connection, list(told.alerts), reasons, list(told.events))
        self.since_us = self.log_us

    # What people do.

    @rule(who=st.integers(0, 1), minutes=st.integers(1, 24 * 60), data=st.data())
    def a_nurse_acts(self, who: int, minutes: int, data: st.DataObject) -> None:
        act = data.draw(st.sampled_from(ACTS))
        deed = NursesDeed(self.nurses[who], self.nurses[1 - who], self.now_us, minutes)
        self.run(self._on_some_alert(data, lambda at: act(deed, at)))

    @rule(role=st.sampled_from([Role.HUISARTS, Role.COMMUNITY_NURSE]), data=st.data())
    def who_was_asked_acts(self, role: Role, data: st.DataObject) -> None:
        user = self.asked[role]
        act = data.draw(st.sampled_from(["accept", "answer", "hand_back"]))

        def decide(at: Situation) -> Transition | None:
            ours = [e for e in at.escalations if e.to == Party(role, user.organisation_id)]
            open_ones = [e for e in ours if e.state in OPEN_ESCALATION]
            if not open_ones:
                return None
            policy, now_us = policy_for(at), self.now_us
            match act:
                case "accept":
                    duty = LADDER.rosters.on_duty(Recipient.HUISARTS, now_us)
                    return acts.accept_escalation(
                        at.alert, open_ones[-1], user, policy=policy, duty=duty, now_us=now_us,
                        others=at.escalations,
                    )  # fmt: skip
                case "answer":
                    return acts.answer_escalation(
                        at.alert, open_ones[-1], user, answer="seen", referral_avoided=None, now_us=now_us
                    )
                case _:
                    return acts.hand_back(at.alert, open_ones[-1], user, reason="no time", now_us=now_us)

        self.run(self._on_some_alert(data, decide))

    async def _on_some_alert(
        self, data: st.DataObject, decide: Callable[[Situation], Transition | None]
    ) -> None:
        async with self.dispatcher.transaction() as connection:
            rows = await connection.fetch(
                "SELECT * FROM alert WHERE patient_id = $1 ORDER BY created_at", self.patient_id
            )
            if not rows:
                return
            row = rows[data.draw(st.integers(0, len(rows) - 1))]
            (alert,) = await lock_alerts(connection, [(row["patient_id"], row["alert_id"])])
            (at,) = await load_situations(connection, [alert], self.now_us)
            others = {a.signal for a in map(alert_of, rows) if a.state is not AlertState.RESOLVED}
            if alert.state is AlertState.RESOLVED and alert.signal in others:
                return
            try:
                transition = decide(at)
            except (BadInput, Outdated):
                return
            if transition is not None:
                await carry_out(connection, [transition])

    # What time, crashes and the post office do.

    @rule(minutes=st.one_of(st.integers(0, 20), st.integers(0, 3 * 24 * 60)))
    def time_goes_by(self, minutes: int) -> None:
        self.now_us += minutes * MINUTE_US
        self.run(self.region.clock(self.now_us))
        self.run(self._follow())
        self.run(self._work_off())

    @rule(minutes=st.integers(1, 180))
    def the_clock_steps_back(self, minutes: int) -> None:
        """That of people and dispatchers, on a machine whose clock was set."""
        self.latest_us = max(self.latest_us, self.now_us)
        self.now_us -= minutes * MINUTE_US
        self.run(self.region.clock(self.now_us))
        self.run(self._work_off())

    @rule()
    def a_dispatcher_is_killed_before_it_commits(self) -> None:
        async def crash() -> None:
            with pytest.raises(TryAgain, match="killed"):
                await dispatch(cast("Pool", _Crashing(self.dispatcher)), SETTINGS, LADDER)

        self.run(crash())

    @rule(state=st.sampled_from(["delivered", "given_up"]))
    def the_post_goes(self, state: str) -> None:
        column = "delivered_at" if state == "delivered" else "over_at"
        statement = f"UPDATE message SET state = $1, {column} = $2 WHERE patient_id = $3 AND state = 'due'"
        self.run(self.admin.execute(statement, state, to_datetime(self.now_us), self.patient_id))

    async def _work_off(self) -> None:
        for _ in range(100):
            if not await dispatch(self.dispatcher, SETTINGS, LADDER):
                return
        raise AssertionError("the ladder does not come to rest")

    # What always holds.

    @invariant()
    def each_open_alert_is_somebodys_and_looked_at_again(self) -> None:
        self.run(self._check())

    async def _check(self) -> None:
        rows = await self.admin.fetch("SELECT * FROM alert WHERE patient_id = $1", self.patient_id)
        for alert in map(alert_of, rows):
            steps = await self.admin.fetch(
                "SELECT due_at FROM escalation_step WHERE alert_id = $1 AND state = 'due'", alert.alert_id
            )
            open_ones = await self.admin.fetch(
                "SELECT * FROM escalation WHERE alert_id = $1 AND state = ANY($2)",
                alert.alert_id, [str(s) for s in OPEN_ESCALATION],
            )  # fmt: skip
            if alert.state is AlertState.RESOLVED:
                assert not (open_ones and not steps), "who was asked about what is resolved hears of it"
                continue
            assert len(steps) == 1, "somebody looks again, once"
            due_us = round(steps[0]["due_at"].timestamp() * 1e6)
            assert due_us <= max(self.latest_us, self.now_us) + LONGEST_US, "and before long"
            assert len([e for e in open_ones if e["asked_by"] is None and e["state"] == "asked"]) <= 1
            self._is_somebodys(alert, open_ones)

    def _is_somebodys(self, alert: Alert, open_ones: list[asyncpg.Record]) -> None:
        nurses = Party(Role.NURSE, self.region.centre)
        accepted = [e for e in open_ones if e["state"] == EscalationState.ACCEPTED and e["question"] is None]
        if alert.responsible != nurses:
            parties = [Party(Role(e["to_role"]), e["to_organisation_id"]) for e in accepted]
            assert alert.responsible in parties, "responsibility moves only when a named person accepts"
        if alert.state is AlertState.ACKNOWLEDGED:
            assert alert.owner is not None
            assert alert.resolve_by_us is not None

    @invariant()
    def nobody_is_left_waiting_once_what_is_due_was_done(self) -> None:
        """After the dispatcher has been: what is open was asked of somebody not longer ago than allowed."""
        self.run(self._check_silence())

    async def _check_silence(self) -> None:
        due = await self.admin.fetchval(
            "SELECT count(*) FROM escalation_step WHERE state = 'due' AND due_at <= $1",
            to_datetime(self.now_us),
        )
        if due:
            return
        rows = await self.admin.fetch("SELECT * FROM alert WHERE patient_id = $1", self.patient_id)
        asked = await self.admin.fetch(
            "SELECT alert_id FROM escalation WHERE patient_id = $1 AND over_at IS NULL", self.patient_id
        )
        for alert in map(alert_of, rows):
            if alert.state is AlertState.RESOLVED:
                assert alert.alert_id not in {row["alert_id"] for row in asked}, "nobody is asked any more"
                continue
            if (
                alert.held_back is not None
                or alert.quiet
                or alert.cleared_at_us is not None
                or alert.retracted
            ):
                continue
            if alert.state is AlertState.ACKNOWLEDGED:
                assert (alert.snoozed_until_us or alert.resolve_by_us or 0) > self.now_us
            elif self.now_us >= self.latest_us:
                # Until a clock that stepped back is where it was, what was set by it is not due.
                assert alert.step_no > 0
                assert alert.stepped_at_us is not None
                assert self.now_us - alert.stepped_at_us < LONGEST_US


def test_no_open_alert_is_without_anybody_or_silent_for_longer_than_allowed(database: str) -> None:
    with asyncio.Runner() as runner:
        world = runner.run(World.begin(database))
        try:
            run_state_machine_as_test(
                type("CourseHere", (Course,), {"world": world}),
                settings=settings(
                    max_examples=20 * TIMES,
                    stateful_step_count=40,
                    deadline=None,
                    suppress_health_check=[HealthCheck.too_slow],
                ),
            )
        finally:
            runner.run(world.end())
