"""What a patient asks for: who looked, a copy of everything, an objection, a correction."""

from typing import Any
from uuid import UUID

import pytest

from ingest.auditing import reviewing
from ingest.on_command import Who, acting_as
from ingest.rights import service
from ingest.rights.corrections import Correction, Identity, Wanted
from ingest.rights.looks import DEEDS, GROUNDS, ROLES, Look
from ingest.worker import IngestHandler
from models.access import Action, Role
from models.access import Ground as AccessGround
from models.audit import Kind
from models.clock import DAY_US, to_us
from models.db import corrections, rights
from models.db.declared import relation_to
from models.db.looks import hours as load_hours
from models.db.pool import Connection, Pool, connect
from models.errors import BadInput, NotAllowed
from models.settings import load_settings
from tests.integration.alerting.following import CLUSTER, PARTITION, TOPIC, Record
from tests.integration.rights.conftest import TAKEN_AT, THEIRS, World, person, rows_of
from tests.integration.rights.patients_rights import NOW_US, copy_of, look, resources


async def looks_of(people: Pool, world: World) -> list[Look]:
    async with acting_as(
        people,
        world.as_officer,
        Action.LOOKS_READ,
        Kind.READ,
        patient_id=world.patient,
        reason="asked by letter",
    ) as deed:
        return await service.looks(deed.connection, world.patient, deed.require)


async def test_the_overview_says_who_when_what_and_on_which_ground(
    people: Pool, admin: Connection, world: World
) -> None:
    stranger = await person(admin, "P. Vos", Role.HUISARTS, THEIRS)
    await look(people, Who(world.nurse), world.patient)
    await look(people, Who(world.nurse), world.other)
    await admin.execute("DELETE FROM consent")
    with pytest.raises(NotAllowed):
        await look(people, Who(stranger), world.patient)
    assert await looks_of(people, world) != []
    first, refused, own = await looks_of(people, world)
    assert "M. Jansen (verpleegkundige, Ziekenhuis Duin) bekeek uw gegevens." in first.nl
    assert first.nl.endswith("Dat mocht omdat deze organisatie u behandelt.")
    assert "M. Jansen (nurse, Ziekenhuis Duin) looked at your data." in first.en
    assert "P. Vos (huisarts, Praktijk Vlier) wilde uw gegevens bekijken. Dat mocht niet" in refused.nl
    assert "F. Kuipers (functionaris voor uw privacy, Ziekenhuis Duin) maakte dit overzicht voor u" in own.nl
    reasons = await admin.fetch("SELECT reason FROM audit WHERE event_code = 'looks.read'")
    assert {row["reason"] for row in reasons} == {"asked by letter"}


def test_every_action_ground_and_role_has_its_words() -> None:
    no_patient = {
        Action.AUDIT_VERIFY, Action.ORGANISATION_CHANGE, Action.PEOPLE_CHANGE, Action.DIRECTORY_READ,
        Action.OWN_SESSION, Action.TECHNICAL_READ, Action.TECHNICAL_RESOLVE, Action.POLICY_READ,
        Action.INSIGHT_READ, Action.DELIVERY_READ,
    }  # fmt: skip
    assert set(Action) - set(DEEDS) == no_patient
    assert set(GROUNDS) == set(AccessGround)
    assert set(ROLES) == set(Role)


async def test_an_objection_closes_the_record_until_it_is_taken_back(people: Pool, world: World) -> None:
    async def objected(*, back: bool) -> None:
        async with acting_as(
            people, world.as_officer, Action.OBJECTION_RECORD, Kind.UPDATE, patient_id=world.patient,
            reason="said so on the phone",
        ) as deed:  # fmt: skip
            if back:
                await service.take_objection_back(deed.connection, deed.user, world.patient, None)
            else:
                await service.object_to(deed.connection, deed.user, world.patient, None, "said so")

    await look(people, Who(world.nurse), world.patient)
    await objected(back=False)
    await objected(back=False)
    with pytest.raises(NotAllowed):
        await look(people, Who(world.nurse), world.patient)
    await objected(back=True)
    await look(people, Who(world.nurse), world.patient)
    with pytest.raises(BadInput, match="objection"):
        await objected(back=True)
    async with acting_as(
        people, world.as_officer, Action.OBJECTION_RECORD, Kind.UPDATE, patient_id=world.patient
    ) as deed:
        with pytest.raises(BadInput, match="organisation"):
            async with deed.connection.transaction():
                await rights.object_to(deed.connection, world.patient, UUID(int=99), world.officer, "x")
        assert not (await relation_to(deed.connection, world.patient)).objection


