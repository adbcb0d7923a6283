"""Webhooks of vendors' clouds: signed as each vendor signs, read by its adapter, stored once."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from ingest.delivery.adapter import adapters
from ingest.delivery.clients import registry
from ingest.delivery.clients.registry import WantedClient, WantedKey
from ingest.delivery.clients.sealing import Sealing, secret_of
from ingest.delivery.clients.signatures import BODY, STAMPED, STANDARD, Form, sign
from ingest.gateway.delivery.service import GatewaySettings, OpenLog, make_app
from ingest.gateway.delivery.told import HEADER
from ingest.log import Ends, Writer, cluster_of
from models.clock import SECOND_US, wall_now_us
from models.db.pool import Connection, connected
from models.errors import BadInput
from models.kinds import KIND_BY_NAME
from models.settings import Settings
from simulators.stack import Stack
from tests.integration.delivery.homes import OURS, lend, make_patient
from tests.integration.ingest.conftest import Running, working
from tests.wire import registration

SECRET = b"g" * 32
EXAMPLES = Path(__file__).parents[2] / "contract" / "vendors" / "examples"
NAMES = sorted(adapters())
RECEIVED_US = 1_772_436_000_000_000
"""A little after the examples were measured."""
STORED = """
SELECT device_id, kind, value_received, unit_received, code, absent, source FROM reading ORDER BY 1, 2, 3
"""


def example(name: str, part: str) -> dict[str, Any]:
    """The first example of an adapter that has such a part, and no faults unless they are asked for."""
    cases: list[dict[str, Any]] = json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))
    return next(case for case in cases if part in case and (part == "faults" or "faults" not in case))


def signed(form: Form, secret: bytes, body: bytes, request_id: str) -> dict[str, str]:
    """As a vendor of this form signs."""
    at_s = wall_now_us() // SECOND_US
    if form is STANDARD:
        return sign(secret, request_id, at_s, body)
    if form is STAMPED:
        digest = hmac.new(secret, f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
        return {"X-Timestamp": str(at_s), "X-Signature": digest}
    assert form is BODY
    return {"X-Hub-Signature-256": f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"}


@dataclass
class Clouds:
    """The gate, a cloud for each adapter, and what is stored of what they tell."""

    http: httpx.AsyncClient
    admin: Connection
    running: Running
    secrets: Mapping[str, bytes]
    group: str

    async def tell(self, name: str, case: Mapping[str, Any], **changed: Any) -> httpx.Response:
        """A message of a cloud, signed by it; `changed`: the secret, or its id."""
        body = json.dumps(case["body"]).encode()
        secret: bytes = changed.pop("secret", self.secrets[name])
        by = signed(adapters()[name].signature, secret, body, changed.pop("request_id", "msg_1"))
        headers = (
            {"Content-Type": "application/json", HEADER: str(RECEIVED_US)} | case.get("headers", {}) | by
        )
        return await self.http.post(f"/webhooks/{address(name)}", content=body, headers=headers | changed)

    async def stored(self, messages: int) -> list[tuple[Any, ...]]:
        """All that is stored, once so many messages have been followed."""

        async def is_followed() -> bool:
            query = "SELECT coalesce(sum(next_offset), 0) FROM log_position WHERE consumer_group = $1"
            return int(await self.admin.fetchval(query, self.group)) >= messages

        await self.running.until(is_followed)
        return [tuple(row) for row in await self.admin.fetch(STORED)]


def address(name: str) -> str:
    """A cloud's id: that of its adapter."""
    return name.replace("_", "-")


@pytest.fixture
def settings(stack: Stack, database: str, topic: str) -> Settings:
    """Of a gate that is told the time, and of a worker in a group of its own."""
    return Settings(
        kafka=stack.kafka,
        postgres=SecretStr(database),
        topic=topic,
        consumer_group=f"test.{topic}",
        storing_group=f"test.{topic}",
        gateway_time="told",
    )


@pytest.fixture
async def clouds(settings: Settings, admin: Connection, organisations: None) -> AsyncIterator[Clouds]:
    """One patient has all the devices of the examples."""
    dsn = settings.postgres_dsn
    devices = sorted({one for name in NAMES for one in example(name, "readings")["devices"]})
    patient_id = await make_patient(admin, device=devices[0])
    for device in devices[1:]:
        await lend(admin, patient_id, device)
    secrets: dict[str, bytes] = {}
    async with AsyncExitStack() as opened:
        login = await opened.enter_async_context(connected(dsn, role="thuiswacht_login", application="test"))
        for name in NAMES:
            key = WantedKey(hmac=True)
            wanted = WantedClient(address(name), name, OURS, key, per_second=1000, adapter=name)
            made = await registry.add_client(login, wanted, Sealing(SECRET), wall_now_us())
            secrets[name] = secret_of(made.secret or "")
        pool = await opened.enter_async_context(connected(dsn, role="thuiswacht_gateway", application="test"))
        running = await opened.enter_async_context(working(settings))
        writer = await opened.enter_async_context(Writer(settings, timeout_s=5))
        ends = await opened.enter_async_context(Ends(settings))
        log_is = OpenLog(writer, ends, await cluster_of(settings))
        app = make_app(GatewaySettings(settings, SECRET, None), pool, log_is)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        http = await opened.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="https://gate.test")
        )
        await writer.write(patient_id, registration(patient_id))
        made_clouds = Clouds(http, admin, running, secrets, settings.storing_group)
        await made_clouds.stored(1)
        yield made_clouds


