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
        preparing: Preparing,
        changes: Changes,
        until_us: int,
        *,
        follow: bool = False,
    ) -> None:
        """`follow`: what a change says that a programme does not have is passed over, as on the log."""
        self._follow = follow
        self._programmes = programmes
        self._preparing = preparing
        self._changes = changes
        self._until_us = until_us
        self._writer = Writer(programmes)

    def run(self, threads: int) -> Iterator[Piece]:
        """Piece after piece, in the order of the patients' ids as the file gives them."""
        with ThreadPoolExecutor(threads, "evaluate") as pool:
            pieces = self._preparing.pieces()
            yield from in_order(lambda members: pool.submit(self._piece, members), pieces, AHEAD * threads)

    def _piece(self, members: Sequence[int]) -> Piece:
        prepared, counted = self._preparing.prepare(members)
        histories = map(self._changes, prepared.ids, prepared.first_us)
        verdict, problems = judged(self._programmes, prepared, histories, self._until_us)
        if problems and not self._follow:
            raise Broken(f"A change that had been looked at cannot be followed: {problems[0]}.")
        lines, findings = self._writer.lines(verdict, list(zip(prepared.ids, prepared.names, strict=True)))
        return Piece(lines, findings, counted)


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
