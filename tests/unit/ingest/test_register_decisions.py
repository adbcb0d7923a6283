"""What a form comes to, given what holds: pure, so every sequence of forms can be tried."""

import json
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as given_examples
from hypothesis import strategies as st

from ingest.register.decisions import decide, merge
from ingest.register.forms import ChangeForm, InclusionForm, filled_in
from ingest.register.inclusions import Given, include, origins_of
from ingest.register.state import fold
from models.clock import DAY_US, to_datetime
from models.errors import BadInput
from models.messages import AnyChange, End, Enrol, Origin, Pause, PersonalLimit, Register, SetLimits
from models.programmes import Catalogue, Offered, OfferedLimit
from models.register import (
    Care,
    Decided,
    Organisation,
    OrganisationKind,
    Registered,
    change_of,
    content_of,
)

NOW_US = 1_795_332_680_000_000
HOSPITAL, PRACTICE, ANOTHER, CENTRE = (UUID(int=n) for n in range(1, 5))
NURSE = UUID(int=9)
LIMITS = {"low": OfferedLimit("mm[Hg]", 100, 80, 120), "gain": OfferedLimit("kg", 2, 1, 5)}
CATALOGUE = Catalogue(
    [
        Offered("heart", 1, "hart", "heart", {"low": LIMITS["low"]}, ("weight",)),
        Offered("heart", 2, "hart", "heart", LIMITS, ("weight",)),
        Offered("lungs", 1, "longen", "lungs", {}, ()),
        Offered("devices", 3, "apparaten", "devices", {}, ()),
    ]
)


def organisation(organisation_id: UUID, kind: OrganisationKind) -> Organisation:
    return Organisation(organisation_id, "X", kind, Origin.SIMULATED)


GIVEN = Given(
    catalogue=CATALOGUE,
    organisations={
        one.organisation_id: one
        for one in (
            organisation(HOSPITAL, OrganisationKind.HOSPITAL),
            organisation(PRACTICE, OrganisationKind.GP_PRACTICE),
            organisation(ANOTHER, OrganisationKind.GP_PRACTICE),
            organisation(CENTRE, OrganisationKind.MONITORING_CENTRE),
        )
    },
    origins=origins_of("trial"),
    person_id=NURSE,
    organisation_id=HOSPITAL,
    now_us=NOW_US,
    set_by="nurse",
)
WHO = {"family_name": "de Vries", "birth_date": "1948-03-02", "bsn": "111222333"}


def included(**more: Any) -> Any:
    fields = {"identity": WHO, "programmes": [{"programme": "heart"}], **more}
    return include(filled_in(InclusionForm, fields), GIVEN, UUID(int=77))


def registered(*changes: AnyChange, care: Care | None = None, patient: int = 77) -> Registered:
    dated = tuple((NOW_US, one) for one in changes or included().changes)
    return Registered(UUID(int=patient), HOSPITAL, Origin.SIMULATED, 1, care or Care(), dated)


def change(who: Registered, what: dict[str, Any], **more: Any) -> Decided:
    return decide(who, filled_in(ChangeForm, {"version": 1, "change": what, **more}), GIVEN)


def test_the_usual_is_filled_in() -> None:
    found = included()
    register, heart, devices = found.changes
    assert isinstance(register, Register)
    assert (register.origin, register.organisation_id, register.language) == (
        Origin.SIMULATED,
        HOSPITAL,
        "nl",
    )
    assert (heart, devices) == (
        Enrol(programme="heart", version=2),
        Enrol(programme="devices", version=3),
    )
    assert found.treated_by == (HOSPITAL, CENTRE)
    assert (found.care.informed_by, found.care.informed_at) == (NURSE, to_datetime(NOW_US))
    assert found.valid_from_us == NOW_US
    assert included(watch_devices=False).changes == (register, heart)


def test_in_a_live_database_patients_are_real_and_have_a_number_or_a_reason() -> None:
    live = replace(GIVEN, origins=origins_of("live"))
    fields: dict[str, Any] = {"identity": WHO, "programmes": [{"programme": "heart"}]}
    assert include(filled_in(InclusionForm, fields), live, UUID(int=1)).origin is Origin.REAL
    nobody = {"family_name": "de Vries", "birth_date": "1948-03-02"}
    for identity, fine in (
        (nobody, False),
        ({**nobody, "without_bsn": "tourist"}, True),
        ({**WHO, "without_bsn": "tourist"}, False),
    ):
        form = filled_in(InclusionForm, {**fields, "identity": identity})
        if fine:
            include(form, live, UUID(int=1))
            continue
        with pytest.raises(BadInput, match="BSN"):
            include(form, live, UUID(int=1))


