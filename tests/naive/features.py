"""Every feature from its definition, over plain lists in order of time. None means unknown.

How readings become bins and daily values is in `windows`; which of them a rule means, in `looking`.
"""

import math
from collections.abc import Sequence

from alerting.scores import News2, news2

DAY_US = 86_400_000_000
FEWEST_USUAL = 7
FEWEST_FOR_SLOPE = 3
NO_SPREAD = 1e-9


def millionths(value: float) -> int:
    """What is compared: whole millionths, half upwards.

    >>> millionths(0.1 + 0.2), millionths(-0.0000005)
    (300000, 0)
    """
    return math.floor(value * 1e6 + 0.5)


def in_turn(values: Sequence[float]) -> float:
    """The sum, added one by one from the oldest on."""
    total = 0.0
    for value in values:
        total += value
    return total


# --- a window of values, the newest last


def last(values: Sequence[float]) -> float | None:
    """The newest value."""
    return values[-1] if values else None


def mean(values: Sequence[float]) -> float | None:
    """The sum in order of time, divided by the number of values.

    >>> mean([80.0, 81.0, 82.5])
    81.16666666666667
    """
    return in_turn(values) / len(values) if values else None


def median(values: Sequence[float]) -> float | None:
    """The one in the middle; of an even number, half the sum of the two in the middle.

    >>> median([83.0, 80.0, 81.0]), median([83.0, 80.0, 81.0, 82.0])
    (81.0, 81.5)
    """
    if not values:
        return None
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def lowest(values: Sequence[float]) -> float | None:
    """The lowest value."""
    return min(values) if values else None


def highest(values: Sequence[float]) -> float | None:
    """The highest value."""
    return max(values) if values else None


def rise(newest: float, earlier: Sequence[float]) -> float | None:
    """The newest minus the lowest earlier value.

    **Source**: more than 2 kg in 3 days, self-care advice of the ESC (clinical.md).

    >>> rise(82.5, [80.5, 80.0, 81.0])
    2.5
    """
    return newest - min(earlier) if earlier else None


def fall(newest: float, earlier: Sequence[float]) -> float | None:
    """The highest earlier value minus the newest.

    >>> fall(76.0, [80.0, 79.5])
    4.0
    """
    return max(earlier) - newest if earlier else None


def rise_percent(newest: float, earlier: Sequence[float]) -> float | None:
    """The rise in percent of the lowest earlier value; unknown when that is 0.

    >>> rise_percent(84.0, [80.0, 81.0])
    5.0
    """
    change = rise(newest, earlier)
    return None if change is None or min(earlier) == 0 else 100 * change / min(earlier)


def fall_percent(newest: float, earlier: Sequence[float]) -> float | None:
    """The fall in percent of the highest earlier value; unknown when that is 0.

    **Source**: weight loss of 5 % or more in 6 months (clinical.md, frail).

    >>> fall_percent(76.0, [80.0, 78.0])
    5.0
    """
    change = fall(newest, earlier)
    return None if change is None or max(earlier) == 0 else 100 * change / max(earlier)


def slope(days: Sequence[float], values: Sequence[float], *, long_enough: bool) -> float | None:
    """Least squares, per day: at least 3 values that reach over at least a third of the window.

    >>> slope([0.0, 1.0, 2.0, 3.0], [80.0, 80.5, 81.0, 81.5], long_enough=True)
    0.5
    """
    if len(values) < FEWEST_FOR_SLOPE or not long_enough:
        return None
    mean_day, mean_value = in_turn(days) / len(days), in_turn(values) / len(values)
    away = [day - mean_day for day in days]
    squares = in_turn([x * x for x in away])
    if squares == 0:
        return None
    return in_turn([x * (v - mean_value) for x, v in zip(away, values, strict=True)]) / squares


# --- which of the readings lie inside bounds


