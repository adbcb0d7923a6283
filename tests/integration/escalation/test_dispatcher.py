"""Steps that are due are taken once, the worst first, by any number of dispatchers."""

import asyncio
from dataclasses import replace
from uuid import uuid4

from alerting.acts import acknowledge, resolve
from alerting.carrying_out import carry_out
from alerting.escalation import dispatcher
from alerting.escalation.duty import Duty, Rosters
from models.access import Role, User
from models.alerts import Alert, AlertEvent, AlertHappening, AlertState, Outcome
from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.db.alerts import lock_alerts, write_alerts
from models.db.escalations import claim, load_escalations
from models.db.pool import Pool, connect
from models.db.trouble import load_trouble
from models.escalations import EscalationState, Recipient, Trouble
from models.findings import Severity, Signal
from models.register import OrganisationKind
from models.settings import Settings
from tests.integration.escalation.ladders import Always, ladder
from tests.integration.escalation.region import T0_US, Region

BY_LOG = Settings(dispatch_time="log")


async def at(region: Region, us: int, *, pool: Pool) -> int:
    """Everything that is due by then; how many steps were taken."""
    await region.clock(T0_US + us)
    taken = 0
    while step := await dispatcher.dispatch(pool, BY_LOG, ladder()):
        taken += step
    return taken


async def now(region: Region, alert: Alert) -> Alert:
    (found,) = await lock_alerts(region.admin, [(alert.patient_id, alert.alert_id)])
    return found


async def happened(region: Region, alert: Alert) -> list[str]:
    rows = await region.admin.fetch(
        "SELECT event FROM alert_event WHERE alert_id = $1 ORDER BY event_no", alert.alert_id
    )
    return [row["event"] for row in rows]


async def test_an_alert_climbs_its_ladder(region: Region, dispatch: Pool) -> None:
    alert = await region.alert(await region.patient())
    assert await at(region, 0, pool=dispatch) == 1
    assert await region.due_of(alert) == (HOUR_US, "not_accepted")
    assert await at(region, HOUR_US - 1, pool=dispatch) == 0
    assert await at(region, HOUR_US, pool=dispatch) == 1
    (escalation,) = await load_escalations(region.admin, [alert])
    practice = region.by_kind[OrganisationKind.GP_PRACTICE]
    assert (escalation.recipient, escalation.to.organisation_id) == (Recipient.HUISARTS, practice)
    (message,) = await region.admin.fetch("SELECT * FROM message")
    assert (message["escalation_id"], message["number"]) == (escalation.escalation_id, 1)
    stepped = await now(region, alert)
    assert (stepped.step_no, stepped.sent, stepped.state) == (2, True, AlertState.OPEN)
    assert await happened(region, alert) == ["opened", "stepped", "stepped", "escalated"]
    outcomes = await region.admin.fetch(
        "SELECT outcome FROM escalation_step WHERE state = 'done' ORDER BY number"
    )
    assert outcomes[0]["outcome"] == "stepped first_look stands_in_their_worklist not_accepted"


async def test_what_was_heard_is_not_heard_again(region: Region, dispatch: Pool) -> None:
    alert = await region.alert(await region.patient())
    await at(region, 0, pool=dispatch)
    ((heard, last),) = await region.admin.fetch(
        "SELECT heard_event_no, (SELECT max(event_no) FROM alert_event) FROM alert"
    )
    assert heard == last
    changed = AlertHappening(
        alert.alert_id, alert.patient_id, region.centre, T0_US, AlertEvent.FINDING_CHANGED
    )
    await write_alerts(region.admin, [await now(region, alert)], [], [changed])
    assert await at(region, MINUTE_US, pool=dispatch) == 1
    assert await region.due_of(alert) == (HOUR_US, "not_accepted")


async def test_the_worst_go_first(region: Region, dispatch: Pool) -> None:
    patients = [await region.patient() for _ in range(3)]
    for patient, severity in zip(patients, (Severity.LOW, Severity.HIGH, Severity.MEDIUM), strict=True):
        await region.alert(patient, severity=severity)
    async with dispatch.transaction() as connection:
        claimed = await claim(connection, T0_US, 2)
    assert [step.alert.severity for step in claimed] == [Severity.HIGH, Severity.MEDIUM]


