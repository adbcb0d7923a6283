"""Room in memory for what a change of programme makes the engine keep."""

from uuid import UUID

import numpy as np

from alerting.engine.engine import Engine
from benchmarks.rules.batches import FIRST_DAY, Columns, readings
from models.clock import DAY_US, HOUR_US
from models.kinds import KIND_BY_NAME
from models.messages import AnyChange, Enrol
from models.units import UNIT_BY_SPELLING
from tests import shipped

BEGIN_US = FIRST_DAY * DAY_US
HOURS = 200


def test_quarters_find_room_when_a_programme_begins_to_keep_them() -> None:
    """Readings came before, none comes after: without room their quarters would overwrite others'."""
    engine = Engine(shipped.compiled())
    changes: list[tuple[int, AnyChange]] = [(BEGIN_US, Enrol(programme="devices", version=1))]
    engine.change(0, UUID(int=1), changes)
    taken_us = BEGIN_US + np.arange(HOURS) * HOUR_US
    columns = Columns(
        patient=np.zeros(HOURS, np.int32),
        kind=np.full(HOURS, KIND_BY_NAME["heart_rate"].number, np.int16),
        taken_at_us=taken_us,
        value=np.full(HOURS, 140.0),
        unit=np.full(HOURS, UNIT_BY_SPELLING["/min"], np.int16),
    )
    last_us = int(taken_us[-1])
    engine.apply(readings(columns), last_us)
    changes.append((last_us + 1, Enrol(programme="heart_failure", version=1)))
    engine.change(0, UUID(int=1), changes)
    engine.apply(None, last_us + DAY_US)
    kept = vars(engine)["_arenas"].memory.histories
    assert kept["bins_len"].max() > 0
    assert (kept["bins_len"] <= kept["bins_cap"]).all()
