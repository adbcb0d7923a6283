"""Whatever is in the columns, the kernel stays within its arrays and says something that can be read.

With bounds checked, on demand: tests/README.md.
"""

from dataclasses import fields
from itertools import pairwise
from typing import Any, get_args
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.engine.compiled import CompiledProgrammes, compile_programmes
from alerting.engine.engine import Engine
from alerting.engine.programme import Programme
from models.columns import Readings
from models.kinds import KINDS
from models.messages import Enrol
from models.units import UNITS
from tests import shipped
from tests.examples import TIME_LIMIT_S, examples
from tests.naive.random_programmes import LIMITS, SCHEDULES, TEXT, WAYS, a_limit

ROWS = 40
PATIENTS = 3
I64 = np.iinfo(np.int64)
START_US = 1_780_272_000_000_000
LATEST_US = 4_102_444_800_000_000
FLOATS = (0.0, -0.0, 1e308, -1e308, 5e-324, float("inf"), float("-inf"), float("nan"), 1e300, 80.0, 88.1)
TIMES = (0, 1, -1, I64.min, I64.max, LATEST_US, LATEST_US + 1, START_US)


def every_feature() -> Programme:
    """A programme that looks at everything: of each feature the ways to say it, spread over its rules."""
    rules: dict[str, Any] = {}
    for name, ways in WAYS.items():
        chosen = ways[:: len(ways) // 3 + 1]
        for number, pair in enumerate(pairwise(chosen)):
            rules[f"{name}_{number}"] = {
                "signal": "fluid", "severity": "low", "text": TEXT, "source": "random", "mark": "P",
                "when": " or ".join(way.replace("?", ">") for way in pair), "max_age": {"days": 1},
                "clear": " and ".join(way.replace("?", "<=") for way in pair),
            }  # fmt: skip
    limits = {name: a_limit(name, *limit) for name, limit in LIMITS.items()}
    return Programme.model_validate(
        {
            "programme": "every_feature", "version": 1, "title": TEXT, "source": "random",
            "limits": limits, "schedule": SCHEDULES, "rules": rules,
        }
    )  # fmt: skip


MADE = [*shipped.programmes(), every_feature()]
PROGRAMMES: CompiledProgrammes = compile_programmes(MADE)


def random_columns(random: np.random.Generator, devices: int) -> Readings:
    """Columns of random bytes, some of extreme values and times; only patient and text are in range."""
    columns: dict[str, Any] = {}
    for field in fields(Readings):
        if field.name in ("partition", "texts"):
            continue
        dtype = np.dtype(get_args(get_args(field.type)[1])[0])
        width = 16 if dtype == np.uint8 else 1
        raw = np.frombuffer(random.bytes(ROWS * width * dtype.itemsize), dtype).copy()
        columns[field.name] = raw.reshape(ROWS, 16) if width == 16 else raw
    columns["void"] = random.random(ROWS) < 0.1
    columns["too_late"] = random.random(ROWS) < 0.1
    columns["patient"] = random.integers(0, PATIENTS, ROWS).astype(np.int32)
    columns["device"] = random.integers(-1, devices, ROWS).astype(np.int32)
    if random.random() < 0.8:
        columns["kind"] = random.integers(-2, len(KINDS) + 5, ROWS).astype(np.int16)
        columns["unit"] = random.integers(-2, len(UNITS) + 5, ROWS).astype(np.int16)
        columns["code"] = random.integers(-2, 12, ROWS).astype(np.int16)
    if random.random() < 0.8:
        span_s = int(random.choice([60, 86_400, 20 * 86_400, 400 * 86_400]))
        near = START_US + random.integers(0, span_s, ROWS) * 1_000_000
        columns["taken_at_us"] = np.where(random.random(ROWS) < 0.2, random.choice(TIMES, ROWS), near)
        columns["value"] = random.choice(FLOATS, ROWS)
        columns["value_received"] = random.choice(FLOATS, ROWS)
    return Readings(partition=0, texts=tuple(f"d{i}" for i in range(devices)), **columns)


@pytest.mark.timeout(TIME_LIMIT_S)  # some clocks leap over a century of due moments
@given(seed=st.integers(0, 2**32), nows=st.lists(st.sampled_from(TIMES), max_size=4))
@examples(25)
def test_random_bytes(seed: int, nows: list[int]) -> None:
    random = np.random.default_rng(seed)
    engine = Engine(PROGRAMMES)
    for row in range(PATIENTS):
        start_us = int(random.choice([0, START_US, LATEST_US]))
        enrolments = [
            (start_us, Enrol(programme=made.programme, version=made.version))
            for made in MADE
            if random.random() < 0.7
        ]
        engine.change(row, UUID(int=row), enrolments)
    for now_us in [*nows, 0]:
        verdict = engine.apply(random_columns(random, devices=3), now_us)
        assert all(0 <= transition.patient_row < PATIENTS for transition in verdict.readable())
        assert all(0 <= request.patient_row < PATIENTS for request in verdict.requests)
        for row in verdict.rebuild:
            engine.forget(row)
