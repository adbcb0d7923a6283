"""Readings as they were sent, as columns: the step between dictionaries and what a batch computes with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.columns import NO_OFFSET_MIN
from models.kinds import KIND_BY_NAME, KINDS
from models.messages import WireReading, WireUpload
from models.units import UNIT_BY_SPELLING

NONE = -1
UNKNOWN = -2
"""Numbers of kinds, units and codes: none given, and not one of ours."""

_PLAIN_FIELDS = 4
"""kind, taken_at_us, value, unit: what nearly every reading has, and nothing else."""

_CODES = tuple(kind.code_numbers for kind in KINDS)


@dataclass(frozen=True, slots=True)
class Sent:
    """Readings as they were sent, in log order: u uploads with n readings, still without their patients.

    **Shape**: upload columns [u], reading columns [n]; `upload` holds each reading's row among the uploads.
    Text columns hold indexes into `texts`, −1 for none; `kind`, `unit` and `code` hold numbers, −1 for none,
    −2 for one that we do not know, with its text in `kind_received`, `unit_received` and `code_sent`.
    **Units**: microseconds since 1970 UTC; `value` in `unit`, as it arrived, NaN for none.
    """

    texts: tuple[str, ...]
    patients: tuple[str, ...]
    upload_offset: NDArray[np.int64]
    upload_id: NDArray[np.uint8]
    upload_device: NDArray[np.int32]
    upload_source: NDArray[np.int32]
    upload_sent_at_us: NDArray[np.int64]
    upload_received_at_us: NDArray[np.int64]
    upload_first: NDArray[np.int64]
    upload: NDArray[np.int64]
    position: NDArray[np.int32]
    kind: NDArray[np.int16]
    kind_received: NDArray[np.int32]
    taken_at_us: NDArray[np.int64]
    value: NDArray[np.float64]
    unit: NDArray[np.int16]
    unit_received: NDArray[np.int32]
    code: NDArray[np.int16]
    code_sent: NDArray[np.int32]
    code_received: NDArray[np.int32]
    absent: NDArray[np.int32]
    text: NDArray[np.int32]
    group: NDArray[np.int32]
    void: NDArray[np.bool_]
    revision: NDArray[np.int32]
    utc_offset_min: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.upload)


class _Numbers(dict[str, int]):
    """Numbers of names from a closed list."""

    def __missing__(self, name: str) -> int:
        return UNKNOWN


class _Texts(dict[str | None, int]):
    """Gives each text its number in this batch."""

    def __init__(self) -> None:
        super().__init__({None: NONE})

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self) - 1
        return number

    def in_order(self) -> tuple[str, ...]:
        """The texts, each at its number."""
        return tuple(text for text in self if text is not None)


_KINDS = _Numbers({name: kind.number for name, kind in KIND_BY_NAME.items()})


def columns(
    offsets: Sequence[int],
    uploads: Sequence[WireUpload],
    upload_ids: NDArray[np.uint8],
    damaged: Mapping[int, Sequence[int]],
) -> Sent:
    """Uploads in log order as columns. `damaged` tells, by offset, where the readings that are left stood.

    **Shape**: `upload_ids` is uint8[uploads, 16].
    """
    texts = _Texts()
    lists = list(map(itemgetter("readings"), uploads))
    counts = np.fromiter(map(len, lists), np.int64, len(lists))
    flat: list[WireReading] = list(chain.from_iterable(lists))
    upload = np.repeat(np.arange(len(lists)), counts)
    first = np.cumsum(counts) - counts
    position = (np.arange(len(flat)) - first[upload]).astype(np.int32)
    offset = np.array(offsets, dtype=np.int64)
    for damaged_offset, positions in damaged.items():
        row = int(np.searchsorted(offset, damaged_offset))
        if row < len(offset) and offset[row] == damaged_offset:
            position[first[row] : first[row] + len(positions)] = positions

    def of_upload(name: str) -> NDArray[np.int32]:
        return np.fromiter(map(texts.__getitem__, map(itemgetter(name), uploads)), np.int32, len(uploads))

    def at_us(name: str) -> NDArray[np.int64]:
        return np.fromiter(map(itemgetter(name), uploads), np.int64, len(uploads))

    # First, so that among the texts there are few beside the units when these are looked up.
    readings = _reading_columns(flat, texts)
    device, source = of_upload("device_id"), of_upload("source")
    return Sent(
        texts=texts.in_order(),
        patients=tuple(map(itemgetter("patient_id"), uploads)),
        upload_offset=offset,
        upload_id=upload_ids,
        upload_device=device,
        upload_source=source,
        upload_sent_at_us=at_us("sent_at_us"),
        upload_received_at_us=at_us("received_at_us"),
        upload_first=first,
        upload=upload,
        position=position,
        **readings,
    )


def _reading_columns(flat: Sequence[WireReading], texts: _Texts) -> dict[str, NDArray[Any]]:
    count = len(flat)
    kind = np.fromiter(map(_KINDS.__getitem__, map(itemgetter("kind"), flat)), np.int16, count)
    try:
        value = np.fromiter(map(itemgetter("value"), flat), np.float64, count)
        unit_received = np.fromiter(map(texts.__getitem__, map(itemgetter("unit"), flat)), np.int32, count)
    except KeyError:
        nan = float("nan")
        value = np.fromiter((reading.get("value", nan) for reading in flat), np.float64, count)
        unit_received = np.fromiter((texts[reading.get("unit")] for reading in flat), np.int32, count)
    found = {
        "kind": kind,
        "kind_received": _none(count),
        "taken_at_us": np.fromiter(map(itemgetter("taken_at_us"), flat), np.int64, count),
        "value": value,
        "unit": _unit_numbers(texts)[unit_received],
        "unit_received": unit_received,
        "code": np.full(count, NONE, np.int16),
        "code_sent": _none(count),
        "code_received": _none(count),
        "absent": _none(count),
        "text": _none(count),
        "group": _none(count),
        "void": np.zeros(count, np.bool_),
        "revision": np.zeros(count, np.int32),
        "utc_offset_min": np.full(count, NO_OFFSET_MIN, np.int16),
    }
    fields = np.fromiter(map(len, flat), np.int8, count)
    rows = np.flatnonzero((fields != _PLAIN_FIELDS) | np.isnan(value) | (unit_received < 0) | (kind < 0))
    if len(rows):
        _fill_the_rest(found, rows, [flat[row] for row in rows.tolist()], texts)
    return found


def _fill_the_rest(
    found: dict[str, NDArray[Any]], rows: NDArray[np.intp], readings: Sequence[WireReading], texts: _Texts
) -> None:
    """The fields that few readings have, of those that may have one."""
    kinds = found["kind"][rows].tolist()
    found["kind_received"][rows] = [
        texts[reading["kind"]] if kind < 0 else NONE for reading, kind in zip(readings, kinds, strict=True)
    ]
    found["code_sent"][rows] = [texts[reading.get("code")] for reading in readings]
    found["code"][rows] = [
        _code_number(kind, reading["code"]) if "code" in reading else NONE
        for reading, kind in zip(readings, kinds, strict=True)
    ]
    for name in ("code_received", "text", "group", "absent"):
        found[name][rows] = [texts[reading.get(name)] for reading in readings]
    found["void"][rows] = ["void" in reading for reading in readings]
    found["revision"][rows] = [reading.get("revision", 0) for reading in readings]
    found["utc_offset_min"][rows] = [reading.get("utc_offset_min", NO_OFFSET_MIN) for reading in readings]


def _code_number(kind: int, code: str) -> int:
    return _CODES[kind].get(code, UNKNOWN) if kind >= 0 else UNKNOWN


def _unit_numbers(texts: _Texts) -> NDArray[np.int16]:
    """The unit that each text of the batch spells; at the end, where −1 points, none."""
    numbers = [UNIT_BY_SPELLING.get(text, UNKNOWN) for text in texts.in_order()]
    return np.array([*numbers, NONE], dtype=np.int16)


def _none(count: int) -> NDArray[np.int32]:
    return np.full(count, NONE, np.int32)
