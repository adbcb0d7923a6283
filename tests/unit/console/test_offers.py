"""What the form for a new patient offers."""

from uuid import UUID

import pytest

from alerting.console.inclusion.offers import Offers, offers_of
from alerting.engine.programme_files import load_folder
from alerting.explain.vocabulary import Language
from alerting.versions import offered
from ingest.register.inclusions import Given
from models.messages import Origin
from models.programmes import Catalogue
from models.register import Organisation, OrganisationKind

CENTRE, OTHER, PRACTICE, REAL = (UUID(int=n, version=4) for n in range(1, 5))
PROGRAMMES = load_folder()


def organisation(key: UUID, kind: OrganisationKind, origin: Origin = Origin.SIMULATED) -> Organisation:
    return Organisation(key, f"Organisatie {key.int % 10}", kind, origin)


def offers(*centres: UUID, language: Language = Language.NL) -> Offers:
    known = [
        *(organisation(key, OrganisationKind.MONITORING_CENTRE) for key in centres),
        organisation(PRACTICE, OrganisationKind.GP_PRACTICE),
        organisation(REAL, OrganisationKind.GP_PRACTICE, Origin.REAL),
    ]
    given = Given(
        catalogue=Catalogue(map(offered, PROGRAMMES)),
        organisations={one.organisation_id: one for one in known},
        origins=frozenset({Origin.SIMULATED}),
        person_id=UUID(int=9),
        organisation_id=CENTRE,
        now_us=0,
    )
    return offers_of(given, PROGRAMMES, language)


def test_every_programme_but_the_one_about_devices_is_offered() -> None:
    names = {one.name for one in offers(CENTRE).programmes}
    assert names == {one.programme for one in PROGRAMMES} - {"devices"}


def test_limits_stand_with_unit_and_meaning_in_the_order_of_their_file() -> None:
    hypertension = next(one for one in offers(CENTRE).programmes if one.name == "hypertension")
    first = hypertension.limits[0]
    assert (first.name, first.meaning) == ("mean_systolic", "Gemiddelde bovendruk die te hoog is")
    assert (first.default, first.unit, first.low, first.high) == ("135", "mmHg", "110", "180")
    silent = next(one for one in hypertension.limits if one.name == "pressure_silent")
    assert silent.unit == "dagen"
    (schedule,) = hypertension.schedules
    assert (schedule.kind, schedule.before, schedule.on) == ("bovendruk", "21:00", "elke dag")


@pytest.mark.parametrize("language", Language)
def test_what_cannot_differ_or_is_an_answer_is_not_offered(language: Language) -> None:
    for programme in offers(CENTRE, language=language).programmes:
        names = {limit.name for limit in programme.limits}
        assert not names & {"measurable", "said_yes", "severe", "measured"}
        assert all(limit.meaning != limit.name for limit in programme.limits)


def test_only_organisations_for_such_patients_are_offered() -> None:
    assert [one.organisation_id for one in offers(CENTRE).practices] == [PRACTICE]


def test_a_centre_is_asked_for_where_there_are_several_and_ones_own_proposed() -> None:
    assert offers(CENTRE).centres == ()
    several = offers(CENTRE, OTHER)
    assert {one.organisation_id for one in several.centres} == {CENTRE, OTHER}
    assert several.centre_id == CENTRE


def test_dutch_is_the_first_language() -> None:
    codes = [code for code, _ in offers(CENTRE, language=Language.EN).languages]
    assert codes[0] == "nl"
    assert len(codes) == len(set(codes))
    assert all(len(code) == 2 for code in codes)
