"""Labels of planted events: what a perfect observer would know, from the latent course alone."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from models.labels import Label
from simulators.patients.condition import CHANNELS, Event
from simulators.patients.machine import Walked, parts_of_rise, usual
from simulators.patients.population import Floats, Ints, Population

VISIBLE: Final[dict[str, tuple[float, float]]] = {
    "body_weight": (-3.0, 2.0),
    "systolic": (-20.0, 15.0),
    "diastolic": (-np.inf, 10.0),
    "heart_rate": (-20.0, 20.0),
    "spo2": (-4.0, np.inf),
    "respiratory_rate": (-np.inf, 6.0),
    "temperature": (-np.inf, 1.0),
    "lung_function": (-0.2, np.inf),
    "steps": (-0.4, np.inf),
    "consciousness": (-np.inf, 0.5),
}
"""Which latent change, down or up, somebody who looks could see: the size that published rules speak of."""
VISIBLE_LEVEL: Final[dict[str, tuple[float, float]]] = {"glucose": (3.9, 13.9)}
"""The same for what is judged by where it is, not by how far it went: below, above."""
ANSWER, YES = 1.5, 0.5
"""An answer is visible from *moderate* on, or *yes*."""
YES_OR_NO = frozenset(
    f"symptom_{name}" for name in ("chest_pain", "vision", "neurological", "purulence", "cold", "fever")
)


def labels_of(walked: Walked, events: Sequence[Event], rows: Ints, population: Population) -> list[Label]:
    """The label of each event that begins."""
    detectable_us = walked.at_us(detectable_days(walked, rows, population))
    seen = needed_severity(walked, rows, population) <= _worst(walked)
    kinds = [events[int(at)] for at in walked.event]
    return [
        Label(
            patient_id=population.patient_text[int(row)],
            kind=kind.name,
            signals=kind.signals,
            onset_us=onset,
            detectable_at_us=detectable if visible else None,
            worst_us=worst,
            end_us=end,
            admitted=admitted,
            cut_off=False,
        )
        for row, kind, onset, detectable, visible, worst, end, admitted in zip(
            rows.tolist(),
            kinds,
            walked.onset_us.tolist(),
            detectable_us.tolist(),
            seen.tolist(),
            walked.worst_us.tolist(),
            walked.over_us.tolist(),
            walked.is_admitted.tolist(),
            strict=True,
        )
    ]


def needed_severity(walked: Walked, rows: Ints, population: Population) -> Floats:
    """How bad each must be before anything that is measured shows it; more than 1 when nothing ever does."""
    needed = np.full(len(rows), np.inf)
    for channel, name in enumerate(CHANNELS):
        effect = np.where(population.measures[rows, channel], walked.effects[:, channel], 0.0)
        low, high = VISIBLE.get(name, (-np.inf, YES if name in YES_OR_NO else ANSWER))
        level = usual(population, name, rows)
        if name in VISIBLE_LEVEL:
            below, above = VISIBLE_LEVEL[name]
            limit = np.where(effect < 0, below - level, above - level)
        else:
            limit = np.where(effect < 0, low, high)
        share = np.where(effect != 0, limit / np.where(effect != 0, effect, 1.0), np.inf)
        # Symptoms come late: they go with the square of the severity.
        share = np.sqrt(np.maximum(share, 0.0)) if name.startswith("symptom_") else np.maximum(share, 0.0)
        needed = np.minimum(needed, share)
    return np.minimum(needed, 2.0)


def detectable_days(walked: Walked, rows: Ints, population: Population) -> Floats:
    """After how many days each is as bad as that for the first time; its length where it never is."""
    needed = needed_severity(walked, rows, population)
    before, last, base = parts_of_rise(walked.rise, walked.early)
    slow = before * needed / np.where(base > 0, base, 1.0)
    fast = before + last * np.sqrt(np.maximum(needed - base, 0.0) / np.where(base < 1, 1 - base, 1.0))
    while_rising = np.where((needed <= base) & (base > 0), slow, fast)
    more = np.where(walked.at_treated > walked.at_turn, walked.at_treated - walked.at_turn, 1.0)
    later = walked.held + (walked.treated - walked.held) * (needed - walked.at_turn) / more
    days = np.where(needed <= walked.at_turn, np.minimum(while_rising, walked.turned), later)
    return np.where(needed <= _worst(walked), days, walked.over)


def _worst(walked: Walked) -> Floats:
    return np.maximum(walked.at_turn, walked.at_treated)
