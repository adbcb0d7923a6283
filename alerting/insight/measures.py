"""From counts to the figures that people read; pure. Never more exact than ten of whatever was counted."""

from collections.abc import Mapping
from math import ceil, floor
from typing import Literal

from pydantic import BaseModel, ConfigDict

from alerting.insight.suppression import FEW
from models.figures import WITHIN_MIN, Level

Counts = Mapping[str, int]
"""How much there was of each measure."""

Bound = Literal["", "<", ">"]


class Shown(BaseModel):
    """A number as it is told: exactly, or that it is below or above this one."""

    model_config = ConfigDict(frozen=True)

    value: float
    bound: Bound = ""


class Figures(BaseModel):
    """The figures of a group of at least ten patients; what rests on too little is None.

    **Units**: rates per 100 patient-days; shares in %; times in minutes.
    """

    model_config = ConfigDict(frozen=True)

    patients: int | None = None
    """None in steps of a series: the differences between them would tell of few."""
    alerts_per_100_days: Shown | None = None
    needed_per_100_days: Shown | None = None
    needed_share: Shown | None = None
    answered_median_min: Shown | None = None
    answered_p90_min: Shown | None = None
    resolved_median_min: Shown | None = None
    resolved_p90_min: Shown | None = None
    handling_min: Shown | None = None
    adherence: Shown | None = None
    precision: Shown | None = None
    solved_in_wijk: Shown | None = None


NAMES = tuple(name for name in Figures.model_fields if name != "patients")
"""All figures, in the order in which they are shown."""


def figures_of(counts: Counts, patients: int, *, told: bool = True) -> Figures | None:
    """The figures of a group; None where it is of fewer than ten patients.

    `told`: whether the number of patients is.
    """
    if patients < FEW:
        return None
    days, judged = _of(counts, "days_followed"), _of(counts, "judged")
    in_wijk = _of(counts, f"level/{Level.WIJK}")
    beyond_centre = in_wijk + _of(counts, f"level/{Level.REGIONAL}")
    return Figures(
        patients=patients if told else None,
        alerts_per_100_days=rate(_of(counts, "alerts"), days),
        needed_per_100_days=rate(_of(counts, "needed"), days),
        needed_share=share(_of(counts, "needed"), _of(counts, "alerts")),
        answered_median_min=quantile(counts, "answered", 0.5),
        answered_p90_min=quantile(counts, "answered", 0.9),
        resolved_median_min=quantile(counts, "resolved", 0.5),
        resolved_p90_min=quantile(counts, "resolved", 0.9),
        handling_min=mean_min(_of(counts, "handling_s"), _of(counts, "handled")),
        adherence=share(_of(counts, "days_measured"), days),
        precision=share(_of(counts, "true"), judged),
        solved_in_wijk=share(in_wijk, beyond_centre),
    )


def share(part: int, whole: int) -> Shown | None:
    """How much of the whole the part is, in %; where few, but not none, are in it, or are not, a bound.

    >>> share(30, 40), share(3, 40), share(38, 40), share(1, 9)
    (Shown(value=75.0, bound=''), Shown(value=25.0, bound='<'), Shown(value=75.0, bound='>'), None)
    """
    if whole < FEW:
        return None
    if 0 < part < FEW:
        return Shown(value=min(100.0, ceil(100 * FEW / whole)), bound="<")
    if 0 < whole - part < FEW:
        return Shown(value=max(0.0, floor(100 * (whole - FEW) / whole)), bound=">")
    return Shown(value=round(100 * part / whole))


def rate(n: int, days: int) -> Shown | None:
    """How many there were in 100 patient-days; of few, but not none, a bound.

    >>> rate(25, 1000), rate(2, 1000)
    (Shown(value=2.5, bound=''), Shown(value=1.0, bound='<'))
    """
    if days < FEW:
        return None
    if 0 < n < FEW:
        return Shown(value=ceil(1_000 * FEW / days) / 10, bound="<")
    return Shown(value=round(100 * n / days, 1))


def quantile(counts: Counts, what: str, q: float) -> Shown | None:
    """Within how many minutes the share `q` of them was; of fewer than ten, None.

    >>> quantile({"answered/0": 6, "answered/4": 4}, "answered", 0.5)
    Shown(value=1.0, bound='')
    """
    within = [_of(counts, f"{what}/{place}") for place in range(len(WITHIN_MIN) + 1)]
    whole = sum(within)
    if whole < FEW:
        return None
    reached = 0
    for place, n in enumerate(within):
        reached += n
        if reached >= q * whole and place < len(WITHIN_MIN):
            return Shown(value=WITHIN_MIN[place])
    return Shown(value=WITHIN_MIN[-1], bound=">")


def mean_min(seconds: int, n: int) -> Shown | None:
    """Minutes for each, of at least ten."""
    return None if n < FEW else Shown(value=round(seconds / n / 60, 1))


def _of(counts: Counts, measure: str) -> int:
    return counts.get(measure, 0)
