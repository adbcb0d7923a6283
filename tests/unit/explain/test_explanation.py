"""A whole explanation: what it says, what it rests on, and what it says when little is known."""

import json
from dataclasses import replace

import pytest

from alerting.engine.expressions import parse
from alerting.engine.features import Comparator
from alerting.explain.amounts import Amount
from alerting.explain.conditions import as_list, in_words
from alerting.explain.explanation import Basis, Explanation, Found, Known, explain, looks
from alerting.explain.looks import Look
from alerting.explain.page import WIDTH, page
from alerting.explain.slots import Given
from alerting.explain.structure import structure
from alerting.explain.vocabulary import Language
from models.changes import PlacedChange
from models.clock import DAY_US, HOUR_US
from models.findings import Evidence, EvidenceReading, Severity
from models.messages import Change
from tests.unit.explain.findings import OPENED_US, PATIENT, finding, old_finding, programme, weights


def explained(known: Known, found: dict[Look, Found] | None = None) -> Explanation:
    return explain(known, found or {})


def dutch(known: Known, found: dict[Look, Found] | None = None) -> str:
    """The Dutch page on one line."""
    return " ".join(page(explained(known, found), Language.NL).split())


def set_limit(value: float, at_us: int, until_us: int | None = None) -> PlacedChange:
    limit = {"value": value, "unit": "kg", "set_by": "dr. De Wit", "until_us": until_us}
    message = {
        "schema": 1, "type": "change", "change_id": str(PATIENT), "patient_id": str(PATIENT),
        "valid_from_us": at_us,
        "change": {"limits": {"programme": "weights", "limits": {"gain": limit}}},
    }  # fmt: skip
    return PlacedChange(1, 5, Change.model_validate_json(json.dumps(message)), at_us)


def test_the_page_says_everything() -> None:
    text = page(explained(Known(finding(), programme())), Language.NL)
    assert (
        text
        == f"""\
Het gewicht stijgt snel.

Ernst: middelhoog.
Sinds: zondag 22 november 2026 om 08:31 uur.
Voorbij: nee, dit geldt nog.

Waarom
- Het gewicht steeg 2,4 kg in 3 dagen; dat is meer dan de grens van 2,0 kg.
  Metingen (3):
    zo 22-11-2026 02:31  79 kg
    zo 22-11-2026 05:31  79,1 kg
    zo 22-11-2026 08:31  79,2 kg
- Het laatste antwoord over ‘benauwdheid’ is niet bekend; de grens is matig of
  ernstig.
  Geen metingen gevonden.

Wanneer het voorbij is
Als alles hiervan geldt:
- de stijging van het gewicht in 3 dagen is 1,0 kg of minder
- het laatste antwoord over ‘benauwdheid’ is geen of een beetje

Waar de grenzen vandaan komen
- 2,0 kg (Te veel erbij): de standaard van het programma, uit een gepubliceerde
  bron die gelezen is (“ESC: 2 kg”).
- matig (Benauwd): de standaard van het programma, een eigen voorstel, zonder
  gezag (“after Anthonisen”).
- 1,0 kg (Weer goed): de standaard van het programma, uit het hoofd, moet nog
  bevestigd worden (“AHA”).

De regel
Meldt zich als één hiervan geldt:
- de stijging van het gewicht in 3 dagen is meer dan 2,0 kg
- het laatste antwoord over ‘benauwdheid’ is matig of ernstig
Wordt ernstiger (hoog) als de stijging van het gewicht in 3 dagen meer dan
3,5 kg is.
Een meting telt 2 dagen.
De regel is uit een gepubliceerde bron die gelezen is (“ESC”).
Regel gain, programma Gewicht (weights), versie 3, hash
{programme().hash}.
Bevinding {finding().finding_id}, patiënt
{PATIENT}.

Dit is geen hulp bij nood: bel dan 112.
"""
    )


@pytest.mark.parametrize("language", list(Language))
def test_every_line_fits_a_terminal(language: Language) -> None:
    raised = replace(finding(), severity=Severity.HIGH, raised_at_us=OPENED_US + 1, raised=finding().opening)
    for known in (
        Known(raised, programme()),
        Known(raised, None),
        Known(replace(raised, rule="other"), programme()),
    ):
        lines = page(explained(known), language).splitlines()
        assert max(map(len, lines)) <= WIDTH


