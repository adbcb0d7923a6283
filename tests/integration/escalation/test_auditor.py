"""The auditor: no open alert without a next step, no step, message or escalation past its time, unnoticed."""

from dataclasses import replace
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from alerting.escalation import dispatcher
from alerting.escalation.auditor import Audit, audit
from models.clock import DAY_US, HOUR_US, MINUTE_US, to_datetime, wall_now_us
from models.db.oversight import may_audit
from models.db.pool import Pool
from models.db.trouble import load_trouble
from models.escalations import Trouble
from models.findings import Severity
from models.settings import Settings
from tests.integration.escalation.ladders import ladder
from tests.integration.escalation.region import T0_US, Region

BY_LOG = Settings(dispatch_time="log")
NOTHING = Audit(0, 0, 0, 0)


@pytest.fixture
async def climbed(region: Region, dispatch: Pool) -> Region:
    """An alert about which the practice was asked."""
    await region.alert(await region.patient())
    for us in (0, HOUR_US):
        await region.clock(T0_US + us)
        await dispatcher.dispatch(dispatch, BY_LOG, ladder())
    return region


async def test_where_all_is_well_nothing_is_found(climbed: Region, dispatch: Pool) -> None:
    assert await audit(dispatch, BY_LOG) == NOTHING
    assert await load_trouble(climbed.admin) == []


async def test_an_alert_without_a_next_step_gets_one(climbed: Region, dispatch: Pool) -> None:
    await climbed.admin.execute(
        "UPDATE escalation_step SET state = 'dropped', done_at = now() WHERE state = 'due'"
    )
    assert await audit(dispatch, BY_LOG) == replace(NOTHING, without_step=1)
    (trouble,) = await load_trouble(climbed.admin)
    assert (trouble.trouble, trouble.severity) == (Trouble.NO_NEXT_STEP, Severity.HIGH)
    why = await climbed.admin.fetchval("SELECT why FROM escalation_step WHERE state = 'due'")
    assert why == "had_no_next_step"
    assert await dispatcher.dispatch(dispatch, BY_LOG, ladder()) == 1
    assert await audit(dispatch, BY_LOG) == NOTHING
    assert len(await load_trouble(climbed.admin)) == 1, "it is mended; that it happened, somebody has to see"


async def test_steps_that_nobody_takes_are_trouble_until_somebody_does(
    climbed: Region, dispatch: Pool
) -> None:
    await climbed.clock(T0_US + DAY_US)
    found = await audit(dispatch, BY_LOG)
    assert found is not None
    assert found.overdue_steps == 1
    assert REGISTRY.get_sample_value("thuiswacht_dispatch_lag_seconds") == pytest.approx(
        DAY_US / 1e6, rel=0.1
    )
    trouble = {one.trouble for one in await load_trouble(climbed.admin)}
    assert Trouble.OVERDUE_STEP in trouble
    while await dispatcher.dispatch(dispatch, BY_LOG, ladder()):
        pass
    await audit(dispatch, BY_LOG)
    assert Trouble.OVERDUE_STEP not in {one.trouble for one in await load_trouble(climbed.admin)}


async def test_a_message_past_its_time_is_looked_at(climbed: Region, dispatch: Pool) -> None:
    await climbed.admin.execute(
        "UPDATE escalation_step SET due_at = $1 WHERE state = 'due'", to_datetime(T0_US + 2 * DAY_US)
    )
    await climbed.clock(T0_US + HOUR_US + 32 * MINUTE_US)
    assert await audit(dispatch, BY_LOG) == replace(NOTHING, late_messages=1)
    assert await dispatcher.dispatch(dispatch, BY_LOG, ladder()) == 1
    assert await climbed.admin.fetchval("SELECT count(*) FROM escalation") == 2


async def test_an_escalation_that_no_message_carries_is_passed_on(climbed: Region, dispatch: Pool) -> None:
    await climbed.admin.execute("DELETE FROM message")
    await climbed.clock(T0_US + HOUR_US + 2 * MINUTE_US)
    assert await audit(dispatch, BY_LOG) == replace(NOTHING, untold_escalations=1)
    assert await dispatcher.dispatch(dispatch, BY_LOG, ladder()) == 1
    states = await climbed.admin.fetch("SELECT state FROM escalation ORDER BY asked_at")
    assert [row["state"] for row in states] == ["passed_on", "asked"]


async def test_one_audits_at_a_time_and_says_when(climbed: Region, dispatch: Pool) -> None:
    before_s = wall_now_us() / 1e6
    async with climbed.admin.transaction():
        assert await may_audit(climbed.admin)
        assert await audit(dispatch, BY_LOG) is None
    await audit(dispatch, BY_LOG)
    heard_s = REGISTRY.get_sample_value("thuiswacht_dispatch_audited_seconds")
    assert heard_s is not None
    assert heard_s >= before_s


async def test_a_recheck_without_a_step_is_found_too(region: Region, dispatch: Pool) -> None:
    alert = await region.alert(await region.patient())
    await region.clock(T0_US)
    await region.admin.execute("UPDATE escalation_step SET state = 'dropped', done_at = now()")
    await region.admin.execute(
        """
        UPDATE alert SET state = 'resolved', outcome = 'expected', resolved_at = $1, owner = $2, recheck_at = $1
        WHERE alert_id = $3
        """,
        to_datetime(T0_US), uuid4(), alert.alert_id,
    )  # fmt: skip
    assert await audit(dispatch, BY_LOG) == replace(NOTHING, without_step=1)
