"""Every comparison can be said in both languages, truly and with the numbers that it has."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.engine.expressions import Comparison, parse
from alerting.engine.features import FeatureName
from alerting.engine.programme import CODE_UNIT, TIME_UNITS_US
from alerting.explain import figures
from alerting.explain.amounts import answer, answers, order, satisfied
from alerting.explain.forms import FORMS
from alerting.explain.sentences import Compared, criterion, sentence
from alerting.explain.slots import Given
from alerting.explain.vocabulary import CODES, PER_MINUTE, SEVERITIES, SIGNALS, THE, Language
from models.findings import Severity, Signal
from models.kinds import KINDS
from tests.unit.explain.comparisons import Case, cases

ENGLISH = frozenset(
    re.findall(
        r"[a-z']+",
        """the and with than more less limit rose fell days hours day hour minutes reading readings weight
        rate average value lowest highest from ago times points known not reached that were usual pressure
        mild moderate yes there number longest share newest exactly agreed before every row pounds beats
        breaths steps anything answer answers report patient's""",
    )
)
DUTCH = frozenset(
    re.findall(
        r"[a-z]+",
        """het de een dat dan meer minder grens steeg daalde dagen uur minuten meting metingen gewicht
        gemiddeld waarde laagste hoogste van geleden keer punten bekend niet bereikt waren gewone geen aantal
        langste nieuwste precies afgesproken elke antwoord melding hartslag""",
    )
)


@pytest.mark.parametrize("name", list(FeatureName))
@settings(max_examples=25)
@given(data=st.data())
def test_every_comparison_can_be_said(name: FeatureName, data: st.DataObject) -> None:
    case = data.draw(cases(name))
    for language, foreign in ((Language.NL, ENGLISH), (Language.EN, DUTCH)):
        whole = sentence(case.compared, case.given, language)
        for text in (whole, *criterion(case.compared, case.given, language)):
            is_in_its_own_language(text, foreign)
        assert whole[-1] == "."
        assert whole[0] == whole[0].upper()
        holds_the_numbers(case, whole, language)
    is_true(case)


def is_in_its_own_language(text: str, foreign: frozenset[str]) -> None:
    # What is quoted is a name, which is not ours to translate.
    plain = re.sub(r"‘[^’]*’", "‘’", text)
    assert text.strip() == text != ""
    assert not re.search(r"[{}_]|None|\bnan\b|\binf\b|  ", plain), text
    assert set(re.findall(r"[a-zé']+", plain.lower())) & foreign == set(), text


def holds_the_numbers(case: Case, whole: str, language: Language) -> None:
    compared = case.compared
    statement, _, judgement = whole.partition("; ")
    if compared.value is not None:
        assert says(case, statement, compared.value, language), whole
    if compared.limit_value is None:
        assert "the_limit" in judgement
    elif compared.unit == CODE_UNIT and compared.comparator is not None:
        assert answers(case.kind, [(compared.comparator, compared.limit_value)], language) in judgement
    else:
        assert says(case, judgement, compared.limit_value, language), whole


def is_true(case: Case) -> None:
    compared = case.compared
    judgement = sentence(compared, case.given, Language.NL).partition("; ")[2]
    if compared.value is None or compared.limit_value is None or compared.comparator is None:
        assert compared.reached is None
        assert judgement.startswith("de grens")
        return
    lies = order(compared.value, compared.limit_value, compared.unit)
    holds = satisfied(compared.comparator, lies)
    assert compared.reached is holds
    assert ("niet bereikt" in judgement) is not holds
    if holds and compared.unit != CODE_UNIT:
        assert judgement.startswith({1: "dat is meer", 0: "dat is precies", -1: "dat is minder"}[lies])


def says(case: Case, text: str, value: float, language: Language) -> bool:
    """Whether a text holds a number: rounded as the number says that it is, and never across the limit."""
    unit = case.compared.unit
    if unit == CODE_UNIT:
        return answer(case.kind, value, language) in text
    if unit in TIME_UNITS_US:
        us, limit = figures.in_us(value, unit), case.compared.limit_value
        beside = None if limit is None else figures.in_us(limit, unit)
        return figures.length(us, language, beside) in text
    return any(
        abs(number - value) <= 0.5 * 10**-decimals + 1e-9 * abs(value)
        for number, decimals in numbers(text, language)
    )


def numbers(text: str, language: Language) -> Sequence[tuple[float, int]]:
    """The numbers of a text, each with its decimals."""
    comma, point = (",", ".") if language is Language.NL else (".", ",")
    found: list[tuple[float, int]] = []
    for match in re.findall(rf"[−+]?[0-9][0-9{re.escape(point)}]*(?:{re.escape(comma)}[0-9]+)?", text):
        plain = match.replace(point, "").replace(comma, ".").replace("−", "-")
        found.append((float(plain), len(plain.partition(".")[2])))
    return found


def test_the_tables_are_complete() -> None:
    assert set(FORMS) == set(FeatureName)
    assert {kind.name for kind in KINDS} - set(THE) == {
        kind.name for kind in KINDS if kind.name.startswith("symptom_")
    }
    assert {code for kind in KINDS for code in kind.codes} == set(CODES)
    assert {kind.name for kind in KINDS if kind.unit == "/min"} == set(PER_MINUTE)
    assert set(SEVERITIES) == set(Severity)
    assert set(SIGNALS) == set(Signal)


def test_without_a_comparator_only_the_limit_is_named() -> None:
    comparison = parse("last(spo2) < x")
    assert isinstance(comparison, Comparison)
    compared = Compared(comparison.feature, None, "x", "%", 90.0, 88.0)
    assert sentence(compared, Given(), Language.NL) == (
        "De zuurstofsaturatie was bij de laatste meting 88 %; de grens is 90 %."
    )
    assert compared.reached is None
