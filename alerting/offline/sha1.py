"""SHA-1 compiled, for the ids of a region's findings. **Source**: FIPS 180-4; RFC 9562 for UUIDv5."""
# ruff: noqa: C901 (four kinds of rounds in one loop, as the standard has them)

import numpy as np
from numba import njit
from numpy.typing import NDArray

BLOCK = 64
PADDING = 9
"""One bit and the length in bits."""

_WORD = np.uint64(0xFFFF_FFFF)


@njit(cache=True, nogil=True)
def _rotated(word: np.uint64, bits: int) -> np.uint64:
    return ((word << np.uint64(bits)) | (word >> np.uint64(32 - bits))) & _WORD


@njit(cache=True, nogil=True)
def digest(
    message: NDArray[np.uint8], length: int, words: NDArray[np.uint64], out: NDArray[np.uint8]
) -> None:
    """The digest of the first bytes of `message`, which must have room for the padding behind them.

    **Shape**: `words` [80] to work in; `out` [20].
    """
    blocks = (length + PADDING + BLOCK - 1) // BLOCK
    message[length] = 0x80
    message[length + 1 : blocks * BLOCK] = 0
    for place in range(8):
        message[blocks * BLOCK - 1 - place] = (8 * length >> (8 * place)) & 0xFF
    h0, h1, h2 = np.uint64(0x67452301), np.uint64(0xEFCDAB89), np.uint64(0x98BADCFE)
    h3, h4 = np.uint64(0x10325476), np.uint64(0xC3D2E1F0)
    for first in range(0, blocks * BLOCK, BLOCK):
        for at in range(16):
            words[at] = 0
            for byte in range(4):
                words[at] = (words[at] << np.uint64(8)) | np.uint64(message[first + 4 * at + byte])
        for at in range(16, 80):
            words[at] = _rotated(words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16], 1)
        a, b, c, d, e = h0, h1, h2, h3, h4
        for at in range(80):
            if at < 20:
                mixed, constant = (b & c) | ((b ^ _WORD) & d), np.uint64(0x5A827999)
            elif at < 40:
                mixed, constant = b ^ c ^ d, np.uint64(0x6ED9EBA1)
            elif at < 60:
                mixed, constant = (b & c) | (b & d) | (c & d), np.uint64(0x8F1BBCDC)
            else:
                mixed, constant = b ^ c ^ d, np.uint64(0xCA62C1D6)
            rotated = (_rotated(a, 5) + mixed + e + constant + words[at]) & _WORD
            a, b, c, d, e = rotated, a, _rotated(b, 30), c, d
        h0, h1, h2 = (h0 + a) & _WORD, (h1 + b) & _WORD, (h2 + c) & _WORD
        h3, h4 = (h3 + d) & _WORD, (h4 + e) & _WORD
    for place, word in enumerate((h0, h1, h2, h3, h4)):
        for byte in range(4):
            out[4 * place + byte] = (word >> np.uint64(24 - 8 * byte)) & np.uint64(0xFF)
