"""Tokens at the front gate: short, each for its key, and worth nothing from the moment of a revocation."""

import asyncio
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey, RSAKey

from ingest.delivery.clients import registry
from ingest.delivery.clients.registry import WantedKey
from models.access import Role
from models.clock import DAY_US, MINUTE_US, wall_now_us
from models.db import clients, sessions
from models.db.pool import Connection
from models.errors import BadInput
from models.sessions import SessionKind
from tests.integration.delivery.asking import ask, deliver, token_of
from tests.integration.delivery.gates import SEALING, Gate, gate
from tests.unit.login.signing import ec, rsa

OLD, NEW = ec(), ec("P-384")


def public(key: RSAKey | ECKey) -> WantedKey:
    return WantedKey(public_key=key.as_pem(private=False).decode())


async def test_who_has_a_token_is_let_in(made: Gate) -> None:
    await made.add("hub", public(OLD))
    answer = await deliver(made, await token_of(made, "hub", OLD))
    assert (answer.status_code, answer.json()) == (200, {"client_id": "hub", "names_patients": False})
    for headers in ({}, {"Authorization": "Bearer " + "x" * 43}, {"Authorization": "Basic aHVi"}):
        refused = await deliver(made, headers)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer"), headers


async def test_a_new_key_beside_the_old_one(made: Gate) -> None:
    await made.add("hub", public(OLD))
    before = await token_of(made, "hub", OLD)
    await registry.rotate_key(made.login, "hub", public(NEW), None, keep_s=86_400, now_us=made.clock.now_us())
    for key, algorithm in ((OLD, "ES256"), (NEW, "ES384")):
        assert (await deliver(made, await token_of(made, "hub", key, algorithm))).status_code == 200
    assert (await deliver(made, before)).status_code == 200
    made.clock.moved_us += DAY_US + MINUTE_US
    assert (await ask(made, "hub", OLD)).status_code == 401
    assert (await ask(made, "hub", NEW, "ES384")).status_code == 200


async def test_a_key_that_ends_soon_gives_a_shorter_token(made: Gate) -> None:
    await made.add("hub", public(OLD))
    await registry.rotate_key(made.login, "hub", public(NEW), None, keep_s=120, now_us=made.clock.now_us())
    given = (await ask(made, "hub", OLD)).json()
    assert 100 <= given["expires_in"] <= 120


async def test_without_keeping_the_old_key_and_its_tokens_end_at_once(made: Gate) -> None:
    await made.add("hub", public(OLD))
    before = await token_of(made, "hub", OLD)
    await registry.rotate_key(made.login, "hub", public(NEW), None, keep_s=0, now_us=made.clock.now_us())
    assert (await deliver(made, before)).status_code == 401
    assert (await ask(made, "hub", OLD)).status_code == 401
    assert (await deliver(made, await token_of(made, "hub", NEW, "ES384"))).status_code == 200


async def test_revocation_works_at_once(made: Gate, admin: Connection) -> None:
    await made.add("hub", public(OLD))
    token = await token_of(made, "hub", OLD)
    assert (await deliver(made, token)).status_code == 200
    await registry.revoke(made.login, "hub", None, made.clock.now_us())
    assert (await deliver(made, token)).status_code == 401
    assert (await ask(made, "hub", OLD)).status_code == 401
    with pytest.raises(BadInput, match="not revoked"):
        await registry.revoke(made.login, "hub", None, made.clock.now_us())
    codes = [
        row["event_code"] for row in await admin.fetch("SELECT event_code FROM audit ORDER BY happened_us")
    ]
    assert codes == ["client.added", "login", "client.revoked", "login.refused"]


async def test_one_key_is_revoked_with_its_own_tokens(made: Gate) -> None:
    await made.add("hub", public(OLD))
    await registry.rotate_key(made.login, "hub", public(NEW), None, keep_s=86_400, now_us=made.clock.now_us())
    old, new = await token_of(made, "hub", OLD), await token_of(made, "hub", NEW, "ES384")
    await registry.revoke(made.login, "hub", 1, made.clock.now_us())
    assert (await deliver(made, old)).status_code == 401
    assert (await deliver(made, new)).status_code == 200
    with pytest.raises(BadInput, match="a key that counts"):
        await registry.revoke(made.login, "hub", 1, made.clock.now_us())


