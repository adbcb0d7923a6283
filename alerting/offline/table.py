"""All rows of a file as columns of numbers: 24 bytes a row, and what else the file has."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.sent import NONE


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows as they were sent; None for a column that no row has.

    **Shape**: each is [n]. `patient`, `device` number texts; `kind`, `unit`, `code` are those of `Sent`;
    `counts` is false for rows that were refused or that lie beyond the end.
    **Units**: microseconds since 1970 UTC; `value` in `unit`, NaN for none.
    """

    patient: NDArray[np.int32]
    taken_at_us: NDArray[np.int64]
    value: NDArray[np.float64]
    kind: NDArray[np.int16]
    unit: NDArray[np.int16]
    code: NDArray[np.int16]
    counts: NDArray[np.bool_]
    device: NDArray[np.int32] | None = None
    received_at_us: NDArray[np.int64] | None = None
    revision: NDArray[np.int32] | None = None
    void: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.patient)

    def take(self, rows: NDArray[Any]) -> "Columns":
        """The given rows, in the given order."""
        taken: dict[str, Any] = {}
        for field in fields(self):
            column = getattr(self, field.name)
            # Of places, `np.take` takes half the time.
            taken[field.name] = None if column is None else _taken(column, rows)
        return Columns(**taken)

    @property
    def received(self) -> NDArray[np.int64]:
        """When each was received: when it was taken, where nothing else is said."""
        return self.taken_at_us if self.received_at_us is None else self.received_at_us

    @property
    def devices(self) -> NDArray[np.int32]:
        """The device of each; none where the file names none."""
        return np.full(len(self), NONE, np.int32) if self.device is None else self.device


def _taken(column: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    return column[rows] if rows.dtype == np.bool_ else np.take(column, rows)


def joined(parts: list[Columns]) -> Columns:
    """Parts as one; the list is emptied, so that no more than one column lies in memory twice."""
    lengths = [len(part) for part in parts]
    taken_at_us = [part.taken_at_us for part in parts]
    absent = {"device": [np.full(1, NONE, np.int32)] * len(parts), "received_at_us": taken_at_us}
    by_name = {field.name: [getattr(part, field.name) for part in parts] for field in fields(Columns)}
    parts.clear()
    found: dict[str, Any] = {}
    for name in list(by_name):
        columns = by_name.pop(name)
        if any(column is not None for column in columns):
            default = absent.get(name, [np.zeros(1, np.int32)] * len(columns))
            found[name] = _concatenated(columns, default, lengths)
        elif name in ("device", "received_at_us", "revision", "void"):
            found[name] = None
    return Columns(**found)


def _concatenated(
    columns: list[NDArray[Any] | None], default: Sequence[NDArray[Any]], lengths: Sequence[int]
) -> NDArray[Any]:
    dtype = next(column.dtype for column in columns if column is not None)
    whole = np.empty(sum(lengths), dtype)
    first = 0
    for place, length in enumerate(lengths):
        column = columns[place]
        whole[first : first + length] = default[place] if column is None else column
        columns[place] = None
        first += length
    return whole


def nothing() -> Columns:
    """No rows."""
    return Columns(
        patient=np.zeros(0, np.int32),
        taken_at_us=np.zeros(0, np.int64),
        value=np.zeros(0, np.float64),
        kind=np.zeros(0, np.int16),
        unit=np.zeros(0, np.int16),
        code=np.zeros(0, np.int16),
        counts=np.zeros(0, np.bool_),
    )
