"""Remembers when the newest reading of each patient, kind and device was taken: what is newer is new.

A cache of the reading table, for one partition. Readings that are not newer than the newest known may be
duplicates, conflicts or simply late; they take the way on which Postgres tells these apart.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.columns import Readings

_EMPTY = np.int64(0)
_FIRST_SLOTS = 1 << 12
MOST_KEYS = 250_000
"""So many are remembered, in 16 MB; looking up again is cheaper than memory without end."""

Times = NDArray[np.int64]
Keys = NDArray[np.int64]


class Newest:
    """The newest reading of each key of a partition, as far as it was looked up."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forgets everything: what is asked next is looked up again."""
        self._keys: Keys = np.zeros(_FIRST_SLOTS, np.int64)
        self._times: Times = np.zeros(_FIRST_SLOTS, np.int64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def unknown(self, keys: Keys) -> NDArray[np.bool_]:
        """Which keys have to be looked up first: all, where too many are remembered already.

        To be asked at the beginning of a batch, about all its keys.
        """
        if self._count > MOST_KEYS:
            self.clear()
        return _unknown(keys, self._keys)

    def learn(self, keys: Keys, taken_at_us: Times) -> None:
        """Takes in the newest reading of each of these keys, none of which is known yet."""
        while (self._count + len(keys)) * 2 > len(self._keys):
            full = self._keys != _EMPTY
            old_keys, old_times = self._keys[full], self._times[full]
            self._keys = np.zeros(2 * len(self._keys), np.int64)
            self._times = np.zeros(len(self._keys), np.int64)
            _learn(old_keys, old_times, self._keys, self._times)
        _learn(keys, taken_at_us, self._keys, self._times)
        self._count += len(keys)

    def pass_on(self, keys: Keys, taken_at_us: Times) -> NDArray[np.bool_]:
        """Which readings are newer than all before them, in log order; from now on they are the newest."""
        return _pass_on(keys, taken_at_us, self._keys, self._times)


def keys_of(readings: Readings) -> Keys:
    """One number for patient, kind and device; two different ones are equal once in 10¹⁹ times.

    Python's own hash of the device's text, which it remembers, keeps us from numbering devices.
    """
    device = np.fromiter(map(hash, readings.texts), np.int64, len(readings.texts))
    return _mixed(
        device[readings.device] if len(readings) else np.zeros(0, np.int64), readings.patient, readings.kind
    )


@njit(cache=True, nogil=True)
def _mixed(device: Keys, patient: NDArray[np.int32], kind: NDArray[np.int16]) -> Keys:
    """Each key spread over all bits. **Source**: the finalizer of splitmix64."""
    keys = np.empty(len(device), np.int64)
    for row in range(len(device)):
        key = np.uint64(device[row]) ^ (
            (np.uint64(patient[row]) * np.uint64(256) + np.uint64(kind[row])) * np.uint64(0x9E3779B97F4A7C15)
        )
        key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        key ^= key >> np.uint64(31)
        keys[row] = np.int64(key) if key else np.int64(1)
    return keys


@njit(cache=True, nogil=True)
def _slot(key: Any, table: Keys) -> Any:
    """Where the key is, or where it would go."""
    mask = len(table) - 1
    slot = key & mask
    while table[slot] != _EMPTY and table[slot] != key:
        slot = (slot + 1) & mask
    return slot


@njit(cache=True, nogil=True)
def _unknown(keys: Keys, table: Keys) -> NDArray[np.bool_]:
    unknown = np.empty(len(keys), np.bool_)
    for row in range(len(keys)):
        unknown[row] = table[_slot(keys[row], table)] == _EMPTY
    return unknown


@njit(cache=True, nogil=True)
def _learn(keys: Keys, taken_at_us: Times, table: Keys, times: Times) -> None:
    for row in range(len(keys)):
        slot = _slot(keys[row], table)
        table[slot] = keys[row]
        times[slot] = taken_at_us[row]


@njit(cache=True, nogil=True)
def _pass_on(keys: Keys, taken_at_us: Times, table: Keys, times: Times) -> NDArray[np.bool_]:
    newer = np.empty(len(keys), np.bool_)
    for row in range(len(keys)):
        slot = _slot(keys[row], table)
        newer[row] = taken_at_us[row] > times[slot]
        if newer[row]:
            times[slot] = taken_at_us[row]
    return newer
