"""Events walk through their machines as declared, add up, and are labelled for what can be seen of them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.clock import DAY_US, MINUTE_US
from models.errors import BadInput
from simulators.patients.bodies import Bodies
from simulators.patients.condition import CHANNELS, Effect, Event, Phase, Range, State
from simulators.patients.conditions import CONDITIONS
from simulators.patients.courses import NEVER_US, Courses
from simulators.patients.labelling import ANSWER, VISIBLE, VISIBLE_LEVEL, YES, YES_OR_NO
from simulators.patients.machine import STATES, usual
from simulators.patients.parameters import GROUPS, PARAMETERS, varied
from simulators.patients.population import Population, draw_population
from simulators.patients.region import COMORBIDITY, Mix

BEGIN_US = 1_772_400_000_000_000
EVERYTHING = Mix({condition.name: 1.0 for condition in CONDITIONS}, COMORBIDITY)
FAILING = Mix({"heart_failure": 1.0}, {})
ALL_EVENTS = [event for condition in CONDITIONS for event in condition.events]
EVENT_BY_NAME = {event.name: event for event in ALL_EVENTS}


def lived(population: Population, days: int, rate: float = 1.0) -> Courses:
    courses = Courses(population, rate)
    for day in range(days):
        courses.begin_day(day, BEGIN_US + day * DAY_US, np.ones(len(population), np.bool_))
    return courses


def own(name: str, days: float = 10, hold_days: float = 2, **effect: float) -> Event:
    """An event of which everything is known beforehand."""
    return Event(
        name=name,
        share=1.0,
        phases={
            State.DETERIORATING: Phase(
                Range(days, days), {State.RECOVERING: 1.0}, hold_days=Range(hold_days, hold_days)
            ),
            State.RECOVERING: Phase(Range(4, 4), {State.STABLE: 1.0}),
        },
        effect=Effect(**{channel: Range(by, by) for channel, by in effect.items()}),
        signals=("deterioration",),
    )


def moved(courses: Courses, row: int, at_us: int, channel: str) -> float:
    bodies = Bodies(courses.population, courses)
    return float(bodies.at(np.array([row]), np.array([at_us])).moved(channel)[0])


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.name)
def test_states_follow_each_other_as_declared(condition: Any) -> None:
    population = draw_population(3, 150, Mix({condition.name: 1.0}, {}))
    number = CONDITIONS.index(condition)
    courses = Courses(population, 30 / condition.events_per_year)
    declared: set[tuple[State, State]] = {(State.STABLE, State.DETERIORATING)}
    for event in condition.events:
        for state, phase in event.phases.items():
            declared |= {(state, after) for after, share in phase.then.items() if share}
    steps = set[tuple[State, State]]()
    before = courses.states(BEGIN_US)[:, number]
    for day in range(60):
        courses.begin_day(day, BEGIN_US + day * DAY_US, np.ones(150, np.bool_))
        for minute in range(0, 1440, 30):
            now = courses.states(BEGIN_US + day * DAY_US + minute * MINUTE_US)[:, number]
            for row in np.flatnonzero(now != before):
                steps.add((STATES[int(before[row])], STATES[int(now[row])]))
            before = now
    # Within half an hour somebody may pass through more than one state.
    for one, other in steps - declared:
        assert any((one, middle) in declared for middle in STATES if (middle, other) in declared | steps)
    assert declared & steps >= {(State.STABLE, State.DETERIORATING), (State.RECOVERING, State.STABLE)}
    assert {State.DETERIORATING, State.TREATED, State.RECOVERING} <= {state for _, state in steps}


@pytest.mark.parametrize("event", ALL_EVENTS, ids=lambda event: event.name)
def test_machines_are_complete(event: Event) -> None:
    assert State.DETERIORATING in event.phases
    for phase in event.phases.values():
        assert sum(phase.then.values()) == pytest.approx(1.0)
        assert set(phase.then) <= {*event.phases, State.STABLE}
    assert event.phases[State.RECOVERING].then == {State.STABLE: 1.0}


def test_treatment_and_admission_have_their_shares() -> None:
    courses = lived(draw_population(5, 3_000, Mix({"heart_failure": 1.0}, {})), 300)
    labels = [label for label in courses.labels if label.kind == "fluid_overload"]
    machine = EVENT_BY_NAME["fluid_overload"].phases
    first, then = machine[State.DETERIORATING].then, machine[State.TREATED].then
    expected = first[State.ADMITTED] + first[State.TREATED] * then[State.ADMITTED]
    assert np.mean([label.admitted for label in labels]) == pytest.approx(expected, abs=0.05)


def test_who_is_treated_turns_sooner() -> None:
    population = draw_population(5, 2_000, Mix({"heart_failure": 1.0}, {}))
    usually, never = (
        lived(replace(population, parameters=varied(PARAMETERS, {"treatment": factor})), 200)
        for factor in (2.5, 0.1)
    )

    def days(courses: Courses) -> float:
        return float(np.mean([(one.end_us - one.onset_us) / DAY_US for one in courses.labels]))

    assert days(usually) < days(never) - 0.5


@given(seed=st.integers(1, 10_000), condition=st.sampled_from(CONDITIONS))
@settings(max_examples=60, deadline=None)
def test_severity_rises_and_falls_without_a_jump(seed: int, condition: Any) -> None:
    population = draw_population(seed, 12, Mix({condition.name: 1.0}, {}))
    events = list(condition.events)
    courses = Courses(population)
    planted = courses.plant(range(12), events[seed % len(events)], [BEGIN_US] * 12)
    for row, label in enumerate(courses.labels):
        at_us = np.linspace(label.onset_us - DAY_US, label.end_us + DAY_US, 6_001).astype(np.int64)
        pulls = courses.pull(np.full(len(at_us), row), at_us)
        severity = pulls[0].severity
        assert severity.min() >= 0
        assert severity.max() <= 1
        assert not severity[(at_us <= label.onset_us) | (at_us >= label.end_us)].any()
        # The fastest rise lasts 0.02 days, and is twice as fast at its end as on average.
        step = 101 * (at_us[1] - at_us[0]) / DAY_US
        assert np.abs(np.diff(severity)).max() < step
        assert severity[np.searchsorted(at_us, label.worst_us)] > severity.max() - step
        if label.admitted:
            assert label.onset_us < planted.admitted_us[row] < planted.discharged_us[row] < label.end_us
        else:
            assert planted.admitted_us[row] == NEVER_US


def visible(population: Population, courses: Courses, row: int, at_us: int) -> bool:
    """Slow twin of what the labels compute: whether anything measured shows it at a moment."""
    at = Bodies(population, courses).at(np.array([row]), np.array([at_us]))
    for channel, name in enumerate(CHANNELS):
        if not population.measures[row, channel]:
            continue
        by = float(at.moved(name)[0])
        if name in VISIBLE_LEVEL:
            low, high = VISIBLE_LEVEL[name]
            level = float(usual(population, name, np.array([row]))[0]) + by
            seen = (by < 0 and level <= low) or (by > 0 and level >= high)
        else:
            low, high = VISIBLE.get(name, (-np.inf, YES if name in YES_OR_NO else ANSWER))
            seen = by <= low or by >= high
        if seen:
            return True
    return False


@given(seed=st.integers(1, 10_000), event=st.sampled_from(ALL_EVENTS))
@settings(max_examples=60, deadline=None)
def test_detectable_is_the_first_moment_that_shows_anything(seed: int, event: Event) -> None:
    of = next(condition for condition in CONDITIONS if event in condition.events)
    population = draw_population(seed, 3, Mix({of.name: 1.0}, {}))
    courses = Courses(population)
    courses.plant([1], event, [BEGIN_US])
    (label,) = courses.labels
    moments = np.linspace(label.onset_us, label.end_us, 400).astype(np.int64).tolist()
    if label.detectable_at_us is None:
        assert not any(visible(population, courses, 1, at_us) for at_us in moments)
        return
    # A second on either side: microseconds were cut off.
    assert visible(population, courses, 1, label.detectable_at_us + 1_000_000)
    before = [at_us for at_us in moments if at_us < label.detectable_at_us - 1_000_000]
    assert not any(visible(population, courses, 1, at_us) for at_us in before)


def test_events_of_one_patient_add_up() -> None:
    population = draw_population(1, 4)
    gain, fever = own("gain", body_weight=3.0, heart_rate=5.0), own("warm", 4, temperature=2.0)
    alone = [Courses(population), Courses(population)]
    alone[0].plant([2], gain, [BEGIN_US])
    alone[1].plant([2], fever, [BEGIN_US + 6 * DAY_US])
    both = Courses(population)
    both.plant([2], gain, [BEGIN_US])
    both.plant([2], fever, [BEGIN_US + 6 * DAY_US])
    at_us = BEGIN_US + 9 * DAY_US
    for channel in ("body_weight", "heart_rate", "temperature", "respiratory_rate", "spo2"):
        apart = sum(moved(courses, 2, at_us, channel) for courses in alone)
        assert moved(both, 2, at_us, channel) == pytest.approx(apart)
        assert moved(both, 1, at_us, channel) == 0
    assert [label.kind for label in both.labels] == ["gain", "warm"]


def test_one_thing_brings_another() -> None:
    population = draw_population(1, 2)
    courses = Courses(population)
    courses.plant([0], own("warm", temperature=2.0), [BEGIN_US])
    courses.plant([1], own("water", body_weight=4.0), [BEGIN_US])
    at_us = BEGIN_US + 11 * DAY_US
    assert moved(courses, 0, at_us, "heart_rate") == pytest.approx(18)
    assert moved(courses, 0, at_us, "respiratory_rate") == pytest.approx(4)
    assert moved(courses, 1, at_us, "spo2") == pytest.approx(-1.2)
    assert moved(courses, 1, at_us, "symptom_oedema") == pytest.approx(1.0)


def test_conditions_come_together_and_each_has_its_own_events() -> None:
    mix = Mix({"heart_failure": 1.0}, {("heart_failure", "copd"): 0.4, ("heart_failure", "diabetes"): 0.3})
    population = draw_population(8, 2_000, mix)
    names = [condition.name for condition in CONDITIONS]
    with_copd = population.conditions[:, names.index("copd")]
    assert with_copd.mean() == pytest.approx(0.4, abs=0.04)
    assert population.conditions[:, names.index("diabetes")].mean() == pytest.approx(0.3, abs=0.04)
    assert (population.condition == 0).all()
    # The lungs of who has both are those of COPD, the scale is that of heart failure.
    assert population.spo2[with_copd].mean() < population.spo2[~with_copd].mean() - 1
    assert population.has_scale[with_copd].all()
    courses = lived(population, 120)
    rows = {text: row for row, text in enumerate(population.patient_text)}
    lungs = [rows[label.patient_id] for label in courses.labels if label.kind.startswith("exacerbation")]
    assert len(lungs) > 100
    assert with_copd[lungs].all()
    # Some have both at once.
    busy = Counter(map(int, courses.states(BEGIN_US + 120 * DAY_US).astype(bool).sum(axis=1)))
    assert busy[2] > 0


def test_after_an_event_comes_a_rest() -> None:
    population = draw_population(2, 300, Mix({"copd": 1.0}, {}))
    courses = lived(population, 300, rate=20)
    ends: dict[str, int] = {}
    for label in sorted(courses.labels, key=lambda label: label.onset_us):
        if label.patient_id in ends:
            assert label.onset_us >= ends[label.patient_id] + 30 * DAY_US
        ends[label.patient_id] = label.end_us
    assert len(courses.labels) > 2 * len(ends)


def test_without_what_measures_it_nothing_is_detectable() -> None:
    population = draw_population(4, 400, Mix({"heart_failure": 1.0}, {}))
    blind = replace(population, measures=np.zeros_like(population.measures))
    assert {label.detectable_at_us for label in lived(blind, 200).labels} == {None}


def test_the_same_again_and_the_first_the_same_among_more() -> None:
    few, many = (lived(draw_population(9, n, EVENTS_OFTEN), 30) for n in (70, 70))
    assert few.labels == many.labels
    more = draw_population(9, 140, EVENTS_OFTEN)
    first = draw_population(9, 70, EVENTS_OFTEN)
    assert more.patient_text[:70] == first.patient_text
    for name in ("weight", "spo2", "glucose", "age", "adherence", "complains"):
        assert (getattr(more, name)[:70] == getattr(first, name)).all()
    assert more.wijk[:70] == first.wijk


EVENTS_OFTEN = Mix({"diabetes": 0.5, "hospital_at_home": 0.5}, {})


def test_labels_that_do_not_reach_their_worst_are_cut_off() -> None:
    courses = lived(draw_population(6, 500, EVERYTHING), 40)
    until_us = BEGIN_US + 20 * DAY_US
    labels = courses.labels_until(until_us)
    assert all(label.onset_us < until_us for label in labels)
    assert {label.cut_off for label in labels} == {True, False}
    assert all(label.cut_off == (label.worst_us >= until_us) for label in labels)


def scatter(population: Population) -> float:
    bodies = Bodies(population, Courses(population, 0.0))
    rows = np.arange(len(population))
    days: list[Any] = []
    for day in range(20):
        bodies.next_day(day, BEGIN_US + day * DAY_US)
        days.append(bodies.level("systolic", bodies.at(rows, np.full(len(rows), BEGIN_US + day * DAY_US))))
    return float(np.array(days).std(axis=0).mean())


def length(population: Population) -> float:
    return float(np.mean([one.end_us - one.onset_us for one in lived(population, 60).labels]))


def detectable(population: Population) -> float:
    return float(np.mean([one.detectable_at_us is not None for one in lived(population, 60).labels]))


MORE: dict[str, Callable[[Population], float]] = {
    # what is more when a group is multiplied
    "rates": lambda population: len(lived(population, 60).labels),
    "lengths": length,
    "effects": detectable,
    "noise": scatter,
    "wandering": lambda population: float(population.weight_wander.mean()),
    "spread": lambda population: float(population.weight.std()),
    "adherence": lambda population: float(population.adherence.mean()),
    "bias": lambda population: float(np.abs(population.cuff_bias).mean()),
    "treatment": lambda population: -length(population),
}


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_can_be_varied(group: str) -> None:
    less, more = (
        MORE[group](
            draw_population(7, 1_500, Mix({"heart_failure": 1.0}, {}), varied(PARAMETERS, {group: by}))
        )
        for by in (0.7, 1.3)
    )
    assert less < more


@pytest.mark.parametrize("bad", [{"luck": 1.0}, {"rates": 0.0}, {"rates": 11.0}])
def test_what_cannot_be_varied_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(BadInput, match=r"vary\."):
        varied(PARAMETERS, bad)
