"""What the engine promises, one sentence at a time; that it does so always is test_twin's."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest

from alerting.engine.compiled import CompiledProgrammes, compile_programmes
from alerting.engine.engine import Engine
from alerting.engine.programme_files import load_folder, load_text
from alerting.engine.verdict import NO_CLOCK, What
from models.messages import Enrol, MoveVersion, PersonalLimit, SetLimits, SetSchedule, Withdraw
from tests.naive.engine_run import Run, columns
from tests.naive.random_logs import DAY_US, HOUR_US, PATIENTS, change_message, clock, registration

START_US = 1_780_272_000_000_000  # 2026-06-01, 02:00 in Amsterdam
PATIENT = PATIENTS[0]
PROGRAMMES = """\
programme: sample
version: 1
title: {nl: Voorbeeld, en: Sample}
source: none
limits:
  gain: {default: 3, unit: "[lb_av]", low: 1, high: 9, mark: P, source: x, text: {nl: a, en: b}}
  gain_over: {default: 1, unit: "[lb_av]", low: 0, high: 9, mark: P, source: x, text: {nl: a, en: b}}
  high: {default: 180, unit: "mm[Hg]", low: 100, high: 220, mark: P, source: x, text: {nl: a, en: b}}
  low: {default: 90, unit: "mm[Hg]", low: 60, high: 220, mark: P, source: x, text: {nl: a, en: b}}
  long: {default: 36, unit: h, low: 1, high: 48, mark: P, source: x, text: {nl: a, en: b}}
rules:
  gains:
    signal: fluid
    severity: medium
    when: rise(body_weight, days=3) >= gain
    clear: rise(body_weight, days=3) <= gain_over
    text: {nl: a, en: b}
    source: x
    mark: S
  both:
    signal: pressure
    severity: medium
    when: last(systolic) >= high and last(diastolic) >= low
    clear: last(systolic) < high
    max_age: {minutes: 1}
    text: {nl: a, en: b}
    source: x
    mark: S
  silent:
    signal: silence
    severity: low
    when: age(body_weight) > long
    clear: age(body_weight) <= long
    text: {nl: a, en: b}
    source: x
    mark: P
