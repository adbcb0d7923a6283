"""Readings in memory: whatever is packed comes out again bit by bit, and what cannot be lies beside."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alerting.engine.engine import Engine
from alerting.engine.kernel import readings
from alerting.engine.kernel.blocks import ODD
from alerting.engine.kernel.layout import Memory, Rows
from alerting.engine.kernel.numbers import unit_of
from benchmarks.rules.batches import FIRST_DAY, Columns
from benchmarks.rules.batches import readings as as_columns
from models.clock import DAY_US, MINUTE_US
from models.kinds import KIND_BY_NAME
from models.messages import Enrol
from models.units import UNIT_BY_SPELLING
from tests import shipped
from tests.examples import examples

BEGIN_US = FIRST_DAY * DAY_US
WEIGHT = KIND_BY_NAME["body_weight"].number
UNITS = [UNIT_BY_SPELLING[unit] for unit in ("kg", "[lb_av]")]
Row = tuple[int, float, int, int]
EXTREMES = (0.0, -0.0, -80.5, 80.123456789, 131_071.0, 131_072.0, 131.071, 5e-324, 1e300, float("inf"))
TIMES = (0, 1, readings.EPOCH_US - 1_000, readings.EPOCH_US, 2_677_348_627_775_000, 2_677_348_627_776_000)
values = st.one_of(
    st.sampled_from(EXTREMES),
    st.floats(0, 300),
    st.tuples(st.integers(0, 200_000), st.sampled_from([1, 10, 100, 1_000])).map(lambda it: it[0] / it[1]),
)
times = st.one_of(
    st.sampled_from(TIMES),
    st.integers(0, 10**9).map(lambda ms: BEGIN_US + ms * 1_000),
    st.integers(0, 10**12).map(lambda us: BEGIN_US + us),
)


def engine_of_one() -> Engine:
    engine = Engine(shipped.compiled())
    engine.change(0, UUID(int=1), [(0, Enrol(programme="heart_failure", version=1))])
    return engine


def take(engine: Engine, rows: Sequence[Row], now_us: int = 0, revision: int = 0) -> None:
    """Weights of one patient: time, value, unit, device."""
    taken_us, value, unit, device = (np.array(column) for column in zip(*rows, strict=True))
    made = as_columns(
        Columns(
            patient=np.zeros(len(rows), np.int32),
            kind=np.full(len(rows), WEIGHT, np.int16),
            taken_at_us=taken_us.astype(np.int64),
            value=value.astype(np.float64),
            unit=np.array(UNITS, np.int16)[unit],
        )
    )
    made = replace(
        made,
        texts=tuple(f"scale-{number}" for number in range(10)),
        device=device.astype(np.int32),
        revision=np.full(len(rows), revision, np.int32),
        too_late=np.zeros(len(rows), np.bool_),
    )
    engine.apply(made, now_us)


def memory_of(engine: Engine) -> Memory:
    return vars(engine)["_arenas"].memory


def kept(engine: Engine) -> Rows:
    memory = memory_of(engine)
    (own,) = memory.series[memory.series["readings_len"] > 0]
    return readings.unpacked(memory, own)


def words(engine: Engine) -> list[int]:
    memory = memory_of(engine)
    (own,) = memory.series[memory.series["readings_len"] > 0]
    start = int(own["readings"])
    return memory.readings[start : start + int(own["readings_len"])].tolist()


def odd_ones(engine: Engine) -> int:
    memory = memory_of(engine)
    return int(memory.used[ODD] - memory.wasted[ODD])


@given(st.lists(st.tuples(times, values, st.integers(0, 1), st.integers(0, 9)), min_size=1, max_size=30))
@examples(200)
def test_what_is_packed_comes_out_bit_by_bit(rows: list[Row]) -> None:
    unique = {(taken_us, device): (taken_us, value, unit, device) for taken_us, value, unit, device in rows}
    engine = engine_of_one()
    take(engine, list(unique.values()))
    found = kept(engine)
    units = [unit_of(tag) for tag in found["tag"].tolist()]
    bits = found["value"].view(np.int64).tolist()
    assert sorted(zip(found["taken_us"].tolist(), bits, units, strict=True)) == sorted(
        (taken_us, int(np.float64(value).view(np.int64)), UNITS[unit])
        for taken_us, value, unit, _ in unique.values()
    )
    assert odd_ones(engine) == sum(tag & readings.SOURCE_MASK == readings.IS_ODD for tag in words(engine))


def test_most_readings_take_a_word() -> None:
    """Of three sources, to the millisecond, with up to three decimals."""
    engine = engine_of_one()
    values = (80.0, 80.4, 80.45, 80.455)
    take(engine, [(BEGIN_US + i * MINUTE_US + i * 1_000, values[i % 4], 0, i % 3) for i in range(60)])
    assert odd_ones(engine) == 0


def test_what_lies_beside_is_used_again() -> None:
    """Corrections lie beside; when they are dropped, or their patient is forgotten, others find the room."""
    engine = engine_of_one()
    for day in range(300):
        rows = [(BEGIN_US + day * DAY_US, 80.0 + day % 2, 0, 0)]
        take(engine, rows, BEGIN_US + day * DAY_US)
        take(engine, rows, BEGIN_US + day * DAY_US, revision=1)
    assert 7 < odd_ones(engine) < 60
    assert int(memory_of(engine).used[ODD]) < 60
    engine.forget(0)
    assert odd_ones(engine) == 0


def test_sources_that_are_gone_make_room_for_others() -> None:
    """A new scale each month: its readings are packed once the ones of an earlier one are dropped."""
    engine = engine_of_one()
    for day in range(300):
        take(engine, [(BEGIN_US + day * DAY_US, 80.0, 0, day // 30)], BEGIN_US + day * DAY_US)
    assert odd_ones(engine) == 0
