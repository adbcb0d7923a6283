"""The benchmarks of the rule engine count what they say; how fast it is, is nobody's business here."""

import numpy as np
import pytest

from alerting.engine.programme_files import load_folder
from benchmarks.rules import backtest, engine, region, scaling
from benchmarks.rules.batches import Columns, arrivals, at_home, batched, by_the_minute, readings
from benchmarks.rules.ceilings import Ceilings
from benchmarks.rules.crowd import Crowd, crowd
from benchmarks.rules.peers import side_by_side
from benchmarks.rules.peers.compared import RULES, Outcome
from models.clock import DAY_US
from models.kinds import KIND_BY_NAME

pytestmark = pytest.mark.timeout(300)  # where nothing is compiled yet, and Esper has to be fetched
TINY = engine.Size(patients=60, streamed=4, days=9, stream_days=1, warm_days=3, live=2_000)


@pytest.fixture(scope="module")
def people() -> Crowd:
    return crowd(60)


def same(one: Columns, other: Columns) -> bool:
    """Whether two hold the same readings, whatever their order."""
    orders = [np.lexsort((x.taken_at_us, x.kind, x.patient)) for x in (one, other)]
    return all(
        np.array_equal(a[orders[0]], b[orders[1]], equal_nan=True) for a, b in zip(one, other, strict=True)
    )


def test_readings_are_the_same_however_they_are_asked_for(people: Crowd) -> None:
    who = engine.everybody(people)
    at_once = at_home(people, who, 0, 6)
    by_day = [at_home(people, who, day, 1) for day in range(6)]
    by_patient = [at_home(people, who[i : i + 7], 0, 6) for i in range(0, len(who), 7)]
    for parts in (by_day, by_patient):
        assert same(at_once, Columns(*map(np.concatenate, zip(*parts, strict=True))))
    minutes = [by_the_minute(who, 30, 90, by_patient=either) for either in (True, False)]
    assert same(*minutes)
    assert len(minutes[0].patient) == 60 * (3 * 90 + 18)


def test_people_measure_as_often_as_is_said_and_stay_plausible(people: Crowd) -> None:
    each_day = np.diff(people.starts)
    assert each_day.min() >= 1
    assert each_day.max() <= 10
    columns = at_home(people, engine.everybody(people), 0, 10)
    taken = np.stack([columns.patient, columns.kind, columns.taken_at_us])
    assert np.unique(taken, axis=1).shape == taken.shape
    assert 0.85 < len(columns.patient) / (10 * each_day.sum()) < 0.98
    batch = readings(columns)
    assert np.array_equal(np.isnan(batch.value), batch.code >= 0)


def test_systolic_is_always_above_diastolic() -> None:
    many = crowd(3_000, {"hypertension": 1.0})
    columns = at_home(many, engine.everybody(many), 0, 20)
    batch = readings(columns)
    at = batch.patient.astype(np.int64) * 10**12 + batch.taken_at_us // 10**6
    systolic, diastolic = (batch.kind == KIND_BY_NAME[name].number for name in ("systolic", "diastolic"))
    above = dict(zip(at[systolic].tolist(), batch.value[systolic].tolist(), strict=True))
    below = zip(at[diastolic].tolist(), batch.value[diastolic].tolist(), strict=True)
    assert all(above[moment] > value for moment, value in below)


def test_batches_come_in_the_order_of_arrival_and_lose_nothing(people: Crowd) -> None:
    columns = at_home(people, engine.everybody(people), 0, 5)
    received, received_us = arrivals(columns, late_share=0.2)
    batches = list(batched(received, received_us, 100))
    assert sum(len(batch) for batch, _ in batches) == len(columns.patient)
    clock = [now_us for _, now_us in batches]
    assert clock == sorted(clock)
    assert any((np.diff(batch.taken_at_us) < -DAY_US).any() for batch, _ in batches)


def test_live_and_replay_find_the_same(people: Crowd) -> None:
    end_us = engine.BEGIN_US + 9 * DAY_US
    replayed, lived = engine.Watch(), engine.Watch()
    one, other = engine.enrolled(people), engine.enrolled(people)
    for batch in engine.home_chunks(people, 0, 9):
        replayed.apply(one, batch, engine.NO_CLOCK)
    columns, received_us = arrivals(at_home(people, engine.everybody(people), 0, 9), late_share=0.05)
    for batch, now_us in batched(columns, received_us, 70):
        lived.apply(other, batch, min(now_us, end_us))
    for watch, of in ((replayed, one), (lived, other)):
        watch.apply(of, None, end_us)
    assert replayed.readings == lived.readings == len(columns.patient)
    assert replayed.findings == lived.findings > 0
    assert {k: v for k, v in replayed.found.items() if v} == {k: v for k, v in lived.found.items() if v}


