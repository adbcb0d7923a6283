"""From a file's rows to those of some patients, ready for the engine: copies and contradictions are out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from alerting.offline.admission import Admission, with_notices
from alerting.offline.bad_rows import BadRow
from alerting.offline.copies import Copy, copies, may_be_crossed
from alerting.offline.cutting import by_patient, piece, pieces
from alerting.offline.refused import refuse_crossed
from alerting.offline.table import Columns
from ingest.sent import NONE
from models.columns import NO_OFFSET_MIN, Readings
from models.units import to_canonical

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that counts of some patients, each patient's rows in the order of time.

    **Shape**: `ids`, `names`, `first_us` are of the patients; `value` and `patient` (a place among them) of
    the rows; a row's device is a place in `devices`. **Units**: `value` in the canonical ones; `first_us`,
    of each patient's first row, or of the whole history where there is none, in microseconds since 1970 UTC.
    """

    ids: Sequence[UUID]
    names: Sequence[str]
    first_us: Sequence[int]
    rows: Columns
    value: NDArray[np.float64]
    patient: NDArray[np.int32]
    devices: tuple[str, ...]

    def readings(self) -> Readings | None:
        """As the engine takes them; None where there are none."""
        return as_readings(self.rows, self.value, self.patient, self.devices) if len(self.rows) else None


@dataclass(frozen=True, slots=True)
class Counted:
    """What was looked at to prepare them.

    `crossed` are rows that only others beside them show to be wrong, `conflicts` the places of rows whose
    identity another row had before with another value.
    """

    rows: int = 0
    evaluated: int = 0
    duplicates: int = 0
    too_late: int = 0
    crossed: Sequence[BadRow] = ()
    conflicts: Places = field(default_factory=lambda: np.zeros(0, np.int64))


class Preparing:
    """All patients of a file who are registered, in pieces, in the order of their ids as the file has them.

    **Units**: `until_us`, the end of the history, in microseconds since 1970 UTC.
    """

    def __init__(self, admission: Admission, rows: Columns, until_us: int) -> None:
        self._admission = admission
        self._rows = rows
        self._patients = admission.patients
        self._devices = (*admission.devices, "")
        self.first_us = int(rows.taken_at_us[rows.counts].min(initial=until_us))
        self._sheaf = by_patient(rows, len(self._patients.ids))
        registered = filter(self._patients.is_known, range(len(self._patients.ids)))
        self.in_order: Sequence[int] = sorted(registered, key=self._patients.all.__getitem__)
        self._rank = np.full(len(self._patients.ids), NONE, np.int32)
        self._rank[self.in_order] = np.arange(len(self.in_order))

    def pieces(self) -> Iterator[Sequence[int]]:
        """The patients' numbers, in pieces of a good size."""
        return pieces(self._sheaf, self.in_order)

    def prepare(self, members: Sequence[int]) -> tuple[Prepared, Counted]:
        """What counts of some patients who follow each other in the order."""
        places = piece(self._sheaf, members, self._rows.taken_at_us).astype(np.int64)
        rows, crossed = _Rows.of(self._rows.take(places), places, self._admission.are_notices(places)), ()
        suspects = np.flatnonzero(may_be_crossed(rows.columns, rows.value))
        if len(suspects):
            rows, crossed = self._without_crossed(rows, suspects)
        what = copies(rows.columns, rows.value)
        first = what == Copy.FIRST
        told = what[~rows.noticed]
        counted = Counted(
            rows=len(told),
            evaluated=int((told == Copy.FIRST).sum()),
            duplicates=int((told == Copy.DUPLICATE).sum()),
            too_late=int((told == Copy.TOO_LATE).sum()),
            crossed=crossed,
            conflicts=rows.places[(what == Copy.CONFLICT) & ~rows.noticed],
        )
        return self._prepared(members, rows if first.all() else rows.take(first)), counted

    def _prepared(self, members: Sequence[int], all_rows: "_Rows") -> Prepared:
        rows = all_rows.columns
        rank = self._rank[rows.patient] - self._rank[members[0]]
        begins = np.searchsorted(rank, np.arange(len(members)), side="left")
        ends = np.append(begins[1:], len(rows))
        first_us = np.full(len(members), self.first_us, np.int64)
        measured = begins < ends
        first_us[measured] = rows.taken_at_us[begins[measured]]
        return Prepared(
            ids=[self._patients.ids[patient] for patient in members],
            names=[self._patients.all[patient] for patient in members],
            first_us=first_us.tolist(),
            rows=rows,
            value=all_rows.value,
            patient=rank,
            devices=self._devices,
        )

    def _without_crossed(self, rows: "_Rows", suspects: Places) -> tuple["_Rows", Sequence[BadRow]]:
        """Without crossed pressures, with the notices of them; and what is told of them."""
        told = refuse_crossed(rows.columns, suspects, self._patients)
        numbers = self._admission.numbers(rows.places[told.places]).tolist()
        bad = [replace(row, row=number) for row, number in zip(told.bad, numbers, strict=True)]
        return rows.without(told.places, told.notice_places, told.notices), bad


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows with their places in the table, their canonical values, and which of them are notices."""

    columns: Columns
    places: Places
    noticed: NDArray[np.bool_]
    value: NDArray[np.float64]

    @classmethod
    def of(cls, columns: Columns, places: Places, noticed: NDArray[np.bool_]) -> "_Rows":
        return cls(columns, places, noticed, to_canonical(columns.value, columns.kind, columns.unit))

    def take(self, rows: NDArray[np.bool_]) -> "_Rows":
        return _Rows(self.columns.take(rows), self.places[rows], self.noticed[rows], self.value[rows])

    def without(self, refused: Places, behind: Places, notices: Columns) -> "_Rows":
        """Without some rows, and with notices behind others of them."""
        kept = np.ones(len(self.places) + len(behind), np.bool_)
        kept[refused + np.searchsorted(behind, refused)] = False
        return _Rows.of(
            with_notices(self.columns, behind, notices).take(kept),
            np.insert(self.places, behind + 1, self.places[behind])[kept],
            np.insert(self.noticed, behind + 1, values=True)[kept],
        )


def as_readings(
    rows: Columns, value: NDArray[np.float64], patient: NDArray[np.int32], texts: tuple[str, ...]
) -> Readings:
    """Rows as the engine takes them; what it does not look at is nothing at all."""
    n = len(rows)
    none, nothing = np.full(n, NONE, np.int32), np.zeros(n, np.int32)
    no_id = np.zeros((n, 16), np.uint8)
    return Readings(
        partition=0,
        texts=texts,
        offset=np.arange(n),
        position=nothing,
        patient=patient,
        patient_id=no_id,
        organisation_id=no_id,
        upload_id=no_id,
        kind=rows.kind,
        taken_at_us=rows.taken_at_us,
        device=rows.devices,
        revision=nothing if rows.revision is None else rows.revision,
        void=np.zeros(n, np.bool_) if rows.void is None else rows.void,
        value=value,
        value_received=rows.value,
        unit=rows.unit,
        unit_received=none,
        code=rows.code,
        code_received=none,
        absent=none,
        text=none,
        group=none,
        source=none,
        received_at_us=rows.received,
        sent_at_us=rows.received,
        utc_offset_min=np.full(n, NO_OFFSET_MIN, np.int16),
        # What came too late was left out before.
        too_late=np.zeros(n, np.bool_),
    )
