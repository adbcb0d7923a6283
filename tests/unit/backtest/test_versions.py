"""Which versions are compared, by what is given after `--programme`."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from alerting.backtest.sweeps import read_sweep
from alerting.backtest.together import Together
from alerting.backtest.versions import MOST_VERSIONS, Version, newest_of, read_versions
from models.errors import BadInput
from tests.unit.backtest.histories import heavy, write_programme


def told(versions: Sequence[Version]) -> list[tuple[str, list[tuple[str, float]]]]:
    """The versions with what each calls heavy."""
    return [
        (each.name, sorted((p.programme, p.limits["heavy"].default) for p in each.programmes))
        for each in versions
    ]


def test_files_of_one_programme_are_versions_and_any_other_is_part_of_each(tmp_path: Path) -> None:
    a = write_programme(tmp_path / "a.yaml", heavy(100))
    b = write_programme(tmp_path / "b.yaml", heavy(110, version=2))
    other = write_programme(tmp_path / "other.yaml", heavy(90, name="other"))
    assert told(read_versions([a, b])) == [("a", [("weights", 100)]), ("b", [("weights", 110)])]
    assert told(read_versions([a, other, b])) == [
        ("a", [("other", 90), ("weights", 100)]),
        ("b", [("other", 90), ("weights", 110)]),
    ]
    assert told(read_versions([a, other])) == [("a", [("other", 90), ("weights", 100)])]


def test_a_folder_is_a_version_and_files_beside_it_take_the_place_of_what_it_has(tmp_path: Path) -> None:
    folder = tmp_path / "shipped"
    folder.mkdir()
    write_programme(folder / "weights.yaml", heavy(100))
    write_programme(folder / "other.yaml", heavy(90, name="other"))
    b = write_programme(tmp_path / "b.yaml", heavy(110))
    assert told(read_versions([folder, b])) == [
        ("shipped", [("other", 90), ("weights", 100)]),
        ("b", [("other", 90), ("weights", 110)]),
    ]
    assert told(read_versions([b, folder])) == told(read_versions([folder, b]))[::-1]


def test_versions_of_the_same_name_are_told_apart_and_hashed_by_what_is_in_them(tmp_path: Path) -> None:
    places = [tmp_path / name / "weights.yaml" for name in ("old", "new")]
    for place, limit in zip(places, (100, 110), strict=True):
        place.parent.mkdir()
        write_programme(place, heavy(limit))
    one, other = read_versions(places)
    assert (one.name, other.name) == ("weights", "weights (2)")
    assert one.hash != other.hash
    assert one.hash == Version("another name", [heavy(100)]).hash


def test_what_is_shipped_is_the_version_where_none_is_named() -> None:
    (shipped,) = read_versions([])
    assert shipped.name == "shipped"
    assert {"heart_failure", "copd"} <= {each.programme for each in shipped.programmes}


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    weights = [write_programme(tmp_path / f"w{n}.yaml", heavy(100 + n)) for n in range(MOST_VERSIONS + 1)]
    others = [write_programme(tmp_path / f"o{n}.yaml", heavy(90 + n, name="other")) for n in range(2)]
    with pytest.raises(BadInput, match=r"one file of other, which is then part of every version, or 3"):
        read_versions([*weights[:3], *others])
    with pytest.raises(BadInput, match=f"at most {MOST_VERSIONS} versions, found {MOST_VERSIONS + 1}"):
        read_versions(weights)


def test_the_newest_number_of_each_programme_is_that_of_any_version() -> None:
    versions = [Version("a", [heavy(1, 3), heavy(1, 1, "other")]), Version("b", [heavy(1, 2)])]
    assert newest_of(versions) == {"weights": 3, "other": 1}


def test_a_sweep_is_the_first_version_that_has_the_rule_with_another_default() -> None:
    versions = [Version("a", [heavy(90, name="other")]), Version("b", [heavy(100, 1), heavy(105, 2)])]
    sweep = read_sweep("weights/heavy.heavy=98.5:100:0.5", versions)
    assert (sweep.base, sweep.programme.version, sweep.values) == (1, 2, [98.5, 99.0, 99.5, 100.0])
    variants = list(sweep.variants(versions))
    assert [each.name for each in variants] == [
        "heavy 98.5 kg",
        "heavy 99 kg",
        "heavy 99.5 kg",
        "heavy 100 kg",
    ]
    assert [each.of("weights")[1].limits["heavy"].default for each in variants] == [98.5, 99, 99.5, 100]
    assert all(each.of("weights")[0] is versions[1].of("weights")[0] for each in variants)
    assert variants[0].hash == Version("", [heavy(100, 1), heavy(98.5, 2)]).hash


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("heavy=1:2:1", "rule.limit=from:to:step"),
        ("heavy.heavy=1:2", "rule.limit=from:to:step"),
        ("heavy.heavy=1:2:x", "rule.limit=from:to:step"),
        ("heavy.heavy=nan:2:1", "from ≤ to"),
        ("heavy.heavy=2:1:1", "from ≤ to"),
        ("heavy.heavy=1:2:0", "from ≤ to"),
        ("heavy.heavy=0:1000:1", "at most 64 values"),
        ("heavy.heavy=999:1001:1", "values within 0 … 1000 kg, found 1001"),
        ("heavy.pressure=1:2:1", "a limit of heavy: heavy, found pressure"),
        ("heavier.heavy=1:2:1", "one of the rules device, headache, heavy, pressure, found heavier"),
        ("nobodys/heavy.heavy=1:2:1", "a programme of the versions, found nobodys"),
    ],
)
def test_a_sweep_that_means_nothing_says_what_was_expected(text: str, expected: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_sweep(text, [Version("a", [heavy(100)])])
    assert str(refused.value).startswith(f"--sweep {text}")
    assert expected in str(refused.value)


def test_a_rule_of_several_programmes_is_asked_for_by_its_programme() -> None:
    version = Version("a", [heavy(100), heavy(90, name="other")])
    with pytest.raises(BadInput, match="one of other/heavy, weights/heavy"):
        read_sweep("heavy.heavy=1:2:1", [version])
    assert read_sweep("other/heavy.heavy=1:2:1", [version]).programme.programme == "other"


def test_the_order_of_programmes_in_a_version_changes_nothing() -> None:
    many = [Version(f"v{n}", [heavy(100 + n), heavy(90, name="other")]) for n in range(12)]
    turned = [Version(version.name, version.programmes[::-1]) for version in many]
    assert [version.hash for version in many] == [version.hash for version in turned]
    one, other = Together(many), Together(turned)
    assert [rule.identity for rule in one.programmes.rules] == [
        rule.identity for rule in other.programmes.rules
    ]
    assert one.rules == other.rules
    assert len(one.lines) == 12 + 1, "what versions share is evaluated once"
