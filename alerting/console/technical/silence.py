"""Which devices are silent, of patients about whom data are missing; pure."""

from collections.abc import Sequence

from models.clock import DAY_US
from models.db.devices import Lent

SILENT_US = DAY_US
"""A device of such a patient that sent nothing for so long; another that they have may well work."""
LOOKS_BACK_US = 60 * DAY_US
AT_MOST = 500


def silent(lent: Sequence[Lent], now_us: int) -> Sequence[Lent]:
    """Those from which nothing came for a day, or nothing yet a day after they were handed out.

    >>> from uuid import UUID
    >>> scale = Lent(UUID(int=1), "scale", "scale", 0, 5, 3 * DAY_US)
    >>> silent([scale], 4 * DAY_US - 1), len(silent([scale], 4 * DAY_US))
    ([], 1)
    """
    return [
        one
        for one in lent
        if now_us - (one.handed_out_us if one.newest_us is None else one.newest_us) >= SILENT_US
    ]
