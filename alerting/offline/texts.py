"""Texts one behind the other in one block of bytes: how compiled code copies them."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


class Block(NamedTuple):
    """Text t is `letters[ends[t]:ends[t + 1]]`. **Shape**: `ends` [texts + 1]."""

    letters: Bytes
    ends: NDArray[np.int64]


def block(texts: Iterable[str]) -> Block:
    """Texts as a block, in UTF-8."""
    encoded = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, encoded)])
    return Block(np.frombuffer(b"".join(encoded), np.uint8), ends.astype(np.int64))
