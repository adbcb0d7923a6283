"""What counts as detected, and what as a false alert."""

from dataclasses import replace

from models.clock import DAY_US
from models.findings import Signal
from models.labels import Label
from simulators.demo.scoring import GRACE_US, Found, as_alerts, score

DAY = DAY_US
LABEL = Label(
    patient_id="p",
    kind="fluid_overload",
    signals=("fluid", "breathing"),
    onset_us=10 * DAY,
    detectable_at_us=15 * DAY,
    worst_us=20 * DAY,
    end_us=25 * DAY,
    admitted=False,
    cut_off=False,
)
FOUND = Found("p", Signal.FLUID, 16 * DAY, 18 * DAY)
YEAR = {"p": 365 * DAY}


def test_a_fitting_finding_between_onset_and_end_detects() -> None:
    found = score([FOUND], [LABEL], YEAR)
    assert (found.planted, found.detectable, found.detected, found.detected_of_detectable) == (1, 1, 1, 1)
    assert found.false_alerts == 0


def test_another_signal_patient_or_time_does_not_detect() -> None:
    others = [
        replace(FOUND, signal=Signal.PRESSURE),
        replace(FOUND, patient_id="q"),
        replace(FOUND, opened_at_us=9 * DAY),
        replace(FOUND, opened_at_us=26 * DAY, cleared_at_us=None),
    ]
    assert score(others, [LABEL], YEAR).detected == 0


def test_a_deterioration_that_was_cut_off_is_not_counted_but_explains() -> None:
    found = score([FOUND], [replace(LABEL, cut_off=True)], YEAR)
    assert (found.planted, found.detected, found.false_alerts) == (0, 0, 0)


def test_what_overlaps_no_deterioration_of_the_patient_is_false() -> None:
    early = replace(FOUND, opened_at_us=1 * DAY, cleared_at_us=2 * DAY)
    late = replace(FOUND, opened_at_us=LABEL.end_us + GRACE_US + 1, cleared_at_us=None)
    somebody_else = replace(FOUND, patient_id="q")
    assert score([early, late, somebody_else, FOUND], [LABEL], YEAR).false_alerts == 3
    assert score([early], [LABEL], {"p": 73 * DAY}).false_alerts_per_patient_year == 5.0


def test_findings_that_touch_are_one_alert_per_signal() -> None:
    findings = [
        FOUND,
        replace(FOUND, opened_at_us=17 * DAY, cleared_at_us=19 * DAY),
        replace(FOUND, opened_at_us=19 * DAY, cleared_at_us=21 * DAY),
        replace(FOUND, opened_at_us=22 * DAY, cleared_at_us=23 * DAY),
        replace(FOUND, signal=Signal.BREATHING),
        replace(FOUND, signal=Signal.SILENCE),
    ]
    assert sorted(as_alerts(findings)) == [
        (16 * DAY, 18 * DAY),
        (16 * DAY, 21 * DAY),
        (22 * DAY, 23 * DAY),
    ]


def test_nobody_followed_means_no_rate() -> None:
    assert score([], [], {}).false_alerts_per_patient_year == 0.0