def test_of_several_centres_one_has_to_be_named_and_of_none_there_is_none() -> None:
    second = organisation(UUID(int=5), OrganisationKind.MONITORING_CENTRE)
    several = replace(GIVEN, organisations={**GIVEN.organisations, second.organisation_id: second})
    form = filled_in(InclusionForm, {"identity": WHO, "programmes": [{"programme": "heart"}]})
    with pytest.raises(BadInput, match="monitoring_centre"):
        include(form, several, UUID(int=1))
    named = form.model_copy(update={"monitoring_centre": second.organisation_id})
    assert include(named, several, UUID(int=1)).treated_by == (HOSPITAL, second.organisation_id)
    assert include(form, replace(GIVEN, organisations={}), UUID(int=1)).treated_by == (HOSPITAL,)


def test_a_register_without_alerting_says_what_to_start() -> None:
    form = filled_in(InclusionForm, {"identity": WHO, "programmes": [{"programme": "heart"}]})
    with pytest.raises(BadInput, match="thuiswacht alerting"):
        include(form, replace(GIVEN, catalogue=Catalogue([])), UUID(int=1))


def test_another_huisarts_takes_over_unless_the_former_follows_the_patient() -> None:
    who = registered(care=Care(huisarts_id=PRACTICE))
    decided = change(who, {"care": {"huisarts": str(ANOTHER)}})
    assert (decided.treats, decided.treats_no_more) == (ANOTHER, PRACTICE)
    same = change(who, {"care": {"huisarts": str(PRACTICE)}})
    assert (same.treats, same.treats_no_more) == (None, None)
    follows = replace(who, organisation_id=PRACTICE)
    assert change(follows, {"care": {"huisarts": None}}).treats_no_more is None


def test_what_is_left_out_of_care_stays_and_who_informed_is_filled_in() -> None:
    was = Care(wijk="wijk-1", treatment_plan="wegen", review_on=date(2027, 1, 1))
    care = change(registered(care=was), {"care": {"advance_care": "thuis"}}).care
    assert care == replace(was, advance_care="thuis")
    care = change(registered(care=was), {"care": {"informed_at": to_datetime(NOW_US - DAY_US)}}).care
    assert care is not None
    assert care.informed_by == NURSE
    with pytest.raises(BadInput, match="who informed"):
        change(registered(), {"care": {"informed_at": None, "informed_by": str(NURSE)}})


def test_limits_hold_until_they_end_and_are_judged_by_the_version_the_patient_is_in() -> None:
    who = registered(Enrol(programme="heart", version=1))
    until = to_datetime(NOW_US + DAY_US)
    limits = {"programme": "heart", "limits": {"low": {"value": 90, "unit": "mmHg", "until": until}}}
    (found,) = change(who, {"limits": limits}).changes
    assert isinstance(found, SetLimits)
    assert found.limits["low"] is not None
    assert (found.limits["low"].until_us, found.limits["low"].set_by) == (NOW_US + DAY_US, "nurse")
    with pytest.raises(BadInput, match="gain"):
        change(who, {"limits": {"programme": "heart", "limits": {"gain": 2}}})
    (moved,) = change(who, {"move": {"programme": "heart"}}).changes
    now = replace(who, changes=(*who.changes, (NOW_US, moved)))
    change(now, {"limits": {"programme": "heart", "limits": {"gain": 2}}})


def test_who_died_keeps_the_number_and_who_left_frees_it() -> None:
    for reason, frees in (("died", False), ("finished", True), ("moved", True), ("withdrew", True)):
        decided = change(registered(), {"end": {"reason": reason}})
        assert decided.frees_number is frees
        assert decided.care is not None
        assert decided.care.ended_at == to_datetime(NOW_US)


def test_a_correction_says_from_when_and_what_is_to_come_says_so() -> None:
    earlier, later = to_datetime(NOW_US - DAY_US), to_datetime(NOW_US + DAY_US)
    assert change(registered(), {"pause": {}}, as_of=later).valid_from_us == NOW_US + DAY_US
    corrected = change(registered(), {"pause": {}}, as_of=earlier, correction=True)
    assert (corrected.valid_from_us, corrected.correction) == (NOW_US - DAY_US, True)
    for wrong in ({"as_of": earlier}, {"correction": True}, {"as_of": to_datetime(NOW_US + 500 * DAY_US)}):
        with pytest.raises(BadInput):
            change(registered(), {"pause": {}}, **wrong)


def test_merging_ends_once_and_never_in_a_circle() -> None:
    stays, double = registered(patient=1), registered(patient=2)
    decided = merge(double, stays, GIVEN)
    assert decided.changes == (End(reason="finished"),)
    assert decided.care is not None
    assert decided.care.merged_into == UUID(int=1)
    ended = replace(double, changes=(*double.changes, (NOW_US, End(reason="moved"))))
    assert merge(ended, stays, GIVEN).changes == ()
    for one, other in (
        (stays, stays),
        (double, ended),
        (replace(double, care=decided.care), stays),
        (replace(double, origin=Origin.CANARY), stays),
    ):
        with pytest.raises(BadInput):
            merge(one, replace(other, patient_id=other.patient_id), GIVEN)