@pytest.mark.parametrize("name", NAMES)
async def test_what_a_cloud_tells_is_stored_as_it_says_it_and_once(clouds: Clouds, name: str) -> None:
    case = example(name, "readings")
    answer = await clouds.tell(name, case)
    assert answer.status_code == 202, answer.text
    said = answer.json()
    assert {one["result"] for one in said["uploads"]} == {"accepted"}
    assert [one["where"] for one in said["left_out"]] == case.get("left_out", [])
    rows = await clouds.stored(1 + len(case["devices"]))
    assert {row[0] for row in rows} == set(case["devices"])
    assert sorted(row[1] for row in rows) == sorted(
        KIND_BY_NAME[one["kind"]].number for one in case["readings"]
    )
    values = sorted((one["value"], one["unit"]) for one in case["readings"] if "value" in one)
    assert sorted((row[2], row[3]) for row in rows if row[2] is not None) == values
    assert {row[6] for row in rows} == {address(name)}

    # The same once more: as vendors do whose line broke before they had the answer.
    again = await clouds.tell(name, case)
    assert again.status_code == 200
    assert await clouds.stored(1) == rows
    # And under another id, where ids are signed: its readings are known.
    if adapters()[name].signature is STANDARD:
        another = await clouds.tell(name, case, request_id="msg_2")
        assert (another.status_code, {one["result"] for one in another.json()["uploads"]}) == (
            200,
            {"duplicate"},
        )


@pytest.mark.parametrize("name", NAMES)
async def test_an_event_about_no_measurement_has_no_effect_and_is_well(clouds: Clouds, name: str) -> None:
    cases: list[dict[str, Any]] = json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))
    case = next(one for one in cases if set(one) <= {"title", "headers", "body", "left_out"})
    answer = await clouds.tell(name, case)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["uploads"], said["faults"]) == ([], [])
    assert said["left_out"][0]["what"]
    assert await clouds.stored(1) == []


@pytest.mark.parametrize("name", NAMES)
async def test_what_cannot_be_read_is_said_with_its_place(clouds: Clouds, name: str) -> None:
    cases: list[dict[str, Any]] = json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))
    case = next(one for one in cases if "faults" in one and "readings" not in one)
    answer = await clouds.tell(name, case)
    assert answer.status_code == 422, answer.text
    assert [[one["where"], one["code"]] for one in answer.json()["faults"]] == case["faults"]
    assert await clouds.stored(1) == []


@pytest.mark.parametrize("name", NAMES)
async def test_it_has_to_be_signed_by_the_cloud_itself(clouds: Clouds, name: str) -> None:
    case = example(name, "readings")
    assert (await clouds.tell(name, case, secret=b"another secret")).status_code == 401
    headers = {"Content-Type": "application/json", "X-Client-Id": address(name)}
    unsigned = await clouds.http.post(f"/webhooks/{address(name)}", content=b"{}", headers=headers)
    nobody = await clouds.http.post("/webhooks/nobody", content=b"{}", headers=headers)
    assert (unsigned.status_code, nobody.status_code) == (401, 401)
    assert await clouds.stored(1) == []


async def test_a_device_that_is_with_nobody_is_refused(clouds: Clouds) -> None:
    case = example("cellular_hub", "readings")
    strange = case | {"body": case["body"] | {"deviceId": "somebody-else"}}
    answer = await clouds.tell("cellular_hub", strange)
    assert answer.status_code == 422, answer.text
    (upload,) = answer.json()["uploads"]
    assert (upload["result"], upload["faults"][0]["code"]) == ("refused", "not_found")


@pytest.mark.parametrize(
    ("adapter", "key", "says"),
    [("fax", WantedKey(hmac=True), "cellular_hub"), ("cellular_hub", WantedKey(subject="CN=x"), "signed")],
)
async def test_an_adapter_has_to_be_there_and_a_secret_with_it(
    settings: Settings, organisations: None, adapter: str, key: WantedKey, says: str
) -> None:
    async with connected(settings.postgres_dsn, role="thuiswacht_login", application="test") as login:
        wanted = WantedClient("cloud", "Cloud", OURS, key, adapter=adapter)
        with pytest.raises(BadInput, match=says):
            await registry.add_client(login, wanted, Sealing(SECRET), wall_now_us())
