"""When what is sent: the profiles, as columns of planned moments. Pure; the same seed gives the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum, StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.clock import HOUR_US, MINUTE_US, SECOND_US

Ints = NDArray[np.int64]

HERD = 10_000
"""Devices that come back at once after an outage."""
HERD_HOURS = 6
"""So long the outage was, and a reading an hour is what each device kept."""
HERD_WITHIN_US = 5 * SECOND_US
BURST_EVERY_US, BURST_US, BURST_SHARE = 10 * SECOND_US, SECOND_US // 5, 0.5
BACKLOG = 1_000_000
BACKLOG_EACH = 10
"""Readings in an upload of a backlog."""
ALARMS_PER_S = 5
KEPT_US = 12 * HOUR_US
"""So far back what was kept goes at most."""
MORNING_MIN = (390.0, 615.0)
"""Within this people measure, and as their mornings are spread there: `patients.population`."""
MORNING_MEAN_MIN, MORNING_SD_MIN = 500.0, 45.0
_BEFORE_US = SECOND_US
_APART_US = 2 * SECOND_US


class Profile(StrEnum):
    """What the load is like."""

    STEADY = "steady"
    MORNING = "morning"
    HERD = "herd"
    BURST = "burst"
    BACKLOG = "backlog"


class What(IntEnum):
    """What an upload is."""

    ORDINARY = 0
    ALARMING = 1
    """Must open an alert; its patient sends nothing else."""
    KEPT = 2
    """Held back by a device that was offline."""


@dataclass(frozen=True, slots=True)
class Planned:
    """Uploads with their moments, in order.

    **Shape**: each array is [n]. `patient`: a row of the homes; `turn`: which upload of its patient; `count`
    measurements lie `step_us` apart, the last one `age_us` before it is sent. **Units**: microseconds,
    `at_us` from the begin of the run.
    """

    at_us: Ints
    patient: NDArray[np.int32]
    what: NDArray[np.int8]
    turn: NDArray[np.int32]
    count: NDArray[np.int16]
    age_us: Ints
    step_us: Ints

    def __len__(self) -> int:
        return len(self.at_us)

    def take(self, rows: NDArray[Any] | slice) -> "Planned":
        """The given ones, in the given order."""
        return Planned(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run is asked for. `rate`: uploads a second, in the mean; alarming ones are among them."""

    profile: Profile
    rate: float
    seconds: float
    seed: int
    alarms_per_s: float = ALARMS_PER_S
    herd: int = HERD
    backlog: int = BACKLOG

    @property
    def uploads(self) -> int:
        """Those at the rate; a herd and a backlog come on top."""
        return round(self.rate * self.seconds)

    @property
    def alarms(self) -> int:
        """So many of them are to open an alert, as long as there are patients for it."""
        return min(round(self.alarms_per_s * self.seconds), self.uploads // 2)


def plan(wanted: Wanted, ordinary: int, alarming: Sequence[int]) -> Planned:
    """What is sent from the begin on, without a backlog.

    `ordinary`: patients 0 up to this one send what is usual; `alarming`: rows of others, each once.
    """
    chance = _chance(wanted.seed, 1)
    length_us = round(wanted.seconds * SECOND_US)
    alarms = alarming[: wanted.alarms]
    at_us = moments(wanted.profile, wanted.uploads - len(alarms), length_us, chance)
    parts = [_ordinary(at_us, ordinary, chance), _alarming(alarms, length_us)]
    if wanted.profile is Profile.HERD:
        parts.append(_herd(min(wanted.herd, ordinary), length_us, chance))
    return merged(parts)


def backlog(wanted: Wanted, ordinary: int) -> Planned:
    """What was kept by devices of ordinary patients, in the order in which it was measured; planned at 0."""
    n = -(-wanted.backlog // BACKLOG_EACH)
    number = np.arange(n)
    rounds = -(-n // ordinary)
    turn = number // ordinary
    step_us = KEPT_US // (rounds * BACKLOG_EACH + 1) // 2 * 2
    count = np.full(n, BACKLOG_EACH, np.int16)
    count[-1:] = wanted.backlog - (n - 1) * BACKLOG_EACH
    return Planned(
        at_us=np.zeros(n, np.int64),
        patient=(number % ordinary).astype(np.int32),
        what=np.full(n, What.KEPT, np.int8),
        turn=turn.astype(np.int32),
        count=count,
        # An odd microsecond: never the one of an ordinary reading.
        age_us=MINUTE_US + 1 + (rounds - 1 - turn) * BACKLOG_EACH * step_us,
        step_us=np.full(n, step_us),
    )


def moments(profile: Profile, n: int, length_us: int, chance: np.random.Generator) -> Ints:
    """So many moments within a length, in order, as strangers to each other choose them.

    All are even and no two are the same, so that a patient measures nothing twice.
    """
    match profile:
        case Profile.MORNING:
            at_us = _morning(n, length_us, chance)
        case Profile.BURST:
            in_bursts = round(BURST_SHARE * n)
            at_us = np.concatenate([
                _bursts(in_bursts, length_us, chance), chance.integers(0, length_us, n - in_bursts)
            ])  # fmt: skip
        case Profile.STEADY | Profile.HERD | Profile.BACKLOG:
            at_us = chance.integers(0, length_us, n)
    at_us = np.sort(at_us) // 2
    number = np.arange(n)
    return 2 * (np.maximum.accumulate(at_us - number) + number)


def merged(parts: Sequence[Planned]) -> Planned:
    """All of them in order; of one moment, in the order of the parts."""
    whole = Planned(
        **{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Planned)}
    )
    return whole.take(np.argsort(whole.at_us, kind="stable"))


def peak_per_s(at_us: Ints) -> float:
    """The most in any of the seconds from the begin on."""
    return float(np.bincount(at_us // SECOND_US).max()) if len(at_us) else 0.0


def _morning(n: int, length_us: int, chance: np.random.Generator) -> Ints:
    """The hours in which people measure, pressed into the length of the run."""
    low, high = MORNING_MIN
    minute = MORNING_MEAN_MIN + MORNING_SD_MIN * chance.standard_normal(n)
    out = (minute < low) | (minute >= high)
    minute[out] = low + (high - low) * chance.random(int(out.sum()))
    return ((minute - low) / (high - low) * length_us).astype(np.int64)


def _bursts(n: int, length_us: int, chance: np.random.Generator) -> Ints:
    """All within a fifth of a second, again and again; at least three times in a run."""
    every_us = min(BURST_EVERY_US, length_us // 3)
    bursts = max(1, length_us // every_us)
    within_us = min(BURST_US, every_us)
    return chance.integers(0, bursts, n) * every_us + chance.integers(0, within_us, n)


def _ordinary(at_us: Ints, patients: int, chance: np.random.Generator) -> Planned:
    """Everybody in turn, in an order that has nothing to do with who they are."""
    n = len(at_us)
    number = np.arange(n)
    order = chance.permutation(patients)
    return Planned(
        at_us=at_us,
        patient=order[number % patients].astype(np.int32),
        what=np.full(n, What.ORDINARY, np.int8),
        turn=(number // patients).astype(np.int32),
        count=np.ones(n, np.int16),
        age_us=np.full(n, _BEFORE_US),
        step_us=np.zeros(n, np.int64),
    )


def _alarming(patients: Sequence[int], length_us: int) -> Planned:
    """One after the other, evenly; two measurements each, for one odd value alone must not alarm."""
    n = len(patients)
    return Planned(
        at_us=((np.arange(n) + 0.5) * (length_us / max(n, 1))).astype(np.int64) // 2 * 2,
        patient=np.array(patients, np.int32),
        what=np.full(n, What.ALARMING, np.int8),
        turn=np.zeros(n, np.int32),
        count=np.full(n, 2, np.int16),
        age_us=np.full(n, _BEFORE_US),
        step_us=np.full(n, _APART_US),
    )


def _herd(devices: int, length_us: int, chance: np.random.Generator) -> Planned:
    """From a third of the run on, within seconds, each with what it kept while nobody heard it."""
    within_us = min(HERD_WITHIN_US, length_us // 3)
    at_us = np.sort(length_us // 3 + chance.integers(0, within_us, devices)) // 2 * 2
    return Planned(
        at_us=at_us,
        patient=chance.permutation(devices).astype(np.int32),
        what=np.full(devices, What.KEPT, np.int8),
        turn=np.zeros(devices, np.int32),
        count=np.full(devices, HERD_HOURS, np.int16),
        age_us=np.full(devices, 5 * MINUTE_US + 1),
        step_us=np.full(devices, HOUR_US),
    )


def _chance(seed: int, purpose: int) -> np.random.Generator:
    """Its own streams, apart from those that make patients."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, (7 << 40) + purpose], np.uint64)))
