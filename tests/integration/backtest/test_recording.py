"""A backtest on a recording: everybody as they were in the log, with its clock; what it refused left out."""

import json
from pathlib import Path

import pytest

from alerting.backtest.files import Given
from alerting.backtest.versions import Version
from ingest.keys import partition_of
from models.errors import BadInput
from tests import shipped
from tests.integration.alerting.troubled_log import troubled_log
from tests.unit.backtest.tried import backtested, evaluated, ones
from tests.unit.recording.small_recording import PARTITIONS, recorded


def test_a_recording_gives_what_evaluate_finds_in_it(tmp_path: Path) -> None:
    made = shipped.newest()
    log = troubled_log(7, made, patients=8, days=12)
    partitions: dict[int, list[bytes]] = {number: [] for number in range(PARTITIONS)}
    for message in log:
        patient = message.patient_id
        places = range(PARTITIONS) if patient is None else [partition_of(patient, PARTITIONS)]
        for place in places:
            partitions[place].append(message.value)
    file = tmp_path / "recording.parquet"
    recorded(file, partitions)
    versions = [Version("all", made), Version("one", [each for each in made if each.programme == "copd"])]
    result = backtested(Given(file), versions)
    alone = evaluated(Given(file), made, tmp_path)
    assert ones(result.versions[0].found, result.followed.patients) == alone
    assert len(alone) > 20
    of_copd = [each for each in alone if each.programme == "copd"]
    assert ones(result.versions[1].found, result.followed.patients) == of_copd
    assert result.until_us == json.loads(log[-1].value)["now_us"]
    assert result.refused > 0
    with pytest.raises(BadInput, match="none beside a recording"):
        backtested(Given(file, registrations=file), versions)
