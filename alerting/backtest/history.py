"""Where a history comes from, as running it sees it: patients in pieces, each ready for the engine."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from alerting.backtest.evaluating import Piece, Work
from alerting.backtest.followed import Span
from alerting.backtest.result import Series
from models.labels import Label

Members = Sequence[int]
"""Some patients of a history, by their numbers in it."""


class Histories(Protocol):
    """All patients of one source; threads may ask at once."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def real(self) -> bool:
        """Whether the patients exist."""
        ...

    @property
    def stretch(self) -> Span:
        """From its first reading to its end."""
        ...

    @property
    def rows(self) -> int:
        """How many rows were read so far."""
        ...

    @property
    def refused(self) -> int:
        """How many of them do not count, because something is wrong with them."""
        ...

    def pieces(self) -> Iterator[Members]:
        """All patients, in the order of what they are called, in pieces of a good size."""
        ...

    def names(self, members: Members) -> Sequence[str]:
        """What they are called."""
        ...

    def prepare(self, members: Members) -> Work:
        """What is known of them."""
        ...

    def end(self, pieces: Sequence[Piece]) -> None:
        """All pieces are done: time to tell what only showed there to be wrong. **Raises**: BadInput."""
        ...

    def series(self, patients: Sequence[int]) -> Mapping[int, Series]:
        """The readings of some patients, by their places in the order."""
        ...

    def labels(self) -> Sequence[Label] | None:
        """What is known of them beside readings; None where nothing is."""
        ...
