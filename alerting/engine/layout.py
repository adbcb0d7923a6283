"""How programmes and patients lie in memory: the rows that the kernel reads and writes.

Plain data only. Times are microseconds since 1970 UTC; an index into an arena is a row number.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = Any
"""An array of structured rows of one of the types below; numpy's stubs know nothing of their fields."""

SNAPSHOTS = 4
"""How many earlier states of a patient's rules are kept, beside the newest."""

MOST_VALUES = 8
"""Comparisons of one condition, so that their values fit a transition."""

STACK = 64
"""Far more than the deepest condition needs."""

PATIENT = np.dtype(
    [
        ("done_us", "i8"),  # time of the last event that was evaluated; −1 before the first
        ("due_us", "i8"),  # time of the next event that needs no reading
        ("latest_us", "i8"),  # latest taken_at of any reading, voided ones included
        ("again_us", "i8"),  # evaluate again from this time on; NEVER when there is no need
        ("readings", "i8"),
        ("readings_len", "i4"),
        ("readings_cap", "i4"),
        ("segments", "i8"),
        ("segments_len", "i4"),
        ("segments_cap", "i4"),
        ("states", "i8"),
        ("states_len", "i4"),
        ("states_cap", "i4"),
        ("schedules", "i8"),
        ("schedules_len", "i4"),
        ("schedules_cap", "i4"),
        ("stale", "u1"),  # due_us must be looked up again
        ("snapshots", "u1"),  # how many there are
        ("oldest", "u1"),  # where in the ring the oldest is
    ],
    align=True,
)

READING = np.dtype(
    [
        ("taken_us", "i8"),
        ("value", "f8"),  # as received, or the number of a code
        ("device", "u8"),  # digest: the order of devices, the same everywhere
        ("revision", "i4"),
        ("kind", "u1"),
        ("unit", "i1"),  # −1: none, nothing to convert
        ("counts", "u1"),  # has a value; 0: voided or absent
        ("void", "u1"),
    ],
    align=True,
)

SEGMENT = np.dtype(
    [
        ("from_us", "i8"),
        ("to_us", "i8"),
        ("version", "i4"),
        ("states", "i4"),  # of its programme, counted from the patient's first
        ("limits", "i8"),
        ("schedules", "i8"),  # counted from the patient's first
    ],
    align=True,
)
"""A stretch of time in which nothing changes for one enrolment; sorted by programme, then time."""

SCHEDULE = np.dtype([("start_us", "i8"), ("before_min", "i4"), ("days", "i4")], align=True)
"""Due moments of a schedule in a segment; slots before `start_us` do not count, NEVER while paused."""

STATE = np.dtype(
    [
        ("opened_us", "i8"),
        ("run_us", "i8"),  # start of the unbroken run of trues; −1: none
        ("due_us", "i8"),
        ("bits", "u4"),  # the last evaluations by a reading, the newest lowest
        ("open", "u1"),
        ("raised", "u1"),
        ("severity", "u1"),  # of the open finding
    ],
    align=True,
)

VERSION = np.dtype([("rules_of_states", "i4"), ("states", "i4"), ("limits", "i4"), ("schedules", "i4")])
"""A programme in a version; `rules_of_states` is where its list of rules by state begins."""

RULE = np.dtype(
    [
        ("kinds", "u8"),
        ("held_us", "i8"),
        ("when", "i4"), ("when_len", "i4"),
        ("raised", "i4"), ("raised_len", "i4"),
        ("clear", "i4"), ("clear_len", "i4"),
        ("atoms", "i4"), ("atoms_len", "i4"),
        ("k", "i4"), ("n", "i4"),
        ("severity", "i4"), ("raised_severity", "i4"),
        ("timed", "i4"),  # has an age or a missed, hence deadlines of its own
    ],
    align=True,
)  # fmt: skip

ATOM = np.dtype(
    [
        ("kinds", "u8"),
        ("window_us", "i8"),
        ("max_age_us", "i8"),
        ("limit", "i4"),
        ("schedule", "i4"),
        ("unit", "i4"),
        ("feature", "i4"),
        ("comparator", "i4"),
        ("place", "i4"),  # among the comparisons of its condition
        ("unit_us", "f8"),  # of an age: the limit's unit
    ],
    align=True,
)
"""A comparison of a feature with a limit."""

LIMIT = np.dtype([("value", "f8"), ("compared", "f8")])
"""A limit in its unit, and as it is compared: in millionths, or in microseconds for an age."""

TRANSITION = np.dtype(
    [
        ("patient", "i4"),
        ("rule", "i4"),
        ("what", "i4"),
        ("severity", "i4"),
        ("opened_at_us", "i8"),
        ("at_us", "i8"),
        ("raised", "u1"),
        ("values", "f8", (MOST_VALUES,)),
        ("limits", "f8", (MOST_VALUES,)),
    ],
    align=True,
)


class Tables(NamedTuple):
    """Compiled programmes: what the kernel reads."""

    versions: Rows
    rules_of_states: Any  # [states of all versions] int32: the number of a rule, −1 where a version lacks it
    rules: Rows
    code: NDArray[np.int32]
    atoms: Rows
    units: NDArray[np.float64]  # [offset, multiply, divide; kinds; units]
    kept_us: NDArray[np.int64]  # how long readings of a kind are looked back at; −1: no rule names the kind
    days: NDArray[np.int32]  # [begins, ends; days since 1970]: Amsterdam's offset from UTC in seconds


class Memory(NamedTuple):
    """Patients: what the kernel reads and writes."""

    patients: Rows
    readings: Rows
    segments: Rows
    schedules: Rows
    states: Rows
    limits: Rows
    snapshot_us: NDArray[np.int64]  # [patients, SNAPSHOTS]: the state is right after everything up to here
    snapshot_mark_us: NDArray[np.int64]  # [patients, SNAPSHOTS]: and before the event here
    free: NDArray[np.int64]  # first free block of readings by the binary logarithm of its size; −1: none
    used: NDArray[np.int64]  # [1]: rows of the arena of readings in use
    stack: NDArray[np.int64]  # [STACK]: truths of a condition's parts while it is evaluated
    values: NDArray[np.float64]  # [2, MOST_VALUES]: its values and limits
