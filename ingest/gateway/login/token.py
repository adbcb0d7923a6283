"""Systems log in: what their key signed, for a token of ten minutes (OAuth 2, RFC 6749 and 7523)."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ingest.gateway.login import attempts, record
from ingest.gateway.login.attempts import Attempt
from ingest.gateway.login.door import Door, address_of, digest
from ingest.gateway.login.forms import read_form
from ingest.gateway.login.keys import public_key_from_pem
from ingest.gateway.login.tokens import Assertion, BadToken, client_assertion, client_id_of
from models.clock import SECOND_US
from models.db import audit, clients
from models.db import sessions as stored
from models.db.clients import Client, Key
from models.db.pool import Connection
from models.db.roles import roles_of
from models.sessions import TOKEN_US, SessionKind
from models.throttle import Counted

PATH = "/token"
_BY_ANOTHER = ("key", "bad_signature", "unsupported_algorithm")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


_ERROR: Mapping[str, Any] = {
    "type": "object", "required": ["error"], "properties": {"error": {"type": "string"}},
}  # fmt: skip
_PROBLEM: Mapping[str, Any] = {"type": "object", "required": ["status", "title"]}
_TOKEN: Mapping[str, Any] = {
    "type": "object",
    "required": ["access_token", "token_type", "expires_in"],
    "properties": {
        "access_token": {"type": "string"},
        "token_type": {"const": "Bearer"},
        "expires_in": {"type": "integer"},
    },
}


def _said(description: str, content: Mapping[str, Any]) -> dict[str, Any]:
    either = {"application/json": {"schema": content}, "application/problem+json": {"schema": _PROBLEM}}
    return {"description": description, "content": either}


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: _said("The token.", _TOKEN),
    400: _said("Not what a system asks: another grant, or no form.", _ERROR),
    401: _said("What was signed is of nobody who is known, not for us, not now, or shown before.", _ERROR),
    413: _said("More than a form.", _ERROR),
    415: _said("No form.", _ERROR),
    429: _said("Too many attempts; `Retry-After` says for how long.", _ERROR),
    503: _said("The database does not answer; try again.", _ERROR),
}
_ASKED: Mapping[str, Any] = {
    "required": True,
    "content": {
        "application/x-www-form-urlencoded": {
            "schema": {
                "type": "object",
                "required": ["grant_type", "client_assertion_type", "client_assertion"],
                "properties": {
                    "grant_type": {"const": "client_credentials"},
                    "client_assertion_type": {"const": ASSERTION_TYPE},
                    "client_assertion": {"type": "string", "description": "A JWT that the system signed."},
                },
            }
        }
    },
}
"""What OpenAPI says of it."""


@dataclass(frozen=True, slots=True)
class Given:
    """A token for a system, or why there is none: an error of OAuth and its status."""

    token: str | None = None
    error: str = ""
    status: int = 200
    wait_us: int = 0
    lasts_us: int = TOKEN_US


def make_token(door: Door) -> APIRouter:
    """The route of this module."""
    router = APIRouter(tags=["login"])

    @router.post(PATH, responses=_ANSWERS, openapi_extra={"requestBody": _ASKED})
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
    claimed = await _claimed(connection, form)
    try:
        client, key = await _believed(door, connection, claimed, form.get("client_assertion", ""), now_us)
    except BadToken as error:
        user = None if claimed is None else claimed.user
        await attempts.record_failure(connection, attempt, record.Door.CLIENT, user, str(error), now_us)
        return Given(error="invalid_client", status=401)
    await attempts.take_back(connection, attempt)
    # A key that is being changed for another is good for no longer than it is meant to be.
    until_us = now_us + TOKEN_US if key.until_us is None else min(now_us + TOKEN_US, key.until_us)
    token, session = await door.begin(
        connection, client.user, SessionKind.SYSTEM, now_us,
        until_us=until_us, client_key=(client.client_id, key.number),
    )  # fmt: skip
    await clients.note_used(connection, client.client_id, key.number, now_us)
    mark = str(session.session_id)
    event = record.logged_in(
        record.Door.CLIENT, client.user, mark, f"private_key_jwt, key {key.number}", now_us
    )
    await audit.write(connection, event)
    return Given(token, lasts_us=until_us - now_us)


async def _claimed(connection: Connection, form: dict[str, str]) -> Client | None:
    """The client that an assertion claims to come from, whose key tells whether it does."""
    try:
        client_id = client_id_of(form.get("client_assertion", ""))
    except BadToken:
        return None
    if form.get("client_id", client_id) != client_id:
        return None
    # Until the token is there: who revokes the client meanwhile waits, and ends the token too.
    return await clients.find_client(connection, client_id, lock=True)


async def _believed(
    door: Door, connection: Connection, client: Client | None, signed: str, now_us: int
) -> tuple[Client, Key]:
    """Who signed this, now, for us, for the first time, and with which key. **Raises**: BadToken."""
    if client is None or client.revoked_us is not None:
        raise BadToken("client")
    assertion, key = _signed_by(client, signed, door.configuration.public_url + PATH, now_us)
    if client.user not in await roles_of(connection, client.user.person_id, now_us):
        raise BadToken("role_ended")
    if not await stored.use_once(connection, client.client_id, digest(assertion.jti), assertion.until_us):
        raise BadToken("replayed")
    return client, key


def _signed_by(client: Client, signed: str, audience: str, now_us: int) -> tuple[Assertion, Key]:
    """What one of the keys signed that count now: each is tried, for there are few. **Raises**: BadToken."""
    why = BadToken("key")
    for key in client.keys:
        if key.public_key is None or not key.counts(now_us):
            continue
        public = public_key_from_pem(key.public_key)
        try:
            return client_assertion(signed, public, client.client_id, audience, now_us=now_us), key
        except BadToken as error:
            # What is wrong with what a key did sign says more than that another one did not.
            if str(why) in _BY_ANOTHER:
                why = error
    raise why


def _answer(given: Given) -> Response:
    """As OAuth wants it: problem details would not be understood here."""
    if given.token is not None:
        content = {
            "access_token": given.token,
            "token_type": "Bearer",
            "expires_in": given.lasts_us // SECOND_US,
        }
        return JSONResponse(content)
    headers = {"Retry-After": str(ceil(given.wait_us / SECOND_US))} if given.wait_us else None
    return JSONResponse({"error": given.error}, status_code=given.status, headers=headers)
