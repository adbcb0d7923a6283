"""What people do: they fade, lapse, travel, and answer requests to measure again, in time, late, or never."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.clock import DAY_US, HOUR_US
from models.errors import RefuseToStart
from models.kinds import KIND_BY_NAME
from models.labels import About, Label
from simulators.devices.delivery import AT_ONCE
from simulators.devices.trouble import NO_TROUBLE
from simulators.devices.uploads import Content
from simulators.patients.bodies import Bodies
from simulators.patients.courses import Courses
from simulators.patients.habits import STEADY, Habits
from simulators.patients.measurers import Measurers
from simulators.patients.population import draw_population
from simulators.patients.sessions import LATE_MIN, LATEST_MIN, MORNING, Sessions
from simulators.scenarios.description import Description, People
from simulators.scenarios.files import load_scenario
from simulators.scenarios.scenario import Day, Scenario
from simulators.wire import Encoder
from tests import shipped
from tests.naive.engine_run import Run
from tests.unit.simulators.programmes import small_programmes

PROGRAMMES = {programme.programme: programme for programme in shipped.programmes()}
YEAR = 365
WEIGHT = KIND_BY_NAME["body_weight"].number


def scenario(
    people: Mapping[str, float], *, patients: int = 50, days: int = 35, seed: int = 5, **trouble: float
) -> Scenario:
    """Heart failure alone, where nothing goes wrong but what is said."""
    habits = {field.name: getattr(STEADY, field.name) for field in fields(Habits)}
    said = Description(
        about="Trial.",
        patients=patients,
        days=days,
        seed=seed,
        deteriorations=0,
        conditions={"heart_failure": 1.0},
        people=People(**{**habits, **people}),
        trouble={"times": 0.0, **trouble},
    )
    return Scenario.of(said, PROGRAMMES)


def test_over_a_year_everybody_measures_in_their_own_measure_though_some_fade() -> None:
    population = draw_population(3, 1_500)
    habits = replace(STEADY, fading=0.5)
    measurers = Measurers(population, habits, 0)
    chance = np.array([measurers.chance(day * DAY_US) for day in range(YEAR + 1)])
    np.testing.assert_allclose(chance.mean(axis=0), population.adherence, atol=1e-9)
    assert chance.min() >= 0
    assert chance.max() <= 1
    fading = chance[0] - chance[-1] > 1e-6
    assert fading.mean() == pytest.approx(0.5, abs=0.05)
    assert (np.diff(chance, axis=0)[:, fading] < 0).all()
    # In the first month and the last: what people do who began full of good intentions.
    drop = chance[:30].mean(axis=0) - chance[-30:].mean(axis=0)
    assert np.quantile(drop[fading], 0.9) > 0.3
    everybody = np.ones(len(population), np.bool_)
    likely = np.linspace(0, 1, len(population))
    np.testing.assert_array_equal(measurers.measuring(0, 0, everybody, likely), likely < measurers.chance(0))


def test_in_a_lapse_nothing_is_measured_and_it_has_its_label() -> None:
    lapsing = scenario({"lapses_per_year": 12.0})
    days = list(lapsing)
    labels = [label for label in lapsing.labels() if label.kind == "lapse"]
    assert len(labels) > 30
    assert {(label.about, label.signals) for label in labels} == {(About.PERSON, ("silence",))}
    assert measured_within(lapsing, days, labels) == 0


def test_who_travels_measures_nothing_and_some_say_so() -> None:
    travelling = scenario({"journeys_per_year": 12.0, "announced": 0.5})
    days = list(travelling)
    labels = [label for label in travelling.labels() if label.kind in ("journey", "pause")]
    kinds = Counter(label.kind for label in labels)
    assert min(kinds["journey"], kinds["pause"]) > 10
    assert measured_within(travelling, days, labels) == 0
    said = {
        (travelling.patient_texts[change.patient])
        for day in days
        for change in day.changes
        if "pause" in change.content
    }
    assert {label.patient_id for label in labels if label.kind == "pause"} == said


def measured_within(lived: Scenario, days: list[Day], labels: list[Label]) -> int:
    """How many readings were taken in the stretches that labels are about."""
    rows = {text: row for row, text in enumerate(lived.patient_texts)}
    patient = np.concatenate([np.repeat(day.uploads.patient, day.uploads.count) for day in days])
    taken_us = np.concatenate([day.uploads.lines.taken_at_us for day in days])
    return sum(
        int(
            (
                (patient == rows[label.patient_id]) & (taken_us >= label.onset_us) & (taken_us < label.end_us)
            ).sum()
        )
        for label in labels
    )


def test_some_mornings_become_afternoons() -> None:
    population = draw_population(3, 4_000)
    bodies = Bodies(population, Courses(population, 0.0))
    bodies.next_day(0, 0)
    everybody = np.ones(len(population), np.bool_)
    measured = Sessions(bodies, late=0.2).measure(0, 0, everybody)
    minute = measured.taken_at_us[measured.kind == WEIGHT] / 60_000_000
    late = minute >= LATE_MIN[0]
    assert late.mean() == pytest.approx(0.2, abs=0.03)
    assert minute[~late].max() <= LATEST_MIN[MORNING]
    assert minute.max() <= sum(LATE_MIN)


def asked(lived: Scenario) -> tuple[Counter[str], Counter[str]]:
    """What became of the requests that the real engine makes; of homes that send at once, and of others."""
    encoder, run = Encoder(lived, HOUR_US), Run(shipped.programmes())
    for day in lived:
        log: list[dict[str, Any]] = [json.loads(message.value) for message in encoder.day(day)]
        run.batch(log)
    at_once = {
        text
        for text, every in zip(lived.population.patient_text, lived.delivery.every, strict=True)
        if every == AT_ONCE
    }
    status = [(patient in at_once, request.status) for patient, request in run.standing_requests()]
    return (
        Counter(what for direct, what in status if direct),
        Counter(what for direct, what in status if not direct),
    )


@pytest.mark.parametrize(
    ("in_time", "late", "expected"),
    [(1.0, 0.0, {"suspect"}), (0.0, 1.0, {"unanswered"}), (0.0, 0.0, {"unanswered"})],
)
def test_what_the_engine_asks_is_answered_in_time_late_or_never(
    in_time: float, late: float, expected: set[str]
) -> None:
    """Somebody else's weight asks for a repeat; a repeat in time shows that it was somebody else's."""
    people = {"answers_in_time": in_time, "answers_late": late}
    direct, others = asked(scenario(people, someone_else=0.2))
    # Whoever comes back on the scale is asked as well: the weight that follows somebody else's jumps too, and
    # its repeat says that it is right. A near weight that is taken back days later leaves the engine with
    # another one to compare with than anybody had at the time: nobody could answer what is asked then.
    others_asked = sum(direct.values()) - sum(
        direct[status] for status in (*expected, "confirmed", "pending")
    )
    assert others_asked <= sum(direct.values()) / 20
    assert sum(direct[status] for status in expected) > 25
    assert others.keys() <= {"unanswered", "pending"}
    assert others["unanswered"] > 3


def test_late_answers_come_after_the_wait_and_raise_no_request_of_their_own() -> None:
    never, late = (
        sum(day.uploads.readings for day in scenario({"answers_late": share, "answers_in_time": 0.0},
            someone_else=0.2))
        for share in (0.0, 1.0)
    )  # fmt: skip
    assert late > never + 25


def test_when_nobody_does_anything_but_measure_nothing_is_labelled() -> None:
    steady = scenario({})
    assert steady.delivery.rates == NO_TROUBLE
    for _ in steady:
        pass
    assert steady.labels() == []


def sent(name: str, kind: str, **changes: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How many readings of a kind each patient of a scenario took, and how many days each was followed."""
    lived = Scenario.of(load_scenario(name).changed(**changes), PROGRAMMES)
    taken = np.zeros(len(lived.population))
    for day in lived:
        lines = day.uploads.lines
        first = (lines.kind == KIND_BY_NAME[kind].number) & (lines.content == Content.VALUE)
        first &= (lines.revision == 0) & (lines.patient < len(taken))
        taken += np.bincount(lines.patient[first], minlength=len(taken))
    follow_up = lived.follow_up
    followed_us = np.minimum(follow_up.ended_us, lived.end_us) - follow_up.registered_us
    return taken, np.maximum(followed_us, 0) / DAY_US


