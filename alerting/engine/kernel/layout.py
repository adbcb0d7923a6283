"""How programmes and patients lie in memory: the rows that the kernel reads and writes.

Plain data only. Times are microseconds since 1970 UTC; an index into an arena is a row number. A *series* is
what one feature looks at: a kind, or heart rate and pulse together; its number is that of its first kind.
"""

from typing import Any, NamedTuple

import numpy as np

from models.kinds import KINDS
from models.units import UNITS

Rows = Any
"""An array of structured rows of one of the types below; numpy's stubs know nothing of their fields."""

Column = Any
"""An array of numbers; within a kernel a pointer to the first of them, as `handing` says."""

NEVER = 9_000_000_000_000_000_000
MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
BIN_US = 15 * MINUTE_US
BINS_A_DAY = DAY_US // BIN_US

SNAPSHOTS = 3
"""How many earlier states of a patient's rules are kept, the oldest first, beside the newest."""

MOST_VALUES = 8
"""Comparisons of one condition, so that their values fit a transition."""

STACK = 64
"""Far more than the deepest condition needs."""

KIND_COUNT, UNIT_COUNT = len(KINDS), len(UNITS)
DAYS_IN_TABLE = 48_300
"""From 1970 to 2102: every time that a message may carry, and a month."""

MOST_SERIES = 64
MOST_RULES = 64
"""Of one version of a programme: a set of them fits 64 bits."""

# The bits of READING.tag, from the lowest. A packed reading has GATE and SUSPECT at the same places.
HAS = 1
"""Has a value: neither voided nor absent."""
OTHER = 2
"""Of the second kind of its series: a pulse."""
GATE_SHIFT = 2
GATE = 3 << GATE_SHIFT
"""What came of a jump: nothing to ask, or one of the statuses below."""
SUSPECT = 1 << 4
COUNTS = HAS | SUSPECT
"""A reading counts when of these two only the first is set."""
UNIT_SHIFT, UNIT_BITS = 5, 5
VOID = 1 << 10
REVISION_SHIFT, REVISION_BITS = 11, 31
DEVICE_SHIFT, DEVICE_BITS = 42, 22
MOST_DEVICES = 1 << DEVICE_BITS

SOURCES = 3
"""So many sources of a series are known by number: a source is a device, a unit, which of two kinds."""

NOTHING_ASKED, PENDING, CONFIRMED, UNANSWERED, SUSPECTED, WITHDRAWN = 0, 1, 2, 3, 4, 5
BY_JUMP, BY_LEVEL = 0, 1

PATIENT = np.dtype(
    [
        ("done_us", "i8"),  # time of the last event that was evaluated; −1 before the first
        ("latest_us", "i8"),  # latest taken_at of any reading, voided ones included
        ("again_us", "i8"),  # evaluate again from this time on; NEVER when there is no need
        ("gate_due_us", "i8"),  # when a jump is decided at the latest; NEVER when none waits
        ("named", "i8"),  # the series that are kept, as bits
        ("fresh", "i8"),  # the series that may have readings that were not evaluated yet, as bits
        ("series", "i8"),
        ("segments", "i8"),
        ("states", "i8"),
        ("schedules", "i8"),
        ("kept", "i8"),  # the states that snapshots keep
        ("kept_len", "i4", (SNAPSHOTS,)),  # of each snapshot
        ("kept_cap", "i4"),
        ("room_until", "i4"),  # up to the day before, its histories have room for a value each day
        ("series_cap", "i4"),
        ("segments_len", "i4"),
        ("segments_cap", "i4"),
        ("states_len", "i4"),
        ("states_cap", "i4"),
        ("schedules_len", "i4"),
        ("schedules_cap", "i4"),
        ("stale", "u1"),  # when something is due must be looked up again
        ("jumps", "u1"),  # jumps must be looked for
        ("often", "u1"),  # measures by the minute, hence snapshots for hours only
        ("snapshots", "u1"),  # how many there are
    ],
    align=True,
)

