"""Two small programmes: enough to be enrolled in, and to have limits and schedules changed."""

from alerting.engine.programme import Programme
from alerting.engine.programme_files import load_text

_TEMPLATE = """
programme: {name}
version: 1
title: {{nl: Proef, en: Trial}}
source: made for this test
limits:
  much:
    default: 2.0
    unit: "{unit}"
    low: 0.5
    high: 250.0
    mark: P
    source: made for this test
    text: {{nl: Veel, en: Much}}
  often:
    default: 2
    unit: "1"
    low: 1
    high: 3
    mark: P
    source: made for this test
    text: {{nl: Vaak, en: Often}}
schedule:
  daily: {{kind: {kind}, before: "11:00"}}
rules:
  too_much:
    signal: {signal}
    severity: medium
    when: last({kind}) > much
    clear: last({kind}) <= much
    max_age: {{days: 2}}
    text: {{nl: Te veel, en: Too much}}
    source: made for this test
    mark: P
  nothing:
    signal: silence
    severity: medium
    when: missed(daily, days=3) >= often
    clear: missed(daily, days=3) < often
    text: {{nl: Niets, en: Nothing}}
    source: made for this test
    mark: P
"""


def small_programmes() -> dict[str, Programme]:
    return {
        name: load_text(_TEMPLATE.format(name=name, kind=kind, unit=unit, signal=signal), f"{name}.yaml")
        for name, kind, unit, signal in (
            ("heart_failure", "body_weight", "kg", "fluid"),
            ("hypertension", "systolic", "mm[Hg]", "pressure"),
        )
    }
