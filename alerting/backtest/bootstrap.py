"""How sure a figure is: the same patients drawn again and again, for all figures and versions alike.

Everything counted is a whole number, so sums are exact whatever the order in which they are formed; draws
come from the raw numbers of a counter-based generator. The same seed gives the same intervals everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
_AT_ONCE = 64
_EXACT_IN_FLOAT32 = 1 << 24

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its interval (95 %, percentiles of the draws); None where there is nothing to say."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Ratio:
    """Two columns of a sheet, one divided by the other, times a factor."""

    over: int
    under: int
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure as it is, and as it was in each draw (NaN where it was not defined)."""

    value: float
    samples: Numbers

    def figure(self) -> Figure:
        """With its interval, where it is defined in nearly all draws.

        >>> Drawn(2.0, np.arange(1.0, 101.0)).figure()
        Figure(value=2.0, low=3.0, high=98.0)
        """
        if np.isnan(self.value):
            return Figure(None)
        known = np.sort(self.samples[~np.isnan(self.samples)])
        if len(known) == 0 or len(known) < CONFIDENCE * len(self.samples):
            return Figure(self.value)
        beyond = int((1 - CONFIDENCE) / 2 * len(known) + 1e-9)
        return Figure(self.value, float(known[beyond]), float(known[-1 - beyond]))

    def minus(self, other: "Drawn") -> "Drawn":
        """The difference, draw by draw: both were counted among the same patients."""
        return Drawn(self.value - other.value, self.samples - other.samples)


class Draws:
    """Draws of as many patients as there are, with replacement. **Shape**: weights [draws, patients]."""

    def __init__(self, patients: int, *, seed: int, draws: int) -> None:
        bits = np.random.Philox(key=np.array([seed, patients], np.uint64))
        self.weights = np.zeros((draws, patients), np.uint8)
        for draw in range(draws if patients else 0):
            raw: NDArray[np.uint64] = bits.random_raw((patients + 1) // 2)
            halves = np.concatenate((raw >> np.uint64(32), raw & np.uint64(0xFFFFFFFF)))[:patients]
            drawn = (halves * np.uint64(patients)) >> np.uint64(32)
            self.weights[draw] = np.bincount(drawn.astype(np.int64), minlength=patients)

    def __len__(self) -> int:
        return len(self.weights)

    def sums(self, counts: NDArray[np.int64]) -> Numbers:
        """The sum of each column in each draw. **Shape**: counts [patients, columns]; [draws, columns]."""
        sums = np.empty((len(self), counts.shape[1]))
        largest = counts.max(initial=0) * len(counts)
        exact = np.float32 if largest < _EXACT_IN_FLOAT32 else np.float64
        # In pieces too small for the linear algebra to start threads: where other programs use the cores as
        # well, those wait for each other for ages.
        pieces = -(-len(counts) // _AT_ONCE)
        columns = np.zeros((pieces * _AT_ONCE, counts.shape[1]), exact)
        columns[: len(counts)] = counts
        columns = columns.reshape(pieces, _AT_ONCE, counts.shape[1])
        for begin in range(0, len(self), _AT_ONCE):
            drawn = self.weights[begin : begin + _AT_ONCE]
            weights = np.zeros((len(drawn), pieces * _AT_ONCE), exact)
            weights[:, : len(counts)] = drawn
            parts = weights.reshape(len(drawn), pieces, _AT_ONCE).transpose(1, 0, 2) @ columns
            sums[begin : begin + _AT_ONCE] = parts.sum(axis=0, dtype=np.float64)
        return sums

    def quantiles(self, values: Numbers, patient: NDArray[np.int64], shares: Sequence[float]) -> list[Drawn]:
        """Quantiles of values that belong to patients: the smallest value that so many do not exceed.

        >>> values, patient = np.array([3.0, 1.0, 2.0, 4.0]), np.arange(4)
        >>> [q.value for q in Draws(4, seed=1, draws=10).quantiles(values, patient, (0.25, 0.5))]
        [1.0, 2.0]
        """
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        samples = np.full((len(shares), len(self)), np.nan)
        for begin in range(0, len(self) if len(values) else 0, _AT_ONCE):
            weights = self.weights[begin : begin + _AT_ONCE, patient[order]]
            up_to = np.cumsum(weights, axis=1, dtype=np.int32)
            whole = up_to[:, -1]
            for place, share in enumerate(shares):
                found = np.argmax(up_to >= np.maximum(share * whole, 1)[:, None], axis=1)
                samples[place, begin : begin + _AT_ONCE] = np.where(whole > 0, ordered[found], np.nan)
        return [Drawn(_quantile(ordered, share), samples[place]) for place, share in enumerate(shares)]


def _quantile(ordered: Numbers, share: float) -> float:
    if len(ordered) == 0:
        return float("nan")
    return float(ordered[max(int(np.ceil(share * len(ordered))), 1) - 1])


class Sheet:
    """Counts of all patients, column by column, each summed over all draws as it comes in."""

    def __init__(self, draws: Draws) -> None:
        self._draws = draws
        self._waiting: list[NDArray[np.int64]] = []
        self._sums: list[Numbers] = []
        self._observed: list[int] = []

    def add(self, counts: NDArray[np.int64]) -> int:
        """Takes a column in; its place. **Shape**: [patients]."""
        self._waiting.append(counts)
        self._observed.append(int(counts.sum()))
        if len(self._waiting) == _AT_ONCE:
            self._flush()
        return len(self._observed) - 1

    def _flush(self) -> None:
        if self._waiting:
            self._sums += list(self._draws.sums(np.stack(self._waiting, axis=1)).T)
            self._waiting = []

    def observed(self, column: int) -> int:
        """The sum of a column as it is."""
        return self._observed[column]

    def drawn(self, ratio: Ratio) -> Drawn:
        """A ratio of two columns; NaN where it would divide by nothing."""
        self._flush()
        over, under = self._sums[ratio.over], self._sums[ratio.under]
        samples = np.full(len(over), np.nan)
        np.divide(over * ratio.factor, under, out=samples, where=under > 0)
        below = self._observed[ratio.under]
        return Drawn(self._observed[ratio.over] * ratio.factor / below if below else float("nan"), samples)
