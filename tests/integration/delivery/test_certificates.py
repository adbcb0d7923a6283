"""Mutual TLS that a proxy ends: its word counts, and nobody else's."""

import hashlib

import pytest

from ingest.delivery.clients import registry
from ingest.delivery.clients.registry import WantedKey
from ingest.gateway.delivery.entrance import CertificateHeader
from models.db.pool import Connection
from models.errors import BadInput, RefuseToStart
from models.settings import load_settings
from tests.integration.delivery.asking import deliver
from tests.integration.delivery.gates import PROXY, Gate, gate
from tests.unit.delivery.clients.test_certificates import HASH, PEM, SUBJECT

HEADER = CertificateHeader("x-forwarded-client-cert", "xfcc")
ITS = {"X-Forwarded-Client-Cert": f"Hash={HASH}", "X-Forwarded-For": "192.0.2.1"}
BY_NAME = {"X-Forwarded-Client-Cert": 'Hash={};Subject="CN=hub.example,O=Example\\\\, Hubs"'.format("0" * 64)}


async def test_a_verified_certificate_is_believed_from_our_proxy_alone(
    database: str, organisations: None
) -> None:
    async with gate(database, certificates=HEADER) as made:
        await made.add("hub", WantedKey(certificate=PEM))
        answer = await deliver(made, ITS, address=PROXY)
        assert (answer.status_code, answer.json()["client_id"]) == (200, "hub")
        assert (await deliver(made, ITS)).status_code == 401
        assert (await deliver(made, {**ITS, "X-Forwarded-For": PROXY})).status_code == 401
        assert (await deliver(made, BY_NAME, address=PROXY)).status_code == 401
        await registry.revoke(made.login, "hub", 1, made.clock.now_us())
        assert (await deliver(made, ITS, address=PROXY)).status_code == 401


async def test_what_is_said_twice_is_not_believed(database: str, organisations: None) -> None:
    async with gate(database, certificates=HEADER) as made:
        await made.add("hub", WantedKey(certificate=PEM))
        async with made.http(PROXY) as http:
            twice = [("X-Forwarded-Client-Cert", f"Hash={HASH}")] * 2
            assert (await http.post("/deliver", headers=twice)).status_code == 401


async def test_without_the_setting_no_certificate_is_believed(made: Gate) -> None:
    await made.add("hub", WantedKey(certificate=PEM))
    assert (await deliver(made, ITS, address=PROXY)).status_code == 401


async def test_a_name_holds_for_whichever_certificate_has_it(database: str, organisations: None) -> None:
    async with gate(database, certificates=HEADER) as made:
        await made.add("hub", WantedKey(subject=SUBJECT))
        assert (await deliver(made, BY_NAME, address=PROXY)).json()["client_id"] == "hub"
        await made.add("other", WantedKey(certificate=PEM))
        both = {"X-Forwarded-Client-Cert": BY_NAME["X-Forwarded-Client-Cert"].replace("0" * 64, HASH)}
        # By its name the one, by its digest the other: neither is meant for certain.
        assert (await deliver(made, both, address=PROXY)).status_code == 401


async def test_a_certificate_is_one_clients(made: Gate, admin: Connection) -> None:
    await made.add("hub", WantedKey(certificate=PEM))
    await made.add("named", WantedKey(subject=SUBJECT))
    for key in (WantedKey(certificate=PEM), WantedKey(subject=SUBJECT)):
        with pytest.raises(BadInput, match="nobody is known"):
            await made.add("other", key)
    digest = await admin.fetchval("SELECT thumbprint FROM client_key WHERE client_id = 'hub'")
    assert digest == bytes.fromhex(HASH)
    assert len(digest) == hashlib.sha256().digest_size


@pytest.mark.parametrize(
    "given",
    [
        {"gateway_certificate_header": "X-Cert"},
        {"gateway_certificate_form": "xfcc"},
        {"gateway_certificate_header": "X-Cert", "gateway_certificate_form": "xfcc"},
        {
            "gateway_certificate_header": "X-Cert: x",
            "gateway_certificate_form": "xfcc",
            "gateway_trusted_proxies": PROXY,
        },
    ],
)
def test_half_of_it_does_not_start(given: dict[str, str]) -> None:
    with pytest.raises(RefuseToStart):
        load_settings(**given)
