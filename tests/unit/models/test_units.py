"""Conversions are exact where they can be, and every trap seen in the field is one test."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.kinds import KIND_BY_NAME, KINDS
from models.units import (
    DIVIDE,
    MULTIPLY,
    OFFSET,
    UNIT_BY_SPELLING,
    UNITS,
    from_canonical,
    is_unit_of,
    to_canonical,
)

PAIRS = [(kind, unit) for kind in range(len(KINDS)) for unit in range(len(UNITS)) if is_unit_of(kind, unit)]


def canonical(kind: str, value: float, unit: str) -> float:
    number = np.array([KIND_BY_NAME[kind].number])
    return float(to_canonical(np.array([value]), number, np.array([UNIT_BY_SPELLING[unit]]))[0])


def is_plausible(kind: str, value: float) -> bool:
    limits = KIND_BY_NAME[kind]
    return (limits.low < value if limits.low_excluded else limits.low <= value) and value <= limits.high


def test_weight_in_grams() -> None:
    assert canonical("body_weight", 81400.0, "g") == 81.4
    # A sender who says kg and means grams is found out by the range.
    assert not is_plausible("body_weight", canonical("body_weight", 81400.0, "kg"))


def test_every_gram_is_the_kilogram_that_is_written() -> None:
    grams = np.arange(20_000, 300_001, dtype=np.float64)
    kind, unit = np.zeros(len(grams), np.int64), np.full(len(grams), UNIT_BY_SPELLING["g"])
    written = [float(Decimal(int(gram)) / 1000) for gram in grams]
    assert to_canonical(grams, kind, unit).tolist() == written


def test_breaths_and_beats_are_per_minute() -> None:
    spellings = ["{breaths}/min", "{Breaths}/min", "{beats}/min", "bpm", "/min", "1/min", "min-1"]
    assert {UNIT_BY_SPELLING[spelling] for spelling in spellings} == {UNIT_BY_SPELLING["/min"]}
    assert canonical("respiratory_rate", 16.0, "{breaths}/min") == 16.0


def test_both_micro_signs() -> None:
    micro_sign, greek_mu = "\u00b5mol/L", "\u03bcmol/L"
    assert UNIT_BY_SPELLING[micro_sign] == UNIT_BY_SPELLING[greek_mu] == UNIT_BY_SPELLING["umol/L"]
    assert canonical("glucose", 5500.0, micro_sign) == 5.5


def test_saturation_as_a_fraction() -> None:
    assert canonical("spo2", 0.97, "1") == 97.0
    assert canonical("spo2", 0.97, "{fraction}") == 97.0
    assert not is_plausible("spo2", canonical("spo2", 0.97, "%"))
    assert not is_plausible("spo2", canonical("spo2", 97.0, "1"))


@pytest.mark.parametrize("decimals", [2, 3])
def test_every_fraction_is_the_percentage_that_is_written(decimals: int) -> None:
    ones = 10**decimals
    fractions = [Decimal(part) / ones for part in range(ones // 2, ones + 1)]
    found = [canonical("spo2", float(fraction), "1") for fraction in fractions]
    assert found == [float(fraction * 100) for fraction in fractions]


def test_fahrenheit() -> None:
    assert canonical("temperature", 98.6, "[degF]") == pytest.approx(37.0, abs=1e-12)
    assert canonical("temperature", 212.0, "°F") == 100.0
    assert not is_plausible("temperature", canonical("temperature", 98.6, "Cel"))


def test_glucose_in_the_unit_of_others() -> None:
    assert canonical("glucose", 18.01559, "mg/dL") == 1.0
    assert canonical("glucose", 70.0, "mg/dL") == pytest.approx(3.8855, abs=1e-4)
    # 100 mg/dL called mmol/L is found out by the range; 45 is not, and has to be measured again.
    assert not is_plausible("glucose", canonical("glucose", 100.0, "mmol/L"))
    assert is_plausible("glucose", canonical("glucose", 45.0, "mmol/L"))


def test_the_other_units() -> None:
    assert canonical("systolic", 16.0, "kPa") == 16.0 * 7.500616827
    assert canonical("body_weight", 180.0, "[lb_av]") == 180.0 * 0.45359237
    assert canonical("body_weight", 180.0, "lb") == canonical("body_weight", 180.0, "lbs")
    assert canonical("peak_flow", 6.5, "L/s") == 390.0
    assert canonical("fev1", 2310.0, "mL") == 2.31
    assert canonical("steps", 4321.0, "1/d") == 4321.0


@pytest.mark.parametrize(
    "spelling", ["KG", "kilo", "stone", "mm", "", "mmol", "F", "C", "percent", "L/Min", "[LB_AV]", " kg"]
)
def test_unknown_spellings_are_not_guessed(spelling: str) -> None:
    assert UNIT_BY_SPELLING.get(spelling) is None


def test_a_kind_comes_in_its_own_units_only() -> None:
    assert np.isnan(canonical("body_weight", 80.0, "Cel"))
    assert np.isnan(canonical("pulse", 80.0, "%"))
    assert np.isnan(canonical("consciousness", 1.0, "1"))
    for table in (OFFSET, MULTIPLY):
        assert np.array_equal(np.isnan(table), np.isnan(DIVIDE))


def test_no_unit_is_no_value() -> None:
    none = np.array([-1])
    assert np.isnan(to_canonical(np.array([80.0]), np.array([0]), none)).all()
    assert np.isnan(from_canonical(np.array([80.0]), np.array([0]), none)).all()
    assert not is_unit_of(0, -1)


@given(value=st.floats(allow_nan=False, allow_infinity=False, width=64))
def test_the_canonical_unit_alters_nothing(value: float) -> None:
    for kind in KINDS:
        if kind.unit is not None:
            found = canonical(kind.name, value, kind.unit)
            assert np.float64(found).tobytes() == np.float64(value).tobytes()


@given(pair=st.sampled_from(PAIRS), value=st.floats(0.01, 1e6))
def test_there_and_back(pair: tuple[int, int], value: float) -> None:
    kind, unit = (np.array([number]) for number in pair)
    back = from_canonical(to_canonical(np.array([value]), kind, unit), kind, unit)
    assert back[0] == pytest.approx(value, rel=1e-12, abs=1e-12)


@given(pair=st.sampled_from(PAIRS), low=st.floats(-1e6, 1e6, width=32), high=st.floats(-1e6, 1e6, width=32))
def test_order_stays(pair: tuple[int, int], low: float, high: float) -> None:
    kind, unit = (np.array([number, number]) for number in pair)
    first, second = to_canonical(np.array(sorted([low, high])), kind, unit)
    assert first <= second