def test_with_all_that_people_do_as_many_measure_as_was_published() -> None:
    """e-Vita HF: 74 % send three weights a week or more. The Dutch cohort: 0.84 measurements a day."""
    weights, days = sent("heart_failure", "body_weight", patients=400, days=120, seed=3)
    assert (weights / days * 7 >= 3)[days > 30].mean() == pytest.approx(0.74, abs=0.05)
    pressures, days = sent("hypertension_fixed", "systolic", patients=300, days=90, seed=3)
    assert pressures.sum() / days.sum() == pytest.approx(0.84, abs=0.05)


def test_sensors_by_the_minute_may_stay_in_a_drawer() -> None:
    said = load_scenario("hospital_at_home").changed(patients=40, days=2, worn=0.0, conditions={
        "hospital_at_home": 0.5, "diabetes": 0.3, "frail_elderly": 0.2,
    })  # fmt: skip
    lived = Scenario.of(said, PROGRAMMES)
    kinds = Counter(int(kind) for day in lived for kind in day.uploads.lines.kind)
    assert kinds[KIND_BY_NAME["glucose_cgm"].number] == 0
    assert kinds[KIND_BY_NAME["glucose"].number] > 40
    assert kinds[KIND_BY_NAME["steps"].number] > 10
    assert max(kinds.values()) < 40 * 2 * 10
    assert lived.population.has_thermometer.sum() > 10


def test_without_the_programme_that_patients_are_in_nothing_starts() -> None:
    with pytest.raises(RefuseToStart, match=r"No programme is called copd, which patients .* are in"):
        Scenario.of(load_scenario("copd").changed(comorbidity={}), small_programmes())
