"""The watch over the real flow: Kafka, the services as a user starts them, Postgres, a watcher outside."""

import asyncio
import signal
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr

from alerting.watch import run
from alerting.watch.beat import beat
from alerting.watch.canary import ORGANISATION, canaries
from models.clock import DAY_US, wall_now_us
from models.db import watch
from models.db.alerts import count_open
from models.db.pool import Connection, Pool, connect
from models.db.programmes import catalogue
from models.db.watch import AUDITOR
from models.errors import RefuseToStart
from models.settings import Settings, load_settings
from simulators.demo.services import Services
from simulators.stack import Stack

PARTITIONS = 4
EVERY_S = 2.0
LATE_S = 8.0
CAME_OUT = """
SELECT count(*) FROM alert_finding JOIN alert USING (patient_id, alert_id) WHERE alert.origin = 'canary'
"""
TROUBLE = "SELECT details FROM technical_alert WHERE trouble = 'canary_late' AND resolved_at IS NULL"
OF_CANARIES = ("reading", "finding", "alert", "alert_finding", "alert_event")


@dataclass
class Watcher:
    """A watcher outside, that answers as it is told."""

    url: str
    answer: int = 200
    beats: list[str] = field(default_factory=list[str])


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            outside.beats.append(self.path)
            self.send_response(outside.answer)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name is http.server's)
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    outside = Watcher(f"http://127.0.0.1:{server.server_port}/secret")
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield outside
    server.shutdown()
    server.server_close()
    serving.join()


@pytest.fixture
def settings(stack: Stack, database: str, topic: str, watcher: Watcher) -> Settings:
    return Settings(
        kafka=stack.kafka,
        postgres=SecretStr(database),
        topic=topic,
        canary_every_s=EVERY_S,
        canary_late_s=LATE_S,
        heartbeat_url=SecretStr(watcher.url),
        heartbeat_every_s=1.0,
        watch_limit_s=30.0,
    )


@pytest.fixture
def services(settings: Settings, tmp_path: Path) -> Iterator[Services]:
    running = Services(
        {
            "THUISWACHT_KAFKA": settings.kafka,
            "THUISWACHT_POSTGRES": settings.postgres_dsn,
            "THUISWACHT_TOPIC": settings.topic,
            "THUISWACHT_SESSION_TIMEOUT_MS": "3000",
        },
        tmp_path,
    )
    yield running
    running.stop()


@pytest.fixture
async def dispatch_pool(database: str) -> AsyncIterator[Pool]:
    """What the dispatcher may do."""
    pool = await connect(database, role="thuiswacht_dispatch", application="test")
    yield pool
    await pool.close()