async def test_several_dispatchers_take_each_step_once(region: Region, database: str) -> None:
    alerts = [await region.alert(await region.patient()) for _ in range(60)]
    pools = [await connect(database, role="thuiswacht_dispatch", application=f"test{n}") for n in range(4)]
    await region.clock(T0_US)

    async def work(pool: Pool) -> int:
        taken = 0
        while step := await dispatcher.dispatch(pool, BY_LOG, ladder(), limit=7):
            taken += step
        return taken

    try:
        for us in (0, HOUR_US):
            await region.clock(T0_US + us)
            assert sum(await asyncio.gather(*map(work, pools))) == len(alerts)
    finally:
        for pool in pools:
            await pool.close()
    events = await region.admin.fetch(
        "SELECT event, count(*) AS number FROM alert_event GROUP BY event, alert_id"
    )
    assert {(row["event"], row["number"]) for row in events} == {
        ("opened", 1), ("stepped", 2), ("escalated", 1),
    }  # fmt: skip
    numbers = await region.admin.fetch("SELECT number FROM message ORDER BY number")
    assert [row["number"] for row in numbers] == list(range(1, 61))


async def test_an_alert_that_somebody_holds_holds_up_nobody(region: Region, dispatch: Pool) -> None:
    held, free = [await region.alert(await region.patient()) for _ in range(2)]
    await region.clock(T0_US)
    async with region.admin.transaction():
        await lock_alerts(region.admin, [(held.patient_id, held.alert_id)])
        assert await dispatcher.dispatch(dispatch, BY_LOG, ladder()) == 1
    assert (await region.due_of(free)) == (HOUR_US, "not_accepted")
    assert await dispatcher.dispatch(dispatch, BY_LOG, ladder()) == 1


async def person(region: Region) -> User:
    user = User(uuid4(), region.centre, Role.NURSE)
    await region.admin.execute("INSERT INTO person (person_id, name) VALUES ($1, 'Z')", user.person_id)
    return user


async def test_a_person_who_has_it_holds_off_the_ladder_until_their_time_is_over(
    region: Region, dispatch: Pool
) -> None:
    alert = await region.alert(await region.patient())
    await at(region, 0, pool=dispatch)
    nurse = await person(region)
    policy = ladder().policies.of("*", Signal.FLUID, Severity.MEDIUM)
    duty = Always().on_duty(Recipient.NURSE, T0_US)
    act = acknowledge(await now(region, alert), nurse, policy=policy, duty=duty, now_us=T0_US + MINUTE_US)
    await carry_out(region.admin, [act])
    await at(region, 3 * HOUR_US, pool=dispatch)
    assert await load_escalations(region.admin, [alert]) == []
    await at(region, 4 * HOUR_US + MINUTE_US, pool=dispatch)
    assert len(await load_escalations(region.admin, [alert])) == 1
    (notice,) = await region.admin.fetch("SELECT * FROM message WHERE kind = 'notice'")
    assert (notice["person_id"], notice["state"]) == (nurse.person_id, "delivered")


async def test_a_resolved_alert_never_escalates(region: Region, dispatch: Pool) -> None:
    alert = await region.alert(await region.patient())
    await at(region, 0, pool=dispatch)
    nurse = await person(region)
    policy = ladder().policies.of("*", Signal.FLUID, Severity.MEDIUM)
    act = resolve(
        await now(region, alert), nurse, outcome=Outcome.EXPECTED, note=None, holds=False, policy=policy,
        escalations=(), now_us=T0_US + MINUTE_US,
    )  # fmt: skip
    await carry_out(region.admin, [act])
    # Whatever may have set it: a step of an alert that is over does nothing.
    await region.admin.execute(
        """
        INSERT INTO escalation_step (patient_id, alert_id, organisation_id, due_at, rank, why)
        VALUES ($1, $2, $3, now() - interval '100 years', 1, 'test')
        """,
        alert.patient_id, alert.alert_id, region.centre,
    )  # fmt: skip
    await at(region, 90 * DAY_US, pool=dispatch)
    assert await load_escalations(region.admin, [alert]) == []
    assert await region.due_of(alert) is None


