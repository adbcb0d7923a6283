"""What patients write, on a real Postgres: one alert, each remark once, never what it says."""

import json
from dataclasses import replace
from uuid import UUID

import asyncpg

from alerting import acts
from alerting.carrying_out import carry_out
from models.access import Role, User
from models.alerts import Alert, AlertState
from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.db.alerts import load_alerts
from models.db.pool import Pool
from models.db.reevaluations import Reevaluation, ask
from models.findings import Severity, Signal
from tests.integration.alerting.following import CLUSTER, PARTITION, TOPIC, Record, follow, store, worker
from tests.integration.alerting.small_log import START_US, SmallLog
from tests.unit.alerting.acting import POLICY, duty

WRITTEN = "I could not sleep, short of breath"


class Diary:
    """The log of one patient who writes, with a clock message after each upload."""

    def __init__(self) -> None:
        self.log = SmallLog(seed=9, patients=0, days=0)
        self.patient_id = UUID(int=self.log.draw.getrandbits(128), version=4)
        origin: dict[str, object] = {"origin": "simulated", "organisation_id": str(UUID(int=77))}
        self.log.change(START_US, self.patient_id, {"register": origin})
        self.log.tick(START_US)

    def writes(self, at_us: int, *, taken_us: int | None = None, revision: int = 0) -> "Diary":
        remark: dict[str, object] = {
            "kind": "symptom_dyspnoea",
            "text": WRITTEN,
            "taken_at_us": at_us if taken_us is None else taken_us,
            "revision": revision,
        }
        self.log.upload(at_us, self.patient_id, remark)
        self.log.tick(at_us + MINUTE_US)
        return self

    def records(self) -> list[Record]:
        return [Record(offset, message.value) for offset, message in enumerate(sorted(self.log.written))]


async def stored(pool: Pool, patient_id: UUID) -> list[Alert]:
    async with pool.transaction() as connection:
        return await load_alerts(connection, {patient_id: 0})


async def told(pool: Pool) -> list[asyncpg.Record]:
    async with pool.connection() as connection:
        return await connection.fetch(
            "SELECT event, happened_at, why, alert_event::text AS whole FROM alert_event ORDER BY event_no"
        )


async def test_each_remark_is_heard_once_however_often_it_comes(pool: Pool, storing_pool: Pool) -> None:
    diary = Diary().writes(START_US + HOUR_US).writes(START_US + 2 * HOUR_US)
    await follow(pool, diary.records())
    again = START_US + DAY_US
    diary.writes(again, taken_us=START_US + HOUR_US)
    diary.writes(again + HOUR_US, taken_us=START_US + 2 * HOUR_US)
    await follow(pool, diary.records())
    events = await told(pool)
    assert [event["event"] for event in events] == ["opened", "remarked"]
    diary.writes(again + 2 * HOUR_US, taken_us=START_US + HOUR_US, revision=1)
    log = diary.records()
    await follow(pool, log)
    await store(storing_pool, log)
    handler, _ = await worker(pool)
    async with pool.transaction() as connection:
        wanted = Reevaluation(diary.patient_id, UUID(int=77), PARTITION, len(log))
        await ask(connection, CLUSTER, TOPIC, [wanted])
    await handler.idle()
    events = await told(pool)
    assert [event["event"] for event in events] == ["opened", "remarked", "remarked"]
    assert not any("sleep" in event["whole"] for event in events)
    assert json.loads(events[0]["why"])["taken_at_us"] == START_US + HOUR_US
    (alert,) = await stored(pool, diary.patient_id)
    assert (alert.signal, alert.severity) == (Signal.REMARK, Severity.LOW)
    assert (alert.retracted, alert.cleared_at_us, alert.version) == (False, None, 3)


async def test_another_remark_ends_the_promise_of_who_read_the_first(pool: Pool) -> None:
    diary = Diary().writes(START_US + HOUR_US)
    await follow(pool, diary.records())
    (alert,) = await stored(pool, diary.patient_id)
    nurse = User(UUID(int=5), alert.organisation_id, Role.NURSE)
    now_us = START_US + 2 * HOUR_US
    done = acts.snooze(
        alert,
        nurse,
        until_us=now_us + HOUR_US,
        promised_since_us=None,
        policy=POLICY,
        duty=duty(now_us + DAY_US),
        now_us=now_us,
    )
    async with pool.transaction() as connection:
        await carry_out(connection, [done])
    assert await stored(pool, diary.patient_id) == [done.alert]
    await follow(pool, diary.writes(now_us).records())
    (lapsed,) = await stored(pool, diary.patient_id)
    assert lapsed == replace(alert, state=AlertState.OPEN, version=3)
    assert [event["event"] for event in await told(pool)] == [
        *("opened", "acknowledged", "snoozed"),
        *("remarked", "lapsed"),
    ]
    async with pool.connection() as connection:
        due = await connection.fetch("SELECT due_at, why FROM escalation_step WHERE state = 'due'")
    assert [(int(row["due_at"].timestamp() * 1_000_000), row["why"]) for row in due] == [(now_us, "lapsed")]


async def test_what_comes_too_late_or_after_the_end_is_no_news(pool: Pool) -> None:
    diary = Diary()
    diary.writes(START_US + 9 * DAY_US, taken_us=START_US + DAY_US)
    diary.log.change(START_US + 10 * DAY_US, diary.patient_id, {"end": {"reason": "moved"}})
    diary.writes(START_US + 11 * DAY_US)
    await follow(pool, diary.records())
    assert await stored(pool, diary.patient_id) == []
