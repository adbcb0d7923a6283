"""A finding about weight, as it is stored, to explain."""

from dataclasses import replace
from uuid import UUID

from alerting.engine.programme import Programme
from alerting.engine.programme_files import load_text
from models.clock import DAY_US
from models.findings import Evidence, EvidenceReading, Finding, Severity, Signal, finding_id

OPENED_US = 1_795_332_660_000_000
PATIENT = UUID(int=7)

PROGRAMME = """
programme: weights
version: 3
title: {nl: Gewicht, en: Weight}
source: made up
limits:
  gain:
    {default: 2.0, unit: kg, low: 1, high: 5, mark: S, source: "ESC: 2 kg",
     text: {nl: Te veel erbij, en: Too much}}
  gain_severe:
    {default: 3.5, unit: kg, low: 1, high: 9, mark: P, source: proposal,
     text: {nl: Veel te veel, en: Far too much}}
  fine: {default: 1.0, unit: kg, low: 0, high: 5, mark: M, source: AHA, text: {nl: Weer goed, en: Fine again}}
  breathless:
    {default: 2, unit: "{code}", low: 1, high: 3, mark: P, source: "proposal; after Anthonisen",
     text: {nl: Benauwd, en: Breathless}}
rules:
  gain:
    signal: fluid
    severity: medium
    when: rise(body_weight, days=3) > gain or last(symptom_dyspnoea) >= breathless
    raise: {severity: high, when: "rise(body_weight, days=3) > gain_severe"}
    clear: rise(body_weight, days=3) <= fine and not last(symptom_dyspnoea) >= breathless
    max_age: {days: 2}
    cooldown: {days: 1}
    text: {nl: Het gewicht stijgt snel., en: Weight rises fast.}
    source: ESC
    mark: S
"""


def programme() -> Programme:
    """The programme that found it."""
    return load_text(PROGRAMME, "weights.yaml")


def weights(count: int) -> tuple[EvidenceReading, ...]:
    """Weighings up to the finding's opening, the newest last."""
    times = [OPENED_US - (count - 1 - n) * DAY_US // 8 for n in range(count)]
    return tuple(EvidenceReading("body_weight", at_us, 79.0 + n / 10, "kg") for n, at_us in enumerate(times))


def finding() -> Finding:
    """As a new engine stores it, with how it was compared and the readings."""
    evidence = (
        Evidence(
            "rise(body_weight, days=3)", 2.4, "kg", "gain", 2.0, ">",
            holds=True, window_us=3 * DAY_US, count=3, readings=weights(3),
        ),
        Evidence("last(symptom_dyspnoea)", None, "{code}", "breathless", 2.0, ">="),
    )  # fmt: skip
    return Finding(
        finding_id=finding_id(PATIENT, "weights", "gain", OPENED_US),
        patient_id=PATIENT,
        organisation_id=UUID(int=2),
        log_partition=1,
        programme="weights",
        version=3,
        rule="gain",
        signal=Signal.FLUID,
        severity=Severity.MEDIUM,
        opened_at_us=OPENED_US,
        opening=evidence,
        programme_hash=programme().hash,
    )


def old_finding() -> Finding:
    """As an older one stored it: values and limits alone."""
    evidence = tuple(
        Evidence(part.feature, part.value, part.unit, part.limit, part.limit_value)
        for part in finding().opening
    )
    return replace(finding(), opening=evidence)
