"""Nothing that is lost, altered, doubled or found without a reason passes."""

from dataclasses import replace
from random import Random
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.findings import Signal
from simulators.load.database import Found, Stored
from simulators.load.following import Positions
from simulators.load.homes import homes_of, signal_of
from simulators.load.readings import Readings
from simulators.load.schedule import Profile, Wanted, plan
from simulators.load.verifying import expected, match, wrong_findings, wrong_readings

HOMES = homes_of(1, 20)
ROWS = st.lists(
    st.tuples(st.integers(0, 19), st.sampled_from([1, 3]), st.integers(0, 9)), unique=True, max_size=60
)


def sent_of(rows: list[tuple[int, int, int]]) -> Readings:
    columns = np.array(rows, np.int64).reshape(-1, 3)
    return Readings(
        upload=np.arange(len(rows), dtype=np.int32),
        patient=columns[:, 0].astype(np.int32),
        kind=columns[:, 1].astype(np.int16),
        taken_at_us=columns[:, 2],
        value=np.arange(len(rows), dtype=np.float64),
    )


def stored_of(sent: Readings, rows: list[int]) -> Stored:
    at = np.array(rows, np.int64)
    return Stored(
        patient=sent.patient[at],
        kind=sent.kind[at],
        taken_at_us=sent.taken_at_us[at],
        value=sent.value[at].copy(),
        partition=np.zeros(len(at), np.int32),
        offset=at,
    )


@given(ROWS, st.randoms(use_true_random=False), st.data())
def test_what_is_missing_is_named(
    rows: list[tuple[int, int, int]], shuffle: Random, data: st.DataObject
) -> None:
    sent = sent_of(rows)
    kept = data.draw(st.lists(st.sampled_from(range(len(rows))), unique=True)) if rows else []
    shuffle.shuffle(kept)
    stored = stored_of(sent, kept)
    matched = match(sent, stored)
    # As a dictionary would.
    assert matched.missing.tolist() == sorted(set(range(len(rows))) - set(kept))
    assert [stored.offset[place] for place in matched.place if place >= 0] == sorted(kept)
    assert (matched.besides, matched.altered.tolist()) == (0, [])
    wrong = wrong_readings(sent, matched, HOMES, [])
    assert bool(wrong) == (len(kept) < len(rows))


def test_one_lost_reading_of_many_is_told_with_its_patient() -> None:
    sent = sent_of([(row % 20, 1, row) for row in range(1_000)])
    matched = match(sent, stored_of(sent, [row for row in range(1_000) if row != 537]))
    first, second = wrong_readings(sent, matched, HOMES, [])
    assert first == "1 of 1,000 readings that were sent are not stored:"
    assert HOMES.texts[17] in second


def test_altered_doubled_and_refused_readings_are_told() -> None:
    sent = sent_of([(row, 1, row) for row in range(20)])
    stored = stored_of(sent, list(range(20)))
    stored.value[3] += 0.1
    assert "1 of 20 readings are stored with another value:" in wrong_readings(
        sent, match(sent, stored), HOMES, []
    )
    doubled = stored_of(sent, [*range(20), 4])
    assert wrong_readings(sent, match(sent, doubled), HOMES, []) == [
        "1 readings are stored that nobody sent, or twice."
    ]
    whole = match(sent, stored_of(sent, list(range(20))))
    assert wrong_readings(sent, whole, HOMES, ["1 readings in quarantine"]) == ["1 readings in quarantine"]
    assert wrong_readings(sent, whole, HOMES, []) == []


def found_of(patient: int, signal: Signal) -> Found:
    return Found(UUID(int=patient), patient, signal, f"some/{signal}", 0)


def test_alarms_that_are_not_found_and_findings_without_one_are_told() -> None:
    alarmed = [16, 17]
    found = [found_of(row, signal_of(row)) for row in alarmed]
    assert wrong_findings(alarmed, found, alarmed, range(20), HOMES) == []
    assert HOMES.texts[17] in wrong_findings(alarmed, found[:1], alarmed, range(20), HOMES)[1]
    assert "no alert was announced" in wrong_findings(alarmed, found, [16], range(20), HOMES)[0]
    besides = [*found, found_of(3, Signal.FLUID), found_of(4, Signal.SILENCE)]
    told = wrong_findings(alarmed, besides, alarmed, range(20), HOMES)
    assert told[0] == "1 findings are of patients who sent nothing alarming:"
    assert HOMES.texts[3] in told[1]
    # Who sent nothing has findings of another time.
    assert wrong_findings(alarmed, besides, alarmed, [16, 17], HOMES) == []


def test_who_must_alarm_are_those_planned_to() -> None:
    planned = plan(Wanted(Profile.STEADY, 20.0, 2.0, 1, alarms_per_s=1.0), 16, [16, 17, 18])
    assert expected(planned) == [16, 17]
    assert expected(replace(planned, what=np.zeros_like(planned.what))) == []


@given(st.lists(st.integers(1, 5), min_size=1, max_size=20), st.integers(0, 60))
def test_an_offset_was_passed_when_the_next_one_was_first_seen_beyond(steps: list[int], offset: int) -> None:
    positions, seen, reached = Positions(), list[tuple[int, int]](), 0
    for at_us, step in enumerate(steps):
        reached += step
        positions.see(at_us, 0, reached)
        seen.append((at_us, reached))
    first = next((at_us for at_us, reached in seen if reached > offset), -1)
    assert positions.passed_us(np.zeros(1, np.int32), np.array([offset])).tolist() == [first]
    assert positions.passed_us(np.ones(1, np.int32), np.array([offset])).tolist() == [-1]
