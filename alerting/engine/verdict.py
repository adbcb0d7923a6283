"""What the engine says after a batch, and how to read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from alerting.engine import kernel
from alerting.engine.compiled import SEVERITIES, CompiledProgrammes
from alerting.engine.layout import Rows
from models.findings import Evidence, RuleIdentity, Severity
from models.requests import Requested

NO_CLOCK = -1
"""Instead of now: no clock message yet, or a patient who is rebuilt from earlier readings."""


class What(IntEnum):
    """What happened to a finding."""

    OPEN = kernel.OPEN
    RAISE = kernel.RAISE
    CLEAR = kernel.CLEAR
    KEEP = kernel.KEEP


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of a verdict, readable.

    `evidence` belongs to OPEN (the comparisons of `when`) and RAISE (those of `raise`). KEEP says that the
    finding was open at the snapshot from which its patient was evaluated again, `raised` whether it had
    risen by then. `unconfirmed`: a reading that the rule names waits for a repeat. **Units**: microseconds
    since 1970 UTC.
    """

    patient_row: int
    what: What
    rule: RuleIdentity
    severity: Severity
    opened_at_us: int
    at_us: int
    raised: bool
    evidence: tuple[Evidence, ...]
    unconfirmed: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a batch changed, patient by patient, each patient's transitions in order of time.

    `replayed`: patient row and time of the snapshot from which the patient was evaluated again; what the
    patient's findings were up to that time stands. Later ones that are not opened in `transitions` are
    retracted; those open at that time come as KEEP and lose a later clearing or rise that does not come
    again.
    `rebuild`: patients with late readings for whom no snapshot is old enough.
    `requests`: measurement requests whose status changed, new ones among them.
    **Shape**: `transitions` are rows of layout.TRANSITION; values and limits belong to OPEN and RAISE only.
    """

    programmes: CompiledProgrammes
    transitions: Rows
    replayed: tuple[tuple[int, int], ...] = ()
    rebuild: tuple[int, ...] = ()
    requests: tuple[Requested, ...] = ()

    def __len__(self) -> int:
        return len(self.transitions)

    def readable(self) -> Sequence[Transition]:
        """The transitions as objects, in their order."""
        return [_readable(self.programmes, row) for row in self.transitions]


def _readable(programmes: CompiledProgrammes, row: np.void) -> Transition:
    rule = programmes.rules[int(row["rule"])]
    what = What(int(row["what"]))
    compared = rule.opening if what is What.OPEN else rule.raising if what is What.RAISE else ()
    evidence = tuple(
        Evidence(
            feature=str(comparison.feature),
            value=None if np.isnan(value) else float(value),
            unit=rule.units[comparison.limit],
            limit=comparison.limit,
            limit_value=float(limit),
        )
        for comparison, value, limit in zip(compared, row["values"], row["limits"], strict=False)
    )
    return Transition(
        patient_row=int(row["patient"]),
        what=what,
        rule=rule.identity,
        severity=SEVERITIES[int(row["severity"])],
        opened_at_us=int(row["opened_at_us"]),
        at_us=int(row["at_us"]),
        raised=bool(row["raised"]),
        evidence=evidence,
    )