def test_what_became_of_it_is_said() -> None:
    rose = Evidence("rise(body_weight, days=3)", 3.6, "kg", "gain_severe", 3.5, ">")
    text = dutch(
        Known(
            replace(
                finding(), severity=Severity.HIGH, raised_at_us=OPENED_US + DAY_US, raised=(rose,),
                cleared_at_us=OPENED_US + 2 * DAY_US, quiet=True, unconfirmed=True,
            ),
            programme(),
        )
    )  # fmt: skip
    assert "Ernst: hoog, sinds maandag 23 november 2026 om 08:31 uur; eerst middelhoog." in text
    assert "Voorbij: dinsdag 24 november 2026 om 08:31 uur." in text
    assert (
        "Stil: dezelfde regel gold kort hiervoor ook al, daarom geen nieuwe melding (binnen 1 dag)." in text
    )
    assert "Nog niet bevestigd" in text
    assert (
        "Waarom het ernstiger werd: maandag 23 november 2026 om 08:31 uur - Het gewicht steeg 3,6 kg" in text
    )


def test_a_finding_that_late_data_took_back_says_so() -> None:
    text = dutch(Known(replace(finding(), retracted=True), programme()))
    assert "Ingetrokken: metingen die later binnenkwamen laten zien dat dit niet zo was." in text
    assert "geldt nog" not in text


def test_a_personal_limit_says_who_set_it_and_until_when() -> None:
    mine = replace(finding(), opening=(replace(finding().opening[0], limit_value=1.5),))
    change = set_limit(1.5, OPENED_US - DAY_US, until_us=OPENED_US + 30 * DAY_US)
    text = dutch(Known(mine, programme(), [change]))
    assert (
        "- 1,5 kg (Te veel erbij): persoonlijk, ingesteld door dr. De Wit, geldig vanaf zaterdag 21 november "
        "2026 om 08:31 uur tot dinsdag 22 december 2026 om 08:31 uur. De standaard is 2,0 kg, uit een "
        "gepubliceerde bron die gelezen is (“ESC: 2 kg”)." in text
    )


def test_a_limit_that_nothing_accounts_for_is_not_given_a_source() -> None:
    other = replace(finding(), opening=(replace(finding().opening[0], limit_value=1.7),))
    text = dutch(Known(other, programme()))
    assert (
        "- 1,7 kg (Te veel erbij): hoe deze grens is ingesteld, is niet te zien. De standaard is 2,0 kg"
        in text
    )


def test_evidence_from_before_comparators_finds_its_own_in_the_rule() -> None:
    parts = explained(Known(old_finding(), programme())).because[0].parts
    assert [part.compared.comparator for part in parts if part.compared] == [
        Comparator.ABOVE,
        Comparator.AT_LEAST,
    ]
    assert "dat is meer dan de grens van 2,0 kg." in dutch(Known(old_finding(), programme()))


def test_another_version_under_the_same_number_is_not_believed() -> None:
    known = Known(replace(old_finding(), programme_hash="another"), programme())
    assert known.basis is Basis.OTHER_CONTENT
    text = dutch(known)
    assert f"een andere hash: {programme().hash}" in text
    assert "Het gewicht steeg 2,4 kg in 3 dagen; de grens is 2,0 kg." in text
    assert "- 2,0 kg (‘gain’): waar deze grens vandaan komt, is niet te zien." in text
    assert "Wanneer het voorbij is" not in text


def test_an_unknown_version_is_explained_from_what_is_stored() -> None:
    known = Known(finding(), None)
    assert known.basis is Basis.UNKNOWN_VERSION
    assert dutch(known).startswith("Regel gain van het programma weights (over: vocht).")
    assert "dat is meer dan de grens van 2,0 kg." in dutch(known)


def test_a_feature_that_no_grammar_knows_is_still_shown() -> None:
    odd = replace(finding(), opening=(Evidence("median9(spo2)", 91.25, "%", "low", 92.0),))
    assert "‘median9(spo2)’ was 91,25 %; de grens is 92 %." in dutch(Known(odd, None))


