"""Arrays that grow where they are: addresses are reserved at once, memory is taken as it is written to."""

import mmap
import os
from typing import Any

import numpy as np

from alerting.engine.kernel.layout import Rows

MOST_BYTES = min(1 << 36, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
"""Of one array: all the memory of the machine, but 64 GB: addresses for all partitions end somewhere, too."""

LARGE_BYTES = 4 << 20
"""An array that grows beyond this takes memory in large pages, as numpy's do."""


class Reserve:
    """An array that grows without being copied, so that nothing takes memory twice.

    Where the system promises no more memory than it has, it is copied. **Shape**: rows are [*shape].
    """

    def __init__(self, dtype: Any, *shape: int) -> None:
        self._none = np.zeros((0, *shape), dtype)
        self._row_bytes = np.zeros((1, *shape), dtype).nbytes
        self._is_large = False
        number = MOST_BYTES // self._row_bytes
        try:
            self._place: mmap.mmap | None = mmap.mmap(
                -1, number * self._row_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
            )
        except OSError:
            self._place, self._rows = None, self._none
        else:
            self._rows: Rows = np.frombuffer(self._place, dtype).reshape(number, *shape)

    def first(self, size: int) -> Rows:
        """So many rows from the first on: those that were there before, and behind them zeros."""
        if size > len(self._rows):
            room = max(size, len(self._rows) * 5 // 4)
            larger = np.zeros((room, *self._none.shape[1:]), self._none.dtype)
            bytes_of = larger.reshape(-1).view(np.uint8)  # as bytes they are copied six times as fast
            bytes_of[: self._rows.nbytes] = self._rows.reshape(-1).view(np.uint8)
            self._rows, self._place = larger, None
        if self._place is not None and not self._is_large and size * self._row_bytes > LARGE_BYTES:
            self._place.madvise(mmap.MADV_HUGEPAGE)
            self._is_large = True
        return self._rows[:size]
