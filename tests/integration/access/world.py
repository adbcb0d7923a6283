"""A small world for the access matrix: somebody in each role, patients in each relation, the API on top.

Everything that is known of a patient carries a word of its own, so that a leak is found by looking for that
word, and everything that stands in the database about a patient can be compared before and after.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID, uuid4

from fastapi import Request

from ingest.acting import Decide, Known
from models.access import Action, Decision, Relation, Role, User, decide
from models.db.pool import Connection
from models.identity import NONCE_BYTES, Identity, Keys

OURS, THEIRS, PRACTICE, CENTRE, NEIGHBOURS = (UUID(int=n, version=4) for n in range(1, 6))

RELATIONS: Mapping[str, Relation] = {
    "none": Relation(),
    "treatment": Relation(treatment=True, own_organisation=True),
    "treatment, objected": Relation(treatment=True, own_organisation=True, objection=True),
    "treatment once": Relation(own_organisation=True),
    "consent": Relation(consent=True),
    "consent, objected": Relation(consent=True, objection=True),
    "emergency": Relation(emergency=True),
    "emergency, objected": Relation(emergency=True, treatment=True, own_organisation=True, objection=True),
    "simulated": Relation(simulated=True),
    "escalated": Relation(escalated=True),
    "escalated, objected": Relation(escalated=True, objection=True),
}

# All that stands about a patient anywhere but in the audit log, as one text to compare.
_TABLES = """
    SELECT c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND a.attname = 'patient_id' AND a.atttypid = 'uuid'::regtype
    ORDER BY c.relname
"""

_IDENTITY = """
    INSERT INTO patient_identity (patient_id, organisation_id, sealed, key_id, name_digest)
    VALUES ($1, $2, $3, $4, $5)
"""
_CARE = """
    INSERT INTO patient_care (patient_id, organisation_id, version, treatment_plan, advance_care)
    VALUES ($1, $2, 1, $3, $3)
"""
_DEVICE = """
    INSERT INTO device_loan (patient_id, organisation_id, device_id, kind, handed_out_at)
    VALUES ($1, $2, $3, 'scale', now())
"""
_PATIENT = "INSERT INTO patient VALUES ($1, $2, $3, NULL, NULL, 'nl', 'c', 't', 0, 0, now())"
_READING = """
    INSERT INTO reading (
        taken_at, received_at, log_offset, value, revision, log_position, kind, log_partition, void, too_late,
        patient_id, organisation_id, upload_id, device_id, source, text
    ) VALUES ('2026-11-20', '2026-11-20', 0, 81.4, 0, 0, 0, 0, false, false, $1, $2, $1, $3, 'x', $3)
"""
_REFUSED = """
    WITH message AS (
        INSERT INTO quarantine_message (cluster_id, topic, log_partition, log_offset, raw)
        SELECT 'c', 't', 0, count(*), 'x' FROM quarantine_message RETURNING log_offset
    )
    INSERT INTO quarantine (cluster_id, topic, log_partition, log_offset, log_position, patient_id,
        organisation_id, reason, field, expected, found, readings)
    SELECT 'c', 't', 0, log_offset, 0, $1, $2, 'unknown_unit', 'unit', 'x', $3, 1 FROM message
"""
_CHANGES = """
    INSERT INTO register_change (patient_id, organisation_id, number, change_id, valid_from_us, change)
    VALUES ($1, $2, 1, gen_random_uuid(), 0, $3::jsonb),
        ($1, $2, 2, gen_random_uuid(), 0, '{"enrol": {"programme": "heart_failure", "version": 1}}')
"""
_FINDING = """
    INSERT INTO finding (patient_id, finding_id, organisation_id, programme, version, programme_hash, rule,
        signal, severity, opened_at, opening, log_partition)
    VALUES ($1, $1, $2, 'heart_failure', 1, 'h', $3, 'fluid', 'high', '2026-11-20Z', '[]', 0)
"""
# Of a patient who is a canary an alert of somebody who is not: canaries are in no worklist.
_ALERT = """
    INSERT INTO alert (patient_id, alert_id, organisation_id, origin, signal, severity, opened_at)
    VALUES ($1, $3, $2, 'simulated', 'fluid', 'high', '2026-11-20Z')
