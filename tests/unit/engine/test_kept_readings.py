"""Readings are dropped when nobody looks back at them: the twin, who keeps all, finds the same."""

import pytest

from alerting.engine.programme_files import load_text
from models.clock import DAY_US, HOUR_US
from tests.naive.changes import Message
from tests.naive.engine_run import engine_run
from tests.naive.findings import naive_findings, naive_requests
from tests.naive.random_logs import PATIENTS, change_message, clock, registration

START_US = 1_780_272_000_000_000  # 2026-06-01, a Monday, 02:00 in Amsterdam
PATIENT = PATIENTS[0]
DAYS = 200
WEEKLY = """\
programme: weekly
version: 1
title: {nl: Wekelijks, en: Weekly}
source: none
limits:
  once: {default: 1, unit: "1", low: 1, high: 9, mark: P, source: x, text: {nl: a, en: b}}
  rise: {default: 2, unit: kg, low: 1, high: 90, mark: P, source: x, text: {nl: a, en: b}}
schedule:
  weigh: {kind: body_weight, before: "11:00", on: [mon]}
rules:
  missed:
    signal: silence
    severity: low
    when: missed(weigh, days=1) >= once
    clear: missed(weigh, days=1) < once
    text: {nl: a, en: b}
    source: x
    mark: P
  heavier:
    signal: fluid
    severity: low
    when: rise(body_weight, hours=36) >= rise
    clear: rise(body_weight, hours=36) < rise
    text: {nl: a, en: b}
    source: x
    mark: P
"""


def weighed(day: int, kg: float, hours: int = 6) -> Message:
    taken_us = START_US + day * DAY_US + hours * HOUR_US
    reading = {"kind": "body_weight", "value": kg, "unit": "kg", "taken_at_us": taken_us}
    head = {"type": "upload", "patient_id": PATIENT, "device_id": "scale", "received_at_us": taken_us}
    return {**head, "readings": [reading]}


@pytest.mark.parametrize("each_day", [2, 3])
def test_a_window_of_a_day_looks_at_a_week_and_a_jump_at_a_fortnight(each_day: int) -> None:
    """Whether a week had a weight, and what a jump is compared with, the newest of what is older says."""
    log: list[Message] = [registration(PATIENT, START_US)]
    log.append(change_message(PATIENT, START_US, {"enrol": {"programme": "weekly", "version": 1}}))
    for day in range(DAYS):
        is_week = day // 7 % 5 < 3
        if is_week and day % 7 == day // 7 % 7 and day % 3 != 0:
            kg = 95.0 if day // 7 % 5 == 2 else 80.0
            log += [weighed(day, kg + 2 * hour, 6 + hour) for hour in range(each_day)]
        log.append(clock(START_US + (day + 1) * DAY_US))
    made = load_text(WEEKLY, "weekly.yaml")
    run = engine_run([made], log, range(len(log)))
    found, expected = run.findings.values(), naive_findings([made], log)
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert len({finding.rule for finding in expected}) == 2
    assert run.standing_requests() == naive_requests([made], log)
    assert run.standing_requests()
    kept = vars(run.engine)["_arenas"].memory.series["readings_len"].max()
    assert kept < DAYS * each_day // 14, "most were dropped"
