"""Some patients under all versions: one call from what was measured to findings as columns.

It knows nothing of where the rows come from, nor of which thread or machine it runs on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alerting.backtest.followed import Span, followed, held
from alerting.backtest.found import NEVER_US
from alerting.backtest.together import Together
from alerting.engine.compiled import SEVERITIES
from alerting.engine.verdict import Verdict
from alerting.offline.evaluation import History, judged
from alerting.offline.pairing import NONE, lasting, paired
from alerting.offline.preparing import Counted, Prepared
from models.findings import Severity

Ints = NDArray[np.int64]
_RANKS = np.array([severity.rank for severity in SEVERITIES], np.int8)


@dataclass(frozen=True, slots=True)
class Work:
    """Some patients, with their changes as they were recorded, and what was looked at to get there."""

    prepared: Prepared
    histories: Sequence[History]
    counted: Counted


class Findings(NamedTuple):
    """Findings of some patients under all versions, by patient and time of opening.

    **Shape**: each is [n]; `patient` is a place among the patients, `rule` the engine's number.
    **Units**: microseconds since 1970 UTC.
    """

    patient: NDArray[np.int32]
    rule: NDArray[np.int16]
    severity: NDArray[np.int8]
    opened_at_us: NDArray[np.int64]
    cleared_at_us: NDArray[np.int64]
    quiet: NDArray[np.bool_]


class Spans(NamedTuple):
    """Stretches in which alerts are held back. **Shape**: each is [n], `patient` as in `Findings`."""

    patient: NDArray[np.int32]
    admission: NDArray[np.bool_]
    from_us: NDArray[np.int64]
    until_us: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Piece:
    """What came of some patients. **Shape**: `from_us`, `until_us`, `readings` are [patients]."""

    names: Sequence[str]
    from_us: Ints
    until_us: Ints
    readings: Ints
    findings: Findings
    held: Spans
    counted: Counted
    unfit: int = 0
    """Changes that one version or another could not follow: personal limits it does not have or accept."""


@dataclass(frozen=True, slots=True)
class Evaluating:
    """What is the same for all pieces: the versions, and the stretch of history."""

    together: Together
    stretch: Span

    def __call__(self, work: Work) -> Piece:
        """What the versions find in some patients."""
        prepared, patients = work.prepared, len(work.prepared.ids)
        histories = map(self.together.history, work.histories)
        verdict, problems = judged(self.together.programmes, prepared, histories, self.stretch.until_us)
        names = {line.programme for line in self.together.lines}
        spans = [followed(history, names, self.stretch) for history in work.histories]
        return Piece(
            names=prepared.names,
            from_us=np.array([span.from_us for span in spans], np.int64),
            until_us=np.array([span.until_us for span in spans], np.int64),
            readings=np.bincount(prepared.patient, minlength=patients).astype(np.int64),
            findings=_findings(verdict, self.together, patients),
            held=_held(work.histories),
            counted=work.counted,
            unfit=len(problems),
        )


def _findings(verdict: Verdict, together: Together, patients: int) -> Findings:
    """Without those that are in doubt to the end and not high: nobody is shown them."""
    rules = together.programmes.rules
    of_rules = lasting(rules)
    opened, cleared, raised = paired(verdict, of_rules, patients)
    t: Any = verdict.transitions
    rule, patient = t["rule"][opened].astype(np.int64), t["patient"][opened].astype(np.int64)
    rises, clears = raised != NONE, cleared != NONE
    at_first = _RANKS[t["severity"][opened]]
    worst = np.where(rises, _RANKS[t["severity"][raised]], at_first)
    opened_at_us = t["opened_at_us"][opened].astype(np.int64)
    cleared_at_us = np.where(clears, t["at_us"][cleared].astype(np.int64), NEVER_US)
    cooldowns_us = np.array([each.identity.cooldown_us for each in rules], np.int64)
    quiet = _quiet(
        patient,
        of_rules[rule],
        opened_at_us,
        cleared_at_us,
        at_first,
        worst,
        cooldowns_us[rule],
        patients,
        int(of_rules.max(initial=0)) + 1,
    )
    unconfirmed = (t["unconfirmed"][opened] != 0) | (rises & (t["unconfirmed"][raised] != 0))
    kept = np.flatnonzero(~unconfirmed | (worst >= Severity.HIGH.rank))
    kept = kept[np.argsort(patient[kept], kind="stable")]
    return Findings(
        patient[kept].astype(np.int32),
        rule[kept].astype(np.int16),
        worst[kept].astype(np.int8),
        opened_at_us[kept],
        cleared_at_us[kept],
        quiet[kept],
    )


@njit(cache=True, nogil=True)
def _quiet(
    patient: Ints, lasting_of: Ints, opened_at_us: Ints, cleared_at_us: Ints,
    at_first: NDArray[np.int8], worst: NDArray[np.int8], cooldown_us: Ints, patients: int, rules: int,
) -> NDArray[np.bool_]:  # fmt: skip
    """Whether each opened within the cooldown of the one before of its rule, and no worse than that was.

    The same as `alerting.findings` says when a finding opens; they come in the order of time here.
    """
    before = np.full((patients, rules), -1, np.int64)
    quiet = np.zeros(len(patient), np.bool_)
    for row in range(len(patient)):
        other = before[patient[row], lasting_of[row]]
        before[patient[row], lasting_of[row]] = row
        if other >= 0 and cooldown_us[row] > 0:
            since_us = opened_at_us[row] - cleared_at_us[other]
            quiet[row] = since_us <= cooldown_us[row] and at_first[row] <= worst[other]
    return quiet


def _held(histories: Sequence[History]) -> Spans:
    found = [(place, *span) for place, history in enumerate(histories) for span in held(history)]
    patient, admission, from_us, until_us = zip(*found, strict=True) if found else ((), (), (), ())
    return Spans(
        np.array(patient, np.int32),
        np.array(admission, np.bool_),
        np.array(from_us, np.int64),
        np.array(until_us, np.int64),
    )
