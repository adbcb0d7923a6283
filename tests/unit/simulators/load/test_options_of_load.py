"""What is asked for and makes no sense is told before anything is started."""

import pytest
from click.testing import CliRunner

from models.errors import BadInput
from simulators.load.commands import load
from simulators.load.loading import Asked, alarms_of_step
from simulators.load.schedule import Profile, Wanted
from simulators.load.search import Next


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--stack", "--kafka", "127.0.0.1:1"), "--stack: expected servers of its own"),
        (("--rate", "1000000", "--seconds", "3600"), "expected at most 50,000,000 uploads"),
        (("--find-max", "--profile", "backlog"), "--find-max: expected a profile that can be held"),
        (("--find-max", "--histogram", "x.hlog"), "--histogram: expected a single run"),
        (("--json", "nowhere/load.json"), "--json: expected a file in a folder that is there"),
        (("--histogram", "nowhere/x.hlog"), "--histogram: expected a file in a folder that is there"),
        (("--rate", "0.1", "--seconds", "2"), "expected one upload at least, found 0.2"),
    ],
)
def test_what_makes_no_sense_is_told(arguments: tuple[str, ...], told: str) -> None:
    refused = CliRunner().invoke(load, arguments)
    assert isinstance(refused.exception, BadInput)
    assert told in str(refused.exception)


def test_a_search_has_somebody_left_to_alarm_when_the_best_rate_is_held() -> None:
    def alarms(step: Next, kept: int, alarms_per_s: float = 5.0) -> float:
        wanted = Wanted(Profile.STEADY, 500.0, 300.0, 7, alarms_per_s=alarms_per_s)
        asked = Asked(wanted, 5 * kept, True, None, 25.0, 20.0, 0.05, None, None)
        return alarms_of_step(asked, step, kept) * step.seconds

    probe, hold = Next(500.0, 20.0), Next(500.0, 300.0)
    assert 20 * alarms(probe, 2_500) + 5 * alarms(hold, 2_500) <= 2_500
    assert alarms(hold, 2_500) > 300, "enough for a percentile"
    assert alarms(probe, 100_000) == 100, "as many as were asked for"
    assert alarms(hold, 2) == 1
    assert alarms(hold, 2_500, alarms_per_s=0.0) == 0
