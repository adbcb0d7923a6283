"""Row-level security alone: it shows what models/access.py allows, for each role, action and ground."""

from uuid import UUID, uuid4

import asyncpg
import pytest

from models.access import POLICY, Action, Ground, Relation, Role, User, decide
from models.db.declared import acting, relation_to
from models.db.pool import Connection, Pool

OURS, THEIRS = UUID(int=1), UUID(int=2)


async def person(admin: Connection, role: Role, organisation: UUID = OURS) -> User:
    """Somebody who may act as this role there."""
    person_id = uuid4()
    await admin.execute("INSERT INTO person (person_id, name) VALUES ($1, 'Test')", person_id)
    await admin.execute("INSERT INTO person_role VALUES ($1, $2, $3)", person_id, organisation, role.value)
    return User(person_id, organisation, role)


async def patient(admin: Connection, user: User, relation: Relation) -> UUID:
    """A patient who stands to the user in just this relation."""
    patient_id = uuid4()
    origin = "simulated" if relation.simulated else "canary"
    await admin.execute(
        "INSERT INTO registration (patient_id, organisation_id, origin) VALUES ($1, $2, $3)",
        patient_id, THEIRS, origin,
    )  # fmt: skip
    ours = (patient_id, user.organisation_id)
    if relation.treatment:
        await admin.execute("INSERT INTO treatment_relation VALUES ($1, $2, now() - interval '1 day')", *ours)
    elif relation.own_organisation:
        await admin.execute(
            "INSERT INTO treatment_relation VALUES ($1, $2, now() - interval '2 d', now() - interval '1 d')",
            *ours,
        )
    for table in ("consent", "objection"):
        if getattr(relation, table):
            await admin.execute(
                f"INSERT INTO {table} VALUES ($1, $2, now() - interval '1 day', NULL, $3)",
                *ours, user.person_id,
            )  # fmt: skip
    if relation.emergency:
        await admin.execute(
            "INSERT INTO emergency_access VALUES "
            "(gen_random_uuid(), $1, $2, $3, now(), now() + interval '1 hour', 'somebody fell down')",
            patient_id, user.person_id, user.organisation_id,
        )  # fmt: skip
    if relation.escalated:
        await admin.execute(
            """
            WITH a AS (
                INSERT INTO alert (patient_id, alert_id, organisation_id, origin, signal, severity, opened_at)
                VALUES ($1, gen_random_uuid(), $3, $4, 'fluid', 'high', now()) RETURNING alert_id
            )
            INSERT INTO escalation (
                patient_id, escalation_id, alert_id, organisation_id, step_no, recipient, request, to_role,
                to_organisation_id, asked_at, reason
            )
            SELECT $1, gen_random_uuid(), alert_id, $3, 1, 'huisarts', 'regular', 'huisarts', $2, now(), 'x'
            FROM a
            """,
            *ours, THEIRS, origin,
        )  # fmt: skip
    return patient_id


RELATIONS = [
    Relation(),
    Relation(treatment=True, own_organisation=True),
    Relation(treatment=True, own_organisation=True, objection=True),
    Relation(own_organisation=True),
    Relation(consent=True),
    Relation(consent=True, objection=True),
    Relation(emergency=True),
    Relation(emergency=True, treatment=True, own_organisation=True, objection=True),
    Relation(simulated=True),
    Relation(escalated=True),
    Relation(escalated=True, objection=True),
    Relation(escalated=True, treatment=True, own_organisation=True),
]


@pytest.fixture(autouse=True)
async def organisations(admin: Connection) -> None:
    await admin.execute("INSERT INTO organisation (organisation_id) VALUES ($1), ($2)", OURS, THEIRS)


@pytest.mark.parametrize("role", Role)
async def test_the_database_decides_as_the_program_does(admin: Connection, people: Pool, role: Role) -> None:
    user = await person(admin, role)
    patients = {relation: await patient(admin, user, relation) for relation in RELATIONS}
    for action, roles in POLICY.items():
        async with acting(people, user, action) as connection:
            seen = {
                row["patient_id"] for row in await connection.fetch("SELECT patient_id FROM registration")
            }
            for relation, patient_id in patients.items():
                assert await relation_to(connection, patient_id) == relation
                decided = decide(user, action, relation)
                by_patient = decided.allowed and decided.ground is not Ground.OFFICE
                assert (patient_id in seen) == by_patient, (action, relation)
                assert by_patient <= (role in roles)


async def test_without_a_declared_user_nothing_is_there(admin: Connection, people: Pool) -> None:
    nurse = await person(admin, Role.NURSE)
    patient_id = await patient(admin, nurse, Relation(treatment=True))
    async with people.connection() as connection:
        assert await connection.fetch("SELECT * FROM registration") == []
    async with acting(people, nurse, Action.PATIENT_READ) as connection:
        assert await connection.fetchval("SELECT patient_id FROM registration") == patient_id
    async with people.connection() as connection:  # the same connection, after that transaction
        assert await connection.fetch("SELECT * FROM registration") == []


