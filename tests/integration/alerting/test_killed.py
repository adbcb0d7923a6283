"""`thuiswacht alerting` killed at named points: each alert once, each escalated, none that was resolved."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer

from alerting import acts
from alerting.carrying_out import carry_out
from alerting.escalation.dispatcher import load_situations
from ingest.keys import key_of
from models.access import Role, User
from models.alerts import Outcome
from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.db.alerts import lock_alerts
from models.db.pool import Connection, Pool
from simulators.stack import Stack
from tests.acceptance.workers import Workers
from tests.integration.alerting.small_log import ORGANISATION, START_US, Message, SmallLog
from tests.integration.escalation.nurses import policy_for
from tests.integration.killing import another_connection, until

PATIENTS = [UUID(int=number, version=4) for number in range(1, 7)]
EARLIER, LATER = PATIENTS[0], PATIENTS[1]
"""Their alerts are resolved: before the batch in which the worker dies, and before its successor begins."""

REACHED = """
SELECT coalesce(max(next_offset), 0) FROM log_position WHERE consumer_group = 'thuiswacht.alerting'
"""
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'thuiswacht-alerting' AND wait_event_type = 'Lock' AND datname = current_database()
"""
# The transaction stops within COMMIT: whoever waits for it cannot know what comes of it.
STOP_IN_COMMIT = """
CREATE FUNCTION stop_in_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(42);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER stop_in_commit AFTER INSERT ON alert_event
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stop_in_commit();
"""
NOTHING_IS_DUE = """
SELECT (NOT EXISTS (
    SELECT FROM escalation_step
    WHERE state = 'due' AND due_at <= (SELECT to_timestamp(clock_us / 1e6) FROM log_position
        WHERE consumer_group = 'thuiswacht.alerting')
))::int
"""
# How each alert stands: whether it was opened once, who looks at it next, who was asked, by which messages.
ALERTS = """
SELECT a.patient_id, a.signal, a.severity, a.quiet, a.state,
    (SELECT count(*) FROM alert_event AS e WHERE e.alert_id = a.alert_id AND e.event = 'opened') AS opened,
    (SELECT count(*) FROM escalation_step AS s WHERE s.alert_id = a.alert_id AND s.state = 'due') AS due,
    (SELECT count(*) FROM escalation AS e WHERE e.alert_id = a.alert_id) AS asked,
    (SELECT count(DISTINCT step_no) FROM escalation AS e WHERE e.alert_id = a.alert_id) AS steps,
    (SELECT count(*) FROM message AS m
        WHERE a.alert_id = ANY (m.alerts) AND m.kind = 'escalation') AS messages
FROM alert AS a ORDER BY a.patient_id, a.signal, a.opened_at
"""


@dataclass(slots=True)
class Course:
    """What happens to these patients, written to the log as it happens; one partition."""

    producer: AIOKafkaProducer
    topic: str
    log: SmallLog = field(default_factory=lambda: SmallLog(seed=1, patients=0, days=0))
    now_us: int = START_US
    length: int = 0

    async def write(self) -> None:
        """What was collected since the last time, up to now."""
        self.log.tick(self.now_us)
        messages: Sequence[Message] = sorted(self.log.written)
        self.log.written.clear()
        for message in messages:
            key = None if message.patient_id is None else key_of(message.patient_id)
            await self.producer.send(self.topic, message.value, key=key, partition=0)
        await self.producer.flush()
        self.length += len(messages)

    async def enrol(self) -> None:
        for patient_id in PATIENTS:
            origin = {"origin": "simulated", "organisation_id": str(ORGANISATION)}
            self.log.change(self.now_us, patient_id, {"register": origin})
            self.log.change(self.now_us, patient_id, {"enrol": {"programme": "heart_failure", "version": 1}})
        await self.write()

    async def morning(self, weight_kg: float, pulse: int) -> None:
        """Everybody measures, a day after the last time."""
        self.now_us += DAY_US
        for patient_id in PATIENTS:
            self.log.upload(
                self.now_us,
                patient_id,
                {"kind": "body_weight", "value": weight_kg, "unit": "kg", "taken_at_us": self.now_us},
                {"kind": "pulse", "value": pulse, "unit": "/min", "taken_at_us": self.now_us},
            )
        self.now_us += MINUTE_US
        await self.write()

    async def pass_time(self, time_us: int) -> None:
        self.now_us += time_us
        await self.write()


@pytest.fixture
async def course(stack: Stack, make_topic: Callable[..., str], admin: Connection) -> AsyncIterator[Course]:
    await around(admin)
    producer = AIOKafkaProducer(bootstrap_servers=stack.kafka, enable_idempotence=True)
    await producer.start()
    # Noon of a Monday in The Hague; four days later, when somebody is asked, the practice is open.
    yield Course(producer, make_topic(partitions=1), now_us=START_US - 14 * HOUR_US)
    await producer.stop()


@pytest.fixture
def workers(stack: Stack, database: str, course: Course, tmp_path: Path) -> Iterator[Workers]:
    workers = Workers(stack.kafka, database, course.topic, tmp_path)
    yield workers
    workers.clean_up()


async def around(admin: Connection) -> None:
    """A centre, a practice, and who coordinates; all can be reached by secure mail."""
    practice = uuid4()
    for key, kind in (
        (ORGANISATION, "monitoring_centre"), (practice, "gp_practice"), (uuid4(), "coordination_centre"),
    ):  # fmt: skip
        await admin.execute("INSERT INTO organisation VALUES ($1, $2, $2, 'simulated')", key, kind)
        await admin.execute(
            "INSERT INTO message_address (address_id, organisation_id, channel, address) "
            "VALUES ($1, $2, 'secure_mail', 'post@example.org')",
            uuid4(), key,
        )  # fmt: skip
    for patient_id in PATIENTS:
        await admin.execute(
            "INSERT INTO registration (patient_id, organisation_id, origin) VALUES ($1, $2, 'simulated')",
            patient_id, ORGANISATION,
        )  # fmt: skip
        await admin.execute(
            "INSERT INTO patient_care (patient_id, organisation_id, version, huisarts_id) "
            "VALUES ($1, $2, 1, $3)",
            patient_id, ORGANISATION, practice,
        )  # fmt: skip


