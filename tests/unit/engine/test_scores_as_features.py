"""NEWS2 as a feature of rules is NEWS2 as published, at every edge of its table and a little beside."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any
from uuid import UUID

import pytest

from alerting.engine.programme import Programme
from alerting.scores import news2
from models.kinds import KIND_BY_NAME
from tests.naive.changes import Message
from tests.naive.engine_run import engine_findings
from tests.naive.random_logs import change_message, registration
from tests.naive.random_programmes import TEXT, a_limit
from tests.naive.random_readings import upload

START_US = 1_780_272_000_000_000
MINUTE_US = 60_000_000
EDGES = {
    "respiratory_rate": (8, 9, 11, 12, 20, 21, 24, 25),
    "spo2": (83, 84, 85, 86, 87, 88, 91, 92, 93, 94, 95, 96, 97),
    "systolic": (90, 91, 100, 101, 110, 111, 219, 220),
    "heart_rate": (40, 41, 50, 51, 90, 91, 110, 111, 130, 131),
    "temperature": (35.0, 35.1, 36.0, 36.1, 38.0, 38.1, 39.0, 39.1),
}
CODES = {name: KIND_BY_NAME[name].codes for name in ("supplemental_oxygen", "consciousness")}
FEATURES = ("news2", "news2_worst", "news2_missing")
Parts = dict[str, float | str]


def beside(name: str) -> tuple[float, ...]:
    """Each edge; and half a step beside it, which is rounded, by a hair more and less."""
    step = 0.1 if name == "temperature" else 1.0
    away = (0.0, -step / 2, -step / 2 - 1e-6, -step / 2 - 1e-7, -step / 2 + 1e-6)
    return tuple(round(edge + x, 8) for edge in EDGES[name] for x in away)


def combinations() -> Iterator[Parts]:
    """Each edge of each part alone, and many of all parts, some of them missing."""
    random = Random(1)
    for name in EDGES:
        for value in beside(name):
            yield {name: value}
            yield {name: value, "supplemental_oxygen": random.choice(CODES["supplemental_oxygen"])}
    for _ in range(400):
        parts: Parts = {name: random.choice(beside(name)) for name in EDGES}
        parts |= {name: random.choice(codes) for name, codes in CODES.items()}
        for missing in random.sample(sorted(parts), random.choice((0, 0, 1, 3))):
            del parts[missing]
        yield parts


def programme(scale: float) -> Programme:
    """A rule for each of the three features, which opens whatever its value, so that it is said."""
    units = {"news2": "{score}", "news2_worst": "{score}", "news2_missing": "1"}
    rules = {
        name: {
            "when": f"{name}(scale=scale_1) >= {name}_least",
            "clear": f"{name}(scale=scale_1) < {name}_least",
            "signal": "deterioration",
            "severity": "low",
            "text": TEXT,
            "source": "random",
            "mark": "P",
        }
        for name in FEATURES
    }
    limits: dict[str, Any] = {
        f"{name}_least": a_limit(f"{name}_least", 0.0, units[name]) for name in FEATURES
    }
    limits["scale_1"] = a_limit("scale_1", scale, "1")
    return Programme.model_validate(
        {
            "programme": "scores",
            "version": 1,
            "title": TEXT,
            "source": "random",
            "limits": limits,
            "rules": rules,
        }
    )


def readings(parts: Parts) -> list[Message]:
    """The parts at one moment, a pulse for a heart rate in every other patient."""
    made: list[Message] = []
    for name, value in parts.items():
        kind = "pulse" if name == "heart_rate" and len(parts) % 2 else name
        reading: Message = {"taken_at_us": START_US, "kind": kind}
        unit = KIND_BY_NAME[kind].unit
        made.append({**reading, **({"code": value} if unit is None else {"value": value, "unit": unit})})
    return made


def expected(parts: Parts, scale: int) -> tuple[float, ...]:
    numbers = {
        name: round(value, 6) if isinstance(value := parts.get(name), float) else None for name in EDGES
    }
    oxygen, consciousness = parts.get("supplemental_oxygen"), parts.get("consciousness")
    score = news2(
        respiratory_rate=numbers["respiratory_rate"],
        spo2=numbers["spo2"],
        spo2_scale=scale,
        supplemental_oxygen=None if oxygen is None else oxygen == "oxygen",
        systolic=numbers["systolic"],
        pulse=numbers["heart_rate"],
        consciousness=None if consciousness is None else str(consciousness),
        temperature=numbers["temperature"],
    )
    return float(score.total), float(max(score.points.values(), default=0)), float(len(score.missing))


def found(cases: Sequence[Parts], scale: int) -> list[tuple[float | None, ...]]:
    """What the engine says of each case, a patient for each."""
    patients = [str(UUID(int=number)) for number in range(1, len(cases) + 1)]
    log = [registration(patient, START_US) for patient in patients]
    enrol = {"enrol": {"programme": "scores", "version": 1}}
    log += [change_message(patient, START_US - 1, enrol) for patient in patients]
    log += [upload(patient, "d", readings(parts)) for patient, parts in zip(patients, cases, strict=True)]
    values = {(f.patient_id, f.rule): f.values[0] for f in engine_findings([programme(scale)], log)}
    return [tuple(values[patient, f"scores/{name}"] for name in FEATURES) for patient in patients]


@pytest.mark.parametrize("scale", [1, 2])
def test_at_every_edge(scale: int) -> None:
    cases = list(combinations())
    for parts, score in zip(cases, found(cases, scale), strict=True):
        assert score == expected(parts, scale), parts
