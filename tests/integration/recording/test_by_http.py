"""`thuiswacht replay --via http`: the same is found as in the recording itself."""

import json
from pathlib import Path

import pytest

from models.clock import HOUR_US
from models.settings import Settings
from simulators.stack import Stack
from tests.exported_log import of_finding
from tests.integration.delivery.test_simulated_by_http import MakeHouse, make_house, with_gate
from tests.integration.live import write
from tests.integration.recording.recorded_log import command, evaluated, findings_in, simulated_log

__all__ = ["make_house"]


@pytest.mark.timeout(300)
async def test_what_goes_through_the_gate_comes_to_the_same(
    stack: Stack, database: str, topic: str, make_house: MakeHouse, tmp_path: Path
) -> None:
    log = simulated_log(patients=30, days=5, tick_us=4 * HOUR_US)
    await write(Settings(kafka=stack.kafka, topic=topic), log)
    file = tmp_path / "log.parquet"
    await command(stack, database, topic)("record", str(file), "--identified")
    wanted = evaluated(file)
    assert len(wanted) > 5

    house, begun, private = await with_gate(make_house, database, tmp_path)
    through = ("--via", "http", "--client", "cloud", "--key", str(private), "--as", begun["person_id"])
    said = json.loads(house.run("replay", str(file), "--json", *through).stdout)
    assert said["answers"].get("accepted", 0) > 50, said
    await house.until_followed()
    found = [of_finding(one) for one in await findings_in(database)]
    assert sorted(found, key=str) == wanted
