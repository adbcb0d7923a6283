"""Seeded chance: one independent stream per purpose and day, so that nothing depends on the order of asking.

Only integer, uniform and normal draws of a counter-based generator are used, and only arithmetic that
IEEE 754 rounds exactly (no exp, log or sin): the same seed gives the same patients on every machine.
"""

from enum import IntEnum, unique

import numpy as np
from numpy.typing import NDArray


@unique
class Purpose(IntEnum):
    """What chance is asked for; the numbers are part of what a seed means, so they never change."""

    IDENTITY = 1
    TRAITS = 2
    COURSE = 3
    ADHERENCE = 4
    MEASURING = 5
    DEVICES = 6
    DELIVERY = 7
    TROUBLE = 8
    CHANGES = 9
    EVENTS = 10
    MESSAGES = 11
    ADMISSIONS = 12
    REGISTER = 13
    DEVICE_NAMES = 14
    LAPSES = 15
    ANSWERS = 16
    OWN_EVENTS = 17
    REPEATS = 18
    WORN = 19
    SPELLS = 20
    OUTAGES = 21
    GLUCOSE = 22
    WEARABLES = 23
    SPELL_AMOUNTS = 24
    HERDS = 25
    WALKS = 30
    PLANTED = 31
    CALIBRATION = 32


def stream(seed: int, purpose: Purpose, day: int = -1) -> np.random.Generator:
    """The stream of one purpose on one day (−1: before the first day)."""
    key = np.array([seed, (int(purpose) << 32) + day + 1], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def uuids4(chance: np.random.Generator, n: int) -> NDArray[np.uint8]:
    """Random identifiers. **Shape**: uint8[n, 16]."""
    return _marked(chance.integers(0, 256, size=(n, 16), dtype=np.uint8), 4)


def uuids7(chance: np.random.Generator, at_us: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Identifiers that sort by time, as uploads carry them. **Shape**: uint8[n, 16]."""
    raw = chance.integers(0, 256, size=(len(at_us), 16), dtype=np.uint8)
    milliseconds = (at_us // 1000).astype(">u8").view(np.uint8).reshape(-1, 8)
    raw[:, :6] = milliseconds[:, 2:]
    return _marked(raw, 7)


def uuid_texts(identifiers: NDArray[np.uint8]) -> list[str]:
    """Identifiers in their canonical spelling."""
    digits = bytes(identifiers.tobytes()).hex()
    return [
        f"{digits[at : at + 8]}-{digits[at + 8 : at + 12]}-{digits[at + 12 : at + 16]}"
        f"-{digits[at + 16 : at + 20]}-{digits[at + 20 : at + 32]}"
        for at in range(0, len(digits), 32)
    ]


def _marked(raw: NDArray[np.uint8], version: int) -> NDArray[np.uint8]:
    raw[:, 6] = (raw[:, 6] & 0x0F) | (version << 4)
    raw[:, 8] = (raw[:, 8] & 0x3F) | 0x80
    return raw
