"""From the engine's verdict on patients' whole histories to lines of findings."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np

from alerting.engine.compiled import SEVERITIES, CompiledProgrammes, CompiledRule
from alerting.engine.expressions import Comparison
from alerting.engine.verdict import Verdict
from alerting.offline import writing
from alerting.offline.arrow import arrow, compute
from alerting.offline.pairing import lasting, paired
from alerting.offline.texts import block
from alerting.offline.writing import Findings, Labels

LISTS = 3


class Writer:
    """Findings as lines of JSON; knows the texts of rules, which repeat."""

    def __init__(self, programmes: CompiledProgrammes) -> None:
        rules = programmes.rules
        names = [f"{rule.identity.programme}/{rule.identity.rule}/" for rule in rules]
        self._lasting = lasting(rules)
        self._names, self._heads = block(names), block(map(_head, rules))
        self._severities = block(severity.value for severity in SEVERITIES)
        self._labels = _labels(rules)

    def lines(self, verdict: Verdict, patients: Sequence[tuple[UUID, str]]) -> tuple[bytes, int]:
        """The findings of patients of whom the engine had heard nothing before, and how many they are.

        Sorted by patient, then time, programme and rule. `patients` are the ids of the engine's rows, and
        the texts that the file has for them.
        """
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
        lasting_of, at_us = self._lasting[rule], t["at_us"].astype(np.int64)
        opened, cleared, raised = paired(verdict, self._lasting, patients)
        order = np.lexsort((lasting_of[opened], at_us[opened], patient[opened]))
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
