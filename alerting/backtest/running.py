"""All versions on one history, in one pass: piece after piece, some at once, what is done kept aside."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from alerting.backtest.evaluating import Evaluating, Findings, Piece
from alerting.backtest.gathering import Gathered, found_by
from alerting.backtest.history import Histories, Members
from alerting.backtest.kept import Kept
from alerting.backtest.progress import Progress
from alerting.backtest.result import Backtest, Swept, Tried
from alerting.backtest.sweeps import Sweep
from alerting.backtest.together import Together
from alerting.backtest.versions import Version
from alerting.offline.evaluation import AHEAD, Begun, in_order


class Workers(Protocol):
    """Where pieces are evaluated; so many are to be under way at once."""

    ahead: int

    def begin(self, evaluate: Evaluating, histories: Histories, members: Members) -> Begun[Piece]:
        """Begins a piece."""
        ...


class Threads(AbstractContextManager["Threads"]):
    """The cores of this machine: what takes long lets the other threads run."""

    def __init__(self, threads: int) -> None:
        self.ahead = AHEAD * threads
        self._pool = ThreadPoolExecutor(threads, "backtest")

    def begin(self, evaluate: Evaluating, histories: Histories, members: Members) -> Begun[Piece]:
        """Begins a piece in the next thread that is free."""
        return self._pool.submit(lambda: evaluate(histories.prepare(members)))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Waits for what is under way."""
        self._pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class Tries:
    """What is tried in one pass: the versions that are compared, and one limit or another varied."""

    versions: Sequence[Version]
    sweeps: Sequence[Sweep] = ()

    def all(self) -> Sequence[Version]:
        """The versions, then those of each sweep by value."""
        return [*self.versions, *(each for sweep in self.sweeps for each in sweep.variants(self.versions))]


def run(
    histories: Histories, tries: Tries, workers: Workers, progress: Progress, kept: Kept | None = None
) -> Backtest:
    """What all versions find, but for what really happened; with `kept`, what was done is not done again.

    **Raises**: BadInput.
    """
    together = Together(tries.all())
    evaluate = Evaluating(together, histories.stretch)
    gathered = Gathered()
    pieces = list(histories.pieces())
    patients = sum(map(len, pieces))

    def begin(members: Members) -> Begun[Piece]:
        there = None if kept is None else kept.find(histories.names(members))
        return workers.begin(evaluate, histories, members) if there is None else _there(there)

    done = 0
    for piece in in_order(begin, pieces, workers.ahead):
        if kept is not None:
            kept.keep(piece)
        gathered.pieces.append(piece)
        done += len(piece.names)
        progress("patients evaluated", done, patients)
    histories.end(gathered.pieces)
    return _result(histories, tries, together, gathered)


def _there(piece: Piece) -> Begun[Piece]:
    """A piece that was evaluated before."""
    future: Future[Piece] = Future()
    future.set_result(piece)
    return future


def _result(histories: Histories, tries: Tries, together: Together, gathered: Gathered) -> Backtest:
    tried = _tried(tries.all(), together, gathered.findings())
    followed = gathered.followed()
    begins_us = followed.from_us[followed.from_us < followed.until_us]
    return Backtest(
        versions=[next(tried) for _ in tries.versions],
        sweeps=[
            Swept(
                programme=sweep.programme.programme,
                rule=sweep.rule,
                limit=sweep.limit,
                unit=sweep.what.unit,
                base=sweep.base,
                default=sweep.what.default,
                values=sweep.values,
                tried=[next(tried) for _ in sweep.values],
            )
            for sweep in tries.sweeps
        ],
        followed=followed,
        held=gathered.held(),
        from_us=int(begins_us.min(initial=histories.stretch.until_us)),
        until_us=histories.stretch.until_us,
        readings=histories.name,
        rows=histories.rows,
        refused=histories.refused,
        real=histories.real,
        labels=None,
        labels_from="",
        series=histories.series,
    )


def _tried(versions: Sequence[Version], together: Together, findings: Findings) -> Iterator[Tried]:
    for number, version in enumerate(versions):
        found = found_by(findings, together.rules[number], together.places[number])
        yield Tried(version.name, version.programmes, version.hash, found)