FORMS: list[dict[str, Any]] = [
    {"enrol": {"programme": "lungs"}},
    {"enrol": {"programme": "heart", "limits": {"low": 90}}},
    {"withdraw": {"programme": "lungs"}},
    {"withdraw": {"programme": "heart"}},
    {"limits": {"programme": "heart", "limits": {"low": 95, "gain": None}}},
    {"limits": {"programme": "heart", "limits": {"gain": 3}}},
    {"move": {"programme": "heart"}},
    {"schedule": {"programme": "heart", "schedule": {"weight": {"before": "11:00"}}}},
    {"move": {"programme": "heart", "version": 1}},
    {"pause": {"reason": "vakantie"}},
    {"resume": {}},
    {"admit": {}},
    {"discharge": {}},
    {"end": {"reason": "moved"}},
]


@given_examples(st.lists(st.sampled_from(FORMS), max_size=12))
def test_whatever_is_asked_the_state_stays_one_that_the_engine_follows(asked: list[dict[str, Any]]) -> None:
    who = registered()
    for what in asked:
        before = fold(who.changes)
        try:
            decided = change(who, what)
        except BadInput:
            continue
        assert before.end is None
        who = replace(who, changes=(*who.changes, *((NOW_US, one) for one in decided.changes)))
        after = fold(who.changes)
        assert after != before or "limits" in what or "schedule" in what or "pause" in what
        for name, enrolment in after.enrolments.items():
            offered = CATALOGUE.find(name, enrolment.version)
            assert set(enrolment.schedule) <= set(offered.schedules)
            assert all(offered.fits(limit, one) for limit, one in enrolment.limits_at(NOW_US).items())
    # What goes to the log is read back as it was meant.
    changes = [one for _, one in who.changes]
    assert [change_of(json.dumps(content_of(one))) for one in changes] == changes


def test_a_pause_is_over_by_itself() -> None:
    state = fold([(0, Pause(until_us=NOW_US))])
    assert state.is_paused(NOW_US - 1)
    assert not state.is_paused(NOW_US)


def test_only_what_the_log_is_told_can_hold_from_another_moment() -> None:
    tomorrow = to_datetime(NOW_US + DAY_US)
    for what in ({"care": {"wijk": "x"}}, {"hand_out": {"device_id": "x"}}, {"end": {"reason": "moved"}}):
        with pytest.raises(BadInput, match="as_of"):
            change(registered(), what, as_of=tomorrow)
    yesterday = to_datetime(NOW_US - DAY_US)
    decided = change(registered(), {"end": {"reason": "died"}}, as_of=yesterday, correction=True)
    assert decided.care is not None
    assert decided.care.ended_at == yesterday


def test_what_is_to_come_holds_when_it_comes() -> None:
    later = NOW_US + DAY_US
    who = registered()
    (pause,) = change(who, {"pause": {}}, as_of=to_datetime(later)).changes
    who = replace(who, changes=(*who.changes, (later, pause)))
    with pytest.raises(BadInput, match="paused"):
        change(who, {"resume": {}})
    (resume,) = change(who, {"resume": {}}, as_of=to_datetime(later + 1)).changes
    assert fold([*who.changes, (later + 1, resume)], later).is_paused(later)
    assert not fold([*who.changes, (later + 1, resume)]).is_paused(later + 1)


def test_a_limit_that_ends_gives_way_to_the_one_before() -> None:
    def limits(value: float, until_us: int | None = None) -> SetLimits:
        limit = PersonalLimit(value=value, unit="kg", set_by="nurse", until_us=until_us)
        return SetLimits(programme="heart", limits={"gain": limit})

    changes: list[tuple[int, AnyChange]] = [
        (0, Enrol(programme="heart", version=2)),
        (1, limits(3)),
        (2, limits(4, until_us=10)),
    ]
    enrolment = fold(changes).enrolments["heart"]
    assert [enrolment.limits_at(at)["gain"].value for at in (9, 10)] == [4, 3]
    assert fold([*changes, (3, limits(2, until_us=5))]).enrolments["heart"].limits_at(20)["gain"].value == 3


@pytest.mark.parametrize(
    ("contacts", "told"),
    [
        ([], False),
        ([{"name": "Zoon", "relation": "mantelzorger"}], False),
        ([{"name": "Zoon", "relation": "contact", "may_be_told": True}], False),
        ([{"name": "Zoon", "relation": "mantelzorger", "may_be_told": True}], True),
    ],
)
def test_that_a_mantelzorger_may_be_told_follows_from_the_contacts(
    contacts: list[dict[str, Any]], told: bool
) -> None:
    identity = {**WHO, "contacts": contacts}
    assert included(identity=identity).care.copy_to_mantelzorger is told
    form = filled_in(ChangeForm, {"version": 1, "change": {"identity": identity}})
    for before in (True, False):
        decided = decide(registered(care=Care(copy_to_mantelzorger=before)), form, GIVEN)
        assert (decided.care or Care(copy_to_mantelzorger=before)).copy_to_mantelzorger is told
