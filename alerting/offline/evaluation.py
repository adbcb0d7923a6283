"""The engine on pieces of patients, several at once: from rows by patient to lines of findings."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from alerting.engine.compiled import CompiledProgrammes
from alerting.engine.engine import Engine
from alerting.offline.admission import Admission, with_notices
from alerting.offline.bad_rows import BadRow
from alerting.offline.copies import Copy, copies, may_be_crossed
from alerting.offline.cutting import by_patient, piece, pieces
from alerting.offline.lines import Writer
from alerting.offline.refused import refuse_crossed
from alerting.offline.table import Columns
from ingest.sent import NONE
from models.columns import NO_OFFSET_MIN, Readings
from models.errors import Broken
from models.messages import AnyChange
from models.units import to_canonical

Places = NDArray[np.int64]
Changes = Callable[[UUID, int], Sequence[tuple[int, AnyChange]]]
"""The changes of a patient whose first reading was taken then, each with the time from which it holds."""

AHEAD = 2
"""So many pieces for each thread are begun before the first of them is asked for."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What came of the rows of some patients.

    `crossed` are rows that only others beside them show to be wrong, `conflicts` the places of rows whose
    identity another row had before with another value.
    """

    lines: bytes
    findings: int
    rows: int
    evaluated: int
    duplicates: int
    too_late: int
    crossed: Sequence[BadRow]
    conflicts: Places


class Evaluation:
    """All patients of a file under some programmes, up to one time.

    **Units**: `until_us` in microseconds since 1970 UTC.
    """

    def __init__(
        self,
        programmes: CompiledProgrammes,
        admission: Admission,
        rows: Columns,
        changes: Changes,
        until_us: int,
    ) -> None:
        self._programmes = programmes
        self._admission = admission
        self._rows = rows
        self._changes = changes
        self._until_us = until_us
        self._writer = Writer(programmes)
        self._patients = admission.patients
        self._texts = (*admission.devices, "")
        self._first_us = int(rows.taken_at_us[rows.counts].min(initial=until_us))
        self._sheaf = by_patient(rows, len(self._patients.ids))
        self._in_order = sorted(range(len(self._patients.ids)), key=self._patients.all.__getitem__)
        self._rank = np.empty(len(self._in_order), np.int32)
        self._rank[self._in_order] = np.arange(len(self._in_order))

    def run(self, threads: int) -> Iterator[Piece]:
        """Piece after piece, in the order of the patients' ids as the file gives them."""
        waiting: deque[Future[Piece]] = deque()
        with ThreadPoolExecutor(threads, "evaluate") as pool:
            try:
                for members in pieces(self._sheaf, self._in_order):
                    waiting.append(pool.submit(self._piece, members))
                    if len(waiting) > AHEAD * threads:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _piece(self, members: Sequence[int]) -> Piece:
        places = piece(self._sheaf, members, self._rows.taken_at_us).astype(np.int64)
        rows, crossed = _Rows.of(self._rows.take(places), places, self._admission.are_notices(places)), ()
        suspects = np.flatnonzero(may_be_crossed(rows.columns, rows.value))
        if len(suspects):
            rows, crossed = self._without_crossed(rows, suspects)
        what = copies(rows.columns, rows.value)
        first = what == Copy.FIRST
        told = what[~rows.noticed]
        lines, findings = self._evaluate(members, rows if first.all() else rows.take(first))
        return Piece(
            lines=lines,
            findings=findings,
            rows=len(told),
            evaluated=int((told == Copy.FIRST).sum()),
            duplicates=int((told == Copy.DUPLICATE).sum()),
            too_late=int((told == Copy.TOO_LATE).sum()),
            crossed=crossed,
            conflicts=rows.places[(what == Copy.CONFLICT) & ~rows.noticed],
        )

    def _without_crossed(self, rows: "_Rows", suspects: Places) -> tuple["_Rows", Sequence[BadRow]]:
        """Without crossed pressures, with the notices of them; and what is told of them."""
        told = refuse_crossed(rows.columns, suspects, self._patients)
        numbers = self._admission.numbers(rows.places[told.places]).tolist()
        bad = [replace(row, row=number) for row, number in zip(told.bad, numbers, strict=True)]
        return rows.without(told.places, told.notice_places, told.notices), bad

    def _evaluate(self, members: Sequence[int], all_rows: "_Rows") -> tuple[bytes, int]:
        """The findings of some patients, of whom nothing else is known than these rows and their changes."""
        engine, rows = Engine(self._programmes), all_rows.columns
        rank = self._rank[rows.patient] - self._rank[members[0]]
        begins = np.searchsorted(rank, np.arange(len(members)), side="left").tolist()
        ends = [*begins[1:], len(rows)]
        for row, (patient, begin, end) in enumerate(zip(members, begins, ends, strict=True)):
            first_us = int(rows.taken_at_us[begin]) if begin < end else self._first_us
            patient_id = self._patients.ids[patient]
            problems = engine.change(row, patient_id, self._changes(patient_id, first_us))
            if problems:
                raise Broken(f"A change that had been looked at cannot be followed: {problems[0]}.")
        readings = as_readings(rows, all_rows.value, rank, self._texts) if len(rows) else None
        verdict = engine.apply(readings, self._until_us)
        ids = [(self._patients.ids[patient], self._patients.all[patient]) for patient in members]
        return self._writer.lines(verdict, ids)


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
