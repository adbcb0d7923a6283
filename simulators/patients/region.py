"""The region that patients come from: its municipalities, wijken and ages, and who of them is followed.

**Source**: 852,000 inhabitants, 5 municipalities, 78 wijken, about half with a migration background: the
region's plan for 2024–2030 (S). People by municipality and by age, prevalences by age: national and municipal
statistics, rounded, from memory (M). Sizes of wijken, who is followed at home, who reads English: our own
proposal (P), so that about 40,000 are followed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PEOPLE = 852_000
MUNICIPALITIES: Mapping[str, tuple[int, int]] = {
    # people (M), wijken (the codes of the service's own file)
    "Den Haag": (562_000, 44),
    "Zoetermeer": (127_000, 14),
    "Leidschendam-Voorburg": (78_000, 10),
    "Rijswijk": (58_000, 6),
    "Wassenaar": (27_000, 4),
}
BANDS = ((0, 17), (18, 39), (40, 54), (55, 64), (65, 74), (75, 84), (85, 98))
"""Ages, both included."""
AGE_SHARES = (0.200, 0.310, 0.190, 0.125, 0.095, 0.058, 0.022)
"""Mark M: a young city."""
PREVALENCES: Mapping[str, tuple[float, ...]] = {
    # by band; mark M (known to the huisarts, national), the last two P
    "heart_failure": (0, 0.0002, 0.002, 0.008, 0.025, 0.07, 0.15),
    "hypertension": (0, 0.02, 0.12, 0.28, 0.42, 0.50, 0.50),
    "copd": (0, 0.002, 0.015, 0.055, 0.10, 0.13, 0.12),
    "diabetes": (0, 0.008, 0.05, 0.12, 0.18, 0.20, 0.18),
    "frail_elderly": (0, 0, 0, 0.02, 0.06, 0.18, 0.42),
    "hospital_at_home": (0, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.0015),
}
FOLLOWED: Mapping[str, float] = {
    "heart_failure": 0.30,
    "hypertension": 0.20,
    "copd": 0.20,
    "diabetes": 0.15,
    "frail_elderly": 0.10,
    "hospital_at_home": 1.0,
}
"""Share of those with the condition that is followed at home; mark P."""
COMORBIDITY: Mapping[tuple[str, str], float] = {
    # mark M for the first two, P for the others
    ("heart_failure", "copd"): 0.20,
    ("heart_failure", "diabetes"): 0.30,
    ("heart_failure", "frail_elderly"): 0.10,
    ("hypertension", "diabetes"): 0.12,
    ("copd", "heart_failure"): 0.12,
    ("copd", "diabetes"): 0.12,
    ("diabetes", "hypertension"): 0.35,
    ("diabetes", "heart_failure"): 0.05,
    ("frail_elderly", "heart_failure"): 0.15,
    ("frail_elderly", "diabetes"): 0.15,
    ("frail_elderly", "copd"): 0.08,
}
ENGLISH_SHARE = 0.10
LANGUAGES = ("nl", "en")


@dataclass(frozen=True, slots=True)
class Mix:
    """Of which conditions patients have how much.

    `shares` of the condition for which they are followed first, by name; they need not add up to one.
    `comorbidity`: the chance to have the second as well, for who has the first.
    """

    shares: Mapping[str, float]
    comorbidity: Mapping[tuple[str, str], float]


HOME = Mix({"heart_failure": 0.5, "hypertension": 0.5}, {})
"""What `simulate` and the demo take when nothing is said."""


def wijk_codes() -> list[str]:
    """The codes of all wijken, as the register has them."""
    return [f"wijk-{number:02}" for number in range(1, sum(n for _, n in MUNICIPALITIES.values()) + 1)]


def wijk_municipalities() -> list[str]:
    """In which municipality each wijk lies, in the order of the codes."""
    return [name for name, (_, wijken) in MUNICIPALITIES.items() for _ in range(wijken)]


def wijk_people() -> Ints:
    """People of each wijk: in the largest of a municipality thrice as many as in the smallest."""
    sizes: list[int] = []
    for people, wijken in MUNICIPALITIES.values():
        # 7 is prime to every number of wijken: each size comes once, in no order.
        weights = [1 + 2 * ((number * 7) % wijken) / max(wijken - 1, 1) for number in range(wijken)]
        sizes += _apportioned(people, weights)
    return np.array(sizes, np.int64)


def people(scale: float = 1.0) -> Ints:
    """Everybody, by wijk and age. **Shape**: [wijken, bands]."""
    return np.array([_apportioned(round(n * scale), AGE_SHARES) for n in wijk_people().tolist()], np.int64)


def expected_patients(condition: str) -> float:
    """How many are followed for a condition in the whole region."""
    with_it = sum(share * there for share, there in zip(AGE_SHARES, PREVALENCES[condition], strict=True))
    return PEOPLE * with_it * FOLLOWED[condition]


def patients(scale: float = 1.0) -> int:
    """How many are followed, in a region so many times as large."""
    return round(scale * sum(map(expected_patients, PREVALENCES)))


def region_mix() -> Mix:
    """Of which conditions the region's patients have how much."""
    return Mix({condition: expected_patients(condition) for condition in PREVALENCES}, COMORBIDITY)


def age_shares(condition: str) -> Floats:
    """How the ages of a condition's patients are spread. **Shape**: [bands], adding up to one."""
    # An own condition of somebody's is like high blood pressure.
    there = PREVALENCES.get(condition, PREVALENCES["hypertension"])
    weights = np.array(AGE_SHARES) * np.array(there)
    total = 0.0
    for weight in weights.tolist():
        total += weight
    return weights / total


def _apportioned(total: int, weights: tuple[float, ...] | list[float]) -> list[int]:
    """Whole numbers in proportion to weights that add up to the total: largest remainders get one more."""
    whole = sum(weights)
    exact = [total * weight / whole for weight in weights]
    shares = [int(amount) for amount in exact]
    by_remainder = sorted(range(len(weights)), key=lambda at: (shares[at] - exact[at], at))
    for at in by_remainder[: total - sum(shares)]:
        shares[at] += 1
    return shares
