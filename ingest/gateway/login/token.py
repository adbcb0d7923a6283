"""Systems log in: what their key signed, for a token of ten minutes (OAuth 2, RFC 6749 and 7523)."""

from dataclasses import dataclass
from math import ceil

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ingest.gateway.login import attempts, record
from ingest.gateway.login.attempts import Attempt
from ingest.gateway.login.door import Door, address_of, digest
from ingest.gateway.login.forms import read_form
from ingest.gateway.login.keys import public_key_from_pem
from ingest.gateway.login.tokens import BadToken, client_assertion, client_id_of
from models.access import User
from models.clock import SECOND_US
from models.db import audit, clients
from models.db import sessions as stored
from models.db.clients import Client
from models.db.pool import Connection
from models.db.roles import roles_of
from models.sessions import TOKEN_US, SessionKind
from models.throttle import Counted

PATH = "/token"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Given:
    """A token for a system, or why there is none: an error of OAuth and its status."""

    token: str | None = None
    error: str = ""
    status: int = 200
    wait_us: int = 0


def make_token(door: Door) -> APIRouter:
    """The route of this module."""
    router = APIRouter(tags=["login"])

    @router.post(PATH)
    async def token(request: Request) -> Response:
        """Client credentials with private_key_jwt; answers with a bearer token of ten minutes."""
        form = await read_form(request)
        if form.get("grant_type") != "client_credentials":
            return _answer(Given(error="unsupported_grant_type", status=400))
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            return _answer(Given(error="invalid_request", status=400))
        now_us = door.now_us()
        async with door.pool.transaction() as connection:
            where = {Counted.ADDRESS: address_of(request)}
            attempt = await attempts.count(connection, where, now_us)
        if attempt.wait_us:
            return _answer(Given(error="temporarily_unavailable", status=429, wait_us=attempt.wait_us))
        async with door.pool.transaction() as connection:
            return _answer(await _give(door, connection, form, attempt, now_us))

    return router


async def _give(
    door: Door, connection: Connection, form: dict[str, str], attempt: Attempt, now_us: int
) -> Given:
    """Within one transaction: the assertion is used up, the token begun, and both on record."""
    client = await _claimed(connection, form)
    try:
        user = await _believed(door, connection, client, form.get("client_assertion", ""), now_us)
    except BadToken as error:
        user = None if client is None else client.user
        await attempts.record_failure(connection, attempt, record.Door.CLIENT, user, str(error), now_us)
        return Given(error="invalid_client", status=401)
    await attempts.take_back(connection, attempt)
    token, session = await door.begin(connection, user, SessionKind.SYSTEM, now_us)
    mark = str(session.session_id)
    event = record.logged_in(record.Door.CLIENT, user, mark, "private_key_jwt", now_us)
    await audit.write(connection, event)
    return Given(token)


async def _claimed(connection: Connection, form: dict[str, str]) -> Client | None:
    """The client that an assertion claims to come from, whose key tells whether it does."""
    try:
        client_id = client_id_of(form.get("client_assertion", ""))
    except BadToken:
        return None
    if form.get("client_id", client_id) != client_id:
        return None
    return await clients.find_client(connection, client_id)


async def _believed(
    door: Door, connection: Connection, client: Client | None, signed: str, now_us: int
) -> User:
    """Whom a client acts as, when it signed this, now, for us, for the first time. **Raises**: BadToken."""
    if client is None:
        raise BadToken("client")
    key = public_key_from_pem(client.public_key)
    audience = door.configuration.public_url + PATH
    assertion = client_assertion(signed, key, client.client_id, audience, now_us=now_us)
    if client.user not in await roles_of(connection, client.user.person_id, now_us):
        raise BadToken("role_ended")
    if not await stored.use_once(connection, client.client_id, digest(assertion.jti), assertion.until_us):
        raise BadToken("replayed")
    return client.user


def _answer(given: Given) -> Response:
    """As OAuth wants it: problem details would not be understood here."""
    if given.token is not None:
        content = {"access_token": given.token, "token_type": "Bearer", "expires_in": TOKEN_US // SECOND_US}
        return JSONResponse(content)
    headers = {"Retry-After": str(ceil(given.wait_us / SECOND_US))} if given.wait_us else None
    return JSONResponse({"error": given.error}, status_code=given.status, headers=headers)