SERIES = np.dtype(
    [
        ("readings", "i8"),
        ("pending_us", "i8"),  # time of the reading that waits for a repeat; NEVER when none does
        ("readings_len", "i4"),
        ("readings_cap", "i4"),
        ("kept_hours", "i4"),  # how long readings are looked back at one by one
        ("history", "i4"),  # row of its bins and days; −1 where no rule wants them
        ("sources", "u4", (SOURCES,)),  # of packed readings, see `readings`; 0 where there is none
        ("number", "i4"),
    ],
    align=True,
)

READING = np.dtype([("taken_us", "i8"), ("value", "f8"), ("tag", "i8")])
"""A reading: `value` is as received, or the number of a code; `tag` holds what it is, see the bits above.

A block is sorted by time, device, kind, one reading for each identity: that of the revision that counts. It
holds them packed, in a word each (`kernel.readings`); what fits none lies in an arena of its own.
"""

HISTORY = np.dtype(
    [
        ("bins", "i8"),
        ("extremes", "i8"),  # of each bin its extremes, in the same order, where a rule wants them
        ("days", "i8"),
        ("bins_len", "i4"),
        ("bins_cap", "i4"),
        ("bins_most", "i4"),  # room is given no further
        ("bins_kept", "i4"),  # how many quarters of an hour are looked back at; 0: not by them
        ("binned", "i4"),  # all bins before this number are there
        ("extremes_cap", "i4"),
        ("days_first", "i4"),  # day number of the first of them
        ("days_len", "i4"),
        ("days_cap", "i4"),
        ("days_most", "i4"),  # room is given no further; 0: no days
        ("days_kept", "i4"),  # how many days are looked back at
        ("dense", "u1"),
        ("has_extremes", "u1"),
        ("cached_days", "i4", (2,)),  # baselines computed last: their length and gap,
        ("cached_gap", "i4", (2,)),
        ("cached_on", "i4", (2,)),  # the day that they hold for, −1 for none
        ("cached_mean", "f8", (2,)),
        ("cached_spread", "f8", (2,)),
    ],
    align=True,
)
"""What outlives single readings: quarters of an hour of a dense series, and one value for each day."""

BIN = np.dtype([("number", "i4"), ("n", "i4"), ("sum", "f8")], align=True)
"""**Units**: canonical; `number` counts quarters of an hour since 1970."""

EXTREMES = np.dtype([("low", "f8"), ("high", "f8"), ("last", "f8")], align=True)
"""Of a bin, for features that look at them. **Units**: canonical."""

SEGMENT = np.dtype(
    [
        ("from_us", "i8"),
        ("to_us", "i8"),
        ("enrolled_us", "i8"),
        ("limits", "i8"),
        ("version", "i4"),
        ("states", "i4"),  # of its programme, counted from the patient's first
        ("schedules", "i8"),  # counted from the patient's first
        (
            "due_us",
            "i8",
        ),  # when one of its rules is due without a reading; −1: look all three up
        ("awake", "i8"),  # rules that are not at rest, as bits: open, true so far, or counting
        ("likely", "i8"),  # rules of which the part that the rest waits for held when it was last looked at
    ],
    align=True,
)
"""A stretch of time in which nothing changes for one enrolment; sorted by programme, then time."""

SCHEDULE = np.dtype(
    [
        ("start_us", "i8"),
        ("before_min", "i4"),
        ("days", "i4"),
        ("asked_us", "i8"),  # after this time, as was asked last,
        ("next_us", "i8"),  # this is the next due moment
    ],
    align=True,
)
"""Due moments of a schedule in a segment; slots before `start_us` do not count, NEVER while paused."""

STATE = np.dtype(
    [
        ("since_us", "i8"),  # opened at, or while not open start of the unbroken run of trues; −1: none
        ("due_us", "i8"),
        ("bits", "u2"),  # the last evaluations by a reading, the newest lowest
        ("open", "u1"),
        ("raised", "u1"),
        ("severity", "u1"),  # of the open finding
        ("unconfirmed", "u1"),  # it opened or rose while a reading that it names was in doubt
        ("place", "u2"),  # in a snapshot: the place among the patient's states
    ],
    align=True,
)

