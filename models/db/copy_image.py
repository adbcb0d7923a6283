"""Readings as the image that binary COPY takes: written by one kernel, without a Python object per row.

**Source**: PostgreSQL documentation, COPY, *Binary Format*: fields in network order, −1 for NULL.
"""

from typing import Any, TypeAlias

import numba
import numpy as np
from numpy.typing import NDArray

from models.columns import NO_OFFSET_MIN, Readings

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

COLUMNS = (
    "taken_at", "received_at", "sent_at", "log_offset", "value", "value_received", "revision", "log_position",
    "kind", "log_partition", "code", "utc_offset_min", "void", "too_late",
    "patient_id", "organisation_id", "upload_id",
    "device_id", "source", "unit_received", "code_received", "absent", "text", "group_label",
)  # fmt: skip
"""The columns of `reading`, in the order in which the kernel writes them."""

NO_TIME_US = np.iinfo(np.int64).min
"""Stands for "no time" in a column of times; becomes NULL."""

_POSTGRES_EPOCH_US = 946_684_800_000_000
_TEXTS = ("device", "source", "unit_received", "code_received", "absent", "text", "group")
# Field count, a length for each of 24 fields, and the 17 fields of fixed width, none of them NULL.
_WIDEST = 2 + 24 * 4 + 6 * 8 + 2 * 4 + 4 * 2 + 2 * 1 + 3 * 16


Number: TypeAlias = Any
"""A number inside a kernel: numba knows which, numpy's types do not."""


def image(readings: Readings, rows: NDArray[np.int64] | None = None) -> NDArray[np.uint8]:
    """The rows (all of them in log order, or the given ones in the given order), without header and trailer.

    **Raises**: UnicodeEncodeError for a text that UTF-8 cannot hold.
    """
    if rows is None:
        rows = np.arange(len(readings), dtype=np.int64)
    encoded = [text.encode() for text in readings.texts]
    ends = np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)))
    starts = np.concatenate((np.zeros(1, np.int64), ends))
    bytes_of_texts = np.frombuffer(b"".join(encoded) or b"\0", np.uint8)
    references = np.stack([getattr(readings, name) for name in _TEXTS])
    written = np.empty(_size(rows, references, starts), np.uint8)
    end = _write(
        written, rows,
        readings.taken_at_us, readings.received_at_us, readings.sent_at_us, readings.offset,
        readings.value.view(np.int64), readings.value_received.view(np.int64),
        readings.revision, readings.position, readings.kind, readings.partition, readings.code,
        readings.utc_offset_min, readings.void, readings.too_late,
        readings.patient_id, readings.organisation_id, readings.upload_id,
        references, starts, bytes_of_texts, NO_TIME_US, NO_OFFSET_MIN,
    )  # fmt: skip
    return written[:end]