async def test_a_token_that_has_run_out(made: Gate, admin: Connection) -> None:
    await made.add("hub", public(OLD))
    token = await token_of(made, "hub", OLD)
    await admin.execute("UPDATE session SET began_at = began_at - interval '1 hour', until_at = now()")
    assert (await deliver(made, token)).status_code == 401


@pytest.mark.parametrize(
    "ended",
    [
        "UPDATE person_role SET until_at = clock_timestamp()",
        "UPDATE person SET left_at = clock_timestamp()",
        "UPDATE client SET removed_at = clock_timestamp()",
        "UPDATE client_key SET until_at = clock_timestamp()",
    ],
)
async def test_whatever_a_token_rests_on_is_looked_at_each_time(
    made: Gate, admin: Connection, ended: str
) -> None:
    await made.add("hub", public(OLD))
    token = await token_of(made, "hub", OLD)
    await admin.execute(ended)
    assert (await deliver(made, token)).status_code == 401


@pytest.mark.parametrize("moved_us", [-10 * MINUTE_US, 10 * MINUTE_US])
async def test_what_was_signed_at_another_time(made: Gate, moved_us: int) -> None:
    await made.add("hub", public(OLD))
    then_s = (made.clock.now_us() + moved_us) // 1_000_000
    assert (await ask(made, "hub", OLD, iat=then_s, exp=then_s + 60)).status_code == 401


async def test_what_was_signed_for_somebody_else_or_by_them(made: Gate) -> None:
    await made.add("hub", public(OLD))
    await made.add("other", public(rsa()))
    assert (await ask(made, "hub", OLD, aud="https://thuiswacht.test/token")).status_code == 401
    assert (await ask(made, "hub", rsa(), "PS256")).status_code == 401
    assert (await ask(made, "nobody", OLD)).status_code == 401


async def test_a_persons_session_is_no_token(made: Gate, admin: Connection) -> None:
    await made.add("hub", public(OLD))
    token = await token_of(made, "hub", OLD)
    await admin.execute("UPDATE session SET kind = 'browser', role = $1", Role.NURSE.value)
    assert (await deliver(made, token)).status_code == 401


async def test_the_day_of_use_is_noted(made: Gate, admin: Connection) -> None:
    await made.add("hub", public(OLD))
    secret = WantedKey(hmac=True)
    await registry.rotate_key(made.login, "hub", secret, SEALING, keep_s=0, now_us=wall_now_us())
    await token_of(made, "hub", OLD)
    used = [row[0] for row in await admin.fetch("SELECT used_on FROM client_key ORDER BY number")]
    assert used[0] is not None
    assert used[1] is None


async def test_a_token_given_at_that_moment_does_not_outlive_a_revocation(
    made: Gate, admin: Connection
) -> None:
    """Who revokes waits for who gives a token at that moment, and then ends that one too."""
    await made.add("hub", public(OLD))
    await token_of(made, "hub", OLD)
    async with made.login.transaction() as connection:
        client = await clients.find_client(connection, "hub", lock=True)
        assert client is not None
        revoking = asyncio.create_task(registry.revoke(made.login, "hub", None, made.clock.now_us()))
        while not await admin.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            assert not revoking.done()
        await sessions.begin(
            connection, uuid4(), SessionKind.SYSTEM, b"t" * 32, client.user, made.clock.now_us(),
            client_key=("hub", 1),
        )  # fmt: skip
    await revoking
    assert await admin.fetchval("SELECT count(*) FROM session WHERE ended_at IS NULL") == 0


async def test_a_database_that_does_not_answer_holds_nobody_for_long(
    database: str, organisations: None, admin: Connection
) -> None:
    async with gate(database, answered_within_s=0.5) as made:
        await made.add("hub", public(OLD))
        token = await token_of(made, "hub", OLD)
        async with admin.transaction():
            await admin.execute("LOCK TABLE client")
            answer = await deliver(made, token)
            assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