VERSION = np.dtype(
    [
        ("rules", "i4"),  # its first rule
        ("rules_len", "i4"),
        ("rules_of_states", "i4"),  # where its list of rules by state begins
        ("states", "i4"),
        ("timed", "i8"),  # rules with deadlines, as bits
        ("always", "i8"),  # rules that no trigger speaks for
        ("leading", "i8"),  # rules of which one part alone is watched: without it the rest does not matter
        ("waking", "i8"),  # rules at rest whose deadline a reading puts off
    ],
    align=True,
)

NAMED = np.dtype(
    [
        ("rules", "i8"),  # that name the series, as bits
        ("spared", "i8"),  # of those that no trigger speaks for: at rest after a reading of this series
        ("settled", "i8"),  # of the leading ones: decided by this series alone
        ("spared_us", "i8"),  # how long after a reading the spared ones stay at rest at least
        ("triggers", "i4"),
        ("triggers_len", "i4"),
    ],
    align=True,
)
"""What a series is to a version of a programme."""

TRIGGER = np.dtype(
    [
        ("rules", "i8"),  # as bits
        ("atom", "i4"),  # with the series, the limit, the unit, the bounds
        ("how", "i4"),
    ],
    align=True,
)
"""What a new reading must be like for rules at rest to become true; see `kernel.triggers`."""

RULE = np.dtype(
    [
        ("series", "i8"),  # that it names, as bits
        ("held_us", "i8"),
        ("when", "i4"), ("when_len", "i4"),
        ("raised", "i4"), ("raised_len", "i4"),
        ("clear", "i4"), ("clear_len", "i4"),
        ("atoms", "i4"), ("atoms_len", "i4"),
        ("k", "i4"), ("n", "i4"),
        ("severity", "i4"), ("raised_severity", "i4"),
        ("state", "i4"),  # place of its state among those of its programme
        ("timed", "i4"),  # has an age or a missed, hence deadlines of its own
        ("when_atoms", "i4"),  # those whose deadlines matter while it is at rest
        ("counted", "i4"),  # mask of the evaluations that are remembered, for the version that looks at most
    ],
    align=True,
)  # fmt: skip

ATOM = np.dtype(
    [
        ("window_us", "i8"),
        ("max_age_us", "i8"),
        ("unit_us", "f8"),  # of a duration: the limit's unit
        ("factor", "f8"),  # smoothing of an EWMA, slack of a CUSUM
        ("feature", "i4"),
        ("series", "i4"),
        ("comparator", "i4"),
        ("limit", "i4"),
        ("unit", "i4"),
        ("place", "i4"),  # among the comparisons of its condition
        ("slot", "i4"),  # where its value is remembered for one moment; −1 where it is the enrolment's own
        ("schedule", "i4"),
        ("on", "i4"),  # what its window is looked at by: readings, bins, days
        ("low", "i4"), ("low_unit", "i4"), ("low_open", "i4"),  # bounds: limits, −1 for none
        ("high", "i4"), ("high_unit", "i4"), ("high_open", "i4"),
        ("target", "i4"), ("target_unit", "i4"), ("spread", "i4"),
        ("days", "i4"),  # length in days; of a MACD the longer one; of a baseline its own
        ("more", "i4"),  # the other number of days: shorter, learnt, gap, usual
        ("side", "i4"),
        ("relative", "i4"),  # a rise or fall in per cent
        ("duration", "i4"),  # its value is a time in microseconds
        ("timer", "i4"),  # its rule is due because of it: an age, or the first that asks for a schedule
        ("apart_us", "i8"),  # readings in a row are at most so far apart
    ],
    align=True,
)  # fmt: skip
"""A comparison of a feature with a limit."""

