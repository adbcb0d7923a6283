"""`thuiswacht replay --via http`: the same is found as in the recording itself."""

import asyncio
import base64
import json
import secrets
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from models.clock import HOUR_US
from models.settings import Settings
from simulators.stack import Stack
from simulators.stack.ports import accepts_connections, free_port
from tests.exported_log import of_finding
from tests.integration.delivery.test_simulated_by_http import MakeHouse, make_house
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

    port = free_port()
    house = make_house(
        database,
        identity_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        gateway_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        gateway_time="told",
        gateway_port=str(port),
        gateway_public_url=f"http://127.0.0.1:{port}",
    )
    house.start("register", "publish")
    house.start("gateway")
    names = ("--organisation-name", "Regio", "--name", "Beheer", "--also", "engineer")
    begun = json.loads(house.run("register", "begin", *names).stdout)
    key = ECKey.generate_key("P-256")
    public, private = tmp_path / "public.pem", tmp_path / "private.pem"
    public.write_bytes(key.as_pem(private=False))
    private.write_bytes(key.as_pem(private=True))
    organisation = "--organisation", begun["organisation_id"]
    house.run("clients", "add", "cloud", *organisation, "--key", str(public), "--rate", "1000")
    # The register knows a programme once alerting has loaded it.
    while not accepts_connections(port) or not await house.ask("SELECT FROM programme_catalogue LIMIT 1"):
        house.workers.must_live()
        await asyncio.sleep(0.1)
    through = ("--via", "http", "--client", "cloud", "--key", str(private), "--as", begun["person_id"])
    said = json.loads(house.run("replay", str(file), "--json", *through).stdout)
    assert said["answers"].get("accepted", 0) > 50, said
    await house.until_followed()
    found = [of_finding(one) for one in await findings_in(database)]
    assert sorted(found, key=str) == wanted
