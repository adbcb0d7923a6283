"""A receipt ends the wait for delivery, and no other: the ladder looks at once, and waits for a person."""

import pytest

from alerting.escalation import dispatcher
from alerting.notify.channels.webhook import Webhook
from alerting.notify.sender import send_due
from models.alerts import Alert
from models.clock import HOUR_US, MINUTE_US
from models.db.escalations import load_escalations
from models.db.pool import Connection, Pool
from models.escalations import Escalation, EscalationState, Recipient
from models.register import OrganisationKind
from models.settings import Settings
from tests.integration.escalation.nurses import LADDER
from tests.integration.escalation.region import T0_US, Region
from tests.receivers.https import Endpoint, Reply

ASKED_US = HOUR_US
"""A medium alert of heart failure on a Sunday: after an hour without a nurse the post is asked."""
SENT_US = ASKED_US + 15 * MINUTE_US
"""What is not severe waits that long for others to join it."""


@pytest.fixture
async def region(admin: Connection, receiver: Endpoint) -> Region:
    """Whoever serves the region; the post takes webhooks."""
    region = Region(admin)
    await region.begin()
    await admin.execute(
        "UPDATE message_address SET channel = 'webhook', address = $2 WHERE organisation_id = $1",
        region.by_kind[OrganisationKind.OUT_OF_HOURS_POST],
        receiver.url(),
    )
    return region


async def look(region: Region, pool: Pool, us: int) -> None:
    """The ladder takes everything that is due by then."""
    await region.clock(T0_US + us)
    while await dispatcher.dispatch(pool, Settings(dispatch_time="log"), LADDER):
        pass


async def asked(region: Region, pool: Pool) -> Alert:
    """An alert of which the post is asked, and the ladder waits for that to arrive."""
    alert = await region.alert(await region.patient())
    for us in (0, ASKED_US):
        await look(region, pool, us)
    assert await region.due_of(alert) == (ASKED_US + HOUR_US, "not_delivered")
    return alert


async def escalations(region: Region, alert: Alert) -> list[Escalation]:
    return await load_escalations(region.admin, [alert])


async def test_once_delivered_the_ladder_waits_for_acceptance_alone(
    region: Region, dispatch: Pool, webhook: Webhook
) -> None:
    alert = await asked(region, dispatch)
    assert await send_due(dispatch, {webhook.name: webhook}, T0_US + SENT_US) == 1
    assert await region.due_of(alert) == (SENT_US, "message delivered")
    await look(region, dispatch, SENT_US)
    assert await region.due_of(alert) == (ASKED_US + 4 * HOUR_US, "not_accepted")
    await look(region, dispatch, ASKED_US + 4 * HOUR_US - 1)
    (post,) = await escalations(region, alert)
    assert (post.recipient, post.state) == (Recipient.OUT_OF_HOURS_POST, EscalationState.ASKED)
    await look(region, dispatch, ASKED_US + 4 * HOUR_US)
    assert (await escalations(region, alert))[0].state is EscalationState.PASSED_ON


async def test_not_delivered_in_time_the_next_is_asked(
    region: Region, dispatch: Pool, webhook: Webhook, receiver: Endpoint
) -> None:
    alert = await asked(region, dispatch)
    receiver.usual = Reply(503)
    await send_due(dispatch, {webhook.name: webhook}, T0_US + SENT_US)
    await look(region, dispatch, ASKED_US + HOUR_US)
    post, following = await escalations(region, alert)
    assert (post.state, following.reason) == (EscalationState.PASSED_ON, "not_delivered")


async def test_a_receipt_touches_no_other_wait(region: Region, dispatch: Pool, webhook: Webhook) -> None:
    alert = await asked(region, dispatch)
    await region.admin.execute("UPDATE escalation_step SET why = 'not_accepted' WHERE state = 'due'")
    await send_due(dispatch, {webhook.name: webhook}, T0_US + SENT_US)
    assert await region.due_of(alert) == (ASKED_US + HOUR_US, "not_accepted")
