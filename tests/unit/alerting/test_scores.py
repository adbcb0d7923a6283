"""NEWS2 against every cell of the published table and its edges."""

from typing import Any

import pytest

from alerting.scores import Band, News2, news2
from models.errors import BadInput

NORMAL: dict[str, Any] = {
    "respiratory_rate": 16, "spo2": 97, "spo2_scale": 1, "supplemental_oxygen": False,
    "systolic": 120, "pulse": 70, "consciousness": "A", "temperature": 37.0,
}  # fmt: skip


def score(**parts: Any) -> News2:
    return news2(**NORMAL | parts)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("respiratory_rate", {3: [1, 8, 25, 60], 1: [9, 11], 0: [12, 20], 2: [21, 24]}),
        ("spo2", {3: [60, 91], 2: [92, 93], 1: [94, 95], 0: [96, 100]}),
        ("systolic", {3: [50, 90, 220, 280], 2: [91, 100], 1: [101, 110], 0: [111, 219]}),
        ("pulse", {3: [25, 40, 131, 200], 1: [41, 50, 91, 110], 0: [51, 90], 2: [111, 130]}),
        ("temperature", {3: [32.0, 35.0], 1: [35.1, 36.0, 38.1, 39.0], 0: [36.1, 38.0], 2: [39.1, 41.5]}),
        ("consciousness", {0: ["A"], 3: ["C", "V", "P", "U"]}),
    ],
)
def test_each_cell_of_the_table(name: str, values: dict[int, list[Any]]) -> None:
    for points, examples in values.items():
        for value in examples:
            assert score(**{name: value}).points[name] == points, value


@pytest.mark.parametrize(
    ("oxygen", "values"),
    [
        (False, {3: [70, 83], 2: [84, 85], 1: [86, 87], 0: [88, 92, 93, 96, 97, 100]}),
        (True, {3: [70, 83, 97, 100], 2: [84, 85, 95, 96], 1: [86, 87, 93, 94], 0: [88, 92]}),
    ],
)
def test_scale_2_depends_on_oxygen(oxygen: bool, values: dict[int, list[int]]) -> None:
    for points, examples in values.items():
        for value in examples:
            found = score(spo2=value, spo2_scale=2, supplemental_oxygen=oxygen).points
            assert found["spo2"] == points, value
            assert found["supplemental_oxygen"] == (2 if oxygen else 0)


@pytest.mark.parametrize(
    ("name", "value", "points"),
    [
        ("temperature", 38.05, 1), ("temperature", 38.04, 0), ("temperature", 35.05, 1),
        ("temperature", 39.05, 2), ("respiratory_rate", 20.5, 2), ("respiratory_rate", 8.49, 3),
        ("pulse", 90.5, 1), ("systolic", 219.5, 3), ("systolic", 110.4, 1), ("spo2", 95.5, 0),
    ],
)  # fmt: skip
def test_halves_are_rounded_away_from_zero_first(name: str, value: float, points: int) -> None:
    assert score(**{name: value}).points[name] == points


def test_bands() -> None:
    assert (score().total, score().band) == (0, Band.LOW)
    assert score(pulse=111, respiratory_rate=21).band is Band.LOW  # 4, no part of 3
    assert score(pulse=131).band is Band.LOW_MEDIUM
    assert score(pulse=131, spo2=95).band is Band.LOW_MEDIUM  # 4, a part of 3
    assert score(pulse=131, spo2=92).band is Band.MEDIUM  # 5
    assert score(pulse=131, consciousness="C").band is Band.MEDIUM  # 6
    assert score(pulse=131, consciousness="C", spo2=95).band is Band.HIGH  # 7


def test_what_is_missing_is_said_and_never_filled_in() -> None:
    home = score(respiratory_rate=None, consciousness=None, pulse=131)
    assert (home.total, home.band) == (3, Band.LOW_MEDIUM)
    assert home.missing == ("respiratory_rate", "consciousness")
    assert home.is_partial
    assert not score().is_partial
    nothing = score(**{name: None for name in NORMAL if name != "spo2_scale"})
    assert (nothing.total, len(nothing.missing)) == (0, 7)


def test_scale_2_above_its_target_is_not_scored_without_knowing_about_oxygen() -> None:
    assert score(spo2=97, spo2_scale=2, supplemental_oxygen=None).missing == ("spo2", "supplemental_oxygen")
    assert score(spo2=90, spo2_scale=2, supplemental_oxygen=None).missing == ("supplemental_oxygen",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("spo2", 101), ("spo2", -1), ("spo2", float("nan")), ("pulse", float("inf")), ("pulse", True),
        ("temperature", 98.6), ("systolic", 1200), ("respiratory_rate", -4), ("consciousness", "X"),
        ("consciousness", "a"), ("spo2_scale", 3), ("spo2_scale", 0), ("spo2_scale", True),
        ("supplemental_oxygen", "yes"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(name: str, value: object) -> None:
    with pytest.raises(BadInput, match=name):
        score(**{name: value})
