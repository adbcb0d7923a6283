"""The code flow against a real OpenID provider (Keycloak), as a browser goes it."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest

from ingest.gateway.app import Pools, make_app
from ingest.gateway.configuration import ApiSettings, OidcSettings
from ingest.gateway.login.claims import ClaimMap
from ingest.gateway.login.door import BROWSER_COOKIE, COOKIE, Door
from ingest.gateway.login.provider import Provider
from ingest.gateway.service import login_routers
from models.clock import SECOND_US
from models.db.pool import Connection
from models.identity import Keys
from simulators.identity import Member
from simulators.identity.realm import TWO_FACTORS
from tests.integration.login.conftest import URL, Browser, Clock, Rows
from tests.integration.login.provider import AtProvider, LikeBrowsers, as_administrator
from tests.integration.login.realm import (
    CHANGING,
    CLIENT_ID,
    CLIENT_KEY,
    CLIENT_SECRET,
    HOMELESS,
    NURSE,
    OURS,
    REALM,
    STRANGER,
    THEIRS,
)

Audited = Callable[..., Awaitable[Rows]]
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def provider(keycloak: str, clock: Clock) -> AsyncIterator[Provider]:
    settings = OidcSettings(keycloak, CLIENT_ID, CLIENT_SECRET, None, ClaimMap((TWO_FACTORS,)))
    made = Provider(settings, f"{URL}/login/callback", clock.now_us)
    yield made
    await made.close()


@asynccontextmanager
async def at(pools: Pools, clock: Clock, provider: Provider) -> AsyncGenerator[AtProvider]:
    door = Door(pools.login, ApiSettings(URL, provider.settings, local_accounts=False), clock.now_us)
    app = make_app(pools, door, Keys(bytes(32)), login_routers(door, provider))
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as ours,
        httpx.AsyncClient(timeout=60, transport=LikeBrowsers()) as theirs,
    ):
        yield AtProvider(Browser(ours), theirs)


@pytest.fixture
async def there(pools: Pools, clock: Clock, provider: Provider) -> AsyncIterator[AtProvider]:
    """A browser of somebody who wants to log in at their organisation."""
    async with at(pools, clock, provider) as browser:
        yield browser


def now_s(clock: Clock) -> int:
    return clock.now_us() // SECOND_US


async def refused(audited: Audited) -> list[str]:
    return [row["details"] for row in await audited("login.refused")]


async def test_the_whole_way(there: AtProvider, clock: Clock, audited: Audited, admin: Connection) -> None:
    address = await there.authorize()
    asked = {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert (asked["acr_values"], asked["scope"]) == (TWO_FACTORS, "openid profile")
    assert len(asked["state"]) == len(asked["nonce"]) == len(asked["code_challenge"]) == 43
    answer = await there.ours.http.get(await there.back(address, NURSE, now_s(clock)))
    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    me = (await there.ours.http.get("/me")).json()
    assert (me["role"], UUID(me["organisation_id"])) == ("nurse", OURS)
    person = await admin.fetchrow("SELECT * FROM person")
    assert person is not None
    assert (str(person["person_id"]), person["name"]) == (me["person_id"], "Test Nurse")
    (row,) = await audited("login")
    assert (row["authorisation_protocol"], row["details"]) == ("login/oidc", "two_factors_by_acr")
    assert (row["user_id"], row["organisation_id"]) == (me["person_id"], OURS)
    assert await admin.fetchval("SELECT count(*) FROM pending_login") == 0


async def test_a_key_in_place_of_a_secret(pools: Pools, clock: Clock, keycloak: str) -> None:
    settings = OidcSettings(keycloak, str(REALM.signing_client), None, CLIENT_KEY, ClaimMap((TWO_FACTORS,)))
    provider = Provider(settings, f"{URL}/login/callback", clock.now_us)
    async with at(pools, clock, provider) as there:
        assert (await there.log_in(CHANGING, now_s(clock))).status_code == 303
    await provider.close()


async def test_the_provider_may_change_its_keys(there: AtProvider, clock: Clock, keycloak: str) -> None:
    assert (await there.log_in(NURSE, now_s(clock))).status_code == 303
    async with httpx.AsyncClient(timeout=60) as http:
        api = await as_administrator(keycloak, http)
        key = {
            "name": "next", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
            "config": {"priority": ["200"], "algorithm": ["RS256"]},
        }  # fmt: skip
        made = await http.post(f"{api}/components", json=key)
        assert made.status_code == 201, made.text
    clock.move(15 * SECOND_US)
    assert (await there.log_in(NURSE, now_s(clock))).status_code == 303


async def test_who_comes_again_is_the_same_person(there: AtProvider, clock: Clock, admin: Connection) -> None:
    for _ in range(2):
        await there.log_in(NURSE, now_s(clock))
        there.http.cookies.clear()
    assert await admin.fetchval("SELECT count(*) FROM person") == 1
    assert await admin.fetchval("SELECT count(*) FROM session WHERE ended_at IS NULL") == 1


async def test_a_password_alone_is_not_enough(there: AtProvider, clock: Clock, audited: Audited) -> None:
    """Whoever takes acr_values out of the address meets no second factor at the provider, and none of us."""
    address = await there.authorize(without="acr_values")
    answer = await there.ours.http.get(await there.back(address, NURSE, now_s(clock)))
    assert answer.status_code == 403
    assert "tweede factor" in answer.text
    assert COOKIE not in there.ours.http.cookies
    assert await refused(audited) == ["no_second_factor"]


@pytest.mark.parametrize(("member", "why"), [(STRANGER, "unknown_role"), (HOMELESS, "unknown_organisation")])
async def test_who_has_nothing_to_do_here(
    there: AtProvider, clock: Clock, audited: Audited, admin: Connection, member: Member, why: str
) -> None:
    answer = await there.log_in(member, now_s(clock))
    assert answer.status_code == 403
    assert await refused(audited) == [why]
    assert await admin.fetchval("SELECT count(*) FROM person") == 0


async def test_roles_follow_the_claims(there: AtProvider, clock: Clock, admin: Connection) -> None:
    await there.log_in(CHANGING, now_s(clock))
    person_id = await admin.fetchval("SELECT person_id FROM person")
    await admin.execute("INSERT INTO person_role VALUES ($1, $2, 'specialist')", person_id, THEIRS)
    await admin.execute(
        "INSERT INTO person_role (person_id, organisation_id, role, by_login) "
        "VALUES ($1, $2, 'huisarts', true)",
        person_id, OURS,
    )  # fmt: skip
    clock.move(SECOND_US)
    await there.log_in(CHANGING, now_s(clock))
    held = await admin.fetch("SELECT role FROM person_role WHERE until_at IS NULL ORDER BY role")
    assert [row["role"] for row in held] == ["coordinator", "nurse", "specialist"]


async def test_what_an_administrator_ended_stays_ended(
    there: AtProvider, clock: Clock, audited: Audited, admin: Connection
) -> None:
    await there.log_in(NURSE, now_s(clock))
    await admin.execute("UPDATE person_role SET until_at = clock_timestamp()")
    assert (await there.ours.http.get("/me")).status_code == 403
    assert (await there.log_in(NURSE, now_s(clock))).status_code == 403
    assert await refused(audited) == ["role_ended"]


async def test_a_way_back_counts_once_and_for_its_own_browser(
    there: AtProvider, clock: Clock, audited: Audited
) -> None:
    location = await there.back(await there.authorize(), NURSE, now_s(clock))
    mark = there.ours.http.cookies[BROWSER_COOKIE]
    there.ours.http.cookies.clear()
    assert (await there.ours.http.get(location)).status_code == 400, "no mark at all"
    other = {"Cookie": f"{BROWSER_COOKIE}={'x' * 43}"}
    assert (await there.ours.http.get(location, headers=other)).status_code == 400
    own = {"Cookie": f"{BROWSER_COOKIE}={mark}"}
    assert (await there.ours.http.get(location, headers=own)).status_code == 303
    assert (await there.ours.http.get(location, headers=own)).status_code == 400
    assert await refused(audited) == ["unknown_state"] * 3


async def test_a_code_of_before_does_not_do_with_a_new_state(
    there: AtProvider, clock: Clock, audited: Audited
) -> None:
    used = parse_qs(urlsplit(await there.back(await there.authorize(), NURSE, now_s(clock))).query)
    fresh = parse_qs(urlsplit(await there.authorize()).query)
    callback = {"code": used["code"][0], "state": fresh["state"][0]}
    assert (await there.ours.http.get("/login/callback", params=callback)).status_code == 400
    assert await refused(audited) == ["code"], "the challenge was another"


async def test_another_nonce(there: AtProvider, clock: Clock, audited: Audited) -> None:
    address = await there.authorize(nonce="of-an-attacker")
    assert (await there.ours.http.get(await there.back(address, NURSE, now_s(clock)))).status_code == 400
    assert await refused(audited) == ["nonce"]


async def test_an_error_of_the_provider(there: AtProvider, audited: Audited) -> None:
    state = parse_qs(urlsplit(await there.authorize()).query)["state"][0]
    answer = await there.ours.http.get(
        "/login/callback", params={"state": state, "error": "access_denied", "error_description": "<b>x"}
    )
    assert answer.status_code == 400
    assert "<b>x" not in answer.text
    assert await refused(audited) == ["provider_error"]


async def test_who_takes_too_long_begins_again(there: AtProvider, clock: Clock, audited: Audited) -> None:
    location = await there.back(await there.authorize(), NURSE, now_s(clock))
    clock.move(11 * 60 * SECOND_US)
    assert (await there.ours.http.get(location)).status_code == 400
    assert await refused(audited) == ["unknown_state"]


@pytest.mark.parametrize(("moved_s", "why"), [(400, "expired_token"), (-120, "invalid_claim")])
async def test_a_token_that_is_too_old_or_from_the_future(
    there: AtProvider, clock: Clock, audited: Audited, moved_s: int, why: str
) -> None:
    location = await there.back(await there.authorize(), NURSE, now_s(clock))
    clock.move(moved_s * SECOND_US)
    assert (await there.ours.http.get(location)).status_code == 400
    assert await refused(audited) == [why]


async def test_logout_leads_to_the_provider_too(there: AtProvider, clock: Clock) -> None:
    await there.log_in(NURSE, now_s(clock))
    answer = await there.ours.http.post("/logout", headers=await there.ours.csrf())
    address: str = answer.json()["continue_at"]
    query = parse_qs(urlsplit(address).query)
    assert query == {"client_id": [CLIENT_ID], "post_logout_redirect_uri": [f"{URL}/login?out=true"]}
    assert (await there.http.get(address)).status_code == 200, "it asks whether one wants to"
    assert (await there.ours.http.get("/me")).status_code == 401


async def test_the_provider_gives_no_token_without_our_secret(keycloak: str, clock: Clock) -> None:
    async with httpx.AsyncClient() as http:
        for auth in (None, (CLIENT_ID, "wrong")):
            answer = await http.post(
                f"{keycloak}/protocol/openid-connect/token",
                data={"grant_type": "authorization_code", "code": "x", "client_id": CLIENT_ID},
                auth=auth or httpx.USE_CLIENT_DEFAULT,
            )
            assert answer.status_code == 401


async def test_a_provider_that_is_away(pools: Pools, clock: Clock) -> None:
    settings = OidcSettings("http://127.0.0.1:1", CLIENT_ID, CLIENT_SECRET, None, ClaimMap((TWO_FACTORS,)))
    away = Provider(settings, f"{URL}/login/callback")
    door = Door(pools.login, ApiSettings(URL, settings, local_accounts=False), clock.now_us)
    app = make_app(pools, door, Keys(bytes(32)), login_routers(door, away))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as http:
        answer = await http.get("/login/start")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    await away.close()
