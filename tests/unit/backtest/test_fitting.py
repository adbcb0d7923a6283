"""Changes of a file under versions that are not the ones people were in."""

from pathlib import Path
from typing import Any

import pytest

from alerting.backtest.files import Given
from alerting.backtest.progress import Progress
from alerting.backtest.versions import Version
from alerting.offline.registrations import BadRegistrations
from tests.unit.backtest.histories import changes, enrol, heavy
from tests.unit.backtest.tried import backtested, ones
from tests.unit.offline.files import NOON_US, weight, write


def found(folder: Path, told: list[dict[str, Any]], versions: list[Version]) -> list[list[str]]:
    """Who is too heavy for each version, of one who weighs 103 and one who weighs 108."""
    rows = [weight(103.0, patient="light"), weight(108.0, patient="heavy")]
    files = Given(write(folder, "csv", rows), changes(folder, told))
    result = backtested(files, versions)
    return [[one.patient for one in ones(each.found, result.followed.patients)] for each in result.versions]


def test_who_is_in_one_version_is_judged_by_what_each_has(tmp_path: Path) -> None:
    told = [enrol("light", version=1), enrol("heavy", version=2)]
    versions = [Version("a", [heavy(100, 1)]), Version("b", [heavy(105, 2)]), Version("c", [heavy(105, 3)])]
    assert found(tmp_path, told, versions) == [["heavy", "light"], ["heavy"], ["heavy"]]


def test_a_set_with_several_versions_judges_everybody_by_their_own(tmp_path: Path) -> None:
    told = [enrol("light", version=1), enrol("heavy", version=2)]
    assert found(tmp_path, told, [Version("a", [heavy(100, 1), heavy(120, 2)])]) == [["light"]]


def test_personal_limits_stay_where_a_version_accepts_them(tmp_path: Path) -> None:
    narrow = heavy(100, 2)
    limits = {**narrow.limits, "heavy": narrow.limits["heavy"].model_copy(update={"high": 101.0})}
    versions = [Version("a", [heavy(100)]), Version("b", [narrow.model_copy(update={"limits": limits})])]
    told = [enrol("light", limits={"heavy": {"value": 104, "unit": "kg"}}), enrol("heavy")]
    assert found(tmp_path, told, versions) == [["heavy"], ["heavy", "light"]]


def test_what_versions_leave_out_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from alerting.backtest.fitting import fit
    from alerting.offline.registrations import read

    narrow = heavy(100, 2)
    limits = {**narrow.limits, "heavy": narrow.limits["heavy"].model_copy(update={"high": 101.0})}
    versions = [Version("a", [heavy(100)]), Version("b", [narrow.model_copy(update={"limits": limits})])]
    told = [
        enrol("light", limits={"heavy": {"value": 104, "unit": "kg"}}),
        enrol("heavy"),
        enrol("heavy", "other", version=1),
    ]
    unfit = fit(read(changes(tmp_path, told), {"weights": 2}), versions)
    assert list(unfit.lines()) == [
        "no version has the programme other: 1 patients are not judged by it",
        "b does not have or accept limits.heavy of 1 patients: its own holds for them",
    ]
    Progress(quiet=True).say("nothing")
    assert capsys.readouterr().err == ""


def test_what_no_version_can_follow_is_a_mistake_in_the_file(tmp_path: Path) -> None:
    told = [
        enrol("light", limits={"heavy": {"value": 104, "unit": "furlong"}}),
        {"patient_id": "heavy", "valid_from": NOON_US, "withdraw": {"programme": "weights"}},
    ]
    with pytest.raises(BadRegistrations) as refused:
        found(tmp_path, told, [Version("a", [heavy(100)]), Version("b", [heavy(110, 2)])])
    lines = str(refused.value).splitlines()
    assert lines[0] == (
        "registrations.ndjson, line 1, limits.heavy: expected a value in kg, found 104.0 furlong"
    )
    assert "line 2, programme: expected a programme that the patient is in" in lines[1]
