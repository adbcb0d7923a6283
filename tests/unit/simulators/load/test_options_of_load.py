"""What is asked for and makes no sense is told before anything is started."""

import pytest
from click.testing import CliRunner

from models.errors import BadInput
from simulators.load.commands import load


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--stack", "--kafka", "127.0.0.1:1"), "--stack: expected servers of its own"),
        (("--rate", "1000000", "--seconds", "3600"), "expected at most 50,000,000 uploads"),
        (("--find-max", "--profile", "backlog"), "--find-max: expected a profile that can be held"),
        (("--find-max", "--histogram", "x.hlog"), "--histogram: expected a single run"),
        (("--rate", "0.1", "--seconds", "2"), "expected one upload at least, found 0.2"),
    ],
)
def test_what_makes_no_sense_is_told(arguments: tuple[str, ...], told: str) -> None:
    refused = CliRunner().invoke(load, arguments)
    assert isinstance(refused.exception, BadInput)
    assert told in str(refused.exception)
