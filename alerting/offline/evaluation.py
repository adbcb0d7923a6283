"""The engine on pieces of patients, several at once: from rows by patient to lines of findings."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from alerting.engine.compiled import CompiledProgrammes
from alerting.engine.engine import Engine
from alerting.engine.timeline import Problem
from alerting.engine.verdict import Verdict
from alerting.offline.lines import Writer
from alerting.offline.preparing import Counted, Prepared, Preparing
from models.errors import Broken
from models.messages import AnyChange

History = Sequence[tuple[int, AnyChange]]
"""A patient's changes, each with the time from which it holds."""
Changes = Callable[[UUID, int], History]
"""The history of a patient whose first reading was taken then."""

AHEAD = 2
"""So many pieces for each thread are begun before the first of them is asked for."""

Item = TypeVar("Item")
Outcome_co = TypeVar("Outcome_co", covariant=True)


class Begun(Protocol[Outcome_co]):
    """Work that is under way somewhere."""

    def result(self) -> Outcome_co:
        """What comes of it, when it is there."""
        ...

    def cancel(self) -> object:
        """Not to be begun any more, if it was not."""
        ...


@dataclass(frozen=True, slots=True)
class Piece:
    """What came of the rows of some patients."""

    lines: bytes
    findings: int
    counted: Counted


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
        *,
        follow: bool = False,
    ) -> None:
        """`follow`: what a change says that a programme does not have is passed over, as on the log."""
        self._programmes = programmes
        self._follow = follow
        self._admission = admission
        self._rows = rows
        self._changes = changes
        self._until_us = until_us
        self._writer = Writer(programmes)

    def run(self, threads: int) -> Iterator[Piece]:
        """Piece after piece, in the order of the patients' ids as the file gives them."""
        with ThreadPoolExecutor(threads, "evaluate") as pool:
            pieces = self._preparing.pieces()
            yield from in_order(lambda members: pool.submit(self._piece, members), pieces, AHEAD * threads)

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
            if problems and not self._follow:
                raise Broken(f"A change that had been looked at cannot be followed: {problems[0]}.")
        readings = as_readings(rows, all_rows.value, rank, self._texts) if len(rows) else None
        verdict = engine.apply(readings, self._until_us)
        ids = [(self._patients.ids[patient], self._patients.all[patient]) for patient in members]
        return self._writer.lines(verdict, ids)


def judged(
    programmes: CompiledProgrammes, prepared: Prepared, histories: Iterable[History], until_us: int
) -> tuple[Verdict, Sequence[Problem]]:
    """What the engine says of patients of whom nothing else is known than these rows and their changes.

    And what in the changes could not be followed. **Units**: `until_us` in microseconds since 1970 UTC.
    """
    engine, problems = Engine(programmes), list[Problem]()
    for row, (patient_id, history) in enumerate(zip(prepared.ids, histories, strict=True)):
        problems += engine.change(row, patient_id, history)
    return engine.apply(prepared.readings(), until_us), problems


def in_order(
    begin: Callable[[Item], Begun[Outcome_co]], items: Iterable[Item], ahead: int
) -> Iterator[Outcome_co]:
    """What comes of each item, in their order; only so many are begun before the first is asked for.

    **Raises**: what the work raises; what has not begun by then never begins.
    """
    waiting: deque[Begun[Outcome_co]] = deque()
    try:
        for item in items:
            waiting.append(begin(item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for begun in waiting:
            begun.cancel()