def share(inside: Sequence[bool], weights: Sequence[int]) -> float | None:
    """Readings inside in percent of all; a bin weighs as many readings as it holds.

    **Source**: time in range, Battelino 2023 (clinical.md).

    >>> share([True, False, True, True], [1, 1, 1, 1]), share([True, False], [3, 1])
    (75.0, 75.0)
    """
    if not inside:
        return None
    return 100 * sum(n for n, is_in in zip(weights, inside, strict=True) if is_in) / sum(weights)


def stretch(places: Sequence[int], inside: Sequence[bool], longest_step: int) -> int | None:
    """From first to last of the longest run of readings inside; a longer step than that ends a run.

    **Source**: an episode of hypoglycaemia is 15 consecutive minutes (Battelino 2023, clinical.md).

    >>> stretch([0, 5, 10, 15, 20], [True, True, True, True, False], 30)
    15
    >>> stretch([0, 5, 10, 45, 50], [True, True, True, True, True], 30)
    10
    """
    if not places:
        return None
    best, first = 0, None
    for number, (place, is_in) in enumerate(zip(places, inside, strict=True)):
        if not is_in:
            first = None
            continue
        if first is None or place - places[number - 1] > longest_step:
            first = place
        best = max(best, place - first)
    return best


def days_with(days: Sequence[int], inside: Sequence[bool]) -> int:
    """How many days have a reading inside.

    >>> days_with([7, 7, 8, 9], [True, True, False, True])
    2
    """
    return len({day for day, is_in in zip(days, inside, strict=True) if is_in})


def repeats(values: Sequence[float]) -> int:
    """How many of the newest values, counted back, are exactly the newest one: a flat line.

    >>> repeats([81.0, 82.0, 82.0, 82.0]), repeats([])
    (3, 0)
    """
    count = 0
    while count < len(values) and values[-1 - count] == values[-1]:
        count += 1
    return count


# --- what is usual for a patient, from daily values in order


def robust_spread(values: Sequence[float]) -> float:
    """1.4826 times the median distance from the median: the standard deviation where all is normal.

    >>> robust_spread([79.0, 80.0, 81.0, 80.0, 95.0])
    1.4826
    """
    middle = median(values) or 0.0
    return 1.4826 * (median([abs(value - middle) for value in values]) or 0.0)


def stable(values: Sequence[float]) -> list[float]:
    """The days within three robust spreads of the median.

    >>> stable([79.0, 80.0, 81.0, 80.0, 95.0])
    [79.0, 80.0, 81.0, 80.0]
    """
    middle, spread = median(values) or 0.0, robust_spread(values)
    return [value for value in values if abs(value - middle) <= 3 * spread]


def baseline(values: Sequence[float]) -> float | None:
    """The mean of the stable days; unknown with fewer than 7 days.

    **Source**: z-scores against stable days, Al Rajeh 2020 (clinical.md); robust for lack of labels (P).

    >>> baseline([80.0, 80.0, 81.0, 79.0, 80.0, 80.0, 95.0])
    80.0
    """
    return mean(stable(values)) if len(values) >= FEWEST_USUAL else None


def spread(values: Sequence[float]) -> float | None:
    """The sample standard deviation of the stable days, in two passes; unknown with fewer than 2 of them.

    >>> spread([79.0, 81.0, 79.0, 81.0, 79.0, 81.0, 80.0])
    1.0
    """
    usual = baseline(values)
    kept = stable(values)
    if usual is None or len(kept) < 2:
        return None
    return math.sqrt(in_turn([(v - usual) * (v - usual) for v in kept]) / (len(kept) - 1))


def deviation(today: float | None, values: Sequence[float]) -> float | None:
    """How many spreads today lies above the baseline; unknown without a spread.

    >>> deviation(82.0, [79.0, 81.0, 79.0, 81.0, 79.0, 81.0, 80.0])
    2.0
    """
    usual, width = baseline(values), spread(values)
    if today is None or usual is None or width is None or width <= NO_SPREAD:
        return None
    return (today - usual) / width


