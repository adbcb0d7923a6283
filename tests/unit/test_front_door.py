"""What the command line says when it ends badly."""

import json
import logging
from collections.abc import Iterator

import asyncpg
import click
import pytest

import thuiswacht
from models import logs

PATIENT_DATA = "Key (patient_id, value)=(81, 81.4) already exists."


@click.command()
def mistaken() -> None:
    """Ends as a database's error ends it."""
    raise asyncpg.UniqueViolationError(PATIENT_DATA)


@pytest.fixture(autouse=True)
def front_door(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command that fails."""

    def get_command(*_: object) -> click.Command:
        return mistaken

    monkeypatch.setattr(thuiswacht.FrontDoor, "get_command", get_command)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


def test_a_mistake_tells_where_it_was_made_and_nothing_of_patients(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        thuiswacht.main(["mistaken"])
    told = capsys.readouterr()
    assert ended.value.code == 1
    assert "UniqueViolationError (23505)" in told.err
    assert "in mistaken" in told.err
    assert PATIENT_DATA not in told.out + told.err


def test_a_service_tells_it_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    with pytest.raises(SystemExit) as ended:
        thuiswacht.main(["mistaken"])
    told = capsys.readouterr()
    assert ended.value.code == 1
    line = json.loads(told.err)
    assert (line["event"], line["error"]) == ("mistake", "UniqueViolationError (23505)")
    assert "in mistaken" in line["trace"][-1]
    assert PATIENT_DATA not in told.err
