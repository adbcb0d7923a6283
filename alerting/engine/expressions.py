"""Conditions of rules: a small language, read by Python's own parser and refused beyond a whitelist.

A condition compares features with named limits and joins the comparisons by `and`, `or`, `not`:

>>> str(parse("rise(body_weight, days=3) > gain_3d and not age(body_weight) > stale"))
'(rise(body_weight, days=3) > gain_3d and not age(body_weight) > stale)'
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from alerting.engine.features import (
    LONGEST_WINDOW_US,
    UNITS_OF_TIME_US,
    Bound,
    Comparator,
    ExpressionError,
    Feature,
    FeatureName,
    Side,
    feature,
    refusal,
)

__all__ = (
    "LONGEST_WINDOW_US",
    "UNITS_OF_TIME_US",
    "All",
    "AnyOf",
    "Bound",
    "Comparator",
    "Comparison",
    "Condition",
    "ExpressionError",
    "Feature",
    "FeatureName",
    "Not",
    "Side",
    "comparisons",
    "parse",
)

MOST_COMPARISONS = 8
DEEPEST = 16


@dataclass(frozen=True, slots=True)
class Comparison:
    """A feature against a limit of the programme, by the limit's name."""

    feature: Feature
    comparator: Comparator
    limit: str
    column: int = field(compare=False)

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


def _condition(node: ast.expr, depth: int) -> Condition:
    if depth > DEEPEST:
        raise refusal(node, f"at most {DEEPEST} levels")
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return All(tuple(_condition(value, depth + 1) for value in values))
        case ast.BoolOp(op=ast.Or(), values=values):
            return AnyOf(tuple(_condition(value, depth + 1) for value in values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return Not(_condition(operand, depth + 1))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return Comparison(feature(left), _comparator(node, op), _limit(right), node.col_offset + 1)
        case _:
            raise refusal(node, "a comparison of a feature with one limit, joined by and, or, not")


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
            raise refusal(node, "one of >, >=, <, <=")


def _limit(node: ast.expr) -> str:
    if not isinstance(node, ast.Name):
        raise refusal(
            node, "the name of a limit on the right (numbers are limits, so that each can be personal)"
        )
    return node.id