LIMIT = np.dtype([("value", "f8"), ("compared", "f8")])
"""A limit in its unit, and as it is compared: in millionths, or in microseconds for a duration."""

TRANSITION = np.dtype(
    [
        ("patient", "i4"),
        ("rule", "i4"),
        ("what", "i4"),
        ("severity", "i4"),
        ("opened_at_us", "i8"),
        ("at_us", "i8"),
        ("raised", "u1"),
        ("unconfirmed", "u1"),
        ("segment", "i4"),  # in which it happened, counted from the patient's first
        ("values", "f8", (MOST_VALUES,)),
        ("limits", "f8", (MOST_VALUES,)),
    ],
    align=True,
)

ASKED = np.dtype(
    [
        ("taken_us", "i8"),
        ("due_us", "i8"),
        ("value", "f8"),  # canonical
        ("former", "f8"),
        ("patient", "i4"),
        ("kind", "i4"),
        ("reason", "i4"),
        ("status", "i4"),
    ],
    align=True,
)
"""A reading that jumped, and what became of it."""


class Tables(NamedTuple):
    """Compiled programmes: what the kernel reads."""

    versions: Rows
    rules_of_states: (
        Column  # int32[states of all versions]: the number of a rule, −1 where a version lacks it
    )
    named: Rows  # [versions, series]
    triggers: Rows
    rules: Rows
    code: Column  # int32
    atoms: Rows
    units: Column  # float64[offset, multiply, divide; kinds; units]
    canonical: Column  # int64[kinds]: number of the canonical unit, −1 for codes
    days: Column  # int32[begins, ends; days since 1970]: Amsterdam's offset from UTC in seconds
    gate_share: Column  # float64[series]: a jump is more than this share of the former value; NaN: none
    gate_level: Column  # float64[series]: or above this while the former was not
    gate_wait_us: Column  # int64[series]: how long a repeat is waited for; 0: not gated
    slots: int


class Memory(NamedTuple):
    """Patients: what the kernel reads and writes."""

    patients: Rows
    due_us: Column  # int64[patients]: time of the next event that needs no reading
    series: Rows
    readings: Column  # int64: packed
    odd: Rows  # readings that cannot be packed
    histories: Rows
    bins: Rows
    extremes: Rows
    days: Column  # float64: daily values, NaN for none
    segments: Rows
    schedules: Rows
    states: Rows
    kept: Rows  # states that snapshots keep
    limits: Rows
    snapshot_us: Column  # int64[patients, SNAPSHOTS]: the state is right after everything up to here
    snapshot_mark_us: Column  # int64[patients, SNAPSHOTS]: and before the event here
    digests: Column  # uint64[devices]: the order of devices, the same everywhere
    used: Column  # int64[arenas of blocks, odd readings]: rows up to the end of the last block
    wasted: Column  # int64[the same]: rows between blocks
    room: Column  # int64[the same]
    free: Column  # int64[1]: the first row of `odd` that is free again, −1 for none
    longest: Column  # int64[1]: the most readings that a series ever had


class Scratch(NamedTuple):
    """Room for one call; nothing in it outlives the call."""

    ends: Column  # int64[MOST_SERIES]: one after the last reading of each series up to the moment
    stack: Column  # int64[STACK]: truths of a condition's parts while it is evaluated
    values: Column  # float64[2, MOST_VALUES]: its values and limits
    memo: Column  # float64[slots]: values of features at the moment
    memo_at: Column  # int64[slots]: the moment that they are of, counted
    some: Column  # float64[longest series]: values that are sorted
    others: Column  # float64[longest series]
    coming: Column  # int64[MOST_SERIES]: the series that have more readings,
    coming_us: Column  # int64[MOST_SERIES]: and the time of the next one of each
    moved: Column  # int64[MOST_SERIES]: the series that have a reading at the moment
    arrived: Column  # int64[MOST_SERIES]: its row; −1 where there are several
    out: Rows  # transitions
    asked: Rows  # jumps and what became of them
    out_room: int
    asked_room: int
