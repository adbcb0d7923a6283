"""Findings as lines of JSON, compiled: a year of a region has millions, and other threads wait meanwhile."""
# ruff: noqa: PLR0915 (a writer reads as the line that it writes)

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alerting.offline.sha1 import digest
from alerting.offline.texts import Block, Bytes, block
from models.clock import DAY_US

MARKS = block(
    (
        '{"id":"', '","patient_id":', ',"severity":"', '","opened_at":', ',"cleared_at":', ',"raised_at":',
        ',"unconfirmed":', ',"values":{', '},"limits":{', '},"raised_values":{', "}}\n",
        "null", "true", "false",
    )
)  # fmt: skip
ID, PATIENT, SEVERITY, OPENED, CLEARED, RAISED, UNCONFIRMED, VALUES, LIMITS, RAISED_VALUES, END = range(11)
NULL, TRUE, FALSE = range(11, 14)

NEVER = -1
LONGEST_REST = 420
"""Bytes of a line beside its texts and numbers: the marks, an id, three times, a severity."""

_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_DASHES = (4, 6, 8, 10)
_LONGEST_NAME = 1_024


class Labels(NamedTuple):
    """What stands in front of values, with the place of each.

    Of rule r and list l (0 values, 1 limits, 2 raised values) there are `first[r, l]` … `first[r, l + 1]`.
    """

    first: NDArray[np.int64]
    place: NDArray[np.int64]
    text: Block


class Findings(NamedTuple):
    """Findings in the order in which they are written. **Shape**: [n]; the values [n, places].

    `raised_by` is the rule that raised a finding, NEVER where none did. **Units**: microseconds.
    """

    patient: NDArray[np.int64]
    rule: NDArray[np.int64]
    severity: NDArray[np.int64]
    opened_us: NDArray[np.int64]
    cleared_us: NDArray[np.int64]
    raised_us: NDArray[np.int64]
    raised_by: NDArray[np.int64]
    unconfirmed: NDArray[np.bool_]
    values: NDArray[np.float64]
    limits: NDArray[np.float64]
    raised_values: NDArray[np.float64]


@njit(cache=True, nogil=True)
def numbers_of(findings: Findings, labels: Labels) -> NDArray[np.float64]:
    """All values and limits of all findings, in the order in which they are written."""
    most = len(labels.place)
    found = np.empty(len(findings.rule) * (3 * findings.values.shape[1]), np.float64)
    count = 0
    if most == 0:
        return found[:0]
    for f in range(len(findings.rule)):
        rule, raised_by = findings.rule[f], findings.raised_by[f]
        for label in range(labels.first[rule, 0], labels.first[rule, 1]):
            found[count] = findings.values[f, labels.place[label]]
            count += 1
        for label in range(labels.first[rule, 1], labels.first[rule, 2]):
            found[count] = findings.limits[f, labels.place[label]]
            count += 1
        if raised_by != NEVER:
            for label in range(labels.first[raised_by, 2], labels.first[raised_by, 3]):
                found[count] = findings.raised_values[f, labels.place[label]]
                count += 1
    return found[:count]


