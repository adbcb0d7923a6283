"""Systems log in with what their key signed: OAuth 2 client credentials, private_key_jwt."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ingest.delivery.clients import registry
from ingest.delivery.clients.registry import WantedClient, WantedKey
from ingest.gateway.app import Pools
from ingest.gateway.login.administration import AddedAccount
from ingest.gateway.login.door import COOKIE
from ingest.gateway.login.token import ASSERTION_TYPE
from models.clock import MINUTE_US, SECOND_US, wall_now_us
from models.db.pool import Connection
from models.errors import BadInput
from tests.integration.login.conftest import URL, Browser, Clock, Rows
from tests.integration.login.realm import OURS
from tests.unit.login.signing import confused, ec, rsa, signed, unsigned

WEAK = (
    generate_private_key(65_537, 1024)
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
Audited = Callable[..., Awaitable[Rows]]


async def add(pools: Pools, client_id: str, key: str) -> None:
    wanted = WantedClient(client_id, "Gateway", OURS, WantedKey(public_key=key))
    await registry.add_client(pools.login, wanted, None, wall_now_us())


@pytest.fixture
async def gateway(pools: Pools) -> str:
    """The id of a system whose key is ec()."""
    await add(pools, "gateway-1", ec().as_pem(private=False).decode())
    return "gateway-1"


def claims(clock: Clock, **changed: Any) -> dict[str, Any]:
    now_s = clock.now_us() // SECOND_US
    whole = {
        "iss": "gateway-1", "sub": "gateway-1", "aud": f"{URL}/token", "jti": secrets.token_hex(8),
        "iat": now_s, "exp": now_s + 60,
    } | changed  # fmt: skip
    return {name: value for name, value in whole.items() if value is not None}


async def ask(browser: Browser, assertion: str, **changed: str) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    return await browser.http.post("/token", data=form | changed)


async def test_a_signed_assertion_gives_a_token_of_ten_minutes(
    browser: Browser, gateway: str, clock: Clock, audited: Audited, admin: Connection
) -> None:
    answer = await ask(browser, signed(claims(clock), ec(), "ES256"))
    given = answer.json()
    assert (answer.status_code, given["token_type"], given["expires_in"]) == (200, "Bearer", 600)
    bearer = {"Authorization": f"Bearer {given['access_token']}"}
    me = await browser.http.get("/me", headers=bearer)
    assert (me.json()["role"], me.json()["csrf_token"]) == ("service", None)
    assert await admin.fetchval("SELECT is_system FROM person")
    (row,) = await audited("login")
    assert row["user_id"] == me.json()["person_id"]
    assert row["authorisation_protocol"] == "login/client"
    clock.move(10 * MINUTE_US)
    late = await browser.http.get("/me", headers=bearer)
    assert (late.status_code, late.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_token_is_no_cookie_and_a_cookie_is_no_token(
    browser: Browser, gateway: str, clock: Clock, nurse: AddedAccount
) -> None:
    token = (await ask(browser, signed(claims(clock), ec(), "ES256"))).json()["access_token"]
    assert (await browser.http.get("/me", headers={"Cookie": f"{COOKIE}={token}"})).status_code == 401
    for scheme in ("Basic", "Bearer x"):
        headers = {"Authorization": f"{scheme} {token}"}
        assert (await browser.http.get("/me", headers=headers)).status_code == 401
    clock.move(MINUTE_US)
    await browser.log_in(nurse, clock.now_us())
    headers = {"Authorization": f"Bearer {browser.token}"}
    assert (await browser.http.get("/me", headers=headers)).status_code == 401


async def test_an_assertion_counts_once(
    browser: Browser, gateway: str, clock: Clock, audited: Audited
) -> None:
    assertion = signed(claims(clock), ec(), "ES256")
    assert (await ask(browser, assertion)).status_code == 200
    answer = await ask(browser, assertion)
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    (row,) = await audited("login.refused")
    assert row["details"] == "replayed"


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": -60},
        {"exp": 400},
        {"iat": 60},
        {"aud": f"{URL}/login"},
        {"aud": "https://other.example/token"},
        {"iss": "gateway-2"},
        {"sub": "gateway-2"},
        {"jti": None},
    ],
)
async def test_an_assertion_that_is_not_for_us_now(
    browser: Browser, gateway: str, clock: Clock, changed: dict[str, Any], admin: Connection
) -> None:
    now_s = clock.now_us() // SECOND_US
    absolute = {name: now_s + value if name in ("exp", "iat") else value for name, value in changed.items()}
    answer = await ask(browser, signed(claims(clock, **absolute), ec(), "ES256"))
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    assert await admin.fetchval("SELECT count(*) FROM session") == 0


async def test_what_its_key_did_not_sign(
    browser: Browser, gateway: str, clock: Clock, audited: Audited
) -> None:
    whole = claims(clock)
    wrong = [
        unsigned(whole),
        confused(whole, ec()),
        signed(whole, rsa()),
        signed(whole, ec("P-384"), "ES384"),
    ]
    for assertion in [*wrong, "", "x", "a.b.c"]:
        assert (await ask(browser, assertion)).status_code == 401
    rows = await audited("login.refused")
    assert len(rows) == 7
    assert (await ask(browser, signed(whole, ec(), "ES256"))).status_code == 200, "its jti was not used up"


async def test_what_is_no_request_for_a_token(browser: Browser, gateway: str, clock: Clock) -> None:
    assertion = signed(claims(clock), ec(), "ES256")
    assert (await ask(browser, assertion, grant_type="password")).json()["error"] == "unsupported_grant_type"
    assert (await ask(browser, assertion, client_assertion_type="x")).json()["error"] == "invalid_request"
    assert (await ask(browser, assertion, client_id="gateway-2")).status_code == 401
    twice = b"grant_type=client_credentials&grant_type=client_credentials"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await browser.http.post("/token", content=twice, headers=kind)).status_code == 400
    assert (await browser.http.post("/token", content=b"x" * 40_000, headers=kind)).status_code == 400
    assert (await browser.http.post("/token", json={})).status_code == 400


async def test_who_guesses_has_to_wait(browser: Browser, gateway: str, clock: Clock) -> None:
    answers = [(await ask(browser, "x")).status_code for _ in range(32)]
    assert answers == [401] * 31 + [429]
    clock.move(MINUTE_US)
    assert (await ask(browser, signed(claims(clock), ec(), "ES256"))).status_code == 200


async def test_a_revoked_system_is_out_at_once(
    browser: Browser, gateway: str, clock: Clock, pools: Pools
) -> None:
    token = (await ask(browser, signed(claims(clock), ec(), "ES256"))).json()["access_token"]
    await registry.revoke(pools.login, gateway, None, clock.now_us())
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await browser.http.get("/me", headers=bearer)).status_code == 401
    assert (await ask(browser, signed(claims(clock), ec(), "ES256"))).status_code == 401
    with pytest.raises(BadInput, match="never given"):
        await add(pools, gateway, ec().as_pem(private=False).decode())


async def test_of_a_private_key_the_public_half_alone_is_stored(pools: Pools, admin: Connection) -> None:
    key = rsa().as_pem(private=True).decode()
    await add(pools, "gateway-2", key)
    stored = await admin.fetchval("SELECT public_key FROM client_key")
    assert stored.startswith("-----BEGIN PUBLIC KEY-----")


@pytest.mark.parametrize("key", ["", "no key", WEAK])
async def test_a_key_that_is_none(pools: Pools, key: str) -> None:
    with pytest.raises(BadInput, match="at least 2048 bits"):
        await add(pools, "gateway-3", key)
