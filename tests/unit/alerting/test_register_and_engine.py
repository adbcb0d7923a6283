"""What the register says holds for a patient is what the engine works with."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alerting.engine.timeline import timeline
from alerting.versions import offered
from ingest.register.state import fold
from models.messages import (
    AnyChange,
    End,
    Enrol,
    MoveVersion,
    Pause,
    PersonalLimit,
    Resume,
    SetLimits,
    Withdraw,
)
from tests import shipped

PROGRAMMES = shipped.compiled()
OFFERED = {
    name: offered(PROGRAMMES.versions[name, version].programme)
    for name, version in sorted(PROGRAMMES.versions)
}
NAMES = st.sampled_from(["heart_failure", "copd"])
UNTIL = st.none() | st.integers(1, 60)


@st.composite
def limits(draw: st.DrawFn) -> tuple[str, dict[str, PersonalLimit | None]]:
    programme = draw(NAMES)
    name = draw(st.sampled_from(sorted(OFFERED[programme].limits)[:3]))
    limit = OFFERED[programme].limits[name]
    value = draw(st.sampled_from([limit.low, limit.high]))
    personal = PersonalLimit(value=value, unit=limit.unit, set_by="nurse", until_us=draw(UNTIL))
    return programme, {name: draw(st.just(personal) | st.none())}


def set_limits(drawn: tuple[str, dict[str, Any]]) -> AnyChange:
    return SetLimits(programme=drawn[0], limits=drawn[1])


def enrol(programme: str) -> AnyChange:
    return Enrol(programme=programme, version=OFFERED[programme].version)


def move(programme: str) -> AnyChange:
    return MoveVersion(programme=programme, version=OFFERED[programme].version)


def withdraw(programme: str) -> AnyChange:
    return Withdraw(programme=programme)


CHANGES: st.SearchStrategy[AnyChange] = st.one_of(
    NAMES.map(enrol),
    NAMES.map(withdraw),
    NAMES.map(move),
    limits().map(set_limits),
    st.sampled_from([Pause(), Resume(), End(reason="moved")]),
)


@given(st.lists(st.tuples(st.integers(1, 50), CHANGES), max_size=12), st.integers(1, 70))
def test_both_hold_the_same_at_every_moment(changes: list[tuple[int, AnyChange]], at_us: int) -> None:
    stretches, _ = timeline(changes, PROGRAMMES)
    engine = {
        one.programme: (one.version.programme.version, dict(one.limits))
        for one in stretches
        if one.from_us <= at_us < one.to_us
    }
    register = {
        name: (one.version, {limit: held.value for limit, held in one.limits_at(at_us).items()})
        for name, one in fold(changes, at_us).enrolments.items()
    }
    assert register == engine