"""
_REASON = """
    INSERT INTO alert_finding (patient_id, alert_id, finding_id, joined_at, organisation_id)
    VALUES ($1, $3, $1, '2026-11-20Z', $2)
"""
_EVENT = """
    INSERT INTO alert_event (patient_id, alert_id, organisation_id, happened_at, event, by, why)
    VALUES ($1, $3, $2, '2026-11-20Z', 'noted', 'alerting', jsonb_build_object('text', $4::text))
"""
_STEP = """
    INSERT INTO escalation_step (patient_id, alert_id, organisation_id, due_at, rank, why)
    VALUES ($1, $3, $2, '2026-11-20Z', 2, $4)
"""
# Asked of us where that is the relation, of others where it is not: nobody of ours sees the patient by it.
_ESCALATION = """
    INSERT INTO escalation (patient_id, escalation_id, alert_id, organisation_id, step_no, recipient, request,
        to_role, to_organisation_id, asked_at, reason)
    VALUES ($1, $4, $3, $2, 1, 'huisarts', 'regular', 'huisarts', $5, '2026-11-20Z', $6)
"""
_MESSAGE = """
    INSERT INTO message (patient_id, message_id, organisation_id, origin, kind, channel, severity, alerts,
        to_id, number, body, due_at)
    VALUES ($1, $1, $2, 'simulated', 'escalation', 'pull', 'high', ARRAY[$3::uuid], $4,
        (SELECT count(*) + 1 FROM message), jsonb_build_object('text', $5::text), '2026-11-20Z')
"""

_PROPOSAL = """
    INSERT INTO proposal (patient_id, proposal_id, organisation_id, kind, subject, programme, told_by, by)
    VALUES ($1, $3, $2, 'enrol', $1, 'copd', $2, $1)
"""
_WORD = """
    INSERT INTO hospital_word (patient_id, word_id, organisation_id, told_by, by, about, keys, said)
    VALUES ($1, $1, $2, $2, $1, 'stay', ARRAY[$1::uuid], 'over')
