"""The control charts meet the run lengths that are published for them.

Means of seeded simulations of the charts' recursions, which the twin computes value by value.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.naive.features import cusum, ewma

Floats = NDArray[np.float64]
CHARTS = 4_000
STANDARD_ERRORS = 4.0
ROUNDING = 0.05
"""The published figures have three digits, those at a shift one decimal."""


class Ewma:
    """Charts of many patients at once."""

    def __init__(self, smoothing: float) -> None:
        self.smoothing = smoothing
        self.average = np.zeros(CHARTS)

    def step(self, units: Floats) -> Floats:
        self.average = self.smoothing * units + (1 - self.smoothing) * self.average
        return np.abs(self.average / np.sqrt(self.smoothing / (2 - self.smoothing)))


class Cusum:
    """Charts of many patients at once, one-sided."""

    def __init__(self, slack: float) -> None:
        self.slack = slack
        self.high = np.zeros(CHARTS)

    def step(self, units: Floats) -> Floats:
        self.high = np.maximum(0.0, self.high + units - self.slack)
        return self.high


def run_lengths(chart: Ewma | Cusum, limit: float, shift: float) -> Floats:
    """How many values each chart took to its first beyond the limit."""
    random = np.random.default_rng(20_170_601)
    lengths = np.zeros(CHARTS)
    day = 0
    while not lengths.all():
        day += 1
        beyond = chart.step(random.normal(shift, 1.0, CHARTS)) > limit
        lengths[beyond & (lengths == 0)] = day
    return lengths


def assert_mean(lengths: Floats, published: float) -> None:
    error = STANDARD_ERRORS * float(lengths.std()) / CHARTS**0.5
    assert abs(lengths.mean() - published) <= error + max(ROUNDING, published * 0.001), lengths.mean()


@pytest.mark.parametrize(
    ("smoothing", "limit", "in_control", "at_one_sigma"),
    [(0.05, 2.615, 500, 11.4), (0.1, 2.814, 499, 10.3), (0.2, 2.962, 500, 10.5), (0.25, 2.998, 500, 11.1)],
)
def test_ewma(smoothing: float, limit: float, in_control: float, at_one_sigma: float) -> None:
    assert_mean(run_lengths(Ewma(smoothing), limit, 0.0), in_control)
    assert_mean(run_lengths(Ewma(smoothing), limit, 1.0), at_one_sigma)


@pytest.mark.parametrize(("limit", "in_control", "at_one_sigma"), [(4.0, 335, 8.4), (5.0, 931, 10.4)])
def test_cusum(limit: float, in_control: float, at_one_sigma: float) -> None:
    assert_mean(run_lengths(Cusum(0.5), limit, 0.0), in_control)
    assert_mean(run_lengths(Cusum(0.5), limit, 1.0), at_one_sigma)


def twin_ewma(units: Sequence[float]) -> float:
    return abs(ewma(units, 0.1) or 0.0)


def twin_cusum(units: Sequence[float]) -> float:
    return cusum(units, 0.5, "high") or 0.0


@pytest.mark.parametrize(("chart", "of_twin"), [(Ewma(0.1), twin_ewma), (Cusum(0.5), twin_cusum)])
def test_the_simulated_charts_are_those_of_the_twin(
    chart: Ewma | Cusum, of_twin: Callable[[Sequence[float]], float]
) -> None:
    random = np.random.default_rng(1)
    seen: list[Floats] = []
    for _ in range(60):
        seen.append(random.normal(0.3, 1.0, CHARTS))
        value = chart.step(seen[-1])
        for patient in (0, 1, CHARTS - 1):
            assert value[patient] == of_twin([float(units[patient]) for units in seen])
