"""What a nurse would expect of the shipped programmes, told as small stories of one patient."""

from collections.abc import Sequence

import pytest

from alerting.engine.compiled import CompiledProgrammes, compile_programmes
from alerting.engine.programme_files import load_folder
from tests.naive.engine_run import Run
from tests.naive.findings import Finding
from tests.naive.random_logs import DAY_US, HOUR_US, PATIENTS, Message, change_message, clock, registration

MIDNIGHT_US = 1_780_264_800_000_000  # 2026-06-01 in Amsterdam
PATIENT = PATIENTS[0]
UNITS = {"body_weight": "kg", "systolic": "mm[Hg]", "diastolic": "mm[Hg]", "heart_rate": "/min", "spo2": "%"}
Taken = tuple[str, float, int]
"""Kind, value, and when: microseconds after the first midnight."""


@pytest.fixture(scope="module")
def programmes() -> CompiledProgrammes:
    return compile_programmes(load_folder())


def found(programmes: CompiledProgrammes, name: str, taken: Sequence[Taken], until_us: int) -> list[Finding]:
    """The findings of a patient in one programme since the first midnight, in order of opening."""
    enrol = {"enrol": {"programme": name, "version": 1}}
    log: list[Message] = [registration(PATIENT, MIDNIGHT_US), change_message(PATIENT, MIDNIGHT_US, enrol)]
    log += [
        {
            "type": "upload",
            "patient_id": PATIENT,
            "device_id": "device",
            "received_at_us": MIDNIGHT_US + at_us,
            "readings": [
                {"kind": kind, "value": value, "unit": UNITS[kind], "taken_at_us": MIDNIGHT_US + at_us}
            ],
        }
        for kind, value, at_us in taken
    ]
    run = Run(programmes)
    run.batch([*log, clock(MIDNIGHT_US + until_us)])
    return sorted(run.findings.values(), key=lambda finding: finding.opened_us)


def at(day: int, hour: float = 8.0) -> int:
    return day * DAY_US + int(hour * HOUR_US)


def test_three_missed_days_are_silence_and_one_weighing_ends_it(programmes: CompiledProgrammes) -> None:
    (silence,) = found(
        programmes, "heart_failure", [("body_weight", 80, at(0)), ("body_weight", 80, at(5))], at(6, 12)
    )
    assert silence.rule == "heart_failure/no_weight"
    assert silence.opened_us == MIDNIGHT_US + at(3, 11)
    assert silence.cleared_us == MIDNIGHT_US + at(5)


def test_weighing_three_times_a_week_is_no_silence(programmes: CompiledProgrammes) -> None:
    days = [7 * week + day for week in range(4) for day in (0, 2, 4)]
    assert found(programmes, "heart_failure", [("body_weight", 80, at(d)) for d in days], at(26)) == []


def test_who_never_measures_is_missed_and_then_missed_more(programmes: CompiledProgrammes) -> None:
    for programme in ("heart_failure", "hypertension"):
        (silence,) = found(programmes, programme, [], at(12))
        assert (silence.severity, silence.cleared_us) == ("medium", None)


def test_a_single_extreme_pressure_asks_for_a_repeat_at_once(programmes: CompiledProgrammes) -> None:
    taken = [("systolic", 235.0, at(0)), ("diastolic", 135.0, at(0))]
    (finding,) = found(programmes, "hypertension", taken, at(0, 12))
    assert (finding.rule, finding.severity) == ("hypertension/urgent_once", "medium")


def test_an_extreme_pressure_that_is_confirmed_is_high(programmes: CompiledProgrammes) -> None:
    taken = [("systolic", 205.0, at(0)), ("diastolic", 100.0, at(0))]
    taken += [("systolic", 210.0, at(0, 8.1)), ("diastolic", 101.0, at(0, 8.1))]
    severities = {f.rule: f.severity for f in found(programmes, "hypertension", taken, at(0, 12))}
    assert severities["hypertension/systolic_repeated"] == "high"


def test_one_measurement_is_not_taken_for_two(programmes: CompiledProgrammes) -> None:
    second = 1_000_000
    taken = [("systolic", 185.0, at(0)), ("diastolic", 95.0, at(0) + second)]
    rules = [f.rule for f in found(programmes, "hypertension", taken, at(0, 12))]
    assert rules == ["hypertension/urgent_once"]


def test_low_oxygen_speaks_at_once_and_is_high_when_confirmed(programmes: CompiledProgrammes) -> None:
    (first,) = found(programmes, "heart_failure", [("spo2", 80.0, at(0))], at(0, 9))
    assert (first.rule, first.severity) == ("heart_failure/spo2_very_low", "medium")
    taken = [("spo2", 80.0, at(0)), ("spo2", 81.0, at(0, 8.2))]
    severities = {f.rule: f.severity for f in found(programmes, "heart_failure", taken, at(0, 9))}
    assert severities["heart_failure/spo2_very_low"] == "high"


def test_a_pulse_around_its_limit_is_one_finding_not_ten(programmes: CompiledProgrammes) -> None:
    taken = [("heart_rate", 112.0 if day % 2 else 99.0, at(day)) for day in range(20)]
    rules = [f.rule for f in found(programmes, "heart_failure", taken, at(20)) if "heart_rate" in f.rule]
    assert rules == ["heart_failure/heart_rate_high"]


def test_somebody_else_on_the_scale_is_never_high(programmes: CompiledProgrammes) -> None:
    weights = [80.0, 80.0, 62.0, 80.0, 80.0]
    taken = [("body_weight", kg, at(day)) for day, kg in enumerate(weights)]
    assert all(f.severity != "high" for f in found(programmes, "heart_failure", taken, at(4, 10)))


def test_four_kilos_in_less_than_three_days_are_high(programmes: CompiledProgrammes) -> None:
    weights = [80.0, 81.5, 83.0, 85.5]
    taken = [("body_weight", kg, at(day)) for day, kg in enumerate(weights)]
    severities = {f.rule: f.severity for f in found(programmes, "heart_failure", taken, at(3, 10))}
    assert severities["heart_failure/weight_gain_3d"] == "high"
