"""Latencies as figures: HdrHistogram, three significant digits, from a microsecond to an hour.

**Source**: hdrhistogram.org, the port to Python that the same project keeps; its log format, version 1.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.clock import HOUR_US, SECOND_US
from models.errors import RefuseToStart
from simulators.load.schedule import Ints

try:
    from hdrh.histogram import HdrHistogram
except ImportError as error:
    raise RefuseToStart(
        "Measuring load needs hdrhistogram, which is not installed: pip install 'thuiswacht[load]'"
    ) from error

DIGITS = 3
INTERVAL_US = SECOND_US
"""One histogram for each second of planned moments in a log of histograms."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How durations are spread. **Units**: milliseconds; each at most a thousandth above the true one."""

    n: int
    p50: float
    p90: float
    p99: float
    p99_9: float
    max: float


def figures(durations_us: Ints) -> Figures | None:
    """None for no durations.

    >>> figures(np.arange(1, 101) * 1_000)
    Figures(n=100, p50=50.0, p90=90.0, p99=99.0, p99_9=100.0, max=100.0)
    """
    if not len(durations_us):
        return None
    histogram = _histogram(durations_us)
    values = [histogram.get_value_at_percentile(share) for share in (50, 90, 99, 99.9)]
    at = [round(value / 1e3, 1 if value < 100_000 else 0) for value in (*values, histogram.get_max_value())]
    return Figures(len(durations_us), *at)


def write_histograms(file: Path, begin_us: int, stages: Mapping[str, tuple[Ints, Ints]]) -> None:
    """All stages as a log of histograms, a line for each second and stage.

    `stages`: planned moments from the begin, and durations. **Units**: microseconds.
    """
    lines = [
        "#[Histogram log format version 1.2]",
        f"#[StartTime: {begin_us / 1e6:.3f} (seconds since epoch)]",
        '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    ]
    for stage, (at_us, durations_us) in stages.items():
        interval = at_us // INTERVAL_US
        for one in np.unique(interval).tolist():
            histogram = _histogram(durations_us[interval == one])
            content = histogram.encode().decode()
            begin_s, length_s = one * INTERVAL_US / 1e6, INTERVAL_US / 1e6
            # The unit of the log's maximum is the millisecond, that of its histograms the microsecond.
            lines.append(
                f"Tag={stage},{begin_s:.3f},{length_s:.3f},{histogram.get_max_value() / 1e3:.3f},{content}"
            )
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _histogram(durations_us: Ints) -> Any:
    histogram: Any = HdrHistogram(1, HOUR_US, DIGITS)
    values, counts = np.unique(np.clip(durations_us, 1, HOUR_US), return_counts=True)
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        histogram.record_value(value, count)
    return histogram
