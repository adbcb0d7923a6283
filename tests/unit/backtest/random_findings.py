"""Findings, admissions and pauses of a few patients, drawn for the tests of backtests."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from alerting.backtest.found import NEVER_US, Found, FoundRule
from alerting.backtest.result import Held
from models.clock import HOUR_US
from models.findings import Signal

PATIENTS = 2
RULES = (
    FoundRule("heart_failure", 1, "gain", Signal.FLUID),
    FoundRule("heart_failure", 1, "swollen", Signal.FLUID),
    FoundRule("hypertension", 1, "high", Signal.PRESSURE),
    FoundRule("hypertension", 1, "silence", Signal.SILENCE),
)

Row = tuple[int, int, int, int, int, bool]
"""Patient, rule, severity, opened, cleared, quiet. **Units**: hours, as all moments here."""
Span = tuple[int, bool, int, int]
"""Patient, whether an admission, from, until."""


def found_of(rows: Sequence[Row], rules: Sequence[FoundRule] = RULES) -> Found:
    """Rows as columns, in their order; a clearing of −1 has not come."""
    ordered = sorted(rows, key=lambda row: (row[0], row[3], row[1]))
    patient, rule, severity, opened, cleared, quiet = np.array(ordered, np.int64).reshape(-1, 6).T
    return Found(
        rules=rules,
        patient=patient.astype(np.int32),
        rule=rule.astype(np.int16),
        severity=severity.astype(np.int8),
        opened_at_us=opened * HOUR_US,
        cleared_at_us=np.where(cleared < 0, NEVER_US, cleared * HOUR_US),
        quiet=quiet.astype(np.bool_),
    )


def held_of(spans: Sequence[Span]) -> Held:
    """Spans as columns; one that ends at −1 lasts."""
    ordered = sorted(spans, key=lambda span: (span[0], span[2]))
    patient, admission, since, until = np.array(ordered, np.int64).reshape(-1, 4).T
    return Held(
        patient=patient.astype(np.int32),
        admission=admission.astype(np.bool_),
        from_us=since * HOUR_US,
        until_us=np.where(until < 0, NEVER_US, until * HOUR_US),
    )


@st.composite
def findings(draw: st.DrawFn) -> Found:
    """Of each rule one after the other, as the engine makes them: the next opens after the last cleared."""
    rows: list[Row] = []
    for patient in range(PATIENTS):
        for rule in range(len(RULES)):
            at = 0
            for gap, length in draw(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 60)), max_size=5)):
                lasts = draw(st.integers(0, 20)) == 0
                opened, cleared = at + gap, -1 if lasts else at + gap + length
                severity, quiet = draw(st.integers(0, 2)), draw(st.booleans())
                rows.append((patient, rule, severity, opened, cleared, quiet))
                if lasts:
                    break
                at = cleared
    return found_of(rows)


@st.composite
def absences(draw: st.DrawFn) -> Held:
    """Of each patient, pauses and admissions, those of a sort one after the other."""
    spans: list[Span] = []
    for patient in range(PATIENTS):
        for admission in (False, True):
            at = 0
            for gap, length in draw(st.lists(st.tuples(st.integers(1, 80), st.integers(1, 80)), max_size=2)):
                lasts = draw(st.integers(0, 10)) == 0
                spans.append((patient, admission, at + gap, -1 if lasts else at + gap + length))
                if lasts:
                    break
                at += gap + length
    return held_of(spans)
