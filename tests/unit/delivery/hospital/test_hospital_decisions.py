"""What a hospital's words come to, one after the other, in whatever order they arrive."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any
from uuid import UUID

from hypothesis import given as given_examples
from hypothesis import strategies as st

from ingest.delivery.content import Code
from ingest.delivery.hospital import decisions
from ingest.delivery.hospital.decisions import AFTER_DISCHARGE, Before, Effect
from ingest.delivery.hospital.encounter import map_encounter
from ingest.delivery.hospital.episode import map_episode
from ingest.delivery.hospital.patient import map_patient
from ingest.delivery.hospital.told import EpisodeTold, PersonTold, StayTold
from ingest.register.inclusions import Given, origins_of
from ingest.register.state import State, fold
from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.hospital import ProposalKind, Proposed, Said, Word
from models.messages import Admit, AnyChange, Discharge, End, Enrol, Origin, Register
from models.programmes import Catalogue, Offered
from models.register import Care, Registered
from tests.unit.delivery.hospital.resources import NOW_US, PATIENT, Resource, encounter, episode, patient

HOSPITAL, NURSE = UUID(int=1), UUID(int=9)
OFFERED = Catalogue([Offered(name, 1, name, name) for name in ("heart_failure", "copd", AFTER_DISCHARGE)])
SINCE_US = NOW_US - 40 * DAY_US
FOLLOWED: tuple[tuple[int, AnyChange], ...] = (
    (SINCE_US, Register(origin=Origin.SIMULATED, organisation_id=HOSPITAL)),
    (SINCE_US, Enrol(programme="heart_failure", version=1)),
)


@dataclass(slots=True)
class Told:
    """A patient of the register, told of one thing after the other."""

    changes: tuple[tuple[int, AnyChange], ...] = FOLLOWED
    words: dict[UUID, Word] = field(default_factory=dict[UUID, Word])
    proposed: dict[tuple[ProposalKind, UUID], Proposed] = field(
        default_factory=dict[tuple[ProposalKind, UUID], Proposed]
    )
    now_us: int = NOW_US
    care: Care = field(default_factory=Care)

    def before(self) -> Before:
        who = Registered(PATIENT, HOSPITAL, Origin.SIMULATED, 3, self.care, self.changes)
        given = Given(OFFERED, {}, origins_of("trial"), NURSE, HOSPITAL, self.now_us)
        return Before(who, list(self.words.values()), given, HOSPITAL)

    def __call__(self, resource: Resource) -> Effect:
        maps: Any = {"Encounter": map_encounter, "EpisodeOfCare": map_episode, "Patient": map_patient}
        told = maps[resource["resourceType"]](resource, self.now_us)
        assert isinstance(told, StayTold | EpisodeTold | PersonTold), told
        effect = self._decide(told)
        if effect.decided is not None:
            self.changes += tuple((effect.decided.valid_from_us, one) for one in effect.decided.changes)
            assert effect.decided.correction == (effect.decided.valid_from_us < self.now_us)
        if effect.word is not None:
            self.words[effect.word.word_id] = effect.word
        for key in effect.void:
            self.proposed.pop(key, None)
        for one in effect.proposed:
            self.proposed.setdefault((one.kind, one.subject), one)
        return effect

    def _decide(self, told: StayTold | EpisodeTold | PersonTold) -> Effect:
        match told:
            case StayTold():
                return decisions.decide_stay(told, self.before())
            case EpisodeTold():
                return decisions.decide_episode(told, self.before())
            case PersonTold():
                return decisions.decide_person(told, self.before())

    @property
    def state(self) -> State:
        return fold(self.changes, self.now_us)

    def stays(self) -> list[tuple[int, type[AnyChange]]]:
        """Admissions and what ends them, in hours before now."""
        turns = ((at, one) for at, one in self.changes if isinstance(one, Admit | Discharge))
        return [((self.now_us - at) // HOUR_US, type(one)) for at, one in turns]

    def asked(self) -> list[tuple[ProposalKind, str | None]]:
        return [(one.kind, one.programme) for one in self.proposed.values()]


ENDED = encounter("finished", end_us=NOW_US - HOUR_US)
AFTERWARDS = [(ProposalKind.ENROL, AFTER_DISCHARGE)]


def test_an_admission_holds_from_when_it_began_and_a_discharge_from_when_it_was() -> None:
    told = Told()
    told(encounter())
    assert told.state.admitted
    told(ENDED)
    assert told.stays() == [(5, Admit), (1, Discharge)]
    assert told.asked() == AFTERWARDS
    assert not told.state.admitted


def test_told_again_it_has_no_second_effect() -> None:
    told = Told()
    for resource in (encounter(), ENDED):
        told(resource)
        changes, words, proposed = told.changes, dict(told.words), dict(told.proposed)
        for _ in range(2):
            assert told(resource).decided is None
        assert (told.changes, told.words, told.proposed) == (changes, words, proposed)


def test_an_admission_never_holds_from_before_the_patient_was_known_or_sent_home() -> None:
    told = Told()
    told(encounter(start_us=SINCE_US - DAY_US))
    assert told.changes[-1][0] == SINCE_US
    told = Told(changes=(*FOLLOWED, (NOW_US - 9 * HOUR_US, Admit()), (NOW_US - 2 * HOUR_US, Discharge())))
    told(encounter())
    assert told.stays()[-1] == (2, Admit)
    assert told.state.admitted


def test_who_is_admitted_already_is_not_admitted_again_and_goes_home_once() -> None:
    told = Told(changes=(*FOLLOWED, (NOW_US - 4 * HOUR_US, Admit())))
    assert told(encounter()).decided is None
    told(ENDED)
    assert told.stays() == [(4, Admit), (1, Discharge)]


def test_another_stay_that_goes_on_keeps_the_patient_in_hospital() -> None:
    told = Told()
    told(encounter(kind="EMER"))
    told(encounter(number="O-2", start_us=NOW_US - 2 * HOUR_US))
    told(encounter("finished", "EMER", end_us=NOW_US - HOUR_US))
    assert told.state.admitted
    assert told.asked() == []
    told(encounter("finished", number="O-2", end_us=NOW_US))
    assert told.stays() == [(5, Admit), (0, Discharge)]
    assert told.asked() == AFTERWARDS


def test_a_new_stay_takes_back_what_was_proposed_after_the_one_before() -> None:
    told = Told()
    told(encounter())
    told(ENDED)
    told(encounter(number="O-2", start_us=NOW_US - HOUR_US))
    assert told.asked() == []
    assert told.state.admitted


def test_a_discharge_of_which_no_admission_was_told_is_kept_and_proposes() -> None:
    told = Told()
    told(ENDED)
    assert told.stays() == []
    assert told.asked() == AFTERWARDS
    # What comes after it was told before it: in the wrong order.
    effect = told(encounter())
    assert effect.decided is None
    assert effect.faults[0].code is Code.CONFLICT
    assert told.stays() == []


def test_a_discharge_of_before_does_not_send_home_who_was_admitted_since() -> None:
    told = Told(changes=(*FOLLOWED, (NOW_US - MINUTE_US, Admit())))
    told(ENDED)
    assert told.state.admitted


def test_long_after_a_discharge_nothing_is_proposed() -> None:
    told = Told()
    told(encounter("finished", start_us=NOW_US - 39 * DAY_US, end_us=NOW_US - 31 * DAY_US))
    assert told.asked() == []


def test_who_is_followed_after_discharge_already_is_not_proposed() -> None:
    told = Told(changes=(*FOLLOWED, (NOW_US + DAY_US, Enrol(programme=AFTER_DISCHARGE, version=1))))
    told(ENDED)
    assert told.asked() == []


def test_cancelled_it_never_was() -> None:
    told = Told()
    told(encounter())
    told(encounter("entered-in-error"))
    assert told.stays() == [(5, Admit), (5, Discharge)]
    assert fold(told.changes, NOW_US - 4 * HOUR_US).admitted is False
    told = Told()
    told(encounter())
    told(ENDED)
    told(encounter("cancelled"))
    assert told.asked() == []
    assert not fold(told.changes, NOW_US - 2 * HOUR_US).admitted


def test_cancelled_before_it_was_told_it_never_begins() -> None:
    told = Told()
    told(encounter("cancelled"))
    assert told(encounter()).faults
    assert told.stays() == []


def test_taken_back_the_patient_goes_home_with_the_stay_that_was() -> None:
    told = Told()
    told(encounter())
    told(encounter(number="O-2"))
    told(ENDED)
    assert told.state.admitted
    told(encounter("entered-in-error", number="O-2"))
    assert told.stays() == [(5, Admit), (1, Discharge)]


def test_what_people_decided_is_not_taken_back_with_it() -> None:
    told = Told(changes=(*FOLLOWED, (NOW_US - 9 * HOUR_US, Admit())))
    told(encounter())
    told(encounter("entered-in-error"))
    assert told.state.admitted


def test_on_leave_the_patient_is_at_home_and_back_again_in_hospital() -> None:
    told = Told()
    told(encounter(updated_us=NOW_US - 4 * HOUR_US))
    told(encounter("onleave", updated_us=NOW_US - 3 * HOUR_US))
    assert not told.state.admitted
    assert told.asked() == []
    told(encounter(updated_us=NOW_US - HOUR_US))
    assert told.stays() == [(5, Admit), (3, Discharge), (1, Admit)]


def test_a_leave_that_cannot_be_put_in_order_is_refused_but_not_the_first() -> None:
    told = Told()
    told(encounter())
    effect = told(encounter("onleave"))
    assert effect.faults[0].where == "meta.lastUpdated"
    assert told.state.admitted


def test_treated_at_home_by_the_same_encounter_is_not_in_hospital() -> None:
    told = Told()
    told(encounter(updated_us=NOW_US - 4 * HOUR_US))
    told(encounter(kind="HH", updated_us=NOW_US - 2 * HOUR_US))
    assert told.stays() == [(5, Admit), (2, Discharge)]


def test_what_is_planned_or_no_stay_changes_nothing() -> None:
    told = Told()
    for resource in (
        encounter("planned"), encounter(kind="AMB", number="O-9"),
        encounter("finished", "AMB", number="O-9", end_us=NOW_US),
    ):  # fmt: skip
        assert told(resource).decided is None
    assert [word.said for word in told.words.values()] == [Said.PLANNED]
    assert told.asked() == []
    told(encounter())
    assert told.stays() == [(5, Admit)]


def test_a_stay_that_ended_by_death_sends_nobody_home_and_asks_people() -> None:
    told = Told()
    told(encounter())
    system = "http://terminology.hl7.org/CodeSystem/discharge-disposition"
    disposition = {"coding": [{"system": system, "code": "exp"}]}
    told({**ENDED, "hospitalization": {"dischargeDisposition": disposition}})
    assert told.state.admitted
    assert told.asked() == [(ProposalKind.END, None)]


VERSIONS: Sequence[Resource] = (
    encounter("planned", updated_us=NOW_US - 6 * HOUR_US),
    encounter(updated_us=NOW_US - 5 * HOUR_US),
    encounter("onleave", updated_us=NOW_US - 4 * HOUR_US),
    encounter(updated_us=NOW_US - 3 * HOUR_US),
    {**ENDED, **encounter("finished", end_us=NOW_US - HOUR_US, updated_us=NOW_US - HOUR_US)},
)


def test_in_whatever_order_versions_arrive_the_newest_one_counts() -> None:
    for order in permutations(VERSIONS):
        told = Told()
        for resource in order:
            told(resource)
        (word,) = told.words.values()
        assert word.said is Said.OVER
        assert not told.state.admitted
        assert told.asked() == AFTERWARDS


@given_examples(
    st.lists(st.sampled_from([*VERSIONS, encounter(number="O-2"), ENDED, encounter("cancelled")]))
)
def test_who_is_admitted_is_in_a_stay_and_the_other_way_round(sent: list[Resource]) -> None:
    told = Told()
    for resource in sent:
        told(resource)
    assert told.state.admitted == any(one.said is Said.IN_HOSPITAL for one in told.words.values())


def test_death_ends_the_follow_up_at_once_and_once() -> None:
    told = Told()
    effect = told(patient(deceasedDateTime="2026-11-20"))
    assert effect.decided is not None
    assert (effect.decided.valid_from_us, effect.decided.changes) == (NOW_US, (End(reason="died"),))
    assert effect.decided.frees_number is False
    assert effect.decided.care is not None
    assert effect.decided.care.ended_at is not None
    assert told(patient(deceasedDateTime="2026-11-20")).decided is None
    # In hospital or not does not matter any more.
    assert told(encounter()).decided is None


def test_who_is_said_to_be_alive_again_is_for_people_to_look_at() -> None:
    told = Told()
    told(patient(deceasedBoolean=True, updated_us=NOW_US - HOUR_US))
    # An older version says nothing new.
    assert not told(patient(deceasedBoolean=False, updated_us=NOW_US - 2 * HOUR_US)).faults
    assert told.asked() == []
    effect = told(patient(deceasedBoolean=False, updated_us=NOW_US))
    assert (effect.faults[0].code, effect.decided) == (Code.CONFLICT, None)
    assert told.asked() == [(ProposalKind.ALIVE, None)]
    told(patient(deceasedBoolean=True, updated_us=NOW_US + MINUTE_US))
    assert told.asked() == []


def test_an_error_that_was_mended_does_not_end_the_follow_up_when_it_comes_late() -> None:
    told = Told()
    told(patient(deceasedBoolean=False, updated_us=NOW_US))
    assert told(patient(deceasedBoolean=True, updated_us=NOW_US - HOUR_US)).decided is None
    assert told.state.end is None


def test_a_death_of_before_is_somebody_elses() -> None:
    told = Told()
    effect = told(patient(deceasedDateTime="2026-01-31"))
    assert (effect.faults[0].where, effect.decided) == ("deceasedDateTime", None)


def test_a_patient_that_says_nothing_of_it_changes_nothing() -> None:
    assert Told()(patient()) == Effect("Nothing is taken from it.")
    assert Told()(patient(deceasedBoolean=False)).decided is None


def test_programmes_begin_and_end_by_people_who_are_asked() -> None:
    told = Told()
    told(episode())
    assert told.asked() == [(ProposalKind.ENROL, "copd")]
    told(episode("finished"))
    assert told.asked() == []
    told(episode("finished", "heart_failure", id="E-2"))
    assert told.asked() == [(ProposalKind.WITHDRAW, "heart_failure")]
    told(episode("entered-in-error", "heart_failure", id="E-2"))
    assert told.asked() == []
    assert told.changes == FOLLOWED


def test_a_programme_that_is_not_there_is_refused_with_those_that_are() -> None:
    fault = Told()(episode(programme="luck")).faults[0]
    assert fault.code is Code.UNKNOWN_CODE
    assert AFTER_DISCHARGE in fault.expected


def test_who_is_in_a_programme_is_not_asked_for_it() -> None:
    told = Told()
    told(episode(programme="heart_failure"))
    assert told.asked() == []


def test_identifiers_mean_something_within_one_organisation() -> None:
    ours = decisions.keys_of(HOSPITAL, ["x|1"])
    assert ours == decisions.keys_of(HOSPITAL, ["x|1"])
    assert not ours & decisions.keys_of(NURSE, ["x|1"])


def test_an_encounter_is_known_by_any_of_its_identifiers() -> None:
    told = Told()
    told(encounter())
    more = encounter("finished", end_us=NOW_US)
    more["identifier"] = [{"system": "urn:a", "value": "a"}, *more["identifier"]]
    told(more)
    (word,) = told.words.values()
    assert replace(word, keys=frozenset()).said is Said.OVER
    assert len(word.keys) == 2
