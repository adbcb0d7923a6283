"""The control charts of the engine are the recursions whose run lengths are checked: they signal together."""

from typing import Any
from uuid import UUID

import numpy as np

from alerting.engine.programme import Programme
from models.clock import DAY_US
from tests.naive.changes import Message
from tests.naive.engine_run import engine_findings
from tests.naive.features import against, cusum, ewma
from tests.naive.random_logs import change_message, registration
from tests.naive.random_programmes import TEXT, a_limit
from tests.naive.random_readings import upload

START_US = 1_780_272_000_000_000
PATIENTS, DAYS = 150, 60
TARGET, SPREAD = 120.0, 10.0
LIMITS = {
    "target": (TARGET, "mm[Hg]"), "spread": (SPREAD, "mm[Hg]"), "ewma_limit": (2.814, "1"),
    "cusum_limit": (4.0, "1"), "least": (0.0, "1"),
}  # fmt: skip
CHARTS = {
    "ewma": "ewma(systolic, smoothing=0.1, target=target, spread=spread)",
    "cusum": "cusum(systolic, slack=0.5, side=high, target=target, spread=spread)",
}


def programme() -> Programme:
    rules = {
        name: {
            "when": f"{chart} > {name}_limit",
            "clear": f"{chart} < least",
            "signal": "pressure",
            "severity": "low",
            "text": TEXT,
            "source": "random",
            "mark": "P",
        }
        for name, chart in CHARTS.items()
    }
    limits: dict[str, Any] = {name: a_limit(name, *limit) for name, limit in LIMITS.items()}
    limits["spread"]["low"] = 0.1
    return Programme.model_validate(
        {
            "programme": "charts",
            "version": 1,
            "title": TEXT,
            "source": "random",
            "limits": limits,
            "rules": rules,
        }
    )


def first_signals(values: list[float]) -> dict[str, int]:
    """The day on which each chart first lies beyond its limit, by the twin's recursions."""
    found: dict[str, int] = {}
    for day in range(1, len(values) + 1):
        units = against(values[:day], TARGET, SPREAD)
        if (ewma(units, 0.1) or 0.0) > 2.814:
            found.setdefault("ewma", day)
        if (cusum(units, 0.5, "high") or 0.0) > 4.0:
            found.setdefault("cusum", day)
    return found


def test_the_engine_signals_on_the_day_of_the_recursion() -> None:
    random = np.random.default_rng(5)
    shifts = np.repeat([0.0, 1.0], PATIENTS // 2)
    values = np.round(TARGET + SPREAD * (random.normal(0.0, 1.0, (PATIENTS, DAYS)) + shifts[:, None]), 3)
    patients = [str(UUID(int=number + 1)) for number in range(PATIENTS)]
    enrol = {"enrol": {"programme": "charts", "version": 1}}
    log: list[Message] = [registration(patient, START_US) for patient in patients]
    log += [change_message(patient, START_US, enrol) for patient in patients]
    for day in range(DAYS):
        for patient, value in zip(patients, values[:, day].tolist(), strict=True):
            reading = {
                "taken_at_us": START_US + day * DAY_US,
                "kind": "systolic",
                "unit": "mmHg",
                "value": value,
            }
            log.append(upload(patient, "d", [reading]))
    opened: dict[str, dict[str, int]] = {patient: {} for patient in patients}
    for finding in sorted(engine_findings([programme()], log), key=lambda finding: finding.opened_us):
        day = (finding.opened_us - START_US) // DAY_US + 1
        opened[finding.patient_id].setdefault(finding.rule.removeprefix("charts/"), day)
    assert opened == {p: first_signals(own) for p, own in zip(patients, values.tolist(), strict=True)}
