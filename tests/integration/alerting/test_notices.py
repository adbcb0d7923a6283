"""What is said of refused readings is the same live and after a restart, from the quarantine."""

import json
import random
from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from alerting.engine.compiled import CompiledProgrammes, compile_programmes
from alerting.engine.programme_files import load_text
from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.db.pool import Pool
from tests.integration.alerting.following import (
    Record,
    findings_of,
    follow,
    store,
    stored_findings,
    undisturbed,
)
from tests.integration.alerting.small_log import START_US, SmallLog

PATIENTS = [UUID(int=number, version=4) for number in range(1, 6)]

PROGRAMME = """
programme: faults
version: 1
title: {nl: Storing, en: Faults}
source: for tests
limits:
  once:
    {default: 1, unit: "1", low: 1, high: 5, mark: P, source: proposal, text: {nl: Eens, en: Once}}
  quiet:
    {default: 6, unit: h, low: 1, high: 24, mark: P, source: proposal, text: {nl: Lang, en: Long}}
rules:
  refused:
    signal: device
    severity: low
    when: count(device_state, hours=1) >= once
    clear: age(device_state) > quiet
    text: {nl: Het apparaat doet raar., en: The device behaves oddly.}
    source: proposal
    mark: P
"""


@cache
def faults() -> CompiledProgrammes:
    return compile_programmes([load_text(PROGRAMME, "faults.yaml")])


def faulty_log() -> list[Record]:
    """Good and bad readings, a device that speaks for itself, all of it also late and twice."""
    log, draw = SmallLog(seed=1, patients=0, days=10), random.Random(5)
    for patient_id in PATIENTS:
        log.change(START_US, patient_id, {"register": _origin()})
        log.change(START_US, patient_id, {"enrol": {"programme": "faults", "version": 1}})
        for hour in range(4, 10 * 24, 4):
            at_us = START_US + hour * HOUR_US + draw.randrange(HOUR_US)
            late_us = draw.choice([0, 0, 0, 5 * HOUR_US, 3 * DAY_US, 8 * DAY_US])
            readings = [_reading(draw, at_us, late_us) for _ in range(draw.randrange(3))]
            if readings:
                log.upload(at_us + late_us, patient_id, *readings)
            if readings and draw.random() < 0.2:
                log.upload(at_us + late_us + MINUTE_US, patient_id, *readings[::-1])
    return [Record(offset, message.value) for offset, message in enumerate(log.messages())]


def _origin() -> dict[str, object]:
    return {"origin": "simulated", "organisation_id": str(UUID(int=77))}


def _reading(draw: random.Random, at_us: int, late_us: int) -> dict[str, Any]:
    weight = {"kind": "body_weight", "unit": "kg", "taken_at_us": at_us}
    return draw.choice(
        [
            {**weight, "value": 80.0},
            {**weight, "value": 800.0},
            {**weight, "value": 80.0, "taken_at_us": at_us + late_us + HOUR_US},
            {"kind": "pulse", "value": 0, "unit": "/min", "taken_at_us": at_us},
            {"kind": "device_state", "code": "battery_low", "taken_at_us": at_us},
            {"kind": "device_state", "void": True, "taken_at_us": at_us},
        ]
    )


async def test_findings_on_devices_are_the_same_after_a_restart(pool: Pool, storing_pool: Pool) -> None:
    log = faulty_log()
    for until in (150, 151, 290, None):
        await store(storing_pool, log, until)
        await follow(pool, log, until, faults())
    expected = findings_of(undisturbed(log, faults()))
    assert await stored_findings(pool) == expected
    assert len(expected) > 20
    async with storing_pool.connection() as connection:
        said = await connection.fetch(
            "SELECT notice_code, count(*) FROM quarantine WHERE notice_code IS NOT NULL GROUP BY 1 ORDER BY 1"
        )
    assert [row[0] for row in said] == [5, 7, 8]


async def test_a_patient_evaluated_again_hears_it_too(pool: Pool, storing_pool: Pool) -> None:
    log = faulty_log()
    changed = {
        "schema": 1,
        "type": "change",
        "change_id": str(UUID(int=5)),
        "patient_id": str(PATIENTS[0]),
        "valid_from_us": START_US + DAY_US,
        "correction": True,
        "change": {"limits": {"programme": "faults", "limits": {"once": _twice()}}},
    }
    log.append(Record(len(log), json.dumps(changed).encode()))
    handler = await follow(pool, log, None, faults())
    await store(storing_pool, log)
    before = await stored_findings(pool)
    await handler.idle()
    after = await stored_findings(pool)
    assert {f for f in after if f.patient_id != PATIENTS[0]} == {
        f for f in before if f.patient_id != PATIENTS[0]
    }
    assert count_of(after, PATIENTS[0]) < count_of(before, PATIENTS[0])
    await follow(pool, [*log, tick(log)], None, faults())
    assert await stored_findings(pool) == after


def _twice() -> dict[str, object]:
    return {"value": 2, "unit": "1", "set_by": "nurse"}


def count_of(findings: Sequence[Any] | set[Any], patient_id: UUID) -> int:
    return sum(finding.patient_id == patient_id for finding in findings)


def tick(log: Sequence[Record]) -> Record:
    now = {"schema": 1, "type": "clock", "now_us": START_US + 10 * DAY_US}
    return Record(len(log), json.dumps(now).encode())
