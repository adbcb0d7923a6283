"""Conditions are read as they are meant, and everything else is refused with its place."""

import pytest

from alerting.engine.expressions import ExpressionError, comparisons, parse

DAY_US = 86_400_000_000


def test_comparisons_come_in_the_order_of_reading() -> None:
    condition = parse("last(spo2) < a and (not age(spo2) > b or count(spo2, hours=6) >= c)")
    assert [str(c) for c in comparisons(condition)] == [
        "last(spo2) < a",
        "age(spo2) > b",
        "count(spo2, hours=6) >= c",
    ]


def test_windows_are_microseconds_and_shown_in_the_largest_unit() -> None:
    (comparison,) = comparisons(parse("mean(systolic, hours=48) >= x"))
    assert comparison.feature.window_us == 2 * DAY_US
    assert str(comparison.feature) == "mean(systolic, days=2)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("last(spo2) < 90", "the name of a limit"),
        ("90 > last(spo2)", "a feature such as"),
        ("a < last(spo2) < b", "a comparison of a feature with one limit"),
        ("last(spo2) == a", "one of >, >=, <, <="),
        ("last(spo2) is a", "one of >, >=, <, <="),
        ("median(spo2, days=1) < a", "one of the features"),
        ("last(spo2, days=1) < a", "without a window"),
        ("mean(spo2) < a", "with one window"),
        ("mean(spo2, days=1, hours=1) < a", "with one window"),
        ("mean(spo2, weeks=1) < a", "with one window"),
        ("mean(spo2, days=1.5) < a", "with one window"),
        ("mean(spo2, days=True) < a", "with one window"),
        ("mean(spo2, days=31) < a", "at most 30 days"),
        ("mean(spo2, days=0) < a", "above 0"),
        ("mean(spo2, days=-1) < a", "with one window"),
        ("last(spo2).real < a", "a feature such as"),
        ("__import__('os')", "a comparison of a feature with one limit"),
        ("[x for x in y] < a", "a feature such as"),
        ("last(spo2) <", "a condition"),
        ("", "a condition"),
        ("\0", "a condition"),
        ("(" * 300 + "last(spo2) < a" + ")" * 300, "a condition"),
        ("not " * 30 + "last(spo2) < a", "at most 16 levels"),
        (" or ".join(["last(spo2) < a"] * 9), "at most 8 comparisons"),
    ],
)
def test_everything_else_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    assert expected in refused.value.expected
    assert refused.value.column >= 1