def test_only_what_opens_while_it_is_timed_counts(people: Crowd) -> None:
    """Replays open some again from before; how many depends on when snapshots were made."""
    since_us = engine.BEGIN_US + 6 * DAY_US
    whole, timed, from_then_on = engine.Watch(), engine.Watch(since_us), engine.Watch()
    of = engine.enrolled(people)
    for batch in engine.home_chunks(people, 0, 6):
        whole.apply(of, batch, engine.NO_CLOCK)
    columns, received_us = arrivals(at_home(people, engine.everybody(people), 6, 3), late_share=0.2)
    for batch, now_us in batched(columns, received_us, 70):
        verdict = of.apply(batch, now_us)
        for watch in (whole, timed, from_then_on):
            watch.fold(verdict)
    opened_since = {p: {each for each in found if each[1] > since_us} for p, found in whole.found.items()}
    assert {p: found for p, found in timed.found.items() if found} == {
        p: found for p, found in opened_since.items() if found
    }
    assert from_then_on.findings > timed.findings > 0


def test_every_case_of_the_engine_is_measured() -> None:
    cases = list(engine.measure(TINY))
    assert len({case.case for case in cases}) == len(cases) == 6
    for case in cases:
        assert case.readings > 0
        assert case.walk_ns > 0
        assert case.bytes_per_patient > 0
        assert case.case in engine.line(case)
    in_all = next(case for case in cases if "all programmes" in case.case)
    assert in_all.findings >= cases[0].findings > 0
    assert [case.readings for case in cases if case.case.endswith("live")] == [TINY.live] * 3


def test_ceilings_walk_through_every_batch(people: Crowd) -> None:
    ceilings = Ceilings(len(people))
    for batch in engine.home_chunks(people, 0, 2):
        ceilings.measure(batch)
    assert ceilings.walked_s > 0
    assert ceilings.visited_s > 0


@pytest.mark.parametrize("mix", [scaling.AT_HOME, scaling.BY_THE_MINUTE], ids=lambda mix: mix.name)
def test_growth_is_measured_at_each_size(mix: scaling.Mix) -> None:
    found = list(scaling.measure(mix, [8, 4], days=3, wanted=500))
    assert [x.patients for x in found] == [4, 8]
    for x in found:
        assert isinstance(x, scaling.Grown)
        assert x.readings == 500
        assert 1 <= x.touched <= x.patients
        assert min(x.all_ns, x.few_ns, x.visit_ns, x.chase_ns, x.arrays_bytes) > 0
    assert len(scaling.comparison(found)) == 1


def test_what_there_is_no_room_for_is_said() -> None:
    (refused,) = scaling.measure(scaling.AT_HOME, [10**9], days=1, wanted=1)
    assert "not measured" in scaling.line(refused)


def test_a_region_is_evaluated_and_leaves_nothing_behind(tmp_path: region.Path) -> None:
    people = crowd(20)
    measured = region.measure(region.Size(patients=20, days=9), tmp_path)
    assert list(tmp_path.iterdir()) == []
    expected = at_home(people, engine.everybody(people), 0, 9)
    assert measured.readings == len(expected.patient)
    assert measured.findings == findings_of(people, 9)
    assert "findings" in region.text(measured)


def test_two_versions_are_tried_on_a_region_and_leave_nothing_behind(tmp_path: region.Path) -> None:
    measured = backtest.measure(region.Size(patients=20, days=9), tmp_path)
    assert list(tmp_path.iterdir()) == []
    people = crowd(20)
    assert measured.readings == len(at_home(people, engine.everybody(people), 0, 9).patient)
    assert min(measured.read_s, measured.evaluated_s, measured.tried_s, measured.resident_bytes) > 0
    assert "two versions" in backtest.text(measured)


def test_the_second_version_differs_in_every_programme() -> None:
    for programme in load_folder():
        assert backtest.higher(programme).hash != programme.hash


def findings_of(people: Crowd, days: int) -> int:
    """How many findings the engine has of the same readings, with the clock at the last of them."""
    watch, of = engine.Watch(), engine.enrolled(people)
    columns = at_home(people, engine.everybody(people), 0, days)
    watch.apply(of, readings(columns), int(columns.taken_at_us.max()))
    return watch.findings


def test_all_peers_find_the_same() -> None:
    size = side_by_side.Size(patients=60, days=60, twin=1, zen=5, esper=60)
    found = list(side_by_side.measure(size))
    outcomes = [x for x in found if isinstance(x, Outcome)]
    assert [x.peer for x in outcomes] == [x.peer for x in found], "each of them can run"
    assert len(outcomes) == 6
    ours = outcomes[0]
    assert (ours.opened.sum(axis=1) > 0).all(), RULES
    for x in outcomes:
        assert side_by_side.difference(x, ours) == "the same", x.peer
        assert x.readings > 0
