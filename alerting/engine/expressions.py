"""Conditions of rules: a small language, read by Python's own parser and refused beyond a whitelist.

A condition compares features with named limits and joins the comparisons by `and`, `or`, `not`:

>>> str(parse("rise(body_weight, days=3) > gain_3d and not age(body_weight) > stale"))
'(rise(body_weight, days=3) > gain_3d and not age(body_weight) > stale)'
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

SECOND_US = 1_000_000
UNITS_OF_TIME_US = {
    "seconds": SECOND_US,
    "minutes": 60 * SECOND_US,
    "hours": 3_600 * SECOND_US,
    "days": 86_400 * SECOND_US,
}
LONGEST_WINDOW_US = 30 * UNITS_OF_TIME_US["days"]
MOST_COMPARISONS = 8
DEEPEST = 16


class FeatureName(StrEnum):
    """What can be computed from a patient's readings; semantics.md defines each."""

    LAST = "last"
    AGE = "age"
    COUNT = "count"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    RISE = "rise"
    FALL = "fall"
    MISSED = "missed"


WITHOUT_WINDOW = frozenset({FeatureName.LAST, FeatureName.AGE})
OF_CODED_KINDS = frozenset({FeatureName.AGE, FeatureName.COUNT, FeatureName.MISSED})
WITH_MAX_AGE = frozenset({FeatureName.LAST, FeatureName.RISE, FeatureName.FALL})


class Comparator(StrEnum):
    """How a feature is compared with a limit."""

    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="


class ExpressionError(Exception):
    """A condition cannot be read. **Units**: `column` counts characters from 1."""

    def __init__(self, *, column: int, expected: str, found: str) -> None:
        super().__init__(f"column {column}: expected {expected}, found {found}")
        self.column = column
        self.expected = expected
        self.found = found


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of one kind, or of one schedule for `missed`. **Units**: microseconds, 0 for no window."""

    name: FeatureName
    subject: str
    window_us: int
    column: int

    def __str__(self) -> str:
        if not self.window_us:
            return f"{self.name}({self.subject})"
        unit = next(u for u in reversed(UNITS_OF_TIME_US) if self.window_us % UNITS_OF_TIME_US[u] == 0)
        return f"{self.name}({self.subject}, {unit}={self.window_us // UNITS_OF_TIME_US[unit]})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A feature against a limit of the programme, by the limit's name."""

    feature: Feature
    comparator: Comparator
    limit: str
    column: int

    def __str__(self) -> str:
        return f"{self.feature} {self.comparator} {self.limit}"


@dataclass(frozen=True, slots=True)
class Not:
    """Kleene's not."""

    part: "Condition"

    def __str__(self) -> str:
        return f"not {self.part}"


@dataclass(frozen=True, slots=True)
class All:
    """Kleene's and."""

    parts: tuple["Condition", ...]

    def __str__(self) -> str:
        return f"({' and '.join(map(str, self.parts))})"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Kleene's or."""

    parts: tuple["Condition", ...]

    def __str__(self) -> str:
        return f"({' or '.join(map(str, self.parts))})"


Condition = Comparison | Not | All | AnyOf


def comparisons(condition: Condition) -> Iterator[Comparison]:
    """The comparisons of a condition, as they are read from left to right."""
    match condition:
        case Comparison():
            yield condition
        case Not(part):
            yield from comparisons(part)
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from comparisons(part)


def parse(text: str) -> Condition:
    """The condition that a text stands for. **Raises**: ExpressionError."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        column = getattr(error, "offset", None) or 1
        raise ExpressionError(column=column, expected="a condition", found=repr(text)) from error
    condition = _condition(tree, 0)
    if sum(1 for _ in comparisons(condition)) > MOST_COMPARISONS:
        raise ExpressionError(column=1, expected=f"at most {MOST_COMPARISONS} comparisons", found="more")
    return condition


def _refuse(node: ast.AST, expected: str) -> NoReturn:
    column = int(getattr(node, "col_offset", 0)) + 1
    raise ExpressionError(column=column, expected=expected, found=ast.unparse(node))


def _condition(node: ast.expr, depth: int) -> Condition:
    if depth > DEEPEST:
        _refuse(node, f"at most {DEEPEST} levels")
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return All(tuple(_condition(value, depth + 1) for value in values))
        case ast.BoolOp(op=ast.Or(), values=values):
            return AnyOf(tuple(_condition(value, depth + 1) for value in values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return Not(_condition(operand, depth + 1))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return Comparison(_feature(left), _comparator(node, op), _limit(right), node.col_offset + 1)
        case _:
            _refuse(node, "a comparison of a feature with one limit, joined by and, or, not")


def _comparator(node: ast.expr, op: ast.cmpop) -> Comparator:
    match op:
        case ast.Gt():
            return Comparator.ABOVE
        case ast.GtE():
            return Comparator.AT_LEAST
        case ast.Lt():
            return Comparator.BELOW
        case ast.LtE():
            return Comparator.AT_MOST
        case _:
            _refuse(node, "one of >, >=, <, <=")


def _limit(node: ast.expr) -> str:
    if not isinstance(node, ast.Name):
        _refuse(node, "the name of a limit on the right (numbers are limits, so that each can be personal)")
    return node.id


def _feature(node: ast.expr) -> Feature:
    match node:
        case ast.Call(func=ast.Name(id=name), args=[ast.Name(id=subject)], keywords=keywords):
            if name not in set(FeatureName):
                _refuse(node, f"one of the features {', '.join(FeatureName)}")
            feature = FeatureName(name)
            window_us = _window(node, feature, keywords)
            return Feature(feature, subject, window_us, node.col_offset + 1)
        case _:
            _refuse(node, "a feature such as last(body_weight) or rise(body_weight, days=3) on the left")


def _window(node: ast.expr, feature: FeatureName, keywords: list[ast.keyword]) -> int:
    if feature in WITHOUT_WINDOW:
        if keywords:
            _refuse(node, f"{feature}(kind), without a window")
        return 0
    match keywords:
        case [ast.keyword(arg=str(unit), value=ast.Constant(value=int(number)))] if (
            unit in UNITS_OF_TIME_US and not isinstance(number, bool)
        ):
            window_us = number * UNITS_OF_TIME_US[unit]
        case _:
            _refuse(node, f"{feature}(…) with one window in whole {', '.join(UNITS_OF_TIME_US)}")
    if not 0 < window_us <= LONGEST_WINDOW_US:
        _refuse(node, "a window above 0 and of at most 30 days, the history that is kept")
    return window_us