@njit(cache=True, nogil=True)
def write(
    findings: Findings, labels: Labels, names: Block, heads: Block, severities: Block, patients: Block,
    ids: NDArray[np.uint8], numbers: NDArray[np.float64], digits: Bytes, digit_ends: NDArray[np.int32],
) -> Bytes:  # fmt: skip
    """The lines. `numbers` are written as `digits` says; ids [patients, 16]."""
    room = len(digits) + LONGEST_REST * len(findings.rule)
    for f in range(len(findings.rule)):
        rule, patient = findings.rule[f], findings.patient[f]
        room += heads.ends[rule + 1] - heads.ends[rule] + patients.ends[patient + 1] - patients.ends[patient]
        room += _length_of_labels(labels, rule, 0) + _length_of_labels(labels, rule, 1)
        if findings.raised_by[f] != NEVER:
            room += _length_of_labels(labels, findings.raised_by[f], 2)
    out = np.empty(room + 8 * len(numbers), np.uint8)
    message, words, hashed = (
        np.empty(_LONGEST_NAME, np.uint8),
        np.empty(80, np.uint64),
        np.empty(20, np.uint8),
    )
    at = number = 0
    for f in range(len(findings.rule)):
        rule, patient = findings.rule[f], findings.patient[f]
        at = _copy(out, at, MARKS, ID)
        message[:16] = ids[patient]
        length = _copy(message, 16, names, rule)
        length = _whole(message, length, findings.opened_us[f])
        digest(message, length, words, hashed)
        at = _uuid(out, at, hashed)
        at = _copy(out, at, MARKS, PATIENT)
        at = _copy(out, at, patients, patient)
        at = _copy(out, at, heads, rule)
        at = _copy(out, at, MARKS, SEVERITY)
        at = _copy(out, at, severities, findings.severity[f])
        at = _copy(out, at, MARKS, OPENED)
        at = _time(out, at, findings.opened_us[f])
        at = _copy(out, at, MARKS, CLEARED)
        at = _time(out, at, findings.cleared_us[f])
        at = _copy(out, at, MARKS, RAISED)
        at = _time(out, at, findings.raised_us[f])
        at = _copy(out, at, MARKS, UNCONFIRMED)
        at = _copy(out, at, MARKS, TRUE if findings.unconfirmed[f] else FALSE)
        for which in range(3):
            at = _copy(out, at, MARKS, VALUES + which)
            of = rule if which < 2 else findings.raised_by[f]
            for label in (
                range(labels.first[of, which], labels.first[of, which + 1]) if of != NEVER else range(0)
            ):
                if label > labels.first[of, which]:
                    out[at] = 44
                    at += 1
                at = _copy(out, at, labels.text, label)
                if np.isnan(numbers[number]):
                    at = _copy(out, at, MARKS, NULL)
                else:
                    for place in range(digit_ends[number], digit_ends[number + 1]):
                        out[at] = digits[place]
                        at += 1
                number += 1
        at = _copy(out, at, MARKS, END)
    return out[:at]


@njit(cache=True, nogil=True)
def _length_of_labels(labels: Labels, rule: int, which: int) -> int:
    first, last = labels.first[rule, which], labels.first[rule, which + 1]
    return labels.text.ends[last] - labels.text.ends[first] + last - first


@njit(cache=True, nogil=True)
def _copy(out: Bytes, at: int, texts: Block, which: int) -> int:
    """Copies a text; gives the place behind it."""
    for place in range(texts.ends[which], texts.ends[which + 1]):
        out[at] = texts.letters[place]
        at += 1
    return at


@njit(cache=True, nogil=True)
def _whole(out: Bytes, at: int, number: int) -> int:
    """A whole number from 0 on, in digits."""
    length = 1
    rest = number
    while rest >= 10:
        rest //= 10
        length += 1
    _padded(out, at, number, length)
    return at + length


@njit(cache=True, nogil=True)
def _padded(out: Bytes, at: int, number: int, length: int) -> int:
    """So many digits, with zeros in front."""
    for place in range(length - 1, -1, -1):
        out[at + place] = 48 + number % 10
        number //= 10
    return at + length


@njit(cache=True, nogil=True)
def _uuid(out: Bytes, at: int, hashed: Bytes) -> int:
    hashed[6] = (hashed[6] & 0x0F) | 0x50
    hashed[8] = (hashed[8] & 0x3F) | 0x80
    for byte in range(16):
        if byte in _DASHES:
            out[at] = 45
            at += 1
        out[at] = _HEX[hashed[byte] >> 4]
        out[at + 1] = _HEX[hashed[byte] & 15]
        at += 2
    return at


@njit(cache=True, nogil=True)
def _time(out: Bytes, at: int, moment_us: int) -> int:
    """A moment as ISO 8601, with microseconds where it has some; null where there is none.

    **Source**: the days of the civil calendar as in Hinnant, chrono-compatible low-level date algorithms.
    """
    if moment_us == NEVER:
        return _copy(out, at, MARKS, NULL)
    day, rest_us = moment_us // DAY_US, moment_us % DAY_US
    days = day + 719_468
    era, of_era = days // 146_097, days % 146_097
    year_of_era = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * of_year + 2) // 153
    day_of_month = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    year = year_of_era + 400 * era + (1 if month <= 2 else 0)
    seconds, us = rest_us // 1_000_000, rest_us % 1_000_000
    out[at] = 34
    at = _padded(out, at + 1, year, 4)
    for mark, number in (
        (45, month),
        (45, day_of_month),
        (84, seconds // 3_600),
        (58, seconds // 60 % 60),
        (58, seconds % 60),
    ):
        out[at] = mark
        at = _padded(out, at + 1, number, 2)
    if us:
        out[at] = 46
        at = _padded(out, at + 1, us, 6)
    out[at], out[at + 1] = 90, 34
    return at + 2
