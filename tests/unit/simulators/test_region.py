"""The region: whom it has, who of them is followed, and that patients drawn from it are like it."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.insight.wijken import load_wijken
from simulators.patients import region
from simulators.patients.conditions import CONDITIONS
from simulators.patients.population import draw_population

PATIENTS = 20_000


def test_the_region_has_its_size() -> None:
    people = region.people()
    assert people.shape == (78, len(region.BANDS))
    assert people.sum() == region.PEOPLE == sum(people for people, _ in region.MUNICIPALITIES.values())
    assert sum(region.AGE_SHARES) == pytest.approx(1.0)
    assert (people > 0).all()


def test_wijken_are_those_that_the_service_knows() -> None:
    known = load_wijken()
    told = dict(zip(region.wijk_codes(), region.wijk_municipalities(), strict=True))
    assert told == {wijk: where for wijk, where in known.items() if wijk.startswith("wijk-")}


@given(scale=st.floats(0.001, 3.0))
def test_at_any_scale_all_are_somewhere(scale: float) -> None:
    people = region.people(scale)
    assert (people >= 0).all()
    # Each wijk is rounded by itself.
    assert abs(people.sum() - scale * region.PEOPLE) <= 39
    assert abs(region.patients(scale) - scale * region.patients()) <= 2


def test_patients_are_drawn_as_the_region_is() -> None:
    mix = region.region_mix()
    population = draw_population(3, PATIENTS, mix)
    total = sum(mix.shares.values())
    names = [condition.name for condition in CONDITIONS]
    for name, share in mix.shares.items():
        found = (population.condition == names.index(name)).mean()
        assert found == pytest.approx(share / total, abs=0.012)
    of_wijk = Counter(population.wijk)
    expected = dict(zip(region.wijk_codes(), region.wijk_people() / region.PEOPLE, strict=True))
    assert set(of_wijk) == set(expected)
    for wijk, share in expected.items():
        assert of_wijk[wijk] / PATIENTS == pytest.approx(share, abs=5 * (share / PATIENTS) ** 0.5)
    lies_in = dict(zip(region.wijk_codes(), region.wijk_municipalities(), strict=True))
    assert [lies_in[wijk] for wijk in population.wijk] == population.municipality
    assert population.language.count("en") / PATIENTS == pytest.approx(region.ENGLISH_SHARE, abs=0.01)


@pytest.mark.parametrize("name", sorted(region.PREVALENCES))
def test_ages_are_those_of_the_condition(name: str) -> None:
    population = draw_population(4, 5_000, region.Mix({name: 1.0}, {}))
    for share, (low, high) in zip(region.age_shares(name), region.BANDS, strict=True):
        within = (population.age >= low) & (population.age <= high)
        assert within.mean() == pytest.approx(share, abs=0.03)
    assert population.age.min() >= 18


def test_comorbidity_is_that_of_the_first_condition() -> None:
    population = draw_population(5, PATIENTS, region.region_mix())
    names = [condition.name for condition in CONDITIONS]
    for (one, other), chance in region.COMORBIDITY.items():
        first = population.condition == names.index(one)
        if first.sum() > 500:
            found = population.conditions[first, names.index(other)].mean()
            assert found == pytest.approx(chance, abs=0.05)
    several = population.conditions.sum(axis=1)
    assert several.min() == 1
    assert (several > 1).mean() > 0.1
    assert np.all(population.conditions[np.arange(PATIENTS), population.condition])


def test_every_condition_of_the_region_has_a_source_of_patients() -> None:
    assert set(region.PREVALENCES) == set(region.FOLLOWED)
    assert set(region.PREVALENCES) <= {condition.name for condition in CONDITIONS}
    assert all(len(bands) == len(region.BANDS) for bands in region.PREVALENCES.values())
    assert {name for pair in region.COMORBIDITY for name in pair} <= set(region.PREVALENCES)
