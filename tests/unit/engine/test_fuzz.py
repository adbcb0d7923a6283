"""Whatever is in the columns, the kernel stays within its arrays and says something that can be read."""

from dataclasses import fields
from typing import get_args
from uuid import UUID

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.engine.compiled import CompiledProgrammes, compile_programmes
from alerting.engine.engine import Engine
from alerting.engine.programme_files import load_folder
from models.columns import Readings
from models.messages import Enrol

PROGRAMMES: CompiledProgrammes = compile_programmes(load_folder())
ROWS = 40
PATIENTS = 3
I64 = np.iinfo(np.int64)
FLOATS = (0.0, -0.0, 1e308, -1e308, 5e-324, float("inf"), float("-inf"), float("nan"), 1e300, 80.0)
TIMES = (0, 1, -1, I64.min, I64.max, 4_102_444_800_000_000, 4_102_444_800_000_001, 1_780_272_000_000_000)


def random_columns(random: np.random.Generator, devices: int) -> Readings:
    """Columns of random bytes, some of extreme values and times; only patient and text are in range."""
    columns: dict[str, object] = {}
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
        columns["kind"] = random.integers(-2, 40, ROWS).astype(np.int16)
        columns["unit"] = random.integers(-2, 25, ROWS).astype(np.int16)
        columns["code"] = random.integers(-2, 6, ROWS).astype(np.int16)
    if random.random() < 0.8:
        near = 1_780_272_000_000_000 + random.integers(0, 20 * 86_400, ROWS) * 1_000_000
        columns["taken_at_us"] = np.where(random.random(ROWS) < 0.2, random.choice(TIMES, ROWS), near)
        columns["value"] = random.choice(FLOATS, ROWS)
        columns["value_received"] = random.choice(FLOATS, ROWS)
    return Readings(partition=0, texts=tuple(f"d{i}" for i in range(devices)), **columns)  # type: ignore[arg-type]


@given(seed=st.integers(0, 2**32), nows=st.lists(st.sampled_from(TIMES), max_size=4))
@settings(deadline=None, max_examples=25)
def test_random_bytes(seed: int, nows: list[int]) -> None:
    random = np.random.default_rng(seed)
    engine = Engine(PROGRAMMES)
    for row in range(PATIENTS):
        start_us = int(random.choice([0, 1_780_272_000_000_000, 4_102_444_800_000_000]))
        enrolments = [(start_us, Enrol(programme=p, version=1)) for p in ("heart_failure", "hypertension")]
        engine.change(row, UUID(int=row), enrolments)
    for now_us in [*nows, 0]:
        verdict = engine.apply(random_columns(random, devices=3), now_us)
        assert all(0 <= transition.patient_row < PATIENTS for transition in verdict.readable())
        for row in verdict.rebuild:
            engine.forget(row)
