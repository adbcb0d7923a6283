"""What the options of `record` and `replay` say, and what of it is told to be wrong."""

from pathlib import Path

import pytest

from alerting.recording.reading import RecordingFile
from models.errors import BadInput
from simulators.recording.pacing import pace_of, versions_of
from simulators.recording.replay import require_something
from simulators.recording.stretches import mark_of
from tests.unit.recording.small_recording import recorded, tick


@pytest.mark.parametrize("text", ["noon", "2026-03-02T12:00:00", "@", "0@x", "@1,2@3", "0@1,,1@2"])
def test_where_a_stretch_begins(text: str) -> None:
    with pytest.raises(BadInput, match=r"--from: expected .*PARTITION@OFFSET"):
        mark_of(text, "--from")


def test_a_time_is_one_with_an_offset() -> None:
    assert mark_of("2026-03-02T12:00:00+01:00", "--to").at_us == 1_772_449_200_000_000
    assert mark_of(None, "--to").at_us is None
    assert mark_of("@7", "--to").offset_of(3) == 7
    assert mark_of("1@7", "--to").offset_of(3) is None


@pytest.mark.parametrize("speed", ["0", "-1", "inf", "nan", "fast"])
def test_how_fast(speed: str) -> None:
    with pytest.raises(BadInput, match=f"--speed: expected a number above 0, or max, found {speed}"):
        pace_of(speed, None)


@pytest.mark.parametrize("text", ["copd", "copd=", "=2", "copd=0", "copd=two"])
def test_under_which_version(text: str) -> None:
    with pytest.raises(BadInput, match="--version: expected PROGRAMME=NUMBER"):
        versions_of([text])


def test_a_replay_does_not_begin_behind_the_end(tmp_path: Path) -> None:
    file = tmp_path / "log.parquet"
    recorded(file, {0: [tick(0), tick(1)]})
    require_something(RecordingFile(file), 2)
    told = r"--from-message: expected a message of log\.parquet, which has 2, found 3"
    with pytest.raises(BadInput, match=told):
        require_something(RecordingFile(file), 3)
