"""Moments as people write them."""

from alerting.offline.arrow import arrow
from alerting.offline.fields import A_TIME, times
from ingest.salvage import shown
from models.errors import BadInput


def moment_us(text: str, where: str) -> int:
    """ISO 8601 with an offset, or whole microseconds. **Raises**: BadInput.

    >>> moment_us("2026-11-22T08:31:00+01:00", "here")
    1795332660000000
    """
    parsed = times(arrow.array([text], arrow.string()), where)
    at_us = int(parsed.values[0])
    if parsed.faults or at_us < 0:
        raise BadInput(where=where, expected=A_TIME, found=shown(text), reason="bad_time")
    return at_us
