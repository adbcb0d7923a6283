"""The devices of one partition of the log, numbered as they come, and their order at the same microsecond."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerting.engine.kernel import names
from alerting.engine.kernel.layout import MOST_DEVICES, Rows
from models.errors import Broken

FIRST_ROOM = 1_024
FULLEST = 0.75


def device_digest(device: str) -> int:
    """Gives the order of devices at the same microsecond."""
    return int.from_bytes(blake2b(device.encode(), digest_size=8).digest(), "little")


class Devices:
    """The number of each device.

    Only the hash of a name is kept, of 64 bits and with this process's own key: a number tells the devices of
    one patient apart, who has a handful; two strangers that shared one would change nothing.
    """

    def __init__(self) -> None:
        self._table: Rows = np.zeros(FIRST_ROOM, names.NAME)
        self._known = 0

    @property
    def bytes(self) -> int:
        """What is in use."""
        return self._table.nbytes

    def numbers(self, devices: Sequence[str]) -> tuple[NDArray[np.int64], dict[int, int]]:
        """The numbers of some devices; for those that are new, their digests by number.

        **Raises**: Broken, when there are more than a reading has room for.
        """
        known = self._known
        if known + len(devices) > FULLEST * len(self._table):
            self._grow(known + len(devices))
        hashes = np.fromiter(map(hash, devices), np.int64, len(devices))
        number: Any = names.number
        numbers: NDArray[np.int64] = number(self._table, known, hashes)
        self._known = max(known, 1 + int(numbers.max(initial=-1)))
        if self._known > MOST_DEVICES:
            raise Broken(f"More than {MOST_DEVICES} different devices in one partition of the log.")
        new = np.flatnonzero(numbers >= known).tolist()
        return numbers, {int(numbers[place]): device_digest(devices[place]) for place in new}

    def _grow(self, wanted: int) -> None:
        size = len(self._table)
        while wanted > FULLEST * size:
            size *= 2
        larger = np.zeros(size, names.NAME)
        names.move(self._table, larger)
        self._table = larger
