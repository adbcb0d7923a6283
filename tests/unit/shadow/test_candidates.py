"""Which versions a shadow runs, and what it hears of changes."""

from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner

from alerting.commands import alerting
from alerting.engine.programme import Programme
from alerting.shadow.candidates import Candidates
from alerting.shadow.service import begins_at, wanted
from models.errors import BadInput, RefuseToStart
from models.messages import (
    AnyChange,
    Enrol,
    MoveVersion,
    Origin,
    Pause,
    PersonalLimit,
    Register,
    SetLimits,
    Withdraw,
)
from models.settings import Settings
from tests import shipped

PROGRAMMES = Path("alerting/programmes")
LIMIT = PersonalLimit(value=1.0, unit="kg", set_by="nurse")


def candidate(version: int = 7) -> Candidates:
    of = next(one for one in shipped.programmes() if one.programme == "heart_failure")
    return Candidates.of([of.model_copy(update={"version": version})])


def test_whoever_is_in_the_programme_is_in_the_candidate_whatever_the_version() -> None:
    hear = candidate().hear
    for version in (1, 2, 99):
        enrol = Enrol(programme="heart_failure", version=version, limits={"gain_3d": LIMIT})
        assert hear(enrol) == enrol.model_copy(update={"version": 7})
    assert hear(MoveVersion(programme="heart_failure", version=2)) is None


def test_other_programmes_are_not_heard_of_and_all_else_is() -> None:
    hear = candidate().hear
    unheard: list[AnyChange] = [
        Enrol(programme="copd", version=1),
        MoveVersion(programme="copd", version=2),
        Withdraw(programme="copd"),
        SetLimits(programme="copd", limits={"x": None}),
    ]
    assert [hear(change) for change in unheard] == [None] * len(unheard)
    heard: list[AnyChange] = [
        Register(origin=Origin.REAL, organisation_id=UUID(int=1)),
        Pause(),
        Withdraw(programme="heart_failure"),
        SetLimits(programme="heart_failure", limits={"gain_3d": LIMIT}),
    ]
    assert [hear(change) for change in heard] == heard


def test_the_group_tells_contents_apart_that_have_the_same_number() -> None:
    one = candidate()
    (of,) = one.programmes
    other = Candidates.of([of.model_copy(update={"source": "another"})])
    assert one.group.startswith("thuiswacht.shadow.heart_failure-7-")
    assert one.group != other.group
    assert one.digest == Candidates.from_content(one.content).digest
    assert Candidates.from_content(one.content).programmes == one.programmes


def test_two_of_one_programme_are_two_shadows() -> None:
    programmes: list[Programme] = [*candidate(7).programmes, *candidate(8).programmes]
    with pytest.raises(BadInput, match="one candidate for each programme"):
        Candidates.of(programmes)


@pytest.mark.parametrize("group", ["thuiswacht.alerting", "thuiswacht.ingest"])
def test_it_takes_no_name_of_a_group_that_works_for_real(group: str) -> None:
    with pytest.raises(RefuseToStart, match="works for real"):
        wanted([PROGRAMMES / "copd.yaml"], "now", group, Settings())


def test_from_where() -> None:
    assert (begins_at("now").at_us, begins_at("earliest").at_us) == (None, 0)
    with pytest.raises(BadInput, match="earliest, now, or ISO 8601"):
        begins_at("yesterday")


@pytest.mark.parametrize(
    "options",
    [
        ["--shadow"],
        ["--programme", str(PROGRAMMES / "copd.yaml")],
        ["--group", "x"],
        ["--shadow", "--programme", str(PROGRAMMES / "copd.yaml"), "--programmes", str(PROGRAMMES)],
    ],
)
def test_options_that_do_not_go_together(options: list[str]) -> None:
    assert CliRunner().invoke(alerting, options).exit_code == 2
