"""From what came of each piece to what each version found in everybody."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from alerting.backtest.evaluating import Findings, Piece, Spans
from alerting.backtest.found import Followed, Found, FoundRule
from alerting.backtest.result import Held

Columns = TypeVar("Columns", Findings, Spans)


@dataclass(slots=True)
class Gathered:
    """Pieces, in the order of their patients."""

    pieces: list[Piece] = field(default_factory=list[Piece])

    def followed(self) -> Followed:
        """Everybody."""
        return Followed(
            [name for piece in self.pieces for name in piece.names],
            _joined([piece.from_us for piece in self.pieces]),
            _joined([piece.until_us for piece in self.pieces]),
            _joined([piece.readings for piece in self.pieces]),
        )

    def held(self) -> Held:
        """When whose alerts are held back."""
        return Held(*_columns([piece.held for piece in self.pieces], self._firsts(), Spans))

    def findings(self) -> Findings:
        """All findings of all versions, `patient` among all patients."""
        return _columns([piece.findings for piece in self.pieces], self._firsts(), Findings)

    def _firsts(self) -> Sequence[int]:
        """The place of each piece's first patient among all."""
        return np.cumsum([0, *(len(piece.names) for piece in self.pieces)]).tolist()


def found_by(findings: Findings, rules: Sequence[FoundRule], places: NDArray[np.int16]) -> Found:
    """What one version found: `places` has its number of each of the engine's rules, −1 where it has none."""
    rule = places[findings.rule] if len(places) else findings.rule
    own = np.flatnonzero(rule >= 0)
    rule = rule[own]
    order = np.lexsort((rule, findings.opened_at_us[own], findings.patient[own]))
    own = own[order]
    return Found(
        rules,
        findings.patient[own],
        rule[order],
        findings.severity[own],
        findings.opened_at_us[own],
        findings.cleared_at_us[own],
        findings.quiet[own],
    )


def _columns(parts: Sequence[Columns], firsts: Sequence[int], of: Callable[..., Columns]) -> Columns:
    """Columns one below the other, their patients counted on."""
    counted_on = [
        part._replace(patient=(part.patient + first).astype(np.int32))
        for part, first in zip(parts, firsts, strict=False)
    ]
    empty = [np.zeros(0, np.int64)] * len(of.__annotations__)
    return (
        of(*(np.concatenate(columns) for columns in zip(*counted_on, strict=True))) if parts else of(*empty)
    )


def _joined(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(0, np.int64), *parts])
