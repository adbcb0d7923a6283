"""What stands beside a chart: its sentence, its limits and whose they are, what people did."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest

from alerting.console.patient.entries import entered
from alerting.console.patient.levels import Own, change_wanted, levels, own_of, rules_about, usual_of
from alerting.console.patient.marks import kinds_touched, marks, shades, within
from alerting.console.patient.sentences import sentence
from alerting.console.texts import Speaker, texts
from alerting.engine.programme import Programme
from alerting.engine.programme_files import load_folder
from alerting.explain.vocabulary import Language
from ingest.register.state import Enrolment
from models.alerts import AlertEvent, AlertHappening, Outcome
from models.clock import DAY_US, HOUR_US
from models.db.calls import Call, CallOutcome
from models.db.series import Entry
from models.findings import Evidence, EvidenceReading, Finding, Severity, Signal
from models.messages import Absent, PersonalLimit, SetLimits
from models.register import content_of
from tests.unit.console.series import T0_US, series

PATIENT, ALERT, NURSE = (UUID(int=n, version=4) for n in range(3))
NL, EN = Speaker(Language.NL), Speaker(Language.EN)
HEART = next(one for one in load_folder() if one.programme == "heart_failure")
COPD = next(one for one in load_folder() if one.programme == "copd")
DIABETES = next(one for one in load_folder() if one.programme == "diabetes")
LIMIT = PersonalLimit(value=170, unit="mm[Hg]", set_by="nurse", until_us=T0_US + DAY_US)


def own(
    programme: Programme = HEART,
    limits: Mapping[str, PersonalLimit] | None = None,
    decided: Sequence[tuple[int, object, str | None]] = (),
) -> Own:
    layers = {name: (one,) for name, one in (limits or {}).items()}
    return own_of(programme, Enrolment(programme.version, layers), decided, T0_US)


def test_the_sentence_says_value_change_and_limit() -> None:
    weights = series([(T0_US - day * DAY_US, 82.0 + (day == 0) * 2.1) for day in range(9)])
    wanted = change_wanted([own()], "body_weight", Language.NL)
    assert sentence(weights, (), wanted, NL, "08:31", T0_US - 31 * DAY_US) == (
        "Gewicht 84,1 kg (08:31), 2,1 kg hoger dan een week eerder; "
        "grens: de stijging van het gewicht in 3 dagen meer dan 2,0 kg."
    )
    english = sentence(weights, (), None, EN, "08:31", T0_US - 31 * DAY_US)
    assert english == "Body weight 84.1 kg (08:31), 2.1 kg higher than a week before."


def test_without_a_reading_of_a_week_ago_nothing_is_compared() -> None:
    weights = series([(T0_US, 84.1), (T0_US - 3 * DAY_US, 82.0)])
    assert sentence(weights, (), None, NL, "08:31", 0) == "Gewicht 84,1 kg (08:31)."


def test_a_dense_series_is_told_by_its_stretch() -> None:
    glucose = series([(T0_US - n * HOUR_US, 6.0 + n % 3) for n in range(30)], "glucose_cgm")
    said = sentence(glucose, (), None, NL, "08:31", T0_US - DAY_US)
    assert said == (
        "Glucose (sensor) 6,0 mmol/L (08:31); gemiddeld 7,0 mmol/L in deze periode "
        "(van 6,0 mmol/L tot 8,0 mmol/L)."
    )


def test_a_limit_is_a_line_with_whose_it_is_and_until_when() -> None:
    found = levels([own()], ("systolic", "diastolic"))
    assert [(one.value, one.upwards, one.personal) for one in found] == [
        (160.0, True, False), (90.0, False, False), (80.0, False, False),
    ]  # fmt: skip
    change = SetLimits(programme="heart_failure", limits={"systolic_high": LIMIT})
    personal = own(limits={"systolic_high": LIMIT}, decided=[(T0_US - HOUR_US, change, "M. Jansen")])
    first = levels([personal], ("systolic",))[0]
    assert (first.value, first.personal, first.by, first.until_us) == (
        170.0,
        True,
        "M. Jansen",
        LIMIT.until_us,
    )


def test_a_personal_limit_that_is_over_is_the_default_again() -> None:
    over = PersonalLimit(value=170, unit="mm[Hg]", set_by="nurse", until_us=T0_US - 1)
    assert levels([own(limits={"systolic_high": over})], ("systolic",))[0].value == 160.0


def test_limits_within_a_feature_are_lines_too_in_the_unit_of_the_chart() -> None:
    found = {level.value for level in levels([own(DIABETES)], ("glucose_cgm",))}
    assert {3.9, 10.0} <= {round(value, 1) for value in found}


def test_what_only_matters_with_something_else_is_no_line() -> None:
    # Heart rates are looked at from 70 on, but only where they are unusual for this patient.
    assert 70.0 not in {level.value for level in levels([own()], ("heart_rate",))}
    assert rules_about([own()], ("heart_rate",), Language.NL)


@pytest.mark.parametrize("programme", load_folder(), ids=lambda one: one.programme)
def test_every_programme_can_be_told(programme: Programme) -> None:
    every = [own(programme)]
    kinds = ("body_weight", "systolic", "spo2", "heart_rate", "glucose", "peak_flow", "steps")
    for language in Language:
        rules_about(every, kinds, language)
    levels(every, kinds)


def test_what_is_usual_is_asked_for_where_a_rule_compares_with_it() -> None:
    usual = usual_of([own(COPD)], "spo2")
    assert usual is not None
    assert usual.days >= 7
    assert usual_of([own(COPD)], "body_weight") is None


def finding(**more: Any) -> Finding:
    reading = EvidenceReading("body_weight", T0_US, 84.1, "kg")
    evidence = Evidence("rise(body_weight, days=3)", 2.1, "kg", "gain_3d", 2.0, readings=(reading,))
    return Finding(
        PATIENT, PATIENT, PATIENT, 0, "heart_failure", 1, "weight_gain_3d", Signal.FLUID, Severity.HIGH,
        T0_US - DAY_US, (evidence,), "h", **more,
    )  # fmt: skip


def test_findings_shade_the_charts_of_what_they_looked_at() -> None:
    assert kinds_touched(finding(), None) == kinds_touched(finding(), HEART) == {"body_weight"}
    told = [(finding(), {"body_weight"}, "Vocht")]
    (shade,) = shades(told, ("body_weight",), T0_US - HOUR_US, T0_US)
    assert (shade.from_us, shade.to_us) == (T0_US - HOUR_US, T0_US)
    assert shades(told, ("spo2",), 0, T0_US) == []
    for gone in (finding(retracted=True), finding(cleared_at_us=T0_US - 2 * HOUR_US)):
        assert shades([(gone, {"body_weight"}, "")], ("body_weight",), T0_US - HOUR_US, T0_US) == []


def test_marks_say_who_did_what() -> None:
    happened = [
        AlertHappening(ALERT, PATIENT, PATIENT, T0_US - 3 * HOUR_US, AlertEvent.OPENED),
        AlertHappening(ALERT, PATIENT, PATIENT, T0_US - HOUR_US, AlertEvent.ACKNOWLEDGED, by=str(NURSE)),
        AlertHappening(ALERT, PATIENT, PATIENT, T0_US, AlertEvent.RESOLVED),
    ]
    call = Call(ALERT, PATIENT, NURSE, T0_US - 2 * HOUR_US, CallOutcome.NOT_REACHED)
    found = marks(happened, {ALERT: Signal.FLUID}, [call], [], {NURSE: "M. Jansen"}, NL)
    assert [mark.label for mark in found] == [
        "Gebeld, niet bereikt: M. Jansen", "Opgepakt (vocht): M. Jansen", "Afgesloten (vocht): vanzelf",
    ]  # fmt: skip
    assert len(within(found, T0_US - HOUR_US, T0_US)) == 2


def test_what_people_entered_is_read_back_from_its_upload() -> None:
    reading = '{"kind": "body_weight", "taken_at_us": 5, '
    messages = [
        f'{{"source": "{source}", "device_id": "scale-1", "readings": [{reading}{rest}}}]}}'
        for source, rest in (
            ("thuiswacht.telephone", '"value": 84.1, "unit": "kg"'),
            ("thuiswacht.correction", '"value": 84.1, "unit": "kg", "revision": 1'),
            ("thuiswacht.correction", '"void": true, "revision": 1'),
        )
    ]
    found = entered([Entry(ALERT, one, NURSE, 6, is_told=False, is_stored=False) for one in messages])
    assert [one.what for one in found] == ["telephone", "corrected", "taken_back"]


def test_every_word_that_is_looked_up_is_there() -> None:
    change = content_of(SetLimits(programme="x", limits={"y": None}))
    wanted = [
        *(f"event.{one}" for one in AlertEvent),
        *(f"outcome.{one}" for one in Outcome),
        *(f"absent.{one}" for one in Absent),
        *(f"call.outcome.{one}" for one in CallOutcome),
        *(f"call_note.{one}" for one in CallOutcome),
        *(f"decision.{one}" for one in change),
    ]
    assert [one for one in wanted if f"patient.{one}" not in texts()] == []
