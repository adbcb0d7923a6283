"""Percentiles as HdrHistogram has them, and a log of histograms that its own reader reads."""

from pathlib import Path
from typing import Any

import numpy as np
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from hypothesis import given
from hypothesis import strategies as st

from simulators.load.figures import figures, write_histograms


@given(st.lists(st.integers(1, 3_000_000_000), min_size=1, max_size=300))
def test_each_figure_is_that_of_the_sorted_list_within_a_thousandth(durations_us: list[int]) -> None:
    found = figures(np.array(durations_us))
    assert found is not None
    ordered = sorted(durations_us)
    for share, value in ((50, found.p50), (90, found.p90), (99, found.p99), (99.9, found.p99_9)):
        # HdrHistogram takes the nearest place in the list; figures are rounded to a tenth of a millisecond.
        place = max(1, int(share / 100 * len(ordered) + 0.5))
        exact_ms = ordered[place - 1] / 1e3
        assert exact_ms - 0.6 <= value <= exact_ms * 1.001 + 0.6
    assert ordered[-1] / 1e3 - 0.6 <= found.max <= ordered[-1] / 1e3 * 1.001 + 0.6
    assert found.n == len(durations_us)


def test_of_nothing_there_are_no_figures() -> None:
    assert figures(np.empty(0, np.int64)) is None


def test_the_log_is_read_back_by_its_own_reader(tmp_path: Path) -> None:
    file = tmp_path / "load.hlog"
    at_us = np.array([0, 999_999, 1_000_000, 2_500_000])
    durations_us = np.array([1_500, 2_500, 40_000, 900_000])
    write_histograms(file, 1_795_332_680_000_000, {"stored": (at_us, durations_us)})
    whole: Any = HdrHistogram(1, 3_600_000_000, 3)
    reader: Any = HistogramLogReader(str(file), whole)
    read: list[tuple[int, str]] = []
    while (one := reader.get_next_interval_histogram()) is not None:
        read.append((one.get_total_count(), one.get_tag()))
        whole.add(one)
    # It leaves closing its file to whoever collects it.
    reader.input_file.close()
    assert read == [(2, "stored"), (1, "stored"), (1, "stored")]
    assert whole.get_total_count() == 4
    assert abs(whole.get_max_value() - 900_000) <= 900