"""

DIRECTORY = ("organisation", "person", "person_role", "message_address")


@dataclass(slots=True)
class Subject:
    """A patient, and the word that everything about them carries."""

    patient_id: UUID
    word: str
    alert_id: UUID = field(default_factory=uuid4)
    escalation_id: UUID = field(default_factory=uuid4)
    proposal_id: UUID = field(default_factory=uuid4)


@dataclass(slots=True)
class World:
    """The test's database, and somebody in each role at one hospital."""

    admin: Connection
    keys: Keys
    policy: Decide = decide
    users: dict[str, Known] = field(default_factory=dict[str, Known])
    tables: list[str] = field(default_factory=list[str])

    async def begin(self) -> None:
        """Organisations, and somebody in each role at ours."""
        kinds = ("hospital", "hospital", "gp_practice", "monitoring_centre", "hospital")
        for organisation, kind in zip((OURS, THEIRS, PRACTICE, CENTRE, NEIGHBOURS), kinds, strict=True):
            await self.admin.execute(
                "INSERT INTO organisation VALUES ($1, $2, $2, 'simulated')", organisation, kind
            )
        for role in Role:
            self.users[role.value] = await self.somebody(role)
        self.tables = [row[0] for row in await self.admin.fetch(_TABLES)]
        await self.admin.execute("SELECT ensure_reading_partitions(ARRAY['2026-11-01'::date])")

    async def somebody(self, role: Role) -> Known:
        """A person who may act as this at our hospital."""
        person_id = uuid4()
        await self.admin.execute("INSERT INTO person (person_id, name) VALUES ($1, 'Iemand')", person_id)
        await self.admin.execute("INSERT INTO person_role VALUES ($1, $2, $3)", person_id, OURS, role.value)
        return Known(User(person_id, OURS, role), f"session-{role}")

    async def identify(self, request: Request) -> Known:
        """Who a request comes from: of the matrix, the role in its header."""
        return self.users[request.headers["x-role"]]

    def decide(self, user: User, action: Action, relation: Relation | None) -> Decision:
        """By the policy that the test wants just now."""
        return self.policy(user, action, relation)

    async def subject(self, user: User, relation: Relation) -> Subject:
        """A patient who stands to the user in just this relation, with something in every corner."""
        it = Subject(uuid4(), f"merk{secrets.token_hex(6)}")
        origin = "simulated" if relation.simulated else "canary"
        await self.admin.execute(
            "INSERT INTO registration (patient_id, organisation_id, origin) VALUES ($1, $2, $3)",
            it.patient_id, THEIRS, origin,
        )  # fmt: skip
        await self._relate(it.patient_id, user, relation)
        await self._know(it, origin)
        await self._alert(it, user.organisation_id if relation.escalated else NEIGHBOURS)
        return it

    async def stand_of(self, patient_id: UUID) -> str:
        """What stands about a patient anywhere but in the audit log; who works where; how many patients."""
        about = [
            f"SELECT string_agg(r::text, E'\\n' ORDER BY r::text) FROM {table} AS r WHERE r.patient_id = $1"
            for table in self.tables
        ]
        everybody = [
            f"SELECT string_agg(r::text, E'\\n' ORDER BY r::text) FROM {table} AS r" for table in DIRECTORY
        ]
        count = "SELECT count(*)::text FROM registration"
        rows = await self.admin.fetch(" UNION ALL ".join([*about, *everybody, count]), patient_id)
        return "\n".join(str(row[0]) for row in rows)

    async def audit_rows(self) -> int:
        """How many rows the audit log has."""
        found: int = await self.admin.fetchval("SELECT count(*) FROM audit")
        return found

    async def _relate(self, patient_id: UUID, user: User, relation: Relation) -> None:
        ours = (patient_id, user.organisation_id)
        if relation.treatment:
            await self.admin.execute(
                "INSERT INTO treatment_relation VALUES ($1, $2, now() - interval '1 day')", *ours
            )
        elif relation.own_organisation:
            await self.admin.execute(
                "INSERT INTO treatment_relation "
                "VALUES ($1, $2, now() - interval '2 days', now() - interval '1 day')",
                *ours,
            )
        for table in ("consent", "objection"):
            if getattr(relation, table):
                await self.admin.execute(
                    f"INSERT INTO {table} (patient_id, organisation_id, from_at, by) "
                    "VALUES ($1, $2, now() - interval '1 day', $3)",
                    *ours, user.person_id,
                )  # fmt: skip
        if relation.emergency:
            await self.admin.execute(
                "INSERT INTO emergency_access VALUES "
                "(gen_random_uuid(), $1, $2, $3, now(), now() + interval '1 hour', 'somebody fell down')",
                patient_id, user.person_id, user.organisation_id,
            )  # fmt: skip

    async def _alert(self, it: Subject, asked: UUID) -> None:
        """An open alert of the patient, with everything that may belong to one."""
        for statement, values in (
            (_FINDING, (it.word,)),
            (_ALERT, (it.alert_id,)),
            (_REASON, (it.alert_id,)),
            (_EVENT, (it.alert_id, it.word)),
            (_STEP, (it.alert_id, it.word)),
            (_ESCALATION, (it.alert_id, it.escalation_id, asked, it.word)),
            (_MESSAGE, (it.alert_id, asked, it.word)),
        ):
            await self.admin.execute(statement, it.patient_id, THEIRS, *values)

    async def _know(self, it: Subject, origin: str) -> None:
        who = Identity(family_name=it.word, birth_date=date(1950, 3, 1), without_bsn="test")
        sealed = self.keys.seal(it.patient_id, who, secrets.token_bytes(NONCE_BYTES))
        for statement, values in (
            (_IDENTITY, (sealed.sealed, sealed.key_id, sealed.name_digest)),
            (_CARE, (it.word,)),
            (_DEVICE, (it.word,)),
            (_PATIENT, (origin,)),
            (_READING, (it.word,)),
            (_REFUSED, (it.word,)),
            (_PROPOSAL, (it.proposal_id,)),
            (_WORD, ()),
            (_CHANGES, (f'{{"register": {{"origin": "{origin}", "organisation_id": "{THEIRS}"}}}}',)),
        ):
            await self.admin.execute(statement, it.patient_id, THEIRS, *values)
