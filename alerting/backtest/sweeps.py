"""One limit at many values: what `--sweep rule.limit=1.0:3.0:0.25` means."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import chain

from alerting.backtest.versions import Version
from alerting.engine.expressions import comparisons
from alerting.engine.programme import Limit, Programme, Rule
from alerting.engine.programme_checks import problems
from models.errors import BadInput

MOST_VALUES = 64
FORM = "[programme/]rule.limit=from:to:step, such as weight_gain_3d.gain_3d=1.0:3.0:0.25"

_SWEEP = re.compile(
    r"^(?:(?P<programme>[a-z0-9_]+)/)?(?P<rule>[a-z0-9_]+)\.(?P<limit>[a-z0-9_]+)=(?P<range>.+)$"
)


@dataclass(frozen=True, slots=True)
class Sweep:
    """A limit that is varied, all else as in the version `base` (a place among the versions).

    **Units**: `values` in the limit's unit, ascending.
    """

    base: int
    programme: Programme
    rule: str
    limit: str
    values: Sequence[float]

    @property
    def what(self) -> Limit:
        """The limit as the programme has it."""
        return self.programme.limits[self.limit]

    def variants(self, versions: Sequence[Version]) -> Iterator[Version]:
        """The base with each value as that limit's default, as if it were written in the file."""
        base = versions[self.base]
        for value in self.values:
            limits = {**self.programme.limits, self.limit: self.what.model_copy(update={"default": value})}
            varied = self.programme.model_copy(update={"limits": limits})
            programmes = [varied if each is self.programme else each for each in base.programmes]
            yield Version(f"{self.limit} {value:g} {self.what.unit}", programmes)


def read_sweep(text: str, versions: Sequence[Version]) -> Sweep:
    """A sweep of the first version that has such a rule.

    **Raises**: BadInput where it is written otherwise, nobody has the rule, the rule does not compare with
    the limit, or a value lies outside what the limit may be.
    """
    where = f"--sweep {text}"
    match = _SWEEP.match(text)
    if match is None:
        raise BadInput(where=where, expected=FORM, found=text)
    rule, limit = match["rule"], match["limit"]
    base, programme = _base(where, versions, match["programme"], rule)
    names = _limits_of(programme.rules[rule])
    if limit not in names:
        raise BadInput(where=where, expected=f"a limit of {rule}: {', '.join(names)}", found=limit)
    sweep = Sweep(base, programme, rule, limit, _values(where, match["range"]))
    what = sweep.what
    for value in sweep.values:
        if not what.accepts(value):
            expected = f"values within {what.low:g} … {what.high:g} {what.unit}"
            raise BadInput(where=where, expected=expected, found=f"{value:g}")
    for variant in sweep.variants(versions):
        for problem in chain.from_iterable(map(problems, variant.programmes)):
            raise BadInput(where=where, expected=problem.expected, found=problem.found)
    return sweep


def _base(where: str, versions: Sequence[Version], name: str | None, rule: str) -> tuple[int, Programme]:
    """The first version that has the rule, and its newest programme with it."""
    for number, version in enumerate(versions):
        having = [
            each for each in version.programmes if rule in each.rules and name in (None, each.programme)
        ]
        names = sorted({each.programme for each in having})
        if len(names) > 1:
            expected = f"one of {', '.join(f'{each}/{rule}' for each in names)}"
            raise BadInput(where=where, expected=expected, found=rule)
        if having:
            return number, max(having, key=lambda each: each.version)
    every = {
        rule
        for each in versions
        for of in each.programmes
        if name in (None, of.programme)
        for rule in of.rules
    }
    expected = f"one of the rules {', '.join(sorted(every))}" if every else "a programme of the versions"
    raise BadInput(where=where, expected=expected, found=rule if every else str(name))


def _limits_of(rule: Rule) -> Sequence[str]:
    """The limits that a rule names in its conditions, each once."""
    compared = [each for _, condition in rule.conditions() for each in comparisons(condition)]
    return list(dict.fromkeys(name for each in compared for name in (each.limit, *each.feature.limits())))


def _values(where: str, text: str) -> Sequence[float]:
    """The values of a range; its end is among them where a whole number of steps leads there.

    >>> _values("here", "1.0:3.0:0.5")
    [1.0, 1.5, 2.0, 2.5, 3.0]
    """
    try:
        first, last, step = (Decimal(part) for part in text.split(":"))
        whole = first.is_finite() and last.is_finite() and step.is_finite()
    except (InvalidOperation, ValueError) as error:
        raise BadInput(where=where, expected=FORM, found=text) from error
    if not whole or step <= 0 or last < first:
        raise BadInput(where=where, expected="from ≤ to, and a step above 0", found=text)
    if (last - first) / step >= MOST_VALUES:
        raise BadInput(where=where, expected=f"at most {MOST_VALUES} values", found=text)
    number = int((last - first) // step) + 1
    return [float(first + place * step) for place in range(number)]