async def test_a_recheck_opens_a_new_alert_with_the_finding_that_still_holds(
    region: Region, dispatch: Pool
) -> None:
    alert = await region.alert(await region.patient())
    await at(region, 0, pool=dispatch)
    nurse = await person(region)
    policy = ladder().policies.of("*", Signal.FLUID, Severity.MEDIUM)
    act = resolve(
        await now(region, alert), nurse, outcome=Outcome.TRUE_ACTED_ON, note=None, holds=True, policy=policy,
        escalations=(), now_us=T0_US,
    )  # fmt: skip
    await carry_out(region.admin, [act])
    assert await region.due_of(alert) == (DAY_US, "recheck")
    await at(region, DAY_US, pool=dispatch)
    (new,) = await region.admin.fetch("SELECT * FROM alert WHERE follows = $1", alert.alert_id)
    assert (new["state"], new["step_no"]) == ("open", 1)
    links = await region.admin.fetch("SELECT alert_id FROM alert_finding ORDER BY joined_at")
    assert [row["alert_id"] for row in links] == [alert.alert_id, new["alert_id"]]
    assert await region.due_of(alert) is None
    # Another recheck of the old one would find the finding where it has gone.
    await region.admin.execute(
        "UPDATE alert SET recheck_at = resolved_at WHERE alert_id = $1", alert.alert_id
    )
    assert await region.admin.fetchval("SELECT count(*) FROM alert WHERE state <> 'resolved'") == 1


async def test_two_alerts_of_one_patient_share_a_message(region: Region, dispatch: Pool) -> None:
    patient = await region.patient()
    await region.alert(patient)
    await region.alert(patient, signal=Signal.PRESSURE)
    await at(region, 0, pool=dispatch)
    await at(region, HOUR_US, pool=dispatch)
    (message,) = await region.admin.fetch("SELECT * FROM message")
    assert len(message["alerts"]) == 2
    # It arrives: both escalations have.
    await region.admin.execute("UPDATE message SET state = 'delivered'")
    await at(region, HOUR_US + 31 * MINUTE_US, pool=dispatch)
    escalations = await region.admin.fetch("SELECT state FROM escalation")
    assert [row["state"] for row in escalations] == ["asked", "asked"]


async def test_trouble_is_told_once_for_all_alerts_of_a_batch(region: Region, dispatch: Pool) -> None:
    await region.admin.execute("UPDATE message_address SET until_at = clock_timestamp()")
    for _ in range(3):
        await region.alert(await region.patient())
    await at(region, 0, pool=dispatch)
    await at(region, HOUR_US, pool=dispatch)
    trouble = {one.trouble: one for one in await load_trouble(region.admin)}
    assert trouble[Trouble.UNREACHABLE_STEP].times == 1
    assert set(trouble) == {Trouble.UNREACHABLE_STEP, Trouble.LADDER_ENDED}


class Mistaken(Always):
    """A roster with a mistake in it."""

    def on_duty(self, recipient: Recipient, at_us: int) -> Duty:
        raise ZeroDivisionError(recipient, at_us)


async def test_one_alert_that_no_decision_can_be_made_about_holds_up_no_other(
    region: Region, dispatch: Pool
) -> None:
    failing: Rosters = Mistaken()
    alert = await region.alert(await region.patient())
    await region.clock(T0_US)
    await dispatcher.dispatch(dispatch, BY_LOG, replace(ladder(), rosters=failing))
    assert await region.due_of(alert) == (5 * MINUTE_US, "mistaken")
    (trouble,) = await load_trouble(region.admin)
    assert (trouble.trouble, trouble.severity) == (Trouble.OVERDUE_STEP, Severity.HIGH)


async def test_the_state_of_an_escalation_is_kept(region: Region, dispatch: Pool) -> None:
    alert = await region.alert(await region.patient())
    for hour in range(3):
        await at(region, hour * HOUR_US, pool=dispatch)
        await region.admin.execute("UPDATE message SET state = 'delivered' WHERE state = 'due'")
    states = [e.state for e in await load_escalations(region.admin, [alert])]
    assert states == [EscalationState.PASSED_ON, EscalationState.ASKED]


async def test_by_the_wall_what_is_due_is_due_now(region: Region, dispatch: Pool) -> None:
    await region.alert(await region.patient(), at_us=T0_US - 300 * DAY_US)
    assert await dispatcher.dispatch(dispatch, Settings(), ladder()) == 1
