"""Two versions side by side: what one raises that the other does not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alerting.backtest.alerts import SIGNALS
from alerting.backtest.events import Events
from alerting.backtest.found import NEVER_US
from alerting.backtest.judged import Counted, Judged
from models.findings import Signal

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Raised:
    """Alerts that one version has alone, and those of the first that both have; how many alone are false."""

    only_first: int
    only_second: int
    in_both: int
    false_only_first: int
    false_only_second: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the first raises beside the second. Found events are None where none are known."""

    first: str
    second: str
    counted: Counted
    raised: Raised
    by_signal: Mapping[Signal, Raised]
    found_by_both: int | None = None
    found_by_first_only: int | None = None
    found_by_second_only: int | None = None
    found_by_neither: int | None = None


def compare(
    first: Judged, second: Judged, events: Events | None, counted: Counted = Counted.MANUAL
) -> Comparison:
    """Alerts of one patient and signal that overlap in time are the same alert."""
    in_second, in_first = shared(first, second, counted), shared(second, first, counted)

    def raised(signal: int | None) -> Raised:
        mine, other = (
            one.counted(counted) & (np.True_ if signal is None else one.alerts.signal == signal)
            for one in (first, second)
        )
        known = events is not None
        return Raised(
            only_first=int((mine & ~in_second).sum()),
            only_second=int((other & ~in_first).sum()),
            in_both=int((mine & in_second).sum()),
            false_only_first=int((mine & ~in_second & first.is_false(counted)).sum()) if known else 0,
            false_only_second=int((other & ~in_first & second.is_false(counted)).sum()) if known else 0,
        )

    by_signal = {signal: raised(place) for place, signal in enumerate(SIGNALS)}
    compared = Comparison(
        first=first.name,
        second=second.name,
        counted=counted,
        raised=raised(None),
        by_signal={s: r for s, r in by_signal.items() if r.only_first or r.only_second or r.in_both},
    )
    return compared if events is None else _with_events(compared, first, second, events)


def _with_events(compared: Comparison, first: Judged, second: Judged, events: Events) -> Comparison:
    one, other = (v.first_us[compared.counted] < NEVER_US for v in (first, second))
    return Comparison(
        compared.first,
        compared.second,
        compared.counted,
        compared.raised,
        compared.by_signal,
        found_by_both=int((events.counts & one & other).sum()),
        found_by_first_only=int((events.counts & one & ~other).sum()),
        found_by_second_only=int((events.counts & other & ~one).sum()),
        found_by_neither=int((events.counts & ~one & ~other).sum()),
    )


def shared(mine: Judged, other: Judged, counted: Counted) -> Flags:
    """Which alerts of one version the other has as well, of those that are counted. **Shape**: [alerts]."""
    return np.asarray(_shared(_spans(mine, counted), _spans(other, counted)), np.bool_)


def _spans(judged: Judged, counted: Counted) -> tuple[Any, ...]:
    alerts = judged.alerts
    return alerts.patient, alerts.signal, alerts.opened_at_us, alerts.closed_at_us, judged.counted(counted)


# numba takes what is called from compiled code only as an object of its own, which has no types.
_compiled: Callable[[Callable[..., Any]], Callable[..., Any]] = njit(cache=True, nogil=True)


@_compiled
def _shared(mine: Any, others: Any) -> Any:
    patient, signal, opened_us, closed_us, counts = mine
    o_patient, o_signal, o_opened_us, o_closed_us, o_counts = others
    found = np.zeros(len(patient), np.bool_)
    begin = 0
    for row in range(len(patient)):
        # By patient, signal, opening; those of one patient and signal do not overlap each other.
        while begin < len(o_patient) and (
            o_patient[begin] < patient[row]
            or (
                o_patient[begin] == patient[row]
                and (
                    o_signal[begin] < signal[row]
                    or (o_signal[begin] == signal[row] and o_closed_us[begin] < opened_us[row])
                )
            )
        ):
            begin += 1
        other = begin
        while (
            other < len(o_patient)
            and o_patient[other] == patient[row]
            and o_signal[other] == signal[row]
            and o_opened_us[other] <= closed_us[row]
        ):
            if counts[row] and o_counts[other]:
                found[row] = True
            other += 1
    return found