"""


@pytest.fixture(scope="module")
def programmes() -> CompiledProgrammes:
    return compile_programmes([load_text(PROGRAMMES, "sample.yaml")])


def reading(kind: str, value: float, unit: str, at_us: int, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "value": value, "unit": unit, "taken_at_us": at_us, **more}


def weight(value: float, at_us: int, **more: Any) -> dict[str, Any]:
    return reading("body_weight", value, "[lb_av]", at_us, **more)


def upload(*readings: dict[str, Any], late_us: int = 0) -> dict[str, Any]:
    received_at_us = max(r["taken_at_us"] for r in readings) + late_us
    head = {"type": "upload", "patient_id": PATIENT, "device_id": "scale"}
    return {**head, "received_at_us": received_at_us, "readings": list(readings)}


def enrolled(programmes: CompiledProgrammes) -> Run:
    run = Run(programmes)
    enrol = {"enrol": {"programme": "sample", "version": 1}}
    run.batch([registration(PATIENT, START_US), change_message(PATIENT, START_US, enrol)])
    return run


def opened(run: Run) -> list[tuple[str, int, int | None]]:
    found = [(f.rule.removeprefix("sample/"), f.opened_us, f.cleared_us) for f in run.findings.values()]
    return sorted(found, key=lambda x: (x[1], x[0]))


def test_a_limit_is_met_exactly_in_the_unit_in_which_both_arrived(programmes: CompiledProgrammes) -> None:
    for pounds in np.arange(150.0, 200.0, 0.1).round(1).tolist():
        run = enrolled(programmes)
        run.batch([upload(weight(pounds, START_US), weight(round(pounds + 3, 1), START_US + DAY_US))])
        assert opened(run) == [("gains", START_US + DAY_US, None)], pounds


def test_kilograms_are_compared_in_the_unit_of_the_limit(programmes: CompiledProgrammes) -> None:
    for kilograms, expected in ((81.36077711, 1), (81.3607, 0)):
        run = enrolled(programmes)
        first = reading("body_weight", 80.0, "kg", START_US)
        run.batch([upload(first, reading("body_weight", kilograms, "kg", START_US + DAY_US))])
        assert len(opened(run)) == expected


@pytest.mark.parametrize("separately", [True, False])
def test_readings_of_one_moment_are_judged_together(programmes: CompiledProgrammes, separately: bool) -> None:
    run = enrolled(programmes)
    high = reading("systolic", 190, "mmHg", START_US + HOUR_US)
    low = reading("diastolic", 95, "mmHg", START_US + HOUR_US)
    for messages in ([upload(high)], [upload(low)]) if separately else ([upload(high, low)],):
        run.batch(messages)
    assert opened(run) == [("both", START_US + HOUR_US, None)]


def test_silence_is_found_at_its_exact_microsecond(programmes: CompiledProgrammes) -> None:
    run = enrolled(programmes)
    deadline_us = START_US + HOUR_US + 36 * HOUR_US + 1
    run.batch([upload(weight(180, START_US + HOUR_US)), clock(deadline_us - 1)])
    assert opened(run) == []
    run.batch([clock(deadline_us + 5 * DAY_US)])
    assert opened(run) == [("silent", deadline_us, None)]
    run.batch([upload(weight(180, deadline_us + HOUR_US), late_us=4 * DAY_US)])
    assert opened(run) == [
        ("silent", deadline_us, deadline_us + HOUR_US),
        ("silent", deadline_us + HOUR_US + 36 * HOUR_US + 1, None),
    ]


@pytest.mark.parametrize("void_first", [True, False])
def test_a_void_takes_a_reading_back_whenever_it_arrives(
    programmes: CompiledProgrammes, void_first: bool
) -> None:
    run = enrolled(programmes)
    wrong = upload(weight(190, START_US + DAY_US))
    void = upload({"kind": "body_weight", "taken_at_us": START_US + DAY_US, "void": True})
    for message in (upload(weight(180, START_US)), *((void, wrong) if void_first else (wrong, void))):
        run.batch([message])
    assert opened(run) == []
    run.batch([upload(weight(190, START_US + DAY_US, revision=1))])
    assert opened(run) == [("gains", START_US + DAY_US, None)]


def test_a_duplicate_changes_nothing_and_a_conflict_does_not_count(programmes: CompiledProgrammes) -> None:
    run = enrolled(programmes)
    run.batch([upload(weight(180, START_US), weight(181, START_US + DAY_US)), clock(START_US + DAY_US)])
    for again in (weight(181, START_US + DAY_US), weight(190, START_US + DAY_US)):
        verdict = run.engine.apply(columns([(9, upload(again))], run.rows), START_US + DAY_US)
        assert (len(verdict), verdict.replayed, verdict.rebuild) == (0, (), ())


def test_a_late_reading_retracts_and_returns_under_the_same_id(programmes: CompiledProgrammes) -> None:
    run = enrolled(programmes)
    run.batch([upload(weight(180, START_US), weight(184, START_US + DAY_US))])
    (first,) = run.findings
    run.batch([upload({"kind": "body_weight", "taken_at_us": START_US, "void": True}, late_us=DAY_US)])
    assert opened(run) == []
    run.batch([upload(weight(180.5, START_US + HOUR_US), late_us=DAY_US)])
    assert list(run.findings) == [first]


def test_more_than_seven_days_late_is_never_evaluated(programmes: CompiledProgrammes) -> None:
    run = enrolled(programmes)
    run.batch([upload(weight(184, START_US + 8 * DAY_US))])
    run.batch([upload(weight(170, START_US + 6 * DAY_US), late_us=7 * DAY_US + 1)])
    assert opened(run) == []
    run.batch([upload(weight(170, START_US + 6 * DAY_US + 1), late_us=7 * DAY_US)])
    assert ("gains", START_US + 8 * DAY_US, None) in opened(run)


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("late_first", [True, False])
def test_the_first_copy_in_the_log_decides_whether_a_reading_is_too_late(
    programmes: CompiledProgrammes, late_first: bool, at_once: bool
) -> None:
    run = enrolled(programmes)
    heavy = weight(184, START_US + DAY_US)
    copies = [upload(heavy, late_us=8 * DAY_US), upload(heavy)]
    messages = [upload(weight(180, START_US)), *(copies if late_first else reversed(copies))]
    for batch in [messages] if at_once else [[message] for message in messages]:
        run.batch(batch)
    assert opened(run) == ([] if late_first else [("gains", START_US + DAY_US, None)])
    run.batch([upload(weight(184, START_US + DAY_US, revision=1))])
    assert opened(run) == [("gains", START_US + DAY_US, None)], "another revision is another reading"


def test_a_copy_of_what_came_too_late_does_not_bring_time_forward(programmes: CompiledProgrammes) -> None:
    run = enrolled(programmes)
    steps = reading("steps", 100, "steps", START_US + 5 * DAY_US)
    run.batch([upload(weight(180, START_US)), upload(steps, late_us=8 * DAY_US), upload(steps)])
    assert opened(run) == []


def test_taking_back_what_was_dropped_from_memory_asks_for_a_rebuild(programmes: CompiledProgrammes) -> None:
    run = enrolled(programmes)
    run.batch(
        [upload(weight(180, START_US), weight(184, START_US + DAY_US), weight(180, START_US + 2 * DAY_US))]
    )
    assert ("gains", START_US + DAY_US, START_US + 2 * DAY_US) in opened(run)
    for day in range(3, 40):
        run.batch([upload(weight(180, START_US + day * DAY_US))])
    run.batch([upload({"kind": "body_weight", "taken_at_us": START_US + DAY_US, "void": True})])
    assert run.rebuilt == 1
    assert [rule for rule, *_ in opened(run) if rule == "gains"] == []


def test_what_was_read_back_takes_no_room_for_ever(programmes: CompiledProgrammes) -> None:
    engine = Engine(programmes)
    rows = {str(UUID(int=number)): number for number in range(400)}
    for patient_id, row in rows.items():
        engine.change(row, UUID(patient_id), [(START_US, Enrol(programme="sample", version=1))])
        year = upload(*(weight(180, START_US + hour * HOUR_US) for hour in range(0, 365 * 24, 12)))
        engine.apply(columns([(1, {**year, "patient_id": patient_id})], rows), NO_CLOCK)
        engine.give_back([row])
    assert engine.bytes < 10_000_000
    assert engine.bytes < 400 * 365 * 2 * 40, "less than the readings themselves"


def test_what_came_too_late_long_ago_is_left_to_the_database(programmes: CompiledProgrammes) -> None:
    run = enrolled(programmes)
    before = upload(weight(180, START_US), weight(184, START_US + DAY_US), late_us=8 * DAY_US)
    run.batch([before, upload(weight(180, START_US + 2 * DAY_US)), clock(START_US + 50 * DAY_US)])
    found = opened(run)
    run.batch([upload(weight(180, START_US + 40 * DAY_US), late_us=8 * DAY_US)])
    assert run.rebuilt == 0
    run.batch([upload(weight(184, START_US + DAY_US))])
    assert run.rebuilt == 1
    assert opened(run) == found


def test_older_than_every_snapshot_asks_for_a_rebuild(programmes: CompiledProgrammes) -> None:
    run = enrolled(programmes)
    for day in range(1, 40):
        run.batch([upload(weight(180, START_US + day * DAY_US)), clock(START_US + day * DAY_US)])
    week_late = columns([(99, upload(weight(170, START_US + 32 * DAY_US + 1)))], run.rows)
    verdict = run.engine.apply(week_late, START_US + 39 * DAY_US)
    ((row, from_us),) = verdict.replayed
    assert row == 0
    assert START_US + 27 * DAY_US < from_us <= START_US + 32 * DAY_US
    month_late = columns([(99, upload(weight(170, START_US + 8 * DAY_US + 1)))], run.rows)
    assert run.engine.apply(month_late, START_US + 39 * DAY_US).rebuild == (0,)


def test_memory_does_not_grow_with_time(programmes: CompiledProgrammes) -> None:
    """Blocks come and go, their arena is packed now and then: the most that it ever takes stays the same."""
    run = enrolled(programmes)
    most = [0, 0, 0]
    for day in range(300):
        many = [weight(180, START_US + day * DAY_US + i * 60_000_000) for i in range(60)]
        run.batch([upload(*many)])
        most[day // 100] = max(most[day // 100], run.engine.bytes)
    assert most[0] == most[1] == most[2]


def test_transitions_that_do_not_fit_are_not_lost(programmes: CompiledProgrammes) -> None:
    run = enrolled(programmes)
    up_and_down = [weight(180 + 5 * (i % 2), START_US + i * 4 * HOUR_US) for i in range(5_000)]
    run.batch([upload(reading) for reading in up_and_down])
    assert len(opened(run)) == 2_500


def test_two_runs_over_the_packaged_programmes_agree_on_what_a_rule_is() -> None:
    one, other = compile_programmes(load_folder()), compile_programmes(load_folder())
    assert one.rules == other.rules
    assert {rule.identity.programme for rule in one.rules} == {p.programme for p in load_folder()}


def test_evidence_says_what_was_compared(programmes: CompiledProgrammes) -> None:
    engine = Engine(programmes)
    limit = PersonalLimit(value=4, unit="lb", set_by="nurse")
    enrol = Enrol(programme="sample", version=1, limits={"gain": limit})
    assert engine.change(0, UUID(PATIENT), [(START_US, enrol)]) == []
    readings = columns([(1, upload(weight(180, START_US), weight(184, START_US + 1)))], {PATIENT: 0})
    (transition,) = engine.apply(readings, NO_CLOCK).readable()
    assert transition.what is What.OPEN
    (evidence,) = transition.evidence
    assert (evidence.feature, evidence.limit) == ("rise(body_weight, days=3)", "gain")
    assert (evidence.value, evidence.limit_value, evidence.unit) == (4.0, 4.0, "[lb_av]")


def test_what_cannot_be_followed_in_a_change_is_told(programmes: CompiledProgrammes) -> None:
    engine = Engine(programmes)
    wrong_unit = PersonalLimit(value=2, unit="kg", set_by="nurse")
    too_high = PersonalLimit(value=300, unit="mm[Hg]", set_by="nurse")
    history = [
        (START_US, Enrol(programme="unheard_of", version=1)),
        (START_US, Enrol(programme="sample", version=7)),
        (START_US, Withdraw(programme="sample")),
        (START_US, Enrol(programme="sample", version=1, limits={"gain": wrong_unit, "none": too_high})),
        (START_US, SetLimits(programme="sample", limits={"high": too_high, "low": None})),
        (START_US, SetSchedule(programme="sample", schedule={"daily": None})),
        (START_US, MoveVersion(programme="sample", version=2)),
    ]
    problems = engine.change(0, UUID(PATIENT), history)
    assert [(p.change, p.field) for p in problems] == [
        (0, "programme"),
        (1, "programme"),
        (2, "programme"),
        (3, "limits.gain"),
        (3, "limits.none"),
        (4, "limits.high"),
        (5, "schedule.daily"),
        (6, "programme"),
    ]
    with pytest.raises(ValueError, match="expected a row from 0 on"):
        engine.change(-1, UUID(PATIENT), history)
