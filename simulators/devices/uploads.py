"""Uploads as columns: what is about to go over the wire, before a byte of it is written."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

NO_UNIT = -1
NO_OFFSET = -32768

UNIT_TEXTS = (
    "kg", "g", "[lb_av]", "mm[Hg]", "mmHg", "kPa", "/min", "{beats}/min", "bpm", "%", "1",
    "Cel", "[degF]", "mmol/L", "mg/dL", "L/min", "L", "{steps}", "{breaths}/min",
)  # fmt: skip
"""Units as the simulated devices spell them; a reading's `unit` is an index into these."""

ABSENT_TEXTS = ("error", "not-performed", "asked-declined")
REMARKS = (
    "Slecht geslapen vannacht.",
    "Gisteren uit eten geweest, zout gegeten.",
    "Ik voel me prima, dank u.",
    "Vandaag later gemeten: kleinkinderen op bezoek ☀",
)


class Content(IntEnum):
    """What a reading carries; `code` indexes the kind's codes, ABSENT_TEXTS or REMARKS accordingly."""

    VALUE = 0
    CODE = 1
    ABSENT = 2
    TEXT = 3
    VOID = 4


@dataclass(frozen=True, slots=True)
class Lines:
    """Readings as devices send them.

    **Shape**: each array is [n]. **Units**: `value` in `unit`, as displayed; `offset_min` NO_OFFSET where the
    device does not say how far its clock is from UTC.
    """

    patient: NDArray[np.int32]
    device: NDArray[np.int8]
    kind: NDArray[np.int16]
    taken_at_us: NDArray[np.int64]
    value: NDArray[np.float64]
    unit: NDArray[np.int16]
    code: NDArray[np.int16]
    content: NDArray[np.int8]
    revision: NDArray[np.int32]
    session: NDArray[np.int16]
    group: NDArray[np.int8]
    offset_min: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.patient)

    def take(self, rows: NDArray[Any]) -> "Lines":
        """The given rows (indexes or mask), in the given order; a copy."""
        return Lines(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True, slots=True)
class Uploads:
    """Uploads with their readings one after the other in `lines`.

    **Shape**: each array is [u], `upload_id` uint8[u, 16]; `count` says how many lines belong to each.
    `broken` ones lose the end of their message on the way, though not so much that readings go uncounted.
    """

    patient: NDArray[np.int32]
    device: NDArray[np.int8]
    upload_id: NDArray[np.uint8]
    sent_at_us: NDArray[np.int64]
    received_at_us: NDArray[np.int64]
    count: NDArray[np.int64]
    broken: NDArray[np.bool_]
    lines: Lines

    def __len__(self) -> int:
        return len(self.patient)

    @property
    def readings(self) -> int:
        """How many readings these uploads hold."""
        return int(self.count.sum())

    def take(self, rows: NDArray[np.intp]) -> "Uploads":
        """The given uploads with their lines, in the given order."""
        first = np.cumsum(self.count) - self.count
        count = self.count[rows]
        begins = np.repeat(first[rows] - (np.cumsum(count) - count), count)
        lines = self.lines.take(begins + np.arange(int(count.sum())))
        own = {field.name: getattr(self, field.name)[rows] for field in fields(self) if field.name != "lines"}
        return Uploads(lines=lines, **own)


def joined_lines(parts: Sequence[Lines]) -> Lines:
    """One after the other; at least one part."""
    return Lines(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Lines)})


def joined_uploads(parts: Sequence[Uploads]) -> Uploads:
    """One after the other; at least one part."""
    own = {
        f.name: np.concatenate([getattr(part, f.name) for part in parts])
        for f in fields(Uploads)
        if f.name != "lines"
    }
    return Uploads(lines=joined_lines([part.lines for part in parts]), **own)