async def resolve(dispatch: Pool, patient_id: UUID, now_us: int) -> None:
    """A nurse is done with the alerts of a patient."""
    nurse = User(uuid4(), ORGANISATION, Role.NURSE)
    async with dispatch.transaction() as connection:
        rows = await connection.fetch("SELECT * FROM alert WHERE patient_id = $1", patient_id)
        keys = [(row["patient_id"], row["alert_id"]) for row in rows]
        for at in await load_situations(connection, await lock_alerts(connection, keys), now_us):
            done = acts.resolve(
                at.alert,
                nurse,
                outcome=Outcome.TRUE_ACTED_ON,
                note=None,
                holds=any(reason.holds for reason in at.reasons),
                policy=policy_for(at),
                escalations=at.escalations,
                now_us=now_us,
            )
            await carry_out(connection, [done])


async def got_worse(course: Course, workers: Workers, admin: Connection, dispatch: Pool) -> None:
    """Everybody has an alert about fluid; one is resolved. What comes next is the batch that counts."""
    workers.start("ingest")
    await course.enrol()
    for weight_kg in (80.0, 80.2, 82.6):
        await course.morning(weight_kg, pulse=72)
    worker = workers.start("alerting")
    await until(admin, REACHED, course.length, workers)
    assert workers.end(worker) == 0, workers.last_words()
    assert await admin.fetchval("SELECT count(*) FROM alert") == len(PATIENTS)
    await resolve(dispatch, EARLIER, course.now_us)


async def goes_on(course: Course, workers: Workers, admin: Connection, dispatch: Pool) -> None:
    """Another is resolved, a new worker takes over, time goes by, and whoever is due is asked."""
    await resolve(dispatch, LATER, course.now_us)
    worker = workers.start("alerting")
    dispatcher = workers.start("dispatch", dispatch_time="log")
    for _ in range(2):
        # First the alerts are the nurses', then somebody else is asked.
        await course.pass_time(70 * MINUTE_US)
        await until(admin, REACHED, course.length, workers)
        await until(admin, NOTHING_IS_DUE, 1, workers)
    assert [workers.end(one) for one in (dispatcher, worker)] == [0, 0], workers.last_words()


async def all_is_well(admin: Connection) -> None:
    alerts = await admin.fetch(ALERTS)
    assert {row["patient_id"] for row in alerts if row["signal"] == "heart_rate"} == set(PATIENTS)
    resolved = [row for row in alerts if row["state"] == "resolved"]
    assert {row["patient_id"] for row in resolved} == {EARLIER, LATER}
    assert sum(row["asked"] > 0 for row in alerts) >= 2 * len(PATIENTS) - 2
    for row in alerts:
        assert row["opened"] == 1, row
        if row["state"] == "resolved":
            assert (row["asked"], row["messages"]) == (0, 0), row
        else:
            assert row["due"] == 1, row
            assert row["asked"] == row["steps"] == row["messages"], row
            # What is low, or came back soon after somebody saw to it, waits longer than an hour.
            assert row["asked"] > 0 or row["severity"] == "low" or row["quiet"], row


@pytest.mark.timeout(400)
async def test_killed_within_the_transaction_nothing_has_happened(
    course: Course, workers: Workers, admin: Connection, database: str, dispatch: Pool
) -> None:
    await got_worse(course, workers, admin, dispatch)
    before, stood = await admin.fetchval(REACHED), await admin.fetch(ALERTS)
    async with another_connection(database) as blocker, blocker.transaction():
        await blocker.execute("LOCK TABLE alert_event IN SHARE MODE")
        worker = workers.start("alerting")
        await course.morning(85.4, pulse=135)
        await until(admin, WAITING, 1, workers)
        workers.kill(worker)
    assert (await admin.fetchval(REACHED), await admin.fetch(ALERTS)) == (before, stood)
    await goes_on(course, workers, admin, dispatch)
    await all_is_well(admin)


@pytest.mark.timeout(400)
async def test_killed_while_it_commits_all_has_happened_once(
    course: Course, workers: Workers, admin: Connection, database: str, dispatch: Pool
) -> None:
    await got_worse(course, workers, admin, dispatch)
    await admin.execute(STOP_IN_COMMIT)
    async with another_connection(database) as blocker, blocker.transaction():
        await blocker.execute("SELECT pg_advisory_xact_lock(42)")
        worker = workers.start("alerting")
        await course.morning(85.4, pulse=135)
        await until(admin, WAITING, 1, workers)
        workers.kill(worker)
    # Postgres commits for somebody who is not there any more.
    await until(admin, REACHED, course.length, workers)
    await goes_on(course, workers, admin, dispatch)
    await all_is_well(admin)


@pytest.mark.timeout(400)
async def test_killed_after_the_commit_nothing_happens_again(
    course: Course, workers: Workers, admin: Connection, dispatch: Pool
) -> None:
    await got_worse(course, workers, admin, dispatch)
    worker = workers.start("alerting")
    await course.morning(85.4, pulse=135)
    await until(admin, REACHED, course.length, workers)
    workers.kill(worker)
    await goes_on(course, workers, admin, dispatch)
    await all_is_well(admin)
