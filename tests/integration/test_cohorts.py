"""A scenario live, through Kafka and Postgres, and its cohort through `evaluate`: the same findings."""

import json
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from alerting.offline.run import Wishes, evaluate, read_programmes
from models.clock import HOUR_US
from simulators.cohorts.cohort import write_cohort
from simulators.scenarios.files import load_scenario
from simulators.scenarios.scenario import Scenario
from simulators.simulate import newest_programmes
from simulators.stack import Stack
from simulators.wire import TICK, Encoder, clock_message
from tests.exported_log import as_told, of_finding
from tests.integration.alerting.small_log import Message
from tests.integration.live import PARTITIONS, findings_of


@pytest.mark.timeout(240)
async def test_a_cohort_gives_the_findings_of_the_live_log(
    stack: Stack, database: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    """With all that can go wrong, of several conditions at once."""

    def made() -> Scenario:
        said = load_scenario("storm").changed(
            patients=24, days=15, deteriorations=15.0, comorbidity={"heart_failure+diabetes": 0.5}
        )
        return Scenario.of(said, newest_programmes(None))

    lived = made()
    encoder = Encoder(lived, HOUR_US)
    log = [
        Message(
            one.at_us, 0, None if one.patient == TICK else UUID(lived.patient_texts[one.patient]), one.value
        )
        for day in lived
        for one in encoder.day(day)
    ]
    log.append(Message(lived.end_us, 0, None, clock_message(lived.end_us)))
    live = await findings_of(stack, database, make_topic(partitions=PARTITIONS), log, tmp_path)
    cohort = write_cohort(made(), tmp_path / "cohort")
    programmes = read_programmes([])
    out = tmp_path / "findings.ndjson"
    evaluate(
        Wishes(
            programmes, cohort.readings_file, out, cohort.registrations_file,
            until_us=lived.end_us, skip=True, threads=2,
        ),
        print,
    )  # fmt: skip
    by_version = {(programme.programme, programme.version): programme for programme in programmes}
    offline = [as_told(json.loads(line), by_version) for line in out.read_text("utf-8").splitlines()]
    assert sorted(offline, key=str) == sorted(map(of_finding, live), key=str)
    assert len(live) > 60
