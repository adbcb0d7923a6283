"""From findings to the alerts that people would have seen, as semantics.md says; for everybody at once.

Two things that happen to real alerts need people, who are not there in a backtest. So this says what they do:
who is shown an alert closes it when nothing holds any more, and nobody takes on what is low or technical
before the first step of its policy has passed: until then it may close by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alerting.backtest.found import NEVER_US, Found
from alerting.backtest.result import Held
from alerting.escalation.choice import first_wait_us
from alerting.escalation.policy import Policies
from alerting.escalation.policy_files import load_policies
from models.findings import Severity, Signal

SIGNALS = tuple(Signal)
"""What the numbers of signals stand for."""
TECHNICAL = np.array([signal.technical or signal is Signal.REMARK for signal in SIGNALS])
"""Which of them are not about the patient's condition: no event is found by them, none of them is false."""
_SEVERITIES = tuple(Severity)

Times = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Alerts:
    """Alerts, by patient, signal, opening; and their reasons, the findings.

    `signal` is a place in SIGNALS. `closed_at_us`: when nothing held any more. `shown_at_us`: when people
    first saw it; NEVER_US for what was quiet or in hospital to its end. `by_itself`: it closed without
    anybody. Finding `reason_found[i]` is a reason of alert `reason_alert[i]`, of which people heard at
    `told_at_us[i]`.

    **Shape**: the reasons are of another length than the alerts. **Units**: microseconds since 1970 UTC.
    """

    patient: NDArray[np.int32]
    signal: NDArray[np.int8]
    severity: NDArray[np.int8]
    opened_at_us: Times
    closed_at_us: Times
    shown_at_us: Times
    by_itself: Flags
    reason_alert: NDArray[np.int64]
    reason_found: NDArray[np.int64]
    told_at_us: Times

    def __len__(self) -> int:
        return len(self.patient)

    @property
    def manual(self) -> Flags:
        """Those that somebody had to deal with: shown to a person, and not closed by themselves."""
        return (self.shown_at_us < NEVER_US) & ~self.by_itself

    @property
    def clinical(self) -> Flags:
        """Those about the patient rather than about measuring."""
        return ~TECHNICAL[self.signal]


def as_alerts(found: Found, policies: Policies | None = None, held: Held | None = None) -> Alerts:
    """The alerts that findings come to: one per patient and signal while anything of it holds.

    `held`: when patients paused (*no data* is heard after it) and were in hospital (shown after it).
    Policies that are not given are those that come with Thuiswacht.
    """
    signal = np.array([SIGNALS.index(rule.signal) for rule in found.rules], np.int8)[found.rule]
    admissions, pauses = _spans(held, admission=True), _spans(held, admission=False)
    heard_us = found.opened_at_us.copy()
    silent = np.flatnonzero(signal == SIGNALS.index(Signal.SILENCE))
    heard_us[silent] = _first_outside(found.patient[silent], heard_us[silent], *pauses)
    in_time = (heard_us == found.opened_at_us) | (heard_us < found.cleared_at_us)
    places = np.flatnonzero(in_time & (heard_us < NEVER_US))
    order = places[np.lexsort((found.rule[places], heard_us[places], signal[places], found.patient[places]))]
    patience_us = _patience_us(found, load_policies() if policies is None else policies)
    severity = found.severity[order]
    n, of_reason, *columns = _joined(
        found.patient[order],
        signal[order],
        severity,
        heard_us[order],
        found.cleared_at_us[order],
        found.quiet[order],
        patience_us[found.rule[order], severity],
        *admissions,
    )
    patient, of_signal, worst, opened_us, closed_us, shown_us, by_itself = (column[:n] for column in columns)
    told_us = np.maximum(heard_us[order], shown_us[of_reason])
    return Alerts(
        patient, of_signal, worst, opened_us, closed_us, shown_us, by_itself, of_reason, order, told_us
    )


def _patience_us(found: Found, policies: Policies) -> Times:
    """How long an alert may close by itself; 0: never. **Shape**: [rules, severities]."""
    patience_us = np.zeros((len(found.rules), len(_SEVERITIES)), np.int64)
    for place, rule in enumerate(found.rules):
        for severity in _SEVERITIES:
            policy = policies.of(rule.programme, rule.signal, severity)
            # As lifecycle.closes_by_itself: of what is low or technical, if the policy lets it.
            if policy.closes_by_itself and (severity is Severity.LOW or rule.signal.technical):
                patience_us[place, severity.rank] = first_wait_us(policy)
    return patience_us


