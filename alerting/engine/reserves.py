"""Arrays that grow where they are: addresses are reserved at once, memory is taken as it is written to."""

import mmap
import platform
from contextlib import suppress
from typing import Any

import numpy as np

from alerting.engine.kernel.layout import Rows

MOST_BYTES, LEAST_BYTES = 1 << 36, 1 << 30
"""Of one array: of addresses there are plenty; where the system counts them as memory, as many as it lets."""

_NO_RESERVE = 0x4000 if platform.machine() in {"x86_64", "aarch64"} and platform.system() == "Linux" else 0
"""MAP_NORESERVE, which Python's mmap does not name: addresses are no memory. Without it neighbours count as
one stretch, larger than the machine, and a process that has them may not start another one."""

LARGE_BYTES = 4 << 20
"""An array that grows beyond this takes memory in large pages, as numpy's do."""


class Reserve:
    """An array that grows without being copied, so that nothing takes memory twice.

    Where the system promises no more memory than it has, it is copied. **Shape**: rows are [*shape].
    """

    def __init__(self, dtype: Any, *shape: int) -> None:
        self._none: Rows = np.zeros((0, *shape), dtype)
        self._row_bytes = np.zeros((1, *shape), dtype).nbytes
        self._is_large = False
        self._place = _reserved()
        self._rows = self._none
        if self._place is not None:
            number = len(self._place) // self._row_bytes
            one_by_one = np.frombuffer(self._place, np.uint8, number * self._row_bytes)
            self._rows = one_by_one.view(dtype).reshape(number, *shape)

    def first(self, size: int) -> Rows:
        """So many rows from the first on: those that were there before, and behind them zeros."""
        if size > len(self._rows):
            room = max(size, len(self._rows) * 5 // 4)
            larger = np.zeros((room, *self._none.shape[1:]), self._none.dtype)
            bytes_of = larger.reshape(-1).view(np.uint8)  # as bytes they are copied six times as fast
            bytes_of[: self._rows.nbytes] = self._rows.reshape(-1).view(np.uint8)
            self._rows, self._place = larger, None
        if self._place is not None and not self._is_large and size * self._row_bytes > LARGE_BYTES:
            with suppress(OSError):  # a kernel without large pages
                self._place.madvise(mmap.MADV_HUGEPAGE)
            self._is_large = True
        return self._rows[:size]


def _reserved() -> mmap.mmap | None:
    """Addresses for an array; None where there are none to spare."""
    size = MOST_BYTES
    while size >= LEAST_BYTES:
        with suppress(OSError):
            return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NO_RESERVE)
        size //= 2
    return None
