"""Which kinds a letter shows as charts, and at which level the limits of its findings lie in them."""

from collections.abc import Iterator, Sequence

import numpy as np

from alerting.engine.features import Comparator, FeatureName
from alerting.explain.explanation import Explanation, Part
from alerting.notify.letter.letter import Limit
from models.clock import DAY_US
from models.findings import EvidenceReading
from models.kinds import KIND_BY_NAME
from models.units import UNIT_BY_SPELLING, to_canonical

SHORT_US, LONG_US = 14 * DAY_US, 30 * DAY_US
MOST_KINDS = 3

_LEVELS = frozenset({
    FeatureName.LAST, FeatureName.MEAN, FeatureName.MEDIAN, FeatureName.MIN, FeatureName.MAX,
})  # fmt: skip
_CHANGES = frozenset({FeatureName.RISE, FeatureName.FALL})
_UPWARDS = frozenset({Comparator.ABOVE, Comparator.AT_LEAST})


def charted(findings: Sequence[Explanation]) -> list[str]:
    """Kinds with numbers that the findings looked at, those of the first findings first."""
    names = dict.fromkeys(
        reading.kind
        for finding in findings
        for part in _parts(finding)
        for reading in reversed(part.shown)
        if reading.kind in KIND_BY_NAME and KIND_BY_NAME[reading.kind].unit is not None
    )
    return list(names)[:MOST_KINDS]


def stretch_us(findings: Sequence[Explanation]) -> int:
    """How long before now a chart begins: longer where a finding looked further back."""
    windows = (part.evidence.window_us for finding in findings for part in _parts(finding))
    return LONG_US if max(windows, default=0) > SHORT_US // 2 else SHORT_US


def limits_of(findings: Sequence[Explanation], kind: str) -> tuple[Limit, ...]:
    """The limits that were reached, as levels of a kind in its canonical unit; each once."""
    found = (_limit(part, kind) for finding in findings for part in _parts(finding))
    return tuple(dict.fromkeys(limit for limit in found if limit is not None))


def flagged_at_us(findings: Sequence[Explanation], kind: str) -> int | None:
    """When the first of them that looked at a kind was found."""
    moments = [
        finding.finding.opened_at_us
        for finding in findings
        if any(reading.kind == kind for part in _parts(finding) for reading in part.shown)
    ]
    return min(moments, default=None)


def canonical(reading: EvidenceReading) -> float | None:
    """The value in its kind's canonical unit, None where it came in none of its units."""
    kind, unit = KIND_BY_NAME.get(reading.kind), UNIT_BY_SPELLING.get(reading.unit, -1)
    if kind is None or kind.unit is None or unit < 0:
        return None
    value = float(to_canonical(np.array([reading.value]), np.array([kind.number]), np.array([unit]))[0])
    return None if np.isnan(value) else value


def _parts(finding: Explanation) -> Iterator[Part]:
    yield from (part for because in finding.because for part in because.parts)


def _limit(part: Part, kind: str) -> Limit | None:
    compared, evidence = part.compared, part.evidence
    if compared is None or compared.comparator is None or compared.reached is not True:
        return None
    if (
        not part.shown
        or part.shown[-1].kind != kind
        or evidence.limit_value is None
        or evidence.value is None
    ):
        return None
    upwards = compared.comparator in _UPWARDS
    if compared.feature.name in _LEVELS:
        level = canonical(EvidenceReading(kind, 0, evidence.limit_value, evidence.unit))
        return None if level is None else Limit(level, upwards)
    last = part.shown[-1].value
    # The limit of a rise lies above the lowest value: the last less what it rose. A fall is its mirror.
    if compared.feature.name not in _CHANGES or not upwards or part.shown[-1].unit != evidence.unit:
        return None
    down = compared.feature.name is FeatureName.FALL
    beyond = evidence.value - evidence.limit_value
    level = canonical(EvidenceReading(kind, 0, last + beyond if down else last - beyond, evidence.unit))
    return None if level is None else Limit(level, upwards=not down)
