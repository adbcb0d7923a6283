"""Room in memory: arrays that grow where they are, blocks that are packed, numbers of devices."""

import subprocess
import sys
from uuid import UUID

import numpy as np
import pytest

from alerting.engine import reserves
from alerting.engine.compiled import compile_programmes
from alerting.engine.devices import FIRST_ROOM, Devices, device_digest
from alerting.engine.engine import Engine
from alerting.engine.programme_files import load_folder
from alerting.engine.reserves import Reserve
from benchmarks.rules.batches import FIRST_DAY, Columns, readings
from models.clock import DAY_US, HOUR_US
from models.kinds import KIND_BY_NAME
from models.messages import Enrol
from models.units import UNIT_BY_SPELLING

BEGIN_US = FIRST_DAY * DAY_US
PATIENTS, DAYS, A_DAY = 40, 40, 4


def test_an_array_grows_where_it_is() -> None:
    reserve = Reserve(np.int64, 3)
    rows = reserve.first(2)
    rows[:] = 7
    larger = reserve.first(2_000_000)
    assert np.shares_memory(rows, larger)
    assert larger[:2].tolist() == [[7, 7, 7], [7, 7, 7]]
    assert not larger[2:].any()


def test_who_reserves_may_start_another_process() -> None:
    """A process that seems larger than the machine may not be copied: addresses must not count."""
    held = [Reserve(np.int64) for _ in range(6)]
    # With something to do before it becomes the other program it is copied, and not only replaced.
    subprocess.run([sys.executable, "-c", ""], preexec_fn=lambda: None, check=True)
    assert all(len(one.first(1)) == 1 for one in held)


def test_without_a_reserve_it_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on machines that promise no more memory than they have."""
    monkeypatch.setattr(reserves, "MOST_BYTES", 0)
    reserve = Reserve(np.int64)
    rows = reserve.first(8)
    rows[:] = 7
    larger = reserve.first(1_000)
    assert not np.shares_memory(rows, larger)
    assert larger.tolist() == [7] * 8 + [0] * 992


def test_a_device_keeps_its_number_when_others_come() -> None:
    devices = Devices()
    names = [f"scale-{number}" for number in range(3 * FIRST_ROOM)]
    first, digests = devices.numbers(names[:10])
    assert digests == {number: device_digest(names[number]) for number in range(10)}
    numbers, more = devices.numbers([*names, "scale-7"])
    assert numbers[:10].tolist() == first.tolist()
    assert numbers[-1] == numbers[7]
    assert sorted(set(numbers.tolist())) == list(range(len(names)))
    assert len(more) == len(names) - 10


def test_blocks_are_packed_while_patients_measure() -> None:
    """Day after day every block grows a little and leaves its place; what is wasted is found again."""
    engine = Engine(compile_programmes(load_folder()))
    for row in range(PATIENTS):
        engine.change(row, UUID(int=row + 1), [(BEGIN_US, Enrol(programme="heart_failure", version=1))])
    weight, unit = KIND_BY_NAME["body_weight"].number, UNIT_BY_SPELLING["kg"]
    n = PATIENTS * A_DAY
    for day in range(DAYS):
        hours = np.tile(np.arange(A_DAY), PATIENTS)
        columns = Columns(
            patient=np.repeat(np.arange(PATIENTS, dtype=np.int32), A_DAY),
            kind=np.full(n, weight, np.int16),
            taken_at_us=BEGIN_US + day * DAY_US + hours * HOUR_US,
            value=np.arange(80.0, 80.0 + n) % 7 + 80.0,
            unit=np.full(n, unit, np.int16),
        )
        engine.apply(readings(columns), BEGIN_US + (day + 1) * DAY_US)
    memory = vars(engine)["_arenas"].memory
    in_blocks = int(memory.series["readings_cap"].sum())
    assert int(memory.used[0]) == in_blocks + int(memory.wasted[0])
    assert int(memory.used[0]) < 2 * in_blocks
    kept = memory.series[memory.series["readings_len"] > 0]
    begins = np.sort(kept["readings"])
    ends = begins[:-1] + kept["readings_cap"][np.argsort(kept["readings"])][:-1]
    assert (begins[1:] >= ends).all()
