"""All rows of a file as columns of numbers: 24 bytes a row, and what else the file has."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerting.engine.reserves import Reserve
from ingest.sent import NONE


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows as they were sent; None for a column that no row has.

    **Shape**: each is [n]. `patient`, `device` number texts; `kind`, `unit`, `code` are those of `Sent`;
    `counts` is false for rows that were refused or that lie beyond the end, `absent` true where something
    else than a value was said.
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
    absent: NDArray[np.bool_] | None = None

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


class Table:
    """Rows that are added part by part, each column at once where it stays: none lies in memory twice."""

    def __init__(self) -> None:
        self._columns: dict[str, Reserve] = {}
        self._rows = 0

    def add(self, part: Columns) -> None:
        """More rows at the end."""
        before, self._rows = self._rows, self._rows + len(part)
        for field in fields(Columns):
            column = getattr(part, field.name)
            reserve = self._columns.get(field.name)
            if reserve is None and column is not None:
                reserve = self._columns[field.name] = Reserve(column.dtype)
                reserve.first(before)[:] = self._default(field.name, 0, before)
            if reserve is not None:
                whole = reserve.first(self._rows)
                whole[before:] = self._default(field.name, before, self._rows) if column is None else column

    def rows(self) -> Columns:
        """All rows."""
        columns = {name: reserve.first(self._rows) for name, reserve in self._columns.items()}
        return replace(nothing(), **columns)

    def _default(self, name: str, first: int, end: int) -> Any:
        """What the rows of a part without a column have in it."""
        if name == "received_at_us":
            return self._columns["taken_at_us"].first(self._rows)[first:end]
        return NONE if name == "device" else 0


def _taken(column: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    return column[rows] if rows.dtype == np.bool_ else np.take(column, rows)


def joined(parts: Sequence[Columns]) -> Columns:
    """Parts as one."""
    table = Table()
    for part in parts:
        table.add(part)
    return table.rows()


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