async def corrected(people: Pool, world: World, wanted: Wanted, **identity: Any) -> Correction:
    meant: dict[str, Any] = {
        "kind": "body_weight",
        "taken_at_us": to_us(TAKEN_AT),
        "device_id": "scale-1",
    } | identity
    async with acting_as(
        people,
        Who(world.nurse),
        Action.CORRECTION_MAKE,
        Kind.UPDATE,
        patient_id=world.patient,
        reason="typed wrong",
    ) as deed:
        return await service.correct_reading(
            deed.connection, deed.user, Identity(world.patient, **meant), wanted, NOW_US
        )


async def test_a_correction_is_left_for_the_log_and_counts_once_it_is_read(
    people: Pool, admin: Connection, world: World, database: str
) -> None:
    made = await corrected(people, world, Wanted(value=71.4, unit="kg"))
    assert (made.revision, made.is_void, made.is_too_late) == (1, False, False)
    back = await corrected(
        people, world, Wanted(), kind="systolic", device_id="cuff-1", taken_at_us=to_us(TAKEN_AT) + 60_000_000
    )
    assert (back.revision, back.is_void) == (0, True)
    assert (await rows_of(admin, world.patient))["reading"] == 9, "no row was edited or added"

    teller = await connect(database, role="thuiswacht_register", application="test")
    async with teller.connection() as connection:
        waiting = await corrections.to_tell(connection, 10)
        assert [one.patient_id for one in waiting] == [world.patient] * 2
        await corrections.told(connection, waiting)
        assert await corrections.to_tell(connection, 10) == []
    await teller.close()

    pool = await connect(database, role="thuiswacht_ingest", application="test")
    storing = IngestHandler(pool, load_settings(topic=TOPIC, consumer_group="test"))
    await admin.execute("UPDATE patient SET cluster_id = $1, topic = $2", CLUSTER, TOPIC)
    await storing.assigned(CLUSTER, [PARTITION], 1)
    log = [Record(offset, one.message) for offset, one in enumerate(waiting, 60)]
    await storing.commit(storing.prepare({PARTITION: log}))
    await pool.close()
    statuses: set[tuple[Any, ...]] = {
        (one["code"]["coding"][0]["code"], one["status"], (one.get("valueQuantity") or {}).get("value"))
        for one in resources(await copy_of(people, world), "Observation")
        if one["effectiveDateTime"].startswith("2026-11-22")
    }
    assert {
        ("29463-7", "entered-in-error", 81.4), ("29463-7", "corrected", 71.4),
        ("8480-6", "entered-in-error", 140), ("8480-6", "cancelled", None),
    } <= statuses  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "identity", "where"),
    [
        (Wanted(value=814.0, unit="kg"), {}, "value"),
        (Wanted(value=71.4, unit="stone"), {}, "unit"),
        (Wanted(value=71.4), {}, "unit"),
        (Wanted(code="severe"), {}, "code"),
        (Wanted(value=71.4, unit="kg"), {"device_id": "scale-2"}, "reading"),
        (Wanted(value=71.4, unit="kg"), {"kind": "shoe_size"}, "kind"),
        (Wanted(value=71.4, unit="kg"), {"taken_at_us": NOW_US - 500 * DAY_US}, "reading"),
        (Wanted(), {"taken_at_us": to_us(TAKEN_AT) - 2 * DAY_US}, "reading"),
    ],
)
async def test_a_correction_that_cannot_be_is_refused_and_leaves_nothing(
    people: Pool, admin: Connection, world: World, wanted: Wanted, identity: dict[str, Any], where: str
) -> None:
    with pytest.raises(BadInput) as refused:
        await corrected(people, world, wanted, **identity)
    assert refused.value.where == where
    assert await admin.fetchval("SELECT count(*) FROM correction") == 0
    told = await admin.fetch("SELECT outcome, details FROM audit WHERE event_code = 'correction.make'")
    assert [tuple(row) for row in told] == [("failed", "BadInput")]


async def test_another_organisation_reviews_nothing_of_ours(
    people: Pool, admin: Connection, world: World
) -> None:
    stranger = await person(admin, "P. Vos", Role.PRIVACY_OFFICER, THEIRS)
    for who, seen in ((Who(stranger), 0), (world.as_officer, 2)):
        async with acting_as(people, who, Action.AUDIT_REVIEW, Kind.READ) as deed:
            emergencies = [one for one in await reviewing.flags(deed.connection, 0, NOW_US) if one.emergency]
            assert len(emergencies) == seen
            hours = await load_hours(deed.connection, 0, 2**62)
            assert {hour.user_id for hour in hours} <= {str(who.person_id)}
