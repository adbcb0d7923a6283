"""Wall-clock times in Europe/Amsterdam as tables that compiled code can read."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from alerting.engine.kernel.layout import DAYS_IN_TABLE

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@cache
def offsets() -> NDArray[np.int32]:
    """Offset from UTC as each local day begins and ends. **Shape**: [2, days since 1970]. **Units**: seconds.

    A day's clock change is over at 03:00; a time in the hour that comes twice is meant the first time, one in
    the hour that does not come is counted with the offset before the change.
    """
    epoch = datetime(1970, 1, 1)  # noqa: DTZ001 - a local date without a zone is what is meant
    offsets_s = np.empty((2, DAYS_IN_TABLE), np.int32)
    for day in range(DAYS_IN_TABLE):
        local = (epoch + timedelta(days=day)).replace(tzinfo=AMSTERDAM)
        offsets_s[:, day] = _offset_s(local), _offset_s(local.replace(hour=23, minute=59))
    offsets_s.setflags(write=False)
    return offsets_s


def _offset_s(local: datetime) -> int:
    offset = local.utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def due_us(day: int, before_min: int) -> int:
    """The moment of a local time, slowly, from the zone itself. **Units**: days since 1970, microseconds.

    >>> datetime.fromtimestamp(due_us(20_541, 11 * 60) / 1e6, UTC).isoformat()
    '2026-03-29T09:00:00+00:00'
    """
    date = datetime(1970, 1, 1) + timedelta(days=day)  # noqa: DTZ001 - as above
    local = date.replace(hour=before_min // 60, minute=before_min % 60, tzinfo=AMSTERDAM)
    return int((local.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
