"""Single moments as people write them; columns of them are parsed by `fields`."""

import re
from datetime import datetime
from functools import lru_cache

from ingest.salvage import shown
from models.clock import to_us
from models.errors import BadInput

LATEST_US = 4_102_444_800_000_000
"""The year 2100, the latest time that a message may carry."""

A_TIME = "ISO 8601 with an offset (2026-11-22T08:31:20+01:00) or whole microseconds since 1970 UTC"
TIME = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
)
WHOLE = r"^[+-]?[0-9]{1,18}$"


def moment_us(text: str, where: str) -> int:
    """A moment in microseconds since 1970 UTC. **Raises**: BadInput.

    >>> moment_us("2026-11-22T08:31:00+01:00", "here")
    1795332660000000
    """
    at_us = _moment_us(text)
    if at_us is None or not 0 <= at_us <= LATEST_US:
        raise BadInput(where=where, expected=A_TIME, found=shown(text), reason="bad_time")
    return at_us


@lru_cache(maxsize=100_000)
def _moment_us(text: str) -> int | None:
    if re.match(WHOLE, text):
        return int(text)
    try:
        return to_us(datetime.fromisoformat(text)) if re.match(TIME, text) else None
    except ValueError:
        return None