def key_order(readings: Readings, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows in the order of the table's key, or nearly: an index takes sorted rows with fewer page visits.

    Patients in the order of their ids, each patient's rows as they were given.
    """
    high = np.ascontiguousarray(readings.patient_id[:, :8]).view(">u8").ravel()
    return rows[np.argsort(high[rows].astype(np.uint64), kind="stable")]


def warm_up() -> None:
    """Compiles the kernels, or loads them, so that no batch has to wait for it."""
    image(_one())


def _one() -> Readings:
    ids = {name: np.zeros((1, 16), np.uint8) for name in ("patient_id", "organisation_id", "upload_id")}
    columns = {
        np.int64: ("offset", "taken_at_us", "received_at_us", "sent_at_us"),
        np.int32: ("position", "patient", "revision", *_TEXTS),
        np.int16: ("kind", "unit", "code", "utc_offset_min"),
        np.float64: ("value", "value_received"),
        np.bool_: ("void", "too_late"),
    }
    arrays: dict[str, Any] = {name: np.zeros(1, dtype) for dtype, names in columns.items() for name in names}
    return Readings(partition=0, texts=("",), **ids, **arrays)


@numba.njit(cache=True, nogil=True)
def _size(rows: NDArray[np.int64], references: NDArray[np.int32], starts: NDArray[np.int64]) -> Number:
    size = len(rows) * _WIDEST
    for row in rows:
        for column in range(references.shape[0]):
            text = references[column, row]
            if text >= 0:
                size += starts[text + 1] - starts[text]
    return size


# `at`, the place in the image, is np.uintp: an unsigned index spares a test for negative ones at each byte.


@numba.njit(cache=True, nogil=True, inline="always")
def _put_2(out: NDArray[np.uint8], at: Number, number: Number) -> Number:
    bits = np.uint16(number)
    out[at] = bits >> np.uint16(8)
    out[at + np.uintp(1)] = bits & np.uint16(255)
    return at + np.uintp(2)


@numba.njit(cache=True, nogil=True, inline="always")
def _put_4(out: NDArray[np.uint8], at: Number, number: Number) -> Number:
    bits = np.uint32(number)
    out[at] = bits >> np.uint32(24)
    out[at + np.uintp(1)] = (bits >> np.uint32(16)) & np.uint32(255)
    out[at + np.uintp(2)] = (bits >> np.uint32(8)) & np.uint32(255)
    out[at + np.uintp(3)] = bits & np.uint32(255)
    return at + np.uintp(4)


@numba.njit(cache=True, nogil=True, inline="always")
def _put_8(out: NDArray[np.uint8], at: Number, number: Number) -> Number:
    bits = np.uint64(number)
    out[at] = bits >> np.uint64(56)
    out[at + np.uintp(1)] = (bits >> np.uint64(48)) & np.uint64(255)
    out[at + np.uintp(2)] = (bits >> np.uint64(40)) & np.uint64(255)
    out[at + np.uintp(3)] = (bits >> np.uint64(32)) & np.uint64(255)
    out[at + np.uintp(4)] = (bits >> np.uint64(24)) & np.uint64(255)
    out[at + np.uintp(5)] = (bits >> np.uint64(16)) & np.uint64(255)
    out[at + np.uintp(6)] = (bits >> np.uint64(8)) & np.uint64(255)
    out[at + np.uintp(7)] = bits & np.uint64(255)
    return at + np.uintp(8)


@numba.njit(cache=True, nogil=True, inline="always")
def _put_time(out: NDArray[np.uint8], at: Number, at_us: Number, no_time_us: Number) -> Number:
    if at_us == no_time_us:
        return _put_4(out, at, -1)
    at = _put_4(out, at, 8)
    return _put_8(out, at, at_us - _POSTGRES_EPOCH_US)


@numba.njit(cache=True, nogil=True, inline="always")
def _put_float(out: NDArray[np.uint8], at: Number, bits: Number) -> Number:
    # NaN, all of whose bits say so, stands for "no value".
    if (bits & 0x7FFFFFFFFFFFFFFF) > 0x7FF0000000000000:
        return _put_4(out, at, -1)
    at = _put_4(out, at, 8)
    return _put_8(out, at, bits)


@numba.njit(cache=True, nogil=True, inline="always")
def _put_small(out: NDArray[np.uint8], at: Number, number: Number, none: Number) -> Number:
    if number == none:
        return _put_4(out, at, -1)
    at = _put_4(out, at, 2)
    return _put_2(out, at, number)


@numba.njit(cache=True, nogil=True, inline="always")
def _put_bool(out: NDArray[np.uint8], at: Number, truth: Number) -> Number:
    at = _put_4(out, at, 1)
    out[at] = 1 if truth else 0
    return at + np.uintp(1)


@numba.njit(cache=True, nogil=True, inline="always")
def _put_id(out: NDArray[np.uint8], at: Number, ids: NDArray[np.uint8], row: Number) -> Number:
    at = _put_4(out, at, 16)
    for i in range(16):
        out[at + np.uintp(i)] = ids[row, i]
    return at + np.uintp(16)


@numba.njit(cache=True, nogil=True)
def _write(
    out: NDArray[np.uint8],
    rows: NDArray[np.int64],
    taken_at_us: NDArray[np.int64],
    received_at_us: NDArray[np.int64],
    sent_at_us: NDArray[np.int64],
    offset: NDArray[np.int64],
    value: NDArray[np.int64],
    value_received: NDArray[np.int64],
    revision: NDArray[np.int32],
    position: NDArray[np.int32],
    kind: NDArray[np.int16],
    partition: Number,
    code: NDArray[np.int16],
    utc_offset_min: NDArray[np.int16],
    void: NDArray[np.bool_],
    too_late: NDArray[np.bool_],
    patient_id: NDArray[np.uint8],
    organisation_id: NDArray[np.uint8],
    upload_id: NDArray[np.uint8],
    references: NDArray[np.int32],
    starts: NDArray[np.int64],
    texts: NDArray[np.uint8],
    no_time_us: Number,
    no_offset_min: Number,
) -> Number:
    at = np.uintp(0)
    for row in rows:
        at = _put_2(out, at, 24)
        at = _put_time(out, at, taken_at_us[row], no_time_us)
        at = _put_time(out, at, received_at_us[row], no_time_us)
        at = _put_time(out, at, sent_at_us[row], no_time_us)
        at = _put_4(out, at, 8)
        at = _put_8(out, at, offset[row])
        at = _put_float(out, at, value[row])
        at = _put_float(out, at, value_received[row])
        at = _put_4(out, at, 4)
        at = _put_4(out, at, revision[row])
        at = _put_4(out, at, 4)
        at = _put_4(out, at, position[row])
        at = _put_4(out, at, 2)
        at = _put_2(out, at, kind[row])
        at = _put_4(out, at, 2)
        at = _put_2(out, at, partition)
        at = _put_small(out, at, code[row], -1)
        at = _put_small(out, at, utc_offset_min[row], no_offset_min)
        at = _put_bool(out, at, void[row])
        at = _put_bool(out, at, too_late[row])
        at = _put_id(out, at, patient_id, row)
        at = _put_id(out, at, organisation_id, row)
        at = _put_id(out, at, upload_id, row)
        for column in range(references.shape[0]):
            text = references[column, row]
            if text < 0:
                at = _put_4(out, at, -1)
                continue
            start, end = starts[text], starts[text + 1]
            at = _put_4(out, at, end - start)
            for i in range(start, end):
                out[at] = texts[i]
                at += np.uintp(1)
    return at
