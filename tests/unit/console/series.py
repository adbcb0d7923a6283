"""Series of readings for tests of what is made of them."""

from typing import Any
from uuid import UUID

import numpy as np

from models.db.series import Series

# A Sunday, 08:31 in Amsterdam.
T0_US = 1_795_332_660_000_000
UPLOAD = UUID(int=9, version=4)


def series(readings: list[tuple[int, float]], kind: str = "body_weight", **more: Any) -> Series:
    ordered = sorted(readings)
    return Series(
        kind=kind,
        taken_at_us=np.array([at_us for at_us, _ in ordered], np.int64),
        value=np.array([value for _, value in ordered], np.float64),
        device=["scale-1"] * len(ordered),
        revision=np.zeros(len(ordered), np.int32),
        too_late=np.zeros(len(ordered), np.bool_),
        **more,
    )
