"""What is planned: as many as asked, in order, shaped as its profile says, nothing measured twice."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.clock import SECOND_US
from models.kinds import KINDS
from simulators.load.homes import homes_of
from simulators.load.readings import Readings, Writing, readings_in, readings_of
from simulators.load.schedule import (
    BURST_EVERY_US,
    BURST_US,
    KEPT_US,
    Planned,
    Profile,
    Wanted,
    What,
    backlog,
    merged,
    moments,
    peak_per_s,
    plan,
)

BEGIN_US = 1_795_332_680_000_000
SMALL = st.builds(
    Wanted,
    st.sampled_from(Profile),
    rate=st.floats(1.0, 400.0),
    seconds=st.floats(1.0, 20.0),
    seed=st.integers(0, 2**63 - 1),
    alarms_per_s=st.floats(0.0, 10.0),
    herd=st.integers(1, 50),
    backlog=st.integers(1, 2_000),
)


def chance(seed: int = 1) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=seed))


@given(SMALL, st.integers(10, 60))
def test_as_many_as_the_rate_says_in_order(wanted: Wanted, patients: int) -> None:
    homes = homes_of(3, patients)
    planned = plan(wanted, homes.ordinary, range(homes.ordinary, patients))
    at_the_rate = planned.what != What.KEPT
    assert at_the_rate.sum() == wanted.uploads
    assert (planned.what == What.ALARMING).sum() == min(wanted.alarms, patients - homes.ordinary)
    herd = min(wanted.herd, homes.ordinary) if wanted.profile is Profile.HERD else 0
    assert len(planned) == wanted.uploads + herd
    assert np.all(np.diff(planned.at_us) >= 0)
    assert planned.at_us[0] >= 0
    assert planned.at_us[-1] < wanted.seconds * SECOND_US + 2 * len(planned)


@given(SMALL, st.integers(10, 60))
def test_the_same_seed_plans_the_same(wanted: Wanted, patients: int) -> None:
    first, second = (plan(wanted, patients, ()) for _ in range(2))
    for name in Planned.__slots__:
        assert np.array_equal(getattr(first, name), getattr(second, name))


@given(SMALL, st.integers(10, 60))
def test_nothing_is_measured_twice(wanted: Wanted, patients: int) -> None:
    homes = homes_of(3, patients)
    planned = plan(wanted, homes.ordinary, range(homes.ordinary, patients))
    identities = identities_of(readings_of(planned, BEGIN_US))
    assert len(set(identities)) == len(identities) == readings_in(planned).sum()


@given(st.integers(1, 3_000), st.integers(10, 60))
def test_a_backlog_holds_what_was_asked_measured_before_within_hours(readings: int, patients: int) -> None:
    kept = backlog(Wanted(Profile.BACKLOG, 1.0, 1.0, 1, backlog=readings), patients)
    found = readings_of(kept, BEGIN_US)
    assert len(set(identities_of(found))) == len(found) == readings
    assert found.taken_at_us.min() >= BEGIN_US - KEPT_US - 2 * 60 * SECOND_US
    assert found.taken_at_us.max() < BEGIN_US
    # Of one patient, in the order in which it was measured.
    for patient in range(min(patients, 3)):
        assert np.all(np.diff(found.taken_at_us[found.patient == patient]) > 0)


def identities_of(readings: Readings) -> list[tuple[int, int, int]]:
    return list(
        zip(readings.patient.tolist(), readings.kind.tolist(), readings.taken_at_us.tolist(), strict=True)
    )


def test_a_morning_rises_to_twice_the_mean_and_falls() -> None:
    at_us = moments(Profile.MORNING, 60_000, 60 * SECOND_US, chance())
    by_sixth = np.bincount(at_us // (10 * SECOND_US), minlength=6)
    assert by_sixth[0] < by_sixth[1] < by_sixth[2]
    assert by_sixth[3] > by_sixth[4] > by_sixth[5]
    assert 1_800 < peak_per_s(at_us) < 2_200


def test_half_of_it_comes_in_bursts() -> None:
    at_us = moments(Profile.BURST, 10_000, 60 * SECOND_US, chance())
    in_bursts = (at_us % BURST_EVERY_US) < BURST_US
    assert 0.5 <= in_bursts.mean() < 0.53
    # As many moments as bursts, also where a run is shorter than the gap between them.
    short_us = moments(Profile.BURST, 900, 3 * SECOND_US, chance())
    assert Counter((short_us // SECOND_US).tolist()).keys() == {0, 1, 2}


def test_a_herd_comes_back_within_seconds_with_what_it_kept() -> None:
    wanted = Wanted(Profile.HERD, 100.0, 60.0, 7)
    planned = plan(wanted, 10_000, ())
    herd = planned.take(np.flatnonzero(planned.what == What.KEPT))
    assert len(np.unique(herd.patient)) == len(herd) == 10_000
    assert 20 * SECOND_US <= herd.at_us.min() <= herd.at_us.max() < 25 * SECOND_US
    assert readings_in(herd).tolist() == [6] * 10_000


@given(st.lists(st.lists(st.integers(0, 50)), min_size=1, max_size=4))
def test_merging_keeps_all_and_the_order_of_parts(parts: list[list[int]]) -> None:
    """As a plain sort of pairs: `turn` says of which part and place each was."""
    given_parts = [plain(sorted(part), number) for number, part in enumerate(parts)]
    whole = merged(given_parts)
    expected = sorted((at_us, number) for number, part in enumerate(parts) for at_us in part)
    assert list(zip(whole.at_us.tolist(), whole.turn.tolist(), strict=True)) == expected


def plain(at_us: list[int], turn: int) -> Planned:
    n = len(at_us)
    zeros: Any = np.zeros(n, np.int64)
    return Planned(
        at_us=np.array(at_us, np.int64),
        patient=np.zeros(n, np.int32),
        what=np.zeros(n, np.int8),
        turn=np.full(n, turn, np.int32),
        count=np.ones(n, np.int16),
        age_us=zeros,
        step_us=zeros,
    )


@pytest.mark.parametrize("profile", Profile)
def test_what_is_written_is_what_is_looked_for(profile: Profile) -> None:
    homes = homes_of(5, 40)
    wanted = Wanted(profile, 50.0, 3.0, 5, backlog=300)
    planned = plan(wanted, homes.ordinary, range(homes.ordinary, 40))
    planned = backlog(wanted, homes.ordinary) if profile is Profile.BACKLOG else planned
    readings = readings_of(planned, BEGIN_US)
    writing = Writing(homes, planned, BEGIN_US)
    written: list[dict[str, Any]] = [
        json.loads(message)
        for begin in range(0, len(planned), 7)
        for message in writing.for_the_log(begin, min(begin + 7, len(planned)))
    ]
    found = [
        (upload["patient_id"], one["kind"], one["taken_at_us"], one["value"])
        for upload in written
        for one in upload["readings"]
    ]
    assert found == [
        (homes.texts[patient], KINDS[kind].name, taken_at_us, value)
        for (patient, kind, taken_at_us), value in zip(
            identities_of(readings), readings.value.tolist(), strict=True
        )
    ]
    assert [upload["received_at_us"] for upload in written] == (BEGIN_US + planned.at_us).tolist()
    assert len({upload["upload_id"] for upload in written}) == len(planned)
    body = json.loads(Writing(homes, planned, BEGIN_US).for_the_gate(0, 1)[0])
    assert body["readings"] == written[0]["readings"]
    assert "received_at_us" not in body