def test_only_what_the_evidence_does_not_name_is_looked_up() -> None:
    assert looks(Known(finding(), programme())) == {
        Look(("symptom_dyspnoea",), OPENED_US - 400 * DAY_US, OPENED_US, most=1)
    }
    (weighed,) = {look for look in looks(Known(old_finding(), programme())) if look.kinds == ("body_weight",)}
    assert (weighed.after_us, weighed.to_us) == (OPENED_US - 3 * DAY_US, OPENED_US)


def test_of_many_readings_the_newest_and_the_lowest_are_shown() -> None:
    known = Known(old_finding(), programme())
    (weighed,) = {look for look in looks(known) if look.kinds == ("body_weight",)}
    part = explained(known, {weighed: Found(weights(24), 24)}).because[0].parts[0]
    assert (part.count, len(part.readings), len(part.shown)) == (24, 24, 12)
    assert part.shown == (weights(24)[0], *weights(24)[-11:])
    assert "12 van de 24 metingen:" in dutch(known, {weighed: Found(weights(24), 24)})


def test_stored_readings_take_the_place_of_the_few_in_the_evidence() -> None:
    few = replace(finding().opening[0], count=24)
    known = Known(replace(finding(), opening=(few,)), programme())
    (weighed,) = looks(known)
    part = explained(known, {weighed: Found(weights(24), 24)}).because[0].parts[0]
    assert (len(part.readings), part.shown) == (24, few.readings)
    assert explained(known).because[0].parts[0].readings == few.readings


def test_the_parts_that_a_score_lacks_are_named() -> None:
    readings = tuple(
        EvidenceReading(kind, OPENED_US - HOUR_US // 4, value, unit)
        for kind, value, unit in (("spo2", 91.0, "%"), ("pulse", 120.0, "/min"), ("temperature", 38.4, "Cel"))
    )
    score = Evidence("news2(scale=s)", 6.0, "{score}", "high", 5.0, ">=", count=3, readings=readings)
    text = dutch(Known(replace(finding(), opening=(score,)), None))
    assert "Niet gemeten: ademfrequentie, extra zuurstof, bovendruk en bewustzijn." in text
    assert "zo 22-11-2026 08:16 120 slagen per minuut polsfrequentie" in text


def test_programs_get_every_number_as_it_is_stored() -> None:
    exact = replace(finding(), opening=(replace(finding().opening[0], value=2.4000000000000057),))
    data = json.loads(json.dumps(structure(explained(Known(exact, programme())), list(Language))))
    assert data["rule"] == "gain"
    assert (data["version"], data["programme_hash"]) == (3, programme().hash)
    (feature,) = data["because"][0]["features"]
    assert feature["value"] == 2.4000000000000057
    assert (feature["feature"], feature["window_us"]) == ("rise(body_weight, days=3)", 3 * DAY_US)
    assert (feature["comparator"], feature["limit"], feature["limit_value"]) == (">", "gain", 2.0)
    assert feature["limits"][0]["mark"] == "S"
    assert [reading["taken_at"] for reading in feature["readings"]][-1] == "2026-11-22T07:31:00Z"
    assert feature["text"]["en"].startswith("The weight rose 2.4 kg in 3 days")
    assert set(data["page"]) == {"nl", "en"}


def test_conditions_read_without_not_and_as_lists() -> None:
    condition = parse(
        "last(spo2) < low and not (last(heart_rate) > high or not last(heart_rate) >= calm) "
        "or age(spo2) > long"
    )
    named = {"low": Amount(90.0, "%"), "high": Amount(130.0, "/min"), "calm": Amount(50.0, "/min")}
    given = Given({**named, "long": Amount(2.0, "d")})
    clause, lines = as_list(condition, given, Language.EN)
    assert clause == "one of these holds"
    assert lines == [
        "- all of this:",
        "  - the last value of the oxygen saturation is less than 90 %",
        "  - the last value of the heart rate is 130 beats per minute or less",
        "  - the last value of the heart rate is 50 beats per minute or more",
        "- the time since the last reading of the oxygen saturation is more than 2 days",
    ]
    assert in_words(condition, given, Language.NL) == (
        "(de laatste waarde van de zuurstofsaturatie minder dan 90 % is "
        "en de laatste waarde van de hartslag 130 slagen per minuut of minder is "
        "en de laatste waarde van de hartslag 50 slagen per minuut of meer is) "
        "of de tijd sinds de laatste meting van de zuurstofsaturatie meer dan 2 dagen is"
    )