@asynccontextmanager
async def watching(pool: Pool, settings: Settings) -> AsyncGenerator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(run(pool, settings, stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def until(is_so: Callable[[], Awaitable[bool]], within_s: float = 45) -> None:
    async def wait() -> None:
        while not await is_so():  # noqa: ASYNC110 (other processes bring it about, and give no event)
            await asyncio.sleep(0.1)

    await asyncio.wait_for(wait(), within_s)


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.timeout(300)  # three services start, stand still and catch up
async def test_canaries_come_out_are_late_and_come_back(
    settings: Settings, services: Services, admin: Connection, dispatch_pool: Pool, watcher: Watcher
) -> None:
    async def more_come_out() -> bool:
        services.require_running()
        await watch.give_sign(admin, AUDITOR, wall_now_us())
        return await admin.fetchval(CAME_OUT) >= came_out + 3 * PARTITIONS

    async def trouble() -> str:
        await watch.give_sign(admin, AUDITOR, wall_now_us())
        return await admin.fetchval(TROUBLE) or ""

    async def beats_again() -> bool:
        await watch.give_sign(admin, AUDITOR, wall_now_us())
        return len(watcher.beats) > beaten

    came_out = beaten = 0
    for name in ("ingest", "alerting", "clock"):
        services.start(name)
    async with watching(dispatch_pool, settings):
        await until(more_come_out, 60)
        await until(beats_again)
        assert metric("thuiswacht_watch_canary_delay_seconds_count", stage="alert") >= 2 * PARTITIONS
        # While the services were starting, they were late.
        await until(lambda: _holds(trouble, ""))
        # The worker of alerting stands still: what is stored does not become an alert.
        services.processes["alerting"].send_signal(signal.SIGSTOP)
        try:
            await until(lambda: _holds(trouble, "stored, without an alert: partitions 0, 1, 2, 3"))
            beaten = len(watcher.beats)
            held_back = metric("thuiswacht_watch_heartbeats_total", result="held_back")
            await until(lambda: _more_held_back(held_back + 2))
            assert len(watcher.beats) == beaten
        finally:
            services.processes["alerting"].send_signal(signal.SIGCONT)
        came_out = await admin.fetchval(CAME_OUT)
        await until(lambda: _holds(trouble, ""), 60)
        await until(more_come_out)
        await until(beats_again)
    assert set(watcher.beats) == {"/secret"}
    await require_in_no_figure(admin, settings)


async def _holds(said: Callable[[], Awaitable[str]], wanted: str) -> bool:
    now = await said()
    return wanted in now if wanted else now == ""


async def _more_held_back(number: float) -> bool:
    return metric("thuiswacht_watch_heartbeats_total", result="held_back") >= number


async def require_in_no_figure(admin: Connection, settings: Settings) -> None:
    """No step, no message, no request, no incident; in no list of programmes, organisations or alerts."""
    for table in (
        "escalation_step",
        "escalation",
        "message",
        "measurement_request",
        "quarantine",
        "incident",
    ):
        assert await admin.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    await admin.execute(
        "UPDATE alert SET state = 'open', resolved_at = NULL, outcome = NULL "
        "WHERE alert_id IN (SELECT DISTINCT ON (patient_id) alert_id FROM alert "
        "ORDER BY patient_id, opened_at DESC)"
    )
    await admin.execute("UPDATE finding SET cleared_at = NULL")
    cluster = await admin.fetchval("SELECT cluster_id FROM log_position LIMIT 1")
    assert await count_open(admin, cluster, settings.topic, range(PARTITIONS)) == ({}, {})
    assert "canary" not in {one.programme for one in await catalogue(admin)}
    kind = await admin.fetchval("SELECT kind FROM organisation WHERE organisation_id = $1", ORGANISATION)
    assert kind is None
    assert await admin.fetchval("SELECT count(*) FROM registration") == 0


async def test_one_of_several_keeps_watch(
    settings: Settings, services: Services, admin: Connection, dispatch_pool: Pool, watcher: Watcher
) -> None:
    """Each beat is sent once, however many dispatchers there are; the next one takes over."""
    quiet = settings.model_copy(update={"canary_every_s": 0.0})
    await watch.give_sign(admin, AUDITOR, wall_now_us())

    async def has_beaten() -> bool:
        return len(watcher.beats) > beaten

    beaten = 0
    async with watching(dispatch_pool, quiet):
        await until(has_beaten)
        locks = (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        async with watching(dispatch_pool, quiet):
            await until(has_beaten)
            assert await admin.fetchval(locks) == 1
    beaten = len(watcher.beats)
    async with watching(dispatch_pool, quiet):
        await until(has_beaten)


async def test_what_keeps_the_heart_from_beating(
    settings: Settings, admin: Connection, dispatch_pool: Pool, watcher: Watcher
) -> None:
    quiet = settings.model_copy(update={"canary_every_s": 0.0})
    held_back = metric("thuiswacht_watch_heartbeats_total", result="held_back")

    async def is_held_back() -> bool:
        return metric("thuiswacht_watch_heartbeats_total", result="held_back") > held_back

    async with watching(dispatch_pool, quiet):
        await until(is_held_back)
        assert metric("thuiswacht_watch_wrong_signs", what="auditor") == 1
        assert watcher.beats == []
        await overdue_step(admin)
        await watch.give_sign(admin, AUDITOR, wall_now_us())
        held_back = metric("thuiswacht_watch_heartbeats_total", result="held_back")
        await until(is_held_back)
        assert metric("thuiswacht_watch_wrong_signs", what="steps") == 1
        assert metric("thuiswacht_watch_steps_overdue_seconds") > 3_500
        assert watcher.beats == []


async def overdue_step(admin: Connection) -> None:
    who, alert = uuid4(), uuid4()
    await admin.execute(
        "INSERT INTO alert (patient_id, alert_id, organisation_id, origin, signal, severity, opened_at, "
        "responsible_role, responsible_organisation_id) "
        "VALUES ($1, $2, $3, 'simulated', 'fluid', 'low', now(), 'nurse', $3)",
        who, alert, uuid4(),
    )  # fmt: skip
    await admin.execute(
        "INSERT INTO escalation_step (patient_id, alert_id, organisation_id, due_at, rank, why) "
        "VALUES ($1, $2, $3, now() - interval '1 hour', 0, 'opened')",
        who, alert, uuid4(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "taken"), [(200, True), (204, True), (302, False), (404, False), (500, False)]
)
async def test_only_a_watcher_that_took_it_has_heard(watcher: Watcher, answer: int, taken: bool) -> None:
    watcher.answer = answer
    assert await beat(watcher.url) is taken
    assert watcher.beats == ["/secret"], "no redirect is followed"


async def test_a_watcher_that_is_not_there(stack: Stack) -> None:
    from simulators.stack.ports import free_port

    assert not await beat(f"http://127.0.0.1:{free_port()}/secret")


def test_the_watcher_is_spoken_with_over_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in (
        "http://watcher.example.org/secret",
        "ftp://watcher.example.org/secret",
        "https:///secret",
        "x",
    ):
        monkeypatch.setenv("THUISWACHT_HEARTBEAT_URL", url)
        with pytest.raises(RefuseToStart, match="HEARTBEAT_URL") as refused:
            load_settings()
        assert "secret" not in str(refused.value)
    monkeypatch.setenv("THUISWACHT_HEARTBEAT_URL", "https://watcher.example.org/secret")
    assert load_settings().heartbeat_url is not None


async def test_what_came_of_canaries_is_let_go_of_and_nothing_else(
    database: str, admin: Connection, dispatch_pool: Pool
) -> None:
    now_us = wall_now_us()
    canary, somebody = canaries(1)[0], uuid4()
    for who, origin in ((canary, "canary"), (somebody, "simulated")):
        await lived_through(admin, who, origin)
    async with dispatch_pool.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM reading")
        assert await watch.prune(connection, [canary, somebody, uuid4()], now_us - 2 * DAY_US) == 1
        # Never what is younger than an hour, whatever is asked.
        assert await watch.prune(connection, [canary], now_us + DAY_US) == 1
    for table in OF_CANARIES:
        left = f"SELECT count(*) FROM {table} WHERE patient_id = $1"
        assert await admin.fetchval(left, canary) == 1, table
        assert await admin.fetchval(left, somebody) == 3, table


async def lived_through(admin: Connection, who: object, origin: str) -> None:
    """Three songs: of three days ago, of two hours ago, of now; each with all that came of it."""
    await admin.execute(
        "INSERT INTO patient (patient_id, organisation_id, origin, language, cluster_id, topic, "
        "log_partition, log_offset, registered_at) VALUES ($1, $2, $3, 'nl', 'cluster', 'log', 0, 0, now())",
        who, ORGANISATION, origin,
    )  # fmt: skip
    for ago in ("3 days", "2 hours", "0 hours"):
        finding, alert = uuid4(), uuid4()
        at = await admin.fetchval(f"SELECT now() - interval '{ago}'")
        await admin.execute("SELECT ensure_reading_partitions(ARRAY[$1::date])", at.date())
        await admin.execute(
            "INSERT INTO reading (taken_at, received_at, log_offset, value, revision, log_position, kind, "
            "log_partition, void, too_late, patient_id, organisation_id, upload_id, device_id, source) "
            "VALUES ($1, $1, 0, 100, 0, 0, 17, 0, false, false, $2, $3, $4, 'canary', 'canary')",
            at, who, ORGANISATION, uuid4(),
        )  # fmt: skip
        await admin.execute(
            "INSERT INTO finding (patient_id, finding_id, organisation_id, programme, version, "
            "programme_hash, rule, signal, severity, opened_at, cleared_at, opening, log_partition) "
            "VALUES ($2, $3, $4, 'canary', 1, 'x', 'sings', 'device', 'low', $1, $1, '[]', 0)",
            at, who, finding, ORGANISATION,
        )  # fmt: skip
        await admin.execute(
            "INSERT INTO alert (patient_id, alert_id, organisation_id, origin, signal, severity, state, "
            "opened_at, resolved_at, outcome, responsible_role, responsible_organisation_id) VALUES "
            "($2, $3, $4, $5, 'device', 'low', 'resolved', $1, $1, 'by_itself', 'nurse', $4)",
            at, who, alert, ORGANISATION, origin,
        )  # fmt: skip
        await admin.execute(
            "INSERT INTO alert_finding (patient_id, alert_id, finding_id, joined_at, organisation_id) "
            "VALUES ($2, $3, $4, $1, $5)",
            at, who, alert, finding, ORGANISATION,
        )  # fmt: skip
        await admin.execute(
            "INSERT INTO alert_event (patient_id, alert_id, organisation_id, happened_at, event, by) "
            "VALUES ($2, $3, $4, $1, 'opened', 'alerting')",
            at, who, alert, ORGANISATION,
        )  # fmt: skip


async def test_a_dispatcher_as_a_user_starts_it_keeps_watch(
    settings: Settings, database: str, tmp_path: Path, watcher: Watcher
) -> None:
    """Its own auditor gives the sign of life that the heartbeat waits for."""
    running = Services(
        {
            "THUISWACHT_KAFKA": settings.kafka,
            "THUISWACHT_POSTGRES": database,
            "THUISWACHT_TOPIC": settings.topic,
            "THUISWACHT_CANARY_EVERY_S": "0",
            "THUISWACHT_HEARTBEAT_URL": watcher.url,
            "THUISWACHT_HEARTBEAT_EVERY_S": "0.5",
        },
        tmp_path,
    )

    async def has_beaten() -> bool:
        running.require_running()
        return len(watcher.beats) > 1

    running.start("dispatch")
    try:
        await until(has_beaten)
    finally:
        running.stop()
    assert watcher.url not in (tmp_path / "dispatch.log").read_text()
