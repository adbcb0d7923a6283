"""Logging in at an OpenID provider: there with a challenge, back with a code; and its word that one left."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from ingest.gateway.login import record
from ingest.gateway.login.claims import ClaimsRefused, grants_of, name_of, require_second_factor
from ingest.gateway.login.door import (
    Door,
    browser_of,
    digest,
    new_token,
    set_browser_cookie,
    set_session_cookie,
)
from ingest.gateway.login.forms import read_form
from ingest.gateway.login.page import language_of, login_page
from ingest.gateway.login.provider import CodeRefused, Provider
from ingest.gateway.login.tokens import BadToken, id_token_claims, logout_token
from ingest.gateway.problems import Problem
from models import logs
from models.access import User
from models.db import accounts, audit
from models.db import sessions as stored
from models.db.pool import Connection
from models.db.roles import roles_of
from models.db.sessions import Pending
from models.sessions import Ended, Session, SessionKind

log = logs.get(__name__)


class NotLetIn(Exception):
    """Somebody came back from the provider and gets no session; the text is a word of ours."""


@dataclass(frozen=True, slots=True)
class Came:
    """Who came back: what the provider says of them, and how they showed two factors."""

    claims: Mapping[str, Any]
    factor: str


def make_oidc(door: Door, provider: Provider | None) -> APIRouter:
    """The routes of this module; none without a provider."""
    router = APIRouter(tags=["login"])
    if provider is None:
        return router

    @router.get("/login/start", include_in_schema=False)
    async def start(request: Request) -> Response:
        state, browser = new_token(), browser_of(request) or new_token()
        pending = Pending(nonce=new_token(), code_verifier=new_token())
        address = await provider.address(state, pending)
        async with door.pool.transaction() as connection:
            await stored.begin_pending(connection, digest(state), digest(browser), pending, door.now_us())
        response = RedirectResponse(address, status_code=303)
        set_browser_cookie(response, browser)
        return response

    @router.get("/login/callback", include_in_schema=False)
    async def callback(request: Request) -> Response:
        language = language_of(None, request.headers.get("accept-language", ""))
        now_us = door.now_us()
        try:
            came = await _who_came(door, provider, request, now_us)
            token, session = await _let_in(door, provider, request, came, now_us)
        except (NotLetIn, BadToken, ClaimsRefused) as error:
            async with door.pool.transaction() as connection:
                event = record.refused(record.Door.OIDC, None, str(error), now_us)
                await audit.write(connection, event)
            log.info("login_refused", door="oidc", why=str(error))
            said, status = _SAID.get(type(error), ("broken", 400))
            if str(error) == "no_second_factor":
                said = "factor"
            return login_page(language, provider=True, accounts=False, said=said, status=status)
        response = RedirectResponse(door.home, status_code=303)
        set_session_cookie(response, token, session, now_us)
        return response

    _add_provider_logout(router, door, provider)
    return router


def _add_provider_logout(router: APIRouter, door: Door, provider: Provider) -> None:
    @router.post("/logout/provider", include_in_schema=False)
    async def provider_logout(request: Request) -> Response:
        """The provider says who left (OpenID Connect Back-Channel Logout 1.0)."""
        signed = (await read_form(request)).get("logout_token", "")
        now_us = door.now_us()
        try:
            left = logout_token(signed, await provider.key_for(signed), provider.expected, now_us=now_us)
        except BadToken as error:
            log.warning("logout_refused", door="oidc", why=str(error))
            raise Problem("The logout token is not one for us.") from None
        issuer = provider.settings.issuer
        async with door.pool.transaction() as connection:
            if not await stored.use_once(connection, f"issuer:{issuer}", digest(left.jti), left.until_us):
                raise Problem("The logout token was used before.")
            ended = await stored.end_of_provider(
                connection, issuer, left.subject, left.provider_session, now_us
            )
            for one in ended:
                mark = str(one.session_id)
                await audit.write(connection, record.logged_out(one.user, mark, Ended.PROVIDER.value, now_us))
        return Response(status_code=200)


_SAID: Mapping[type[Exception], tuple[str, int]] = {ClaimsRefused: ("refused", 403)}


async def _who_came(door: Door, provider: Provider, request: Request, now_us: int) -> Came:
    """**Raises**: NotLetIn, BadToken, ClaimsRefused, TryAgain."""
    query, browser = request.query_params, browser_of(request)
    state, code = query.get("state"), query.get("code")
    if state is None or browser is None:
        raise NotLetIn("unknown_state")
    async with door.pool.transaction() as connection:
        pending = await stored.take_pending(connection, digest(state), digest(browser), now_us)
    if pending is None:
        raise NotLetIn("unknown_state")
    # A mix-up of providers, where this one says who it is (RFC 9207).
    if query.get("iss", provider.settings.issuer) != provider.settings.issuer:
        raise NotLetIn("issuer")
    if code is None:
        raise NotLetIn("provider_error")
    try:
        signed = await provider.id_token(code, pending)
    except CodeRefused:
        raise NotLetIn("code") from None
    key = await provider.key_for(signed)
    claims = id_token_claims(signed, key, provider.expected, nonce=pending.nonce, now_us=now_us)
    return Came(claims, require_second_factor(claims, provider.settings.claims.acr_values))


async def _let_in(
    door: Door, provider: Provider, request: Request, came: Came, now_us: int
) -> tuple[str, Session]:
    """A session, with the person and the roles that the claims give. **Raises**: ClaimsRefused."""
    sid = came.claims.get("sid")
    async with door.pool.transaction() as connection:
        user = await _person(connection, provider, came.claims, now_us)
        await door.replace(connection, request, now_us)
        token, session = await door.begin(
            connection, user, SessionKind.BROWSER, now_us,
            provider_session=sid if isinstance(sid, str) else None,
        )  # fmt: skip
        mark = str(session.session_id)
        event = record.logged_in(record.Door.OIDC, user, mark, f"two_factors_by_{came.factor}", now_us)
        await audit.write(connection, event)
    return token, session


async def _person(connection: Connection, provider: Provider, claims: Mapping[str, Any], now_us: int) -> User:
    """Who it is, with roles as the claims have them now: the first that may be acted as."""
    grants = grants_of(claims, provider.settings.claims)
    known = await accounts.known_organisations(connection, {grant.organisation_id for grant in grants})
    grants = [grant for grant in grants if grant.organisation_id in known]
    if not grants:
        raise ClaimsRefused("unknown_organisation")
    person_id = await accounts.recognise(
        connection, provider.settings.issuer, claims["sub"], uuid4(), name_of(claims)
    )
    given = [User(person_id, grant.organisation_id, grant.role) for grant in grants]
    for user in given:
        await accounts.give_role(connection, user, now_us, by_login=True)
    await accounts.end_other_roles(connection, person_id, given, now_us)
    held = await roles_of(connection, person_id, now_us)
    user = next((one for one in given if one in held), None)
    if user is None:
        # The person left, or an administrator ended these roles.
        raise ClaimsRefused("role_ended")
    return user
