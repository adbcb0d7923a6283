"""Conditions are read as they are meant, and everything else is refused with its place."""

import pytest

from alerting.engine.expressions import (
    Bound,
    Comparator,
    ExpressionError,
    Feature,
    FeatureName,
    Side,
    comparisons,
    parse,
)

DAY_US = 86_400_000_000


def feature(text: str) -> Feature:
    (comparison,) = comparisons(parse(f"{text} > x"))
    return comparison.feature


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


def test_what_a_feature_takes_is_read_and_has_its_defaults() -> None:
    share = feature("share(spo2, below=b, hours=2, at_least=a)")
    assert share.bounds == (Bound(Comparator.AT_LEAST, "a"), Bound(Comparator.BELOW, "b"))
    assert share.limits() == ("a", "b")
    chart = feature("cusum(spo2, slack=0.5, side=low)")
    assert (chart.slack, chart.side, chart.learn_days, chart.limits()) == (0.5, Side.LOW, 14, ())
    known = feature("ewma(spo2, smoothing=0.2, target=a, spread=b)")
    assert (known.smoothing, known.learn_days, known.limits()) == (0.2, 0, ("a", "b"))
    macd = feature("macd(body_weight, short=5, long=20)")
    assert (macd.short_days, macd.long_days, macd.window_us) == (5, 20, 0)
    usual = feature("deviation(spo2, days=28)")
    assert (usual.window_us, usual.gap_days) == (28 * DAY_US, 3)
    assert feature("relative(steps, days=7, usual=28)").usual_days == 28
    score = feature("news2_worst(scale=a)")
    assert (score.subject, score.scale, score.limits()) == ("", "a", ("a",))


WRITTEN = [
    "last(spo2)",
    "age(spo2)",
    "count(spo2, hours=6)",
    "count(spo2, above=a, at_most=b, hours=6)",
    "mean(spo2, days=400)",
    "median(spo2, minutes=15)",
    "min(symptom_cough, days=2)",
    "max(spo2, seconds=90)",
    "rise(body_weight, days=3)",
    "fall(body_weight, days=180)",
    "slope(body_weight, days=90)",
    "share(spo2, below=a, days=14)",
    "stretch(glucose_cgm, below=a, hours=3)",
    "days_with(spo2, at_least=a, days=3)",
    "repeats(spo2, hours=1)",
    "missed(daily, days=7)",
    "ewma(spo2, smoothing=0.2, learn=14)",
    "ewma(spo2, smoothing=1.0, target=a, spread=b)",
    "macd(body_weight, short=5, long=20)",
    "cusum(spo2, slack=0.0, side=both, learn=20)",
    "cusum(spo2, slack=0.5, side=high, target=a, spread=b)",
    "baseline(spo2, days=365, gap=0)",
    "spread(spo2, days=7, gap=3)",
    "deviation(spo2, days=28, gap=3)",
    "relative(steps, days=7, usual=28)",
    "news2(scale=a)",
    "news2_worst(scale=a)",
    "news2_missing(scale=a)",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_a_feature_is_written_as_it_is_read(text: str) -> None:
    assert str(feature(text)) == text
    assert feature(str(feature(text))) == feature(text)


def test_the_list_above_has_every_feature() -> None:
    assert {text.partition("(")[0] for text in WRITTEN} == set(FeatureName)


def test_the_order_of_arguments_and_the_place_do_not_matter() -> None:
    text = "not (last(spo2) < a and share(spo2, days=1, at_most=b, above=a) > c or age(spo2) > d)"
    assert parse(str(parse(text))) == parse(text)
    assert feature("share(spo2, days=1, at_most=b, above=a)") == feature(
        "share(spo2, above=a,  at_most=b, hours=24)"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("last(spo2) < 90", "the name of a limit"),
        ("90 > last(spo2)", "a feature such as"),
        ("a < last(spo2) < b", "a comparison of a feature with one limit"),
        ("last(spo2) == a", "one of >, >=, <, <="),
        ("last(spo2) is a", "one of >, >=, <, <="),
        ("mode(spo2, days=1) < a", "one of the features"),
        ("last(spo2, days=1) < a", "last(kind), each once"),
        ("last() < a", "last(kind)"),
        ("last(spo2, pulse) < a", "last(kind)"),
        ("last(90) < a", "last(kind)"),
        ("last(*x) < a", "last(kind)"),
        ("last(**x) < a", "last(kind)"),
        ("mean(spo2) < a", "with one window"),
        ("mean(spo2, days=1, hours=1) < a", "with one window"),
        ("mean(spo2, days=1, days=1) < a", "each once"),
        ("mean(spo2, weeks=1) < a", "each once"),
        ("mean(spo2, days=1.5) < a", "with one window"),
        ("mean(spo2, days=True) < a", "with one window"),
        ("mean(spo2, days=401) < a", "at most 400 days"),
        ("mean(spo2, hours=960) < a", "more than 30 days in days"),
        ("mean(spo2, days=0) < a", "above 0"),
        ("mean(spo2, days=-1) < a", "with one window"),
        ("share(spo2, below=a, days=31) < a", "at most 30 days"),
        ("share(spo2, days=3) < a", "with one of above="),
        ("share(spo2, above=a, at_least=a, days=3) < a", "with one of above="),
        ("count(spo2, below=a, at_most=a, days=3) < a", "with one of above="),
        ("share(spo2, below=90, days=3) < a", "below= with the name of a limit"),
        ("days_with(spo2, below=a, hours=48) < a", "each once"),
        ("ewma(spo2) < a", "with smoothing"),
        ("ewma(spo2, smoothing=0) < a", "smoothing= with a number"),
        ("ewma(spo2, smoothing=1.1) < a", "smoothing= with a number"),
        ("ewma(spo2, smoothing=x) < a", "smoothing= with a number"),
        ("ewma(spo2, smoothing=0.2, target=b) < a", "target= and spread="),
        ("ewma(spo2, smoothing=0.2, target=b, spread=c, learn=9) < a", "learn=, or"),
        ("cusum(spo2, slack=0.5) < a", "with side"),
        ("cusum(spo2, slack=11, side=low) < a", "slack= with a number"),
        ("cusum(spo2, slack=1, side=left) < a", "side= with one of high, low, both"),
        ("cusum(spo2, slack=1, side=low, learn=2.5) < a", "learn= with a whole number"),
        ("macd(body_weight, short=5) < a", "with long"),
        ("macd(body_weight, short=20, long=20) < a", "short= below long=20"),
        ("macd(body_weight, short=5, long=181) < a", "from 1 to 180"),
        ("baseline(spo2, days=6) < a", "at least 7 days"),
        ("baseline(spo2, days=366) < a", "at most 365 days"),
        ("baseline(spo2, days=365, gap=36) < a", "at most 400 days"),
        ("relative(steps, days=7) < a", "with usual"),
        ("relative(steps, days=200, usual=201) < a", "at most 400 days"),
        ("relative(steps, days=7, usual=6) < a", "from 7 to 365"),
        ("news2() < a", "with scale"),
        ("news2(spo2, scale=b) < a", "news2(scale=…)"),
        ("news2(scale=2) < a", "scale= with the name of a limit"),
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
    assert refused.value.found


def test_the_column_is_that_of_the_argument() -> None:
    with pytest.raises(ExpressionError) as refused:
        parse("last(spo2) < a and ewma(spo2, smoothing=2) > b")
    assert refused.value.column == 1 + "last(spo2) < a and ewma(spo2, smoothing=2) > b".index("smoothing")
    assert refused.value.found == "smoothing=2"
