"""On simulated patients, with the programmes that are in use, the engine finds what the slow twin finds."""

import json
from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from models.clock import HOUR_US
from simulators.devices.trouble import Rates
from simulators.scenarios.scenario import Scenario
from simulators.simulate import newest_programmes
from simulators.wire import Encoder
from tests import shipped
from tests.naive.engine_run import Run
from tests.naive.findings import naive_findings

ACCEPTED_TROUBLE = replace(
    Rates().times(5),
    # What decoding refuses never reaches the engine; it has its own tests.
    sentinel=0,
    implausible=0,
    clock_ahead=0,
    clock_reset=0,
    unknown_patient=0,
    broken=0,
    # A remark or a reason of absence in place of a value is the worker's to leave out.
    absent=0,
    remark=0,
)


@pytest.mark.parametrize(("seed", "start"), [(1, date(2026, 3, 9)), (2, date(2026, 10, 5))])
def test_the_engine_finds_what_the_twin_finds(seed: int, start: date) -> None:
    scenario = Scenario(
        seed=seed,
        patients=24,
        days=35,
        start=start,
        programmes=newest_programmes(None),
        rates=ACCEPTED_TROUBLE,
        deteriorations=8,
    )
    encoder, run, log = Encoder(scenario, 2 * HOUR_US), Run(shipped.programmes()), list[dict[str, Any]]()
    for day in scenario:
        today = [json.loads(message.value) for message in encoder.day(day)]
        log += today
        for first in range(0, len(today), 40):
            run.batch(today[first : first + 40])
    found, expected = set(run.findings.values()), naive_findings(shipped.programmes(), log)
    assert found == expected
    assert len(Counter(finding.rule for finding in found)) > 5
    assert run.replayed > 20
