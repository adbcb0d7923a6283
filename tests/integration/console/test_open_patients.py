"""The list by patients as the database gives it: its order, what is sought, who sees what; own views."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import httpx
import pytest

from models.access import Action
from models.clock import MINUTE_US, to_datetime, to_us
from models.db.declared import acting
from models.db.open_patients import Sought, SoughtOwner, SoughtState, list_ids, list_open, sees_anybody
from models.db.pool import Connection, Pool
from models.db.shift import waiting
from models.db.worklist_views import MOST, drop_view, save_view, views
from models.findings import Severity, Signal
from tests.integration.alerting.ward import HOSPITAL, NOW, Ward

NOW_US = to_us(datetime.fromisoformat(NOW))


@pytest.fixture
async def ward(admin: Connection) -> AsyncIterator[Ward]:
    async with httpx.AsyncClient() as client:
        ward = Ward(admin, client)
        await ward.begin()
        yield ward


async def listed(people: Pool, ward: Ward, who: str, sought: Sought, limit: int = 50) -> list[list[UUID]]:
    """The alerts of each patient as somebody has them before them."""
    async with acting(people, ward.people[who], Action.ALERT_READ) as connection:
        found = await list_open(connection, sought, limit=limit, now_us=NOW_US)
        assert {row[0].alert.patient_id for row in found} <= set(
            await list_ids(connection, sought, now_us=NOW_US)
        )
    return [[one.alert.alert_id for one in row] for row in found]


async def test_the_worst_alert_decides_and_the_oldest_goes_first(people: Pool, ward: Ward) -> None:
    a, b, c, d = [await ward.patient() for _ in range(4)]
    low = await ward.alert(a, severity="low", opened_at="2026-12-01T01:00:00+00:00")
    silent = await ward.alert(b, "silence", "low", opened_at="2026-12-01T06:00:00+00:00")
    medium_b = await ward.alert(b, "glucose", "medium", opened_at="2026-12-01T02:00:00+00:00")
    newer = await ward.alert(c, severity="high", opened_at="2026-12-01T08:00:00+00:00")
    older = await ward.alert(d, severity="high", opened_at="2026-12-01T07:00:00+00:00")
    low_d = await ward.alert(d, "pressure", "low", opened_at="2026-12-01T00:00:00+00:00")
    expected = [[older, low_d], [newer], [silent, medium_b], [low]]
    assert await listed(people, ward, "M. Jansen", Sought()) == expected
    assert await listed(people, ward, "M. Jansen", Sought(), limit=2) == expected[:2]
    # What is sought chooses patients; their other alerts stand beside.
    found = await listed(people, ward, "M. Jansen", Sought(severity=Severity.LOW))
    assert found == [[older, low_d], [silent, medium_b], [low]]
    assert await listed(people, ward, "M. Jansen", Sought(signal=Signal.GLUCOSE)) == [[silent, medium_b]]
    assert await listed(people, ward, "M. Jansen", Sought(patients=(a, c))) == [[newer], [low]]


async def test_what_is_out_of_sight(people: Pool, ward: Ward) -> None:
    a, b, c = [await ward.patient() for _ in range(3)]
    asleep, awake = await ward.alert(a), await ward.alert(b)
    held = await ward.alert(c, held_back="pause")
    await ward.alert(await ward.patient(), origin="canary")
    me = ward.people["M. Jansen"].person_id
    for alert_id, until_us in ((asleep, NOW_US + MINUTE_US), (awake, NOW_US)):
        await ward.admin.execute(
            "UPDATE alert SET state = 'acknowledged', owner = $2, acknowledged_at = opened_at, "
            "resolve_by = now(), snoozed_until = $3 WHERE alert_id = $1",
            alert_id, me, to_datetime(until_us),
        )  # fmt: skip
    see = listed
    assert await see(people, ward, "M. Jansen", Sought()) == [[awake]]
    assert await see(people, ward, "M. Jansen", Sought(state=SoughtState.SNOOZED)) == [[asleep]]
    found = await see(people, ward, "M. Jansen", Sought(asleep=True, held_back=True))
    assert sorted(found) == sorted([[asleep], [awake], [held]])
    assert await see(people, ward, "M. Jansen", Sought(owner=SoughtOwner.MINE)) == [[awake]]
    assert await see(people, ward, "P. Smit", Sought(owner=SoughtOwner.OTHERS)) == [[awake]]
    assert await see(people, ward, "P. Smit", Sought(owner=SoughtOwner.NOBODY)) == []
    async with acting(people, ward.people["M. Jansen"], Action.ALERT_READ) as connection:
        counts = await waiting(connection, NOW_US)
    assert (counts.open, counts.mine, counts.snoozed, counts.held_back) == (1, 2, 1, 1)
    assert counts.owners == {me}


async def test_what_is_offered_to_oneself_is_among_ones_own(people: Pool, ward: Ward) -> None:
    alert_id = await ward.alert(await ward.patient())
    jansen, smit = (ward.people[name] for name in ("M. Jansen", "P. Smit"))
    await ward.admin.execute(
        "UPDATE alert SET state = 'acknowledged', owner = $2, acknowledged_at = opened_at, "
        "resolve_by = now(), handed_to_role = 'nurse', handed_to_organisation_id = $3, "
        "handed_to_person_id = $4, hand_over_until = $5 WHERE alert_id = $1",
        alert_id, jansen.person_id, jansen.organisation_id, smit.person_id, to_datetime(NOW_US + 1),
    )  # fmt: skip
    assert await listed(people, ward, "P. Smit", Sought(owner=SoughtOwner.MINE)) == [[alert_id]]
    assert await listed(people, ward, "P. Smit", Sought(state=SoughtState.OFFERED)) == [[alert_id]]
    async with acting(people, smit, Action.ALERT_READ) as connection:
        assert (await waiting(connection, NOW_US)).offered == 1


async def test_programme_and_wijk(people: Pool, ward: Ward) -> None:
    here = await ward.alert(await ward.patient("Loosduinen"))
    await ward.alert(await ward.patient("Zuiderpark"))
    assert await listed(people, ward, "M. Jansen", Sought(wijk="Loosduinen")) == [[here]]
    assert len(await listed(people, ward, "M. Jansen", Sought(programme="heart_failure"))) == 2
    assert await listed(people, ward, "M. Jansen", Sought(programme="copd")) == []


async def test_who_was_asked_sees_what_was_handed_to_them_alone(people: Pool, ward: Ward) -> None:
    patient_id = await ward.patient()
    handed = await ward.alert(patient_id)
    await ward.alert(patient_id, "glucose", "medium")
    assert await listed(people, ward, "K. Mulder", Sought()) != []
    assert await listed(people, ward, "H. de Boer", Sought()) == []
    await ward.admin.execute(
        "INSERT INTO escalation (patient_id, escalation_id, alert_id, organisation_id, step_no, "
        "recipient, request, to_role, to_organisation_id, asked_at, reason) "
        "VALUES ($1, gen_random_uuid(), $2, $3, 1, 'huisarts', 'regular', 'huisarts', $4, now(), 'x')",
        patient_id, handed, HOSPITAL, ward.people["H. de Boer"].organisation_id,
    )  # fmt: skip
    assert await listed(people, ward, "H. de Boer", Sought()) == [[handed]]
    # An objection of the patient comes before everything.
    await ward.admin.execute(
        "INSERT INTO objection (patient_id, organisation_id, from_at, by) "
        "VALUES ($1, $2, now() - interval '1 h', $3)",
        patient_id, HOSPITAL, ward.people["M. Jansen"].person_id,
    )  # fmt: skip
    assert await listed(people, ward, "K. Mulder", Sought()) == []


async def test_views_are_ones_own(people: Pool, ward: Ward) -> None:
    async with acting(people, ward.people["M. Jansen"], Action.OWN_SESSION) as connection:
        assert not await sees_anybody(connection)
        for n in range(MOST):
            assert await save_view(connection, f"view {n:02}", {"severity": "high"})
        assert not await save_view(connection, "one too many", {})
        assert await save_view(connection, "view 00", {"owner": "mine"})
        kept = await views(connection)
        assert len(kept) == MOST
        assert kept[0].wanted == {"owner": "mine"}
    async with acting(people, ward.people["P. Smit"], Action.OWN_SESSION) as connection:
        assert await views(connection) == []
        await drop_view(connection, kept[0].view_id)
    async with acting(people, ward.people["M. Jansen"], Action.OWN_SESSION) as connection:
        await drop_view(connection, kept[1].view_id)
        assert [one.name for one in await views(connection)][:2] == ["view 00", "view 02"]
