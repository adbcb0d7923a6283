"""Levels through the day and from day to day: rhythm, memory, meals; each programme finds its kinds."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import pytest
import yaml

from alerting.engine.programme_files import PACKAGED
from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.findings import Signal
from models.kinds import KIND_BY_NAME
from simulators.patients.bodies import BELIEVABLE, Bodies
from simulators.patients.calendar import midnight_us
from simulators.patients.condition import CHANNELS
from simulators.patients.conditions import CONDITION_NUMBERS, CONDITIONS
from simulators.patients.courses import Courses
from simulators.patients.population import Population, draw_population
from simulators.patients.region import COMORBIDITY, Mix
from tests import shipped

START = date(2026, 3, 2)
EVERYTHING = Mix({condition.name: 1.0 for condition in CONDITIONS}, COMORBIDITY)
Table = Any


def days_of(population: Population, days: int, rate: float = 0.0) -> Iterator[tuple[Bodies, int]]:
    courses = Courses(population, rate)
    bodies = Bodies(population, courses)
    for day in range(days):
        begin_us = midnight_us(START, day)
        courses.begin_day(day, begin_us, np.ones(len(population), np.bool_))
        bodies.next_day(day, begin_us)
        yield bodies, begin_us


def levels(bodies: Bodies, kind: str, at_us: int) -> Table:
    rows = np.arange(len(bodies.population))
    return bodies.level(kind, bodies.at(rows, np.full(len(rows), at_us)))


@pytest.mark.parametrize(
    ("kind", "low_hour", "high_hour", "by"),
    [
        ("systolic", 2, 14, 12.0),
        ("heart_rate", 2, 14, 10.0),
        ("temperature", 5, 17, 0.6),
        ("respiratory_rate", 2, 14, 2.0),
        ("body_weight", 7, 22, 1.0),
        ("peak_flow", 3, 15, 22.0),
    ],
)
def test_the_day_has_its_course(kind: str, low_hour: int, high_hour: int, by: float) -> None:
    (bodies, begin_us), *_ = days_of(draw_population(1, 300, EVERYTHING), 1)
    low, high = (levels(bodies, kind, begin_us + hour * HOUR_US).mean() for hour in (low_hour, high_hour))
    assert high - low == pytest.approx(by, rel=0.35)


@pytest.mark.parametrize("kind", ["systolic", "diastolic", "heart_rate", "temperature", "spo2", "peak_flow"])
def test_a_day_remembers_the_day_before(kind: str) -> None:
    population = draw_population(2, 400, EVERYTHING)
    days = np.array(
        [levels(bodies, kind, begin_us + 8 * HOUR_US) for bodies, begin_us in days_of(population, 40)]
    )
    away = days - days.mean(axis=0)
    correlation = (away[1:] * away[:-1]).mean() / (away * away).mean()
    assert correlation == pytest.approx(0.5, abs=0.08)


def test_a_meal_raises_glucose_and_only_an_event_makes_it_low() -> None:
    population = draw_population(3, 200, Mix({"diabetes": 1.0}, {}))
    courses = Courses(population, 3.0)
    bodies = Bodies(population, courses)
    rows, lowest, breakfast = np.arange(200), np.zeros(0), list[float]()
    for day in range(15):
        begin_us = midnight_us(START, day)
        courses.begin_day(day, begin_us, np.ones(200, np.bool_))
        bodies.next_day(day, begin_us)
        breakfast.append(
            levels(bodies, "glucose", begin_us + 570 * MINUTE_US).mean()
            - levels(bodies, "glucose", begin_us + 420 * MINUTE_US).mean()
        )
        for minute in range(0, 1440, 10):
            at = bodies.at(rows, np.full(200, begin_us + minute * MINUTE_US))
            low = bodies.level("glucose", at) < 3.9
            assert (at.moved("glucose")[low] < 0).all()
            lowest = np.append(lowest, bodies.level("glucose", at)[low])
    assert np.mean(breakfast) > 2
    assert len(lowest) > 100
    assert lowest.min() < 3.0


def test_a_label_of_a_low_is_a_low() -> None:
    population = draw_population(4, 300, Mix({"diabetes": 1.0}, {}))
    courses = Courses(population)
    bodies = Bodies(population, courses)
    seen = 0
    for day in range(6):
        begin_us = midnight_us(START, day)
        before = len(courses.labels)
        courses.begin_day(day, begin_us, np.ones(300, np.bool_))
        bodies.next_day(day, begin_us)
        for label in courses.labels[before:]:
            if label.kind == "hypoglycaemia" and label.worst_us < begin_us + DAY_US:
                row = population.patient_text.index(label.patient_id)
                at_us = np.array([label.onset_us - 1, label.worst_us])
                level = bodies.level("glucose", bodies.at(np.full(2, row), at_us))
                assert level[0] >= 3.9
                assert level[1] < 3.9
                seen += 1
    assert seen > 50


@pytest.mark.parametrize("kind", sorted(BELIEVABLE))
def test_what_is_read_is_believable(kind: str) -> None:
    population = draw_population(5, 300, EVERYTHING)
    chance = np.random.Generator(np.random.Philox(1))
    known = KIND_BY_NAME[kind]
    for bodies, begin_us in days_of(population, 10, rate=20.0):
        rows = np.arange(300)
        for hour in (3, 9, 21):
            read = bodies.reading(kind, bodies.at(rows, np.full(300, begin_us + hour * HOUR_US)), chance)
            assert known.low <= read.min()
            assert read.max() <= known.high
            assert not set(known.sentinels) & set(read.tolist()) - {0.0}


def test_the_lower_pressure_stays_below_the_upper() -> None:
    population = draw_population(6, 500, EVERYTHING)
    chance = np.random.Generator(np.random.Philox(2))
    for bodies, begin_us in days_of(population, 20, rate=20.0):
        upper, lower = bodies.pressures(bodies.at(np.arange(500), np.full(500, begin_us)), chance)
        assert (lower < upper).all()


def test_answers_are_of_the_closed_list_and_get_worse_with_the_patient() -> None:
    population = draw_population(7, 600, Mix({"copd": 1.0}, {}))
    chance = np.random.Generator(np.random.Philox(3))
    well, unwell = list[float](), list[float]()
    for bodies, begin_us in days_of(population, 60, rate=4.0):
        at = bodies.at(np.arange(600), np.full(600, begin_us + 9 * HOUR_US))
        said = bodies.answer("symptom_dyspnoea", at, chance)
        assert set(said.tolist()) <= {0, 1, 2, 3}
        worse = at.moved("symptom_dyspnoea") >= 1.5
        well += said[at.moved("symptom_dyspnoea") == 0].tolist()
        unwell += said[worse].tolist()
    assert np.mean(well) < 0.4
    assert min(unwell) >= 2


NEWS2 = (
    "respiratory_rate",
    "spo2",
    "supplemental_oxygen",
    "systolic",
    "heart_rate",
    "consciousness",
    "temperature",
)


def looked_at(programme: str) -> set[str]:
    """The kinds that a programme's rules name."""
    content = yaml.safe_load((PACKAGED / f"{programme}.yaml").read_text())
    conditions = " ".join(
        f"{rule['when']} {rule['clear']} {rule.get('raise', {}).get('when', '')}"
        for rule in content["rules"].values()
    )
    words = set(re.findall(r"\w+", conditions))
    return words & set(KIND_BY_NAME) | (set(NEWS2) if "news2" in words else set())


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.name)
def test_what_the_programme_looks_at_is_measured_by_somebody(condition: Any) -> None:
    population = draw_population(8, 500, Mix({condition.name: 1.0}, {}))
    heard = {name for at, name in enumerate(CHANNELS) if population.measures[:, at].any()}
    if "lung_function" in heard:
        heard |= {"peak_flow", "fev1"}
    if population.has_sensor.any():
        heard.add("glucose_cgm")
    if population.has_thermometer.any():
        # Told in the same round as breaths are counted.
        heard.add("supplemental_oxygen")
    assert looked_at(condition.programme) <= heard


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.name)
def test_each_event_speaks_of_signals_that_there_are(condition: Any) -> None:
    assert sum(event.share for event in condition.events) == pytest.approx(1.0)
    for event in condition.events:
        assert set(event.signals) <= {signal.value for signal in Signal if not signal.technical}


def test_conditions_are_known_by_name_and_number() -> None:
    assert [CONDITION_NUMBERS[condition.name] for condition in CONDITIONS] == list(range(len(CONDITIONS)))
    assert {condition.programme for condition in CONDITIONS} | {"devices"} == {
        one.programme for one in shipped.programmes()
    }
