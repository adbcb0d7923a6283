"""The queries of every batch find their rows by index, also when the tables have grown.

Postgres itself tells how it ran each statement (auto_explain), so that what is looked at is what the services
really send.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import numpy as np
import pytest

from models.alerts import Alert
from models.db import (
    alerts,
    escalations,
    findings,
    history,
    incidents,
    outbox,
    patient_messages,
    patients,
    positions,
    readings,
    reevaluations,
    refused,
    sending,
    situations,
    sources,
    values,
    worklist,
)
from models.db.pool import Connection
from models.escalations import Message, MessageState
from models.sources import Activity
from simulators.stack import Stack
from tests import rows

NOW_US = 1_793_487_600_000_000  # 2026-10-31, 23:00 UTC
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
GROWN = Path(__file__).with_name("grown.sql")

# Of Postgres itself, or never large.
SMALL = (
    "pg_",
    "installation",
    "kind",
    "message_address",
    "migration",
    "organisation",
    "patient_app",
    "reading_staging",
)

Plans = Callable[[Awaitable[object]], Awaitable[list[dict[str, Any]]]]


def patient(n: int) -> UUID:
    return UUID(f"a0000000-0000-4000-8000-{n:012x}")


SOME = [patient(n) for n in range(40, 80, 4)]  # of partition 0


@pytest.fixture(scope="module")
def grown_database(stack: Stack, template_database: str) -> str:
    """The DSN of a database that has been in use for some months; nothing that a test writes to it stays."""

    async def grow(dsn: str) -> None:
        server = await asyncpg.connect(stack.postgres_dsn)
        await server.execute(f"CREATE DATABASE grown TEMPLATE {template_database}")
        await server.close()
        database = await asyncpg.connect(dsn)
        await database.execute(GROWN.read_text(encoding="utf-8"))
        await database.close()

    dsn = urlunsplit(urlsplit(stack.postgres_dsn)._replace(path="/grown"))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, grow(dsn)).result()
    return dsn


@pytest.fixture
async def connection(grown_database: str) -> AsyncIterator[Connection]:
    """Within a transaction that is rolled back, with Postgres telling how it runs each statement."""
    opened = await asyncpg.connect(grown_database)
    await opened.execute("LOAD 'auto_explain'")
    for setting in (
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_analyze = on",
        "auto_explain.log_format = json",
        "auto_explain.log_level = notice",
        "auto_explain.log_nested_statements = on",
        "jit = off",
    ):
        await opened.execute(f"SET {setting}")
    transaction = opened.transaction()
    await transaction.start()
    yield opened
    await transaction.rollback()
    await opened.close()


@pytest.fixture
def plans(connection: Connection) -> Plans:
    """Awaits work and returns every node of every plan it took."""

    async def run(work: Awaitable[object]) -> list[dict[str, Any]]:
        said: list[str] = []

        def listen(_: object, message: Any) -> None:
            said.append(message.message)

        connection.add_log_listener(listen)
        try:
            await work
            # A statement is over when the next one comes; the driver tells of it at the loop's next turn.
            await connection.execute("SELECT 1")
            await asyncio.sleep(0)
        finally:
            connection.remove_log_listener(listen)
        taken = [text.partition("plan:\n")[2] for text in said if "plan:\n" in text]
        assert taken, "Postgres told of no plan"
        return [node for plan in taken for node in nodes(json.loads(plan)["Plan"])]

    return run


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def wasteful(taken: list[dict[str, Any]]) -> list[str]:
    """Nodes that read a whole table, or read many rows to throw them away."""
    return [
        f"{node['Node Type']} on {node['Relation Name']}, {node.get('Rows Removed by Filter', 0)} thrown away"
        for node in taken
        if "Relation Name" in node
        and not node["Relation Name"].startswith(SMALL)
        and (node["Node Type"] == "Seq Scan" or node.get("Rows Removed by Filter", 0) > 200)
    ]


async def test_newest_readings(connection: Connection, plans: Plans) -> None:
    ids = np.frombuffer(b"".join(one.bytes for one in SOME), np.uint8).reshape(-1, 16)
    kinds, devices = np.zeros(len(SOME), np.int16), ["scale-1"] * len(SOME)
    assert wasteful(await plans(readings.newest_known(connection, ids, kinds, devices))) == []


async def test_telling_new_readings_from_known_ones(connection: Connection, plans: Plans) -> None:
    again = [
        rows.Row(offset=9, position=n, patient_id=one, taken_at_us=NOW_US) for n, one in enumerate(SOME * 2)
    ]
    assert wasteful(await plans(readings.stage_readings(connection, [rows.readings(again)]))) == []


async def test_readings_from_which_a_patient_is_rebuilt(connection: Connection, plans: Plans) -> None:
    wanted = {one: row for row, one in enumerate(SOME)}
    taken = await plans(history.load_readings(connection, wanted, partition=0, below_offset=10**9))
    assert wasteful(taken) == []


async def test_changes_of_some_patients(connection: Connection, plans: Plans) -> None:
    assert wasteful(await plans(patients.load_changes(connection, "c", "t", 0, None, SOME))) == []


async def test_moving_the_offset(connection: Connection, plans: Plans) -> None:
    advances = [
        positions.Advance(partition, from_offset=0, to_offset=5, clock_us=None) for partition in range(4)
    ]
    assert wasteful(await plans(positions.advance(connection, "g7", "c", "t", advances))) == []


async def test_findings_that_may_change(connection: Connection, plans: Plans) -> None:
    reasons = [(SOME[0], UUID(f"d0000000-0000-4000-8000-{n:012x}")) for n in range(4001, 4005)]
    taken = await plans(findings.load_findings(connection, dict.fromkeys(SOME, NOW_US), reasons))
    assert wasteful(taken) == []


async def test_what_explains_a_finding(connection: Connection, plans: Plans) -> None:
    one = UUID(f"d0000000-0000-4000-8000-{4001:012x}")
    assert wasteful(await plans(findings.find_finding(connection, one))) == []
    assert wasteful(await plans(patients.load_changes_of(connection, SOME[0]))) == []
    looked = values.load_values(connection, SOME[0], ["body_weight"], NOW_US - 30 * DAY_US, NOW_US, 1_000)
    assert wasteful(await plans(looked)) == []


async def test_alerts_that_may_change(connection: Connection, plans: Plans) -> None:
    found: list[Alert] = []

    async def load() -> None:
        found.extend(await alerts.load_alerts(connection, dict.fromkeys(SOME, NOW_US - 20 * DAY_US)))

    assert wasteful(await plans(load())) == []
    assert found
    assert wasteful(await plans(alerts.load_reasons(connection, found))) == []


async def test_alerts_that_people_look_at(connection: Connection, plans: Plans) -> None:
    listed: list[worklist.Listed] = []

    async def look() -> None:
        await connection.execute("SELECT set_config('thuiswacht.role', 'engineer', true)")
        listed.extend(await worklist.list_alerts(connection, worklist.Wanted(), limit=50))
        keys = await worklist.keys_of(connection, [one.alert.alert_id for one in listed])
        alert = await worklist.find_alert(connection, keys[listed[0].alert.alert_id])
        assert alert is not None
        await worklist.load_beside(connection, alert)
        await worklist.find_successor(connection, alert)

    taken = await plans(look())
    assert len(listed) == 50
    # The other tables are small or empty here: the planner reads them as a whole.
    about_alerts = [node for node in taken if node.get("Relation Name") == "alert"]
    assert about_alerts
    assert wasteful(about_alerts) == []


async def test_reevaluations_that_are_due(connection: Connection, plans: Plans) -> None:
    assert wasteful(await plans(reevaluations.due(connection, "c", "t", [0, 1]))) == []


async def test_alerts_that_a_silent_source_explains(connection: Connection, plans: Plans) -> None:
    async def look() -> None:
        found = await incidents.to_hold_back(
            connection, readings_from_us=NOW_US - 40 * DAY_US, opened_from_us=NOW_US - DAY_US, at_most=500
        )
        assert found == []
        await incidents.held_back(connection)

    assert wasteful(await plans(look())) == []


async def test_what_waits_to_be_tried_again(connection: Connection, plans: Plans) -> None:
    waiting: list[refused.ToTry] = []

    async def look() -> None:
        waiting.extend(await refused.to_try(connection, 10))
        await refused.load_refused(connection, reason=None, retried_too=False, at_most=50)
        await refused.load_refused(connection, reason=None, retried_too=True, at_most=50)
        await refused.try_again(connection, [(0, 40), (0, 44)], SOME[0])

    taken = await plans(look())
    assert len(waiting) == 10
    # The register of this database is empty, and where logs are read is a small table.
    of_refused = ("quarantine", "quarantine_message", "retry")
    assert wasteful([node for node in taken if node.get("Relation Name") in of_refused]) == []


async def test_noting_from_where_readings_came(connection: Connection, plans: Plans) -> None:
    noted = [(n, Activity(f"vendor-{n}", NOW_US // HOUR_US, 5, NOW_US)) for n in range(4)]
    assert wasteful(await plans(sources.note_activity(connection, "c", "t", noted))) == []


async def test_messages_that_are_sent(connection: Connection, plans: Plans) -> None:
    found: list[Message] = []

    async def send() -> None:
        found.extend(await sending.due(connection, NOW_US, 32, ["fhir x"]))
        await sending.take(connection, [sending.Taken(one, 60.0, NOW_US) for one in found], NOW_US)
        tried = replace(found[0], attempts=1, state=MessageState.ATTEMPTED, why="http 500")
        await sending.record(connection, tried, NOW_US, held_attempts=1)
        arrived = replace(found[1], state=MessageState.DELIVERED, delivered_at_us=NOW_US)
        await sending.record(connection, arrived, None, held_attempts=1)
        assert arrived.escalation_id is not None
        await sending.arrived(connection, arrived.patient_id, [arrived.escalation_id], NOW_US)

    assert wasteful(await plans(send())) == []
    assert len(found) == 32


async def test_messages_that_are_looked_after(connection: Connection, plans: Plans) -> None:
    async def keep_house() -> None:
        await sending.too_late(connection, NOW_US, 200)
        await sending.close_unanswered(connection, NOW_US, NOW_US - 30 * DAY_US, 200)
        await sending.waiting(connection, NOW_US)

    assert wasteful(await plans(keep_house())) == []


async def test_messages_that_are_put_joined_and_answered(connection: Connection, plans: Plans) -> None:
    async def put() -> None:
        waiting = await outbox.unsent(connection, [patient(n) for n in range(5, 100, 5)])
        assert waiting
        await outbox.rewrite(connection, waiting[:3])
        assert waiting[0].escalation_id is not None
        await outbox.accepted(connection, waiting[0].patient_id, waiting[0].escalation_id, NOW_US)
        await outbox.seen(connection, waiting[0].patient_id, waiting[0].message_id, NOW_US)
        await outbox.load_message(connection, waiting[0].message_id)

    assert wasteful(await plans(put())) == []


async def test_messages_to_patients(connection: Connection, plans: Plans) -> None:
    asked: list[patient_messages.Pending] = []

    async def tell() -> None:
        asked.extend(await patient_messages.pending_requests(connection, NOW_US, 100))
        assert len(await patient_messages.apps_of(connection, SOME, NOW_US)) == len(SOME)
        await patient_messages.reached(connection, SOME[0])
        await patient_messages.withdraw_answered(connection, NOW_US)
        await patient_messages.newly_seen(connection, NOW_US, HOUR_US, ["silence", "device"])

    assert wasteful(await plans(tell())) == []
    assert len(asked) == 40


async def test_steps_that_are_due(connection: Connection, plans: Plans) -> None:
    claimed: list[escalations.Claimed] = []
    found: list[Alert] = []

    async def dispatch() -> None:
        claimed.extend(await escalations.claim(connection, NOW_US, 40))
        found.extend(step.alert for step in claimed)
        await escalations.load_escalations(connection, found)
        await situations.load_news(connection, found)
        await situations.load_standing(connection, found)
        await situations.load_around(connection, found, NOW_US)
        await escalations.done(connection, [(step, "waits") for step in claimed])

    assert wasteful(await plans(dispatch())) == []
    assert len(claimed) == 40
    # Of each patient all messages are looked through: some tens, of which few are about the alert.
    carrying = await plans(situations.load_carrying(connection, found))
    assert [node for node in carrying if node["Node Type"] == "Seq Scan"] == []


async def test_a_query_without_an_index_would_be_seen(connection: Connection, plans: Plans) -> None:
    assert wasteful(await plans(connection.fetch("SELECT * FROM alert WHERE outcome = 'elsewhere'")))