async def test_a_role_that_one_has_not_shows_nothing(admin: Connection, people: Pool) -> None:
    nurse = await person(admin, Role.NURSE)
    await patient(admin, nurse, Relation(treatment=True))
    for other in (
        User(nurse.person_id, nurse.organisation_id, Role.SPECIALIST),
        User(nurse.person_id, THEIRS, Role.NURSE),
        User(uuid4(), nurse.organisation_id, Role.NURSE),
    ):
        async with acting(people, other, Action.PATIENT_READ) as connection:
            assert await connection.fetch("SELECT * FROM registration") == []
    await admin.execute("UPDATE person SET left_at = now() - interval '1 second'")
    async with acting(people, nurse, Action.PATIENT_READ) as connection:
        assert await connection.fetch("SELECT * FROM registration") == []


async def test_every_table_about_patients_is_fenced_and_forced(admin: Connection) -> None:
    rows = await admin.fetch(
        """
        SELECT c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND a.attname IN ('patient_id', 'raw', 'patients')
          AND a.atttypid IN ('uuid'::regtype, 'bytea'::regtype, 'uuid[]'::regtype)
          AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
        """
    )
    assert rows == []


async def test_no_role_but_the_workers_passes_the_fences(admin: Connection) -> None:
    rows = await admin.fetch(
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'thuiswacht%' AND (rolbypassrls OR rolsuper) "
        "ORDER BY rolname"
    )
    assert [row["rolname"] for row in rows] == [
        "thuiswacht_alerting",
        "thuiswacht_dispatch",
        "thuiswacht_ingest",
    ]


async def test_an_emergency_is_declared_for_oneself_only(admin: Connection, people: Pool) -> None:
    nurse, other = await person(admin, Role.NURSE), await person(admin, Role.NURSE)
    patient_id = await patient(admin, nurse, Relation())
    declare = """
        INSERT INTO emergency_access (emergency_id, patient_id, person_id, organisation_id, until_at, reason)
        VALUES (gen_random_uuid(), $1, $2, $3, now() + interval '1 hour', 'does not answer the door')
    """
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with acting(people, nurse, Action.EMERGENCY_DECLARE) as connection:
            await connection.execute(declare, patient_id, other.person_id, OURS)
    async with acting(people, nurse, Action.EMERGENCY_DECLARE) as connection:
        await connection.execute(declare, patient_id, nurse.person_id, OURS)
    for user, seen in ((nurse, 1), (other, 0)):
        async with acting(people, user, Action.PATIENT_READ) as connection:
            assert len(await connection.fetch("SELECT * FROM registration")) == seen


async def test_an_origin_never_changes(admin: Connection) -> None:
    nurse = await person(admin, Role.NURSE)
    await patient(admin, nurse, Relation(simulated=True))
    with pytest.raises(asyncpg.RestrictViolationError):
        await admin.execute("UPDATE registration SET origin = 'real'")
    await admin.execute("UPDATE organisation SET origin = 'simulated' WHERE origin IS DISTINCT FROM 'canary'")
    with pytest.raises(asyncpg.RestrictViolationError):
        await admin.execute("UPDATE organisation SET origin = 'real'")


async def test_what_is_fenced_is_found_without_asking_for_each_row(admin: Connection, people: Pool) -> None:
    """Plans that gather the visible patients once: a function for each row took a hundred times as long."""
    nurse = await person(admin, Role.NURSE)
    await admin.execute(
        "INSERT INTO registration SELECT gen_random_uuid(), $1, 'simulated' FROM generate_series(1, 3000)",
        OURS,
    )
    await admin.execute(
        "INSERT INTO treatment_relation SELECT patient_id, $1, now() - interval '1 day' FROM registration",
        OURS,
    )
    await admin.execute("ANALYZE registration, treatment_relation")
    async with acting(people, nurse, Action.PATIENT_READ) as connection:
        plan = await connection.fetch("EXPLAIN (ANALYZE, COSTS off, TIMING off) SELECT * FROM registration")
        lines = [row[0] for row in plan]
        assert sum("Index Cond" in line and "loops=3000" in line for line in lines) == 0
        assert any("hashed SubPlan" in line for line in lines), lines
        one = await connection.fetchval("SELECT patient_id FROM registration LIMIT 1")
        plan = await connection.fetch("EXPLAIN SELECT * FROM registration WHERE patient_id = $1", one)
        assert any("registration_pkey" in row[0] for row in plan), plan