def relative(recent: Sequence[float], values: Sequence[float], days: int) -> float | None:
    """The mean of the recent days in percent of the baseline before; at least half of those days.

    **Source**: steps, 7-day mean under 60 % of the 28-day baseline (clinical.md, P).

    >>> relative([3000.0, 3000.0, 3600.0, 2400.0], [6000.0] * 28, 7)
    50.0
    """
    usual, now = baseline(values), mean(recent)
    if usual is None or usual == 0 or now is None or 2 * len(recent) < days:
        return None
    return 100 * now / usual


# --- statistical process control, from daily values since enrolment


def learnt(values: Sequence[float], learn_days: int) -> list[float] | None:
    """What comes after the learnt days, in robust spreads from their median; unknown without spread or rest.

    >>> learnt([79.0, 80.0, 81.0, 80.0], 3), learnt([79.0, 80.0, 81.0], 3)
    ([0.0], None)
    """
    if len(values) <= learn_days:
        return None
    first, rest = values[:learn_days], values[learn_days:]
    middle, width = median(first) or 0.0, robust_spread(first)
    return None if width <= NO_SPREAD else [(value - middle) / width for value in rest]


def against(values: Sequence[float], target: float, width: float) -> list[float] | None:
    """Every value in given spreads from a given target; unknown when the spread is none."""
    return None if width <= 0 else [(value - target) / width for value in values]


def ewma(units: Sequence[float] | None, smoothing: float) -> float | None:
    """The exponentially weighted moving average of distances, in its own standard deviations.

    **Source**: limits and run lengths in clinical.md.

    >>> ewma([2.0], 1.0), round(ewma([1.0] * 200, 0.2), 6)
    (2.0, 3.0)
    """
    if not units:
        return None
    average = 0.0
    for unit in units:
        average = smoothing * unit + (1 - smoothing) * average
    return average / math.sqrt(smoothing / (2 - smoothing))


def cusum(units: Sequence[float] | None, slack: float, side: str) -> float | None:
    """What distances beyond the slack add up to since they last were used up.

    **Source**: limits and run lengths in clinical.md.

    >>> cusum([1.0, 1.0, -2.0, 1.0], 0.5, "high"), cusum([1.0, 1.0, -2.0, 1.0], 0.5, "low")
    (0.5, 0.0)
    >>> cusum([1.0, 1.0, -2.0], 0.5, "both")
    1.5
    """
    if not units:
        return None
    high = low = 0.0
    for unit in units:
        high = max(0.0, high + unit - slack)
        low = max(0.0, low - unit - slack)
    return {"high": high, "low": low, "both": max(high, low)}[side]


def moving_average(values: Sequence[float], days: int) -> float:
    """Starts at the first value; each later one has the weight 2/(days + 1)."""
    weight = 2 / (days + 1)
    average = values[0]
    for value in values[1:]:
        average = weight * value + (1 - weight) * average
    return average


def macd(values: Sequence[float], short_days: int, long_days: int) -> float | None:
    """The short moving average minus the long one.

    **Source**: Zhang 2009 (clinical.md); the lengths are the rule's own.

    >>> macd([80.0, 83.0], 2, 5)
    1.0
    """
    if not values:
        return None
    return moving_average(values, short_days) - moving_average(values, long_days)


# --- scores


def news2_of(parts: dict[str, float | str | None], scale: int) -> News2 | None:
    """NEWS2 of the newest value of each part; unknown without any part.

    The table itself is checked in tests/unit/alerting/test_scores.py, cell by cell.

    >>> news2_of({"spo2": 93.0, "temperature": 38.4, "consciousness": "A"}, 1).total
    3
    """
    if all(part is None for part in parts.values()):
        return None

    def rounded(name: str) -> float | None:
        value = parts.get(name)
        return None if value is None else millionths(float(value)) / 1e6

    oxygen, consciousness = parts.get("supplemental_oxygen"), parts.get("consciousness")
    return news2(
        respiratory_rate=rounded("respiratory_rate"),
        spo2=rounded("spo2"),
        spo2_scale=scale,
        supplemental_oxygen=None if oxygen is None else oxygen == "oxygen",
        systolic=rounded("systolic"),
        pulse=rounded("heart_rate"),
        consciousness=None if consciousness is None else str(consciousness),
        temperature=rounded("temperature"),
    )