def _spans(held: Held | None, *, admission: bool) -> tuple[NDArray[np.int32], Times, Times]:
    """When patients are away: who, from, until; by patient, then time."""
    if held is None:
        return np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int64)
    some = np.flatnonzero(held.admission == admission)
    some = some[np.lexsort((held.from_us[some], held.patient[some]))]
    return held.patient[some], held.from_us[some], held.until_us[some]


# numba takes what is called from compiled code only as an object of its own, which has no types.
_compiled: Callable[[Callable[..., Any]], Callable[..., Any]] = njit(cache=True, nogil=True)


@_compiled
def _outside(at_us: int, patient: int, first: int, whose: Any, from_us: Any, until_us: Any) -> int:
    """The first moment from `at_us` on at which a patient is not away; `first`: where their rows begin."""
    row = first
    while row < len(whose) and whose[row] == patient and from_us[row] <= at_us:
        at_us = max(at_us, until_us[row])
        row += 1
    return at_us


@_compiled
def _first_outside(patient: Any, at_us: Any, whose: Any, from_us: Any, until_us: Any) -> Any:
    """The same for many moments, by patient."""
    outside_us = np.empty(len(at_us), np.int64)
    first = 0
    for row in range(len(at_us)):
        while first < len(whose) and whose[first] < patient[row]:
            first += 1
        outside_us[row] = _outside(at_us[row], patient[row], first, whose, from_us, until_us)
    return outside_us


@_compiled
def _joined(
    patient: Any,
    signal: Any,
    severity: Any,
    heard_us: Any,
    cleared_us: Any,
    quiet: Any,
    patience_us: Any,
    whose: Any,
    from_us: Any,
    until_us: Any,
) -> Any:
    """Findings by patient, signal and moment, each joined to the alert that is open, or opening one."""
    many = len(patient)
    of_reason = np.empty(many, np.int64)
    a_patient, a_signal, a_severity = (
        np.empty(many, np.int32),
        np.empty(many, np.int8),
        np.empty(many, np.int8),
    )
    opened_us, closed_us = np.empty(many, np.int64), np.empty(many, np.int64)
    shown_us, by_itself = np.empty(many, np.int64), np.empty(many, np.bool_)
    last, first, loud_us, nothing_us, patience = -1, 0, NEVER_US, 0, 0
    for row in range(many):
        who = patient[row]
        same = last >= 0 and a_patient[last] == who and a_signal[last] == signal[row]
        if same and heard_us[row] <= closed_us[last]:
            if loud_us == NEVER_US and (not quiet[row] or severity[row] > a_severity[last]):
                loud_us = heard_us[row]
            if severity[row] > a_severity[last]:
                a_severity[last], patience = severity[row], patience_us[row]
            elif severity[row] == a_severity[last]:
                patience = min(patience, patience_us[row])
            nothing_us = max(cleared_us[row], nothing_us)
        else:
            last += 1
            while first < len(whose) and whose[first] < who:
                first += 1
            a_patient[last], a_signal[last], a_severity[last] = who, signal[row], severity[row]
            opened_us[last], patience = heard_us[row], patience_us[row]
            loud_us = NEVER_US if quiet[row] else heard_us[row]
            nothing_us = cleared_us[row]
        of_reason[row] = last
        # In hospital nobody looks: it is shown, told and closed by a person after discharge.
        at_us = _outside(loud_us, who, first, whose, from_us, until_us)
        told_us = at_us
        if patience > 0 and at_us < NEVER_US:
            told_us = _outside(at_us + patience, who, first, whose, from_us, until_us)
        by_itself[last] = patience > 0 and nothing_us < told_us
        closed_us[last] = nothing_us
        if not by_itself[last]:
            closed_us[last] = _outside(nothing_us, who, first, whose, from_us, until_us)
        seen = at_us < nothing_us or (not by_itself[last] and at_us <= closed_us[last])
        shown_us[last] = at_us if seen else NEVER_US
    return last + 1, of_reason, a_patient, a_signal, a_severity, opened_us, closed_us, shown_us, by_itself
