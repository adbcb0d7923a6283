"""Whose a limit is agrees with the engine on what held when."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.engine.compiled import CompiledProgrammes
from alerting.engine.programme import Programme
from alerting.engine.timeline import timeline
from alerting.explain.personal import given as given_by
from alerting.explain.personal import personal
from models.changes import PlacedChange
from models.messages import (
    AnyChange,
    Change,
    ChangeContent,
    End,
    Enrol,
    PersonalLimit,
    PersonalSchedule,
    SetLimits,
    SetSchedule,
    Withdraw,
)
from tests import shipped

NAME = "heart_failure"
TIMES = st.integers(0, 20)
LIMITS = st.dictionaries(
    st.sampled_from(["gain_3d", "spo2_low", "unknown"]),
    st.builds(
        PersonalLimit,
        # Some are beyond what the programme allows, or in another unit.
        value=st.sampled_from([2.5, 4.0, 90.0, 92.0]),
        unit=st.sampled_from(["kg", "%", "kilogram"]),
        set_by=st.sampled_from(["nurse", "doctor"]),
        until_us=st.none() | TIMES,
    ),
    min_size=1,
)
PROGRAMMES = st.sampled_from([NAME, NAME, NAME, "hypertension"])
CHANGES = st.lists(
    st.tuples(
        TIMES,
        st.one_of(
            st.builds(Enrol, programme=PROGRAMMES, version=st.just(1), limits=LIMITS),
            st.builds(SetLimits, programme=PROGRAMMES, limits=LIMITS),
            st.builds(SetLimits, programme=PROGRAMMES, limits=st.just({"gain_3d": None})),
            st.builds(Withdraw, programme=PROGRAMMES),
            st.builds(End, reason=st.just("finished")),
        ),
    ),
    max_size=8,
)


@pytest.fixture(scope="module")
def programmes() -> CompiledProgrammes:
    return shipped.compiled()


@pytest.fixture(scope="module")
def heart_failure() -> Programme:
    return shipped.programme(NAME)


def placed(offset: int, at_us: int, change: AnyChange) -> PlacedChange:
    content = ChangeContent.model_validate({_FIELDS[type(change)]: change})
    message = Change.model_validate(
        {
            "schema": 1,
            "type": "change",
            "change_id": UUID(int=offset),
            "patient_id": UUID(int=7),
            "valid_from_us": at_us,
            "change": content,
        }
    )
    return PlacedChange(0, offset, message, at_us)


_FIELDS: dict[type[AnyChange], str] = {
    Enrol: "enrol",
    SetLimits: "limits",
    SetSchedule: "schedule",
    Withdraw: "withdraw",
    End: "end",
}


@given(changes=CHANGES)
def test_personal_limits_are_those_of_the_engine(
    programmes: CompiledProgrammes, heart_failure: Programme, changes: list[tuple[int, AnyChange]]
) -> None:
    stretches, _ = timeline(changes, programmes)
    history = [placed(offset, at_us, change) for offset, (at_us, change) in enumerate(changes)]
    for at_us in range(22):
        now = [s for s in stretches if s.programme == NAME and s.from_us <= at_us < s.to_us]
        held = personal(history, heart_failure, at_us).limits
        for stretch in now:
            assert {name: one.limit.value for name, one in held.items()} == dict(stretch.limits)
            assert all(one.since_us <= at_us for one in held.values())


def test_a_limit_says_who_set_it_and_the_one_before_returns(heart_failure: Programme) -> None:
    first = PersonalLimit(value=2.5, unit="kg", set_by="doctor")
    second = PersonalLimit(value=4.0, unit="kg", set_by="nurse", until_us=20)
    history = [
        placed(0, 5, Enrol(programme=NAME, version=1, limits={"gain_3d": first})),
        placed(1, 10, SetLimits(programme=NAME, limits={"gain_3d": second})),
    ]
    whose = [personal(history, heart_failure, at_us).limits.get("gain_3d") for at_us in (4, 5, 10, 20)]
    assert [None if one is None else (one.limit.set_by, one.since_us) for one in whose] == [
        None,
        ("doctor", 5),
        ("nurse", 10),
        ("doctor", 5),
    ]


def test_personal_schedules_take_the_place_of_the_programmes_own(heart_failure: Programme) -> None:
    own = PersonalSchedule(before="09:30", on=("mon",), set_by="nurse")
    history = [
        placed(0, 5, Enrol(programme=NAME, version=1)),
        placed(1, 10, SetSchedule(programme=NAME, schedule={"weight_daily": own})),
    ]
    before, after = (given_by(heart_failure, personal(history, heart_failure, at_us)) for at_us in (9, 10))
    assert before.schedules["weight_daily"].before == "11:00"
    assert (after.schedules["weight_daily"].before, after.schedules["weight_daily"].on) == ("09:30", ("mon",))
    assert after.limits["gain_3d"].value == 2.0
