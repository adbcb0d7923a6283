"""From the engine's verdict on patients' whole histories to lines of findings.

Nothing is late here, so nothing is ever taken back: what opens stays, is raised, is cleared.
"""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alerting.engine.compiled import SEVERITIES, CompiledProgrammes, CompiledRule
from alerting.engine.expressions import Comparison
from alerting.engine.verdict import Verdict, What
from alerting.offline import writing
from alerting.offline.arrow import arrow, compute
from alerting.offline.texts import block
from alerting.offline.writing import Findings, Labels
from models.errors import Broken

Ints = NDArray[np.int64]
LISTS = 3


class Writer:
    """Findings as lines of JSON; knows the texts of rules, which repeat."""

    def __init__(self, programmes: CompiledProgrammes) -> None:
        rules = programmes.rules
        names = [f"{rule.identity.programme}/{rule.identity.rule}/" for rule in rules]
        places = [(rule.identity.programme, rule.identity.rule) for rule in rules]
        in_order = {place: number for number, place in enumerate(sorted(set(places)))}
        self._lasting = np.array([in_order[place] for place in places], np.int64)
        """The rule's number in all versions of its programme, by programme and name."""
        self._names, self._heads = block(names), block(map(_head, rules))
        self._severities = block(severity.value for severity in SEVERITIES)
        self._labels = _labels(rules)

    def lines(self, verdict: Verdict, patients: Sequence[tuple[UUID, str]]) -> tuple[bytes, int]:
        """The findings of patients of whom the engine had heard nothing before, and how many they are.

        Sorted by patient, then time, programme and rule. `patients` are the ids of the engine's rows, and
        the texts that the file has for them.
        """
        if verdict.rebuild or verdict.replayed:
            raise Broken(
                "The engine wants to evaluate patients again of whom it was told everything at once."
            )
        findings = self._folded(verdict, len(patients))
        numbers = writing.numbers_of(findings, self._labels)
        digits: Any = compute.cast(arrow.array(numbers), arrow.string())
        _, ends, letters = digits.buffers()
        lines = writing.write(
            findings,
            self._labels,
            self._names,
            self._heads,
            self._severities,
            block(json.dumps(text) for _, text in patients),
            np.frombuffer(b"".join(patient_id.bytes for patient_id, _ in patients), np.uint8).reshape(-1, 16),
            numbers,
            np.frombuffer(letters or b"", np.uint8),
            np.frombuffer(ends, np.int32) if len(numbers) else np.zeros(1, np.int32),
        )
        return lines.tobytes(), len(findings.rule)

    def _folded(self, verdict: Verdict, patients: int) -> Findings:
        t: Any = verdict.transitions
        patient, rule = t["patient"].astype(np.int64), t["rule"].astype(np.int64)
        lasting = self._lasting[rule]
        wrong, opened, cleared, raised = _paired(
            patient, lasting, t["what"].astype(np.int64), patients, int(self._lasting.max(initial=0)) + 1
        )
        if wrong != writing.NEVER:
            raise Broken(
                f"The engine speaks of a finding that is not open: {What(int(t['what'][wrong])).name}."
            )
        at_us = t["at_us"].astype(np.int64)
        order = np.lexsort((lasting[opened], at_us[opened], patient[opened]))
        opened, cleared, raised = opened[order], cleared[order], raised[order]
        rises, clears = raised != writing.NEVER, cleared != writing.NEVER
        never = np.int64(writing.NEVER)
        return Findings(
            patient=patient[opened],
            rule=rule[opened],
            severity=t["severity"][np.where(rises, raised, opened)].astype(np.int64),
            opened_us=t["opened_at_us"][opened].astype(np.int64),
            cleared_us=np.where(clears, at_us[cleared], never),
            raised_us=np.where(rises, at_us[raised], never),
            raised_by=np.where(rises, rule[raised], never),
            unconfirmed=(t["unconfirmed"][opened] != 0) | (rises & (t["unconfirmed"][raised] != 0)),
            values=t["values"][opened],
            limits=t["limits"][opened],
            raised_values=t["values"][raised],
        )


@njit(cache=True, nogil=True)
def _paired(
    patient: Ints, lasting: Ints, what: Ints, patients: int, rules: int
) -> tuple[int, Ints, Ints, Ints]:
    """The transitions that opened findings, and those that cleared and raised them; −1 for none.

    First comes one that is of no open finding, −1 where all is well.
    """
    open_ = np.full((patients, rules), -1, np.int64)
    opened, cleared, raised = np.empty(len(what), np.int64), np.full(len(what), -1), np.full(len(what), -1)
    count = 0
    for row in range(len(what)):
        finding = open_[patient[row], lasting[row]]
        if (what[row] == What.OPEN) != (finding < 0) or what[row] == What.KEEP:
            return row, opened[:0], opened[:0], opened[:0]
        if what[row] == What.OPEN:
            open_[patient[row], lasting[row]] = count
            opened[count] = row
            count += 1
        elif what[row] == What.RAISE:
            raised[finding] = row
        else:
            cleared[finding] = row
            open_[patient[row], lasting[row]] = -1
    return -1, opened[:count], cleared[:count], raised[:count]


def _labels(rules: Sequence[CompiledRule]) -> Labels:
    first = np.zeros((len(rules), LISTS + 1), np.int64)
    places: list[int] = []
    texts: list[str] = []
    for number, rule in enumerate(rules):
        lists = (
            _features(rule, rule.opening),
            [comparison.limit for comparison in rule.opening],
            _features(rule, rule.raising),
        )
        for which, names in enumerate(lists):
            first[number, which] = len(places)
            once = dict.fromkeys(names)
            places += [names.index(name) for name in once]
            texts += [f"{json.dumps(name)}:" for name in once]
        first[number, LISTS] = len(places)
    return Labels(first, np.array(places, np.int64), block(texts))


def _features(rule: CompiledRule, comparisons: Sequence[Comparison]) -> list[str]:
    """What the values of a condition are called: a feature has one in each unit that it is compared in."""
    units: dict[str, str] = {}
    names: list[str] = []
    for comparison in comparisons:
        feature, unit = str(comparison.feature), rule.units[comparison.limit]
        names.append(feature if units.setdefault(feature, unit) == unit else f"{feature} in {unit}")
    return names


def _head(rule: CompiledRule) -> str:
    identity = rule.identity
    content = {
        "programme": identity.programme,
        "version": identity.version,
        "rule": identity.rule,
        "signal": identity.signal.value,
    }
    return "," + json.dumps(content, separators=(",", ":"))[1:-1]
