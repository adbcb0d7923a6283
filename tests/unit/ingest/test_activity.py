"""What a batch says of the sources that its readings came from."""

from dataclasses import replace
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.activity import Activities
from models.clock import HOUR_US, MINUTE_US
from models.sources import HOURS_KEPT, Activity
from tests.rows import Row, readings

HOUR = 500_000
START_US = HOUR * HOUR_US


def row(patient: int, source: str, received_at_us: int) -> Row:
    return Row(0, patient_id=UUID(int=patient), source=source, received_at_us=received_at_us)


def test_patients_of_an_hour_are_counted_once_over_several_batches() -> None:
    activities = Activities()
    first = readings([row(1, "a", START_US), row(1, "a", START_US + 1), row(2, "b", START_US + 2)])
    again = readings([row(1, "a", START_US + 3), row(2, "a", START_US + 9)])
    assert activities.note(first, None) == [
        Activity("a", HOUR, 1, START_US + 1),
        Activity("b", HOUR, 1, START_US + 2),
    ]
    assert activities.note(again, None) == [Activity("a", HOUR, 2, START_US + 9)]
    later = readings([row(1, "a", START_US + 3 * HOUR_US)])
    assert activities.note(later, None) == [Activity("a", HOUR + 3, 1, START_US + 3 * HOUR_US)]


def test_a_receipt_ahead_of_the_clock_counts_as_now() -> None:
    ahead = readings([row(1, "a", START_US + 50 * HOUR_US)])
    (noted,) = Activities().note(ahead, START_US)
    assert noted == Activity("a", HOUR, 1, START_US + MINUTE_US)


def test_of_many_hours_only_those_that_are_kept_are_told() -> None:
    received = [row(1, "a", START_US + n * 7 * HOUR_US) for n in range(60)]
    noted = Activities().note(readings(received), None)
    hours = [activity.hour for activity in noted]
    assert max(hours) == HOUR + 59 * 7
    assert len({hour % HOURS_KEPT for hour in hours}) == len(hours)


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from("abc"), st.integers(0, 2 * HOUR_US - 1)), max_size=30
    ),
    st.integers(1, 30),
)
def test_within_two_hours_it_does_not_matter_how_batches_are_cut(
    received: list[tuple[int, str, int]], size: int
) -> None:
    activities, told = Activities(), dict[tuple[str, int], int]()
    for first in range(0, len(received), size):
        batch = received[first : first + size]
        columns = readings([row(patient, source, START_US + at_us) for patient, source, at_us in batch])
        # The rows of the partition, not of the batch.
        columns = replace(columns, patient=np.array([patient for patient, _, _ in batch], np.int32))
        for activity in activities.note(columns, None):
            told[activity.source, activity.hour] = activity.patients
    patients: dict[tuple[str, int], set[int]] = {}
    for patient, source, at_us in received:
        patients.setdefault((source, HOUR + at_us // HOUR_US), set()).add(patient)
    assert told == {key: len(found) for key, found in patients.items()}
