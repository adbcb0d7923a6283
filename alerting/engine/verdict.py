"""What the engine says after a batch, and how to read it."""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from alerting.engine.compiled import SEVERITIES, CompiledProgrammes, CompiledRule
from alerting.engine.evidence import Looked
from alerting.engine.expressions import Comparison
from alerting.engine.features import Comparator
from alerting.engine.kernel import layout, rules
from alerting.engine.kernel.layout import Rows
from models.findings import Evidence, RuleIdentity, Severity
from models.kinds import KINDS
from models.requests import Requested, RequestStatus

_HOLDS: Mapping[Comparator, Callable[[float, float], bool]] = {
    Comparator.ABOVE: operator.gt,
    Comparator.AT_LEAST: operator.ge,
    Comparator.BELOW: operator.lt,
    Comparator.AT_MOST: operator.le,
}
_REASONS = {layout.BY_JUMP: "jump", layout.BY_LEVEL: "above"}
_STATUSES = {
    layout.PENDING: RequestStatus.PENDING,
    layout.CONFIRMED: RequestStatus.CONFIRMED,
    layout.UNANSWERED: RequestStatus.UNANSWERED,
    layout.SUSPECTED: RequestStatus.SUSPECT,
    layout.WITHDRAWN: RequestStatus.WITHDRAWN,
}

NO_CLOCK = -1
"""Instead of now: no clock message yet, or a patient who is rebuilt from earlier readings."""


class What(IntEnum):
    """What happened to a finding."""

    OPEN = rules.OPEN
    RAISE = rules.RAISE
    CLEAR = rules.CLEAR
    KEEP = rules.KEEP


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


def _nothing(row: np.void, comparison: Comparison) -> Looked:  # noqa: ARG001 - one form for all
    return Looked(0, ())


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
    looked_at: Callable[[np.void, Comparison], Looked] = _nothing

    def __len__(self) -> int:
        return len(self.transitions)

    def readable(self) -> Sequence[Transition]:
        """The transitions as objects, in their order; before the engine takes another batch."""
        return [_readable(self, row) for row in self.transitions]


def _readable(verdict: Verdict, row: np.void) -> Transition:
    rule = verdict.programmes.rules[int(row["rule"])]
    what = What(int(row["what"]))
    compared = rule.opening if what is What.OPEN else rule.raising if what is What.RAISE else ()
    evidence = tuple(
        _evidence(verdict, row, rule, comparison, place) for place, comparison in enumerate(compared)
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
        unconfirmed=bool(row["unconfirmed"]),
    )


def _evidence(
    verdict: Verdict, row: np.void, rule: CompiledRule, comparison: Comparison, place: int
) -> Evidence:
    value, limit = float(row["values"][place]), float(row["limits"][place])
    known = not math.isnan(value)
    looked = verdict.looked_at(row, comparison)
    return Evidence(
        feature=str(comparison.feature),
        value=value if known else None,
        unit=rule.units[comparison.limit],
        limit=comparison.limit,
        limit_value=limit,
        comparator=str(comparison.comparator),
        holds=_HOLDS[comparison.comparator](value, limit) if known else None,
        window_us=comparison.feature.window_us,
        count=looked.number,
        readings=looked.readings,
    )


def requested(row: np.void) -> Requested:
    """A row of the kernel as a request."""
    return Requested(
        patient_row=int(row["patient"]),
        kind=KINDS[int(row["kind"])].name,
        taken_at_us=int(row["taken_us"]),
        due_us=int(row["due_us"]),
        reason=_REASONS[int(row["reason"])],
        status=_STATUSES[int(row["status"])],
        value=float(row["value"]),
        former=float(row["former"]),
    )
