"""Which partition of the log a patient belongs to, as every Kafka client computes it from the key."""

from functools import lru_cache
from uuid import UUID

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ingest.scan import as_bytes

_KEY_LENGTH = 36


def key_of(patient_id: UUID | str) -> bytes:
    """The key of a patient's messages: the id in its canonical spelling."""
    return str(patient_id).lower().encode()


@lru_cache(maxsize=200_000)
def partition_of(patient_id: UUID | str, partitions: int) -> int:
    """The partition of a patient, as every Kafka client computes it from the key."""
    return int(_murmur2(as_bytes(key_of(patient_id)), _KEY_LENGTH)[0] % partitions)


def partitions_of(patient_ids: NDArray[np.uint8], partitions: int) -> NDArray[np.int32]:
    """The same for many patients at once. **Shape**: ids as uint8[n, 16] in, int32[n] out."""
    keys = "".join(str(UUID(bytes=row.tobytes())) for row in patient_ids).encode()
    return (_murmur2(as_bytes(keys), _KEY_LENGTH) % partitions).astype(np.int32)


@njit(cache=True, nogil=True)
def _murmur2(keys: NDArray[np.uint8], length: int) -> NDArray[np.int64]:
    """Kafka's hash of keys of equal length, without its sign. **Source**: Kafka, Utils.murmur2.

    **Shape**: uint8[n * length] in, int64[n] out.
    """
    mix = np.uint32(0x5BD1E995)
    count = len(keys) // length
    hashes = np.empty(count, dtype=np.int64)
    for row in range(count):
        at = row * length
        found = np.uint32(0x9747B28C) ^ np.uint32(length)
        for _ in range(length // 4):
            word = np.uint32(
                np.uint32(keys[at])
                | (np.uint32(keys[at + 1]) << np.uint32(8))
                | (np.uint32(keys[at + 2]) << np.uint32(16))
                | (np.uint32(keys[at + 3]) << np.uint32(24))
            )
            word = np.uint32(word * mix)
            word = np.uint32((word ^ (word >> np.uint32(24))) * mix)
            found = np.uint32(np.uint32(found * mix) ^ word)
            at += 4
        # A key of 36 bytes has no rest.
        found = np.uint32((found ^ (found >> np.uint32(13))) * mix)
        found ^= found >> np.uint32(15)
        hashes[row] = np.int64(found & np.uint32(0x7FFFFFFF))
    return hashes
