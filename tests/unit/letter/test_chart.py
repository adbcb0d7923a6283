"""What a chart shows: every reading in its place, limits as levels, what lies beyond by its shape."""

from dataclasses import replace

import pytest

from alerting.explain.vocabulary import Language
from alerting.notify.letter.chart import HEIGHT, WIDTH, Drawing, draw
from alerting.notify.letter.letter import Limit, Series
from alerting.notify.letter.levels import canonical, charted, flagged_at_us, limits_of, stretch_us
from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.findings import CODE_UNIT, EvidenceReading
from tests.unit.letter.letters import NOW_US, OPENED_US, explained, finding, letter, rise


def tags(drawing: Drawing) -> list[str]:
    return [mark.tag for mark in drawing.marks]


def texts(drawing: Drawing) -> list[str]:
    return [mark.text for mark in drawing.marks if mark.text]


def test_each_reading_is_a_point_and_what_is_beyond_a_diamond() -> None:
    (series,) = letter().series
    drawing = draw(series, Language.NL)
    assert tags(drawing).count("circle") == len(series.points) - 1
    assert tags(drawing).count("polygon") == 1
    assert {"gemeld", "Gewicht, kg", "82,7", "grens 82,2"} <= set(texts(drawing))
    assert drawing.caption == (
        "14 metingen van 9 nov tot 22 nov: laagste 79,2, hoogste 82,7, laatste 82,7 kg; grens 82,2 kg."
    )
    assert draw(series, Language.EN).caption.endswith("; limit 82.2 kg.")


@pytest.mark.parametrize("count", [1, 2, 14, 2_000])
def test_everything_lies_within_the_drawing(count: int) -> None:
    points = tuple((NOW_US - (count - n) * 9 * MINUTE_US, 60.0 + n % 70) for n in range(count))
    limits = Limit(120.0, upwards=True), Limit(119.0, upwards=True)
    series = Series("heart_rate", NOW_US - 14 * DAY_US, NOW_US, points, limits)
    drawing = draw(series, Language.NL)
    numbers = [
        (name, float(value))
        for mark in drawing.marks
        for name, value in mark.attributes.items()
        if name in {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy"}
    ]
    assert all(0 <= value <= (WIDTH if "x" in name else HEIGHT) for name, value in numbers)
    assert len(drawing.marks) < 500, "many readings are drawn together"
    labels = [mark for mark in drawing.marks if mark.text.startswith("grens")]
    first, second = sorted(float(mark.attributes["y"]) for mark in labels)
    assert second - first >= 12, "labels stand apart"


def test_small_changes_do_not_look_large() -> None:
    points = tuple((NOW_US - n * DAY_US, 80.0 + n % 2 / 10) for n in range(10, 0, -1))
    drawing = draw(Series("body_weight", NOW_US - 14 * DAY_US, NOW_US, points), Language.NL)
    ys = [float(mark.attributes["cy"]) for mark in drawing.marks if mark.tag == "circle"]
    assert max(ys) - min(ys) < 5


@pytest.mark.parametrize("at_us", [1_774_000_000_000_000, 1_792_800_000_000_000])
def test_days_begin_at_midnight_also_where_the_clocks_change(at_us: int) -> None:
    series = Series("body_weight", at_us, at_us + 14 * DAY_US, ((at_us + HOUR_US, 80.0),))
    drawing = draw(series, Language.NL)
    dates = [text for text in texts(drawing) if text.split()[-1] in {"mrt", "maa", "apr", "okt", "nov"}]
    assert len(dates) == len(set(dates)) == 7


def test_the_limit_of_a_rise_is_a_level_above_the_lowest() -> None:
    findings = [explained(finding("weight_gain_3d", rise()))]
    assert charted(findings) == ["body_weight"]
    (limit,) = limits_of(findings, "body_weight")
    lowest = min(reading.value for reading in rise().readings)
    assert limit.level == pytest.approx(lowest + 2.0)
    assert limit.upwards
    assert flagged_at_us(findings, "body_weight") == OPENED_US
    assert flagged_at_us(findings, "pulse") is None


def test_longer_where_a_finding_looked_back_further() -> None:
    far = replace(rise(), window_us=20 * DAY_US)
    assert stretch_us([explained(finding("weight_gain_3d", rise()))]) == 14 * DAY_US
    assert stretch_us([explained(finding("weight_gain_3d", far))]) == 30 * DAY_US


def test_answers_and_what_was_not_known_are_no_chart() -> None:
    coded = EvidenceReading("symptom_dyspnoea", OPENED_US, 3.0, CODE_UNIT)
    evidence = replace(
        rise(),
        feature="last(symptom_dyspnoea)",
        value=3.0,
        unit=CODE_UNIT,
        limit_value=2.0,
        readings=(coded,),
    )
    findings = [explained(finding("weight_gain_3d", evidence))]
    assert charted(findings) == []
    assert limits_of(findings, "symptom_dyspnoea") == ()


def test_units_are_those_of_the_kind() -> None:
    assert canonical(EvidenceReading("body_weight", 0, 81_400.0, "g")) == 81.4
    assert canonical(EvidenceReading("body_weight", 0, 81.4, "mmol/L")) is None
    assert canonical(EvidenceReading("symptom_dyspnoea", 0, 1.0, CODE_UNIT)) is None
