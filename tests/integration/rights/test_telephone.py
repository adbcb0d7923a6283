"""A reading told by telephone: entered by somebody, through a real log, into the table, and taken back."""

from typing import Any
from uuid import UUID

import pytest

from ingest.acting import Deed, Known, doing
from ingest.keys import partition_of
from ingest.log import Writer
from ingest.rights import service
from ingest.rights.corrections import Identity, Wanted
from ingest.rights.telephone import DEVICE, SOURCE, Told
from ingest.rights.telling import tell
from models.access import Action, Ground, Role, User
from models.audit import Kind
from models.clock import MINUTE_US, wall_now_us
from models.db.pool import Connection, Pool, connect
from models.db.series import entries_of, load_series
from models.errors import BadInput, NotAllowed
from models.settings import Settings
from tests.integration.ingest.conftest import everything, settings, working
from tests.integration.rights.conftest import OURS, THEIRS, World, person

# A fixture of those who follow the log.
__all__ = ("settings",)

SYSTOLIC, DIASTOLIC = 1, 2


async def enter(people: Pool, who: UUID, patient_id: UUID, told: Told, organisation: UUID = OURS) -> UUID:
    """Somebody enters what a patient said."""
    known = Known(User(who, organisation, Role.NURSE), "test")
    async with doing(people, known, Deed(Action.READING_ENTER, Kind.CREATE, "test", patient_id)) as act:
        assert act.decision.ground is Ground.TREATMENT
        return await service.enter_readings(act.connection, act.user, patient_id, told, wall_now_us())


async def test_it_goes_through_the_log_and_is_taken_back_the_same_way(
    settings: Settings, people: Pool, admin: Connection, world: World, database: str
) -> None:
    at_us = wall_now_us() // MINUTE_US * MINUTE_US - 5 * MINUTE_US
    told = Told(at_us, {"systolic": 142, "diastolic": 85}, codes={"symptom_dyspnoea": "mild"})
    upload_id = await enter(people, world.nurse, world.patient, told)
    partition = partition_of(world.patient, 4)
    await known_from_the_log(settings, admin, world, partition)
    assert await tell_all(settings, database) == 1
    async with working(settings) as running:
        await everything(running, admin, {partition: 1})
        stored = await admin.fetch(
            "SELECT kind, value, code, source, device_id, upload_id FROM reading WHERE device_id = $1 "
            "ORDER BY kind", DEVICE,
        )  # fmt: skip
        assert [tuple(row) for row in stored] == [
            (SYSTOLIC, 142.0, None, SOURCE, DEVICE, upload_id),
            (DIASTOLIC, 85.0, None, SOURCE, DEVICE, upload_id),
            (19, None, 1, SOURCE, DEVICE, upload_id),
        ]
        assert await shown(people, world, at_us) == ([142.0], {0: upload_id}, [True])
        with pytest.raises(BadInput, match="told already"):
            await enter(people, world.nurse, world.patient, told)
        await take_back(people, world, at_us)
        assert await tell_all(settings, database) == 1
        await everything(running, admin, {partition: 2})
        assert await shown(people, world, at_us) == ([], {}, [True, True])
        # Told again, rightly now: it counts after the one that was taken back.
        again = await enter(people, world.nurse, world.patient, Told(at_us, {"systolic": 124}))
        assert await tell_all(settings, database) == 1
        await everything(running, admin, {partition: 3})
        assert await shown(people, world, at_us) == ([124.0], {0: again}, [True, True, True])


async def test_what_is_not_sound_is_refused_and_leaves_nothing(
    people: Pool, admin: Connection, world: World
) -> None:
    now_us = wall_now_us()
    for told, where in (
        (Told(now_us), "values"),
        (Told(now_us, {"body_weight": 842.0}), "value"),
        (Told(now_us, {"weight": 84.2}), "values"),
        (Told(now_us, {"body_weight": 84.2}, {"body_weight": "mmol/L"}), "unit"),
        (Told(now_us, {"systolic": 80.0, "diastolic": 90.0}), "value"),
        (Told(now_us + 60 * MINUTE_US, {"body_weight": 84.2}), "taken_at_us"),
        (Told(now_us, codes={"symptom_dyspnoea": "a lot"}), "code"),
    ):
        with pytest.raises(BadInput) as refused:
            await enter(people, world.nurse, world.patient, told)
        assert refused.value.where == where, told
    assert await admin.fetchval("SELECT count(*) FROM correction") == 0


async def test_only_who_treats_enters_readings(people: Pool, admin: Connection, world: World) -> None:
    stranger = await person(admin, "P. Vos", Role.NURSE, THEIRS)
    with pytest.raises(NotAllowed):
        await enter(
            people, stranger, world.patient, Told(wall_now_us(), {"body_weight": 84.2}), organisation=THEIRS
        )
    assert await admin.fetchval("SELECT count(*) FROM correction") == 0


async def known_from_the_log(settings: Settings, admin: Connection, world: World, partition: int) -> None:
    """The patient is one of the log that the worker reads."""
    from aiokafka.admin import AIOKafkaAdminClient

    client: Any = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await client.start()
    try:
        cluster_id = (await client.describe_cluster())["cluster_id"]
    finally:
        await client.close()
    # What the world says of another log would be taken for this one's.
    await admin.execute("DELETE FROM log_position")
    await admin.execute(
        "UPDATE patient SET cluster_id = $2, topic = $3, log_partition = $4, log_offset = -1 "
        "WHERE patient_id = $1",
        world.patient, cluster_id, settings.topic, partition,
    )  # fmt: skip


async def tell_all(settings: Settings, database: str) -> int:
    """What is to be told is told, as the register's service does it."""
    pool = await connect(database, role="thuiswacht_register", application="test", max_size=1)
    try:
        async with Writer(settings) as writer, pool.connection() as connection:
            return await tell(connection, writer)
    finally:
        await pool.close()


async def take_back(people: Pool, world: World, at_us: int) -> None:
    """The nurse takes the systolic pressure back."""
    known = Known(User(world.nurse, OURS, Role.NURSE), "test")
    deed = Deed(Action.CORRECTION_MAKE, Kind.UPDATE, "test", world.patient)
    async with doing(people, known, deed) as act:
        await service.correct_reading(
            act.connection,
            act.user,
            Identity(world.patient, "systolic", at_us, DEVICE),
            Wanted(),
            wall_now_us(),
        )


async def shown(people: Pool, world: World, at_us: int) -> tuple[list[float], dict[int, UUID], list[bool]]:
    """The systolic pressures of that moment, by which upload, and whether each entry came back."""
    known = Known(User(world.nurse, OURS, Role.NURSE), "test")
    deed = Deed(Action.PATIENT_READ, Kind.READ, "test", world.patient)
    async with doing(people, known, deed) as act:
        found = await load_series(act.connection, world.patient, "systolic", at_us - 1, at_us)
        entries = await entries_of(act.connection, world.patient)
    return found.value.tolist(), dict(found.entered), [one.is_stored for one in entries]
