"""The login page, and the ways out: this session, all of a person's, another role."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ingest.gateway.login import record
from ingest.gateway.login.door import Door, drop_session_cookie, set_session_cookie, shown
from ingest.gateway.login.forgery import CSRF_FIELD, CSRF_HEADER
from ingest.gateway.login.forms import read_form
from ingest.gateway.login.page import STYLE, language_of, login_page
from ingest.gateway.login.provider import Provider
from ingest.gateway.problems import NotAllowed, NotLoggedIn
from models.db import audit
from models.db import sessions as stored
from models.db.roles import roles_of
from models.errors import TryAgain
from models.sessions import Ended, Session, SessionKind


def make_pages(door: Door, provider: Provider | None) -> APIRouter:
    """The routes of this module."""
    router = APIRouter(tags=["login"])

    @router.get("/login", include_in_schema=False)
    async def page(request: Request, lang: str | None = None, out: bool = False) -> Response:
        language = language_of(lang, request.headers.get("accept-language", ""))
        return login_page(
            language,
            provider=provider is not None,
            accounts=door.configuration.local_accounts,
            said="out" if out else None,
        )

    @router.get("/login/login.css", include_in_schema=False)
    async def style() -> Response:
        return Response(STYLE, media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        """Ends this session; answers with where to end that of the OpenID provider, too."""
        session = await _own_session(door, request, await read_form(request, may_be_empty=True))
        now_us = door.now_us()
        async with door.pool.transaction() as connection:
            await door.end(connection, session, Ended.LOGOUT, now_us)
        return await _gone(door, provider)

    @router.post("/logout/everywhere")
    async def logout_everywhere(request: Request) -> Response:
        """Ends all sessions of this person, on all machines."""
        session = await _own_session(door, request, await read_form(request, may_be_empty=True))
        now_us = door.now_us()
        async with door.pool.transaction() as connection:
            for one in await stored.end_all(connection, session.user.person_id, Ended.EVERYWHERE, now_us):
                mark = str(one.session_id)
                await audit.write(
                    connection, record.logged_out(one.user, mark, Ended.EVERYWHERE.value, now_us)
                )
        return await _gone(door, provider)

    @router.post("/login/role")
    async def choose_role(request: Request) -> Response:
        """Goes on as another role that one has: a new session takes the place of this one."""
        form = await read_form(request)
        session = await _own_session(door, request, form)
        now_us = door.now_us()
        async with door.pool.transaction() as connection:
            held = await roles_of(connection, session.user.person_id, now_us)
            wanted = [
                user
                for user in held
                if (user.role.value, str(user.organisation_id))
                == (form.get("role"), form.get("organisation"))
            ]
            if not wanted:
                raise NotAllowed("You have no such role there.")
            await door.end(connection, session, Ended.REPLACED, now_us)
            token, begun = await door.begin(
                connection, wanted[0], SessionKind.BROWSER, now_us, until_us=session.until_us
            )
            how = "another_role"
            mark = str(begun.session_id)
            await audit.write(
                connection, record.logged_in(record.Door.SESSION, begun.user, mark, how, now_us)
            )
        response = JSONResponse({"role": begun.user.role, "organisation_id": str(begun.user.organisation_id)})
        set_session_cookie(response, token, begun, now_us)
        return response

    return router


async def _own_session(door: Door, request: Request, form: Mapping[str, str]) -> Session:
    """The browser's own session, asked for by our own page. **Raises**: NotLoggedIn, NotAllowed."""
    token, kind = shown(request)
    if kind is not SessionKind.BROWSER:
        raise NotLoggedIn("Log in with a browser.")
    door.require_own_page(request, token, request.headers.get(CSRF_HEADER) or form.get(CSRF_FIELD))
    return await door.session_of(token, kind)


async def _gone(door: Door, provider: Provider | None) -> Response:
    """After a logout: the cookie is gone, and a browser is told where to go on."""
    back = f"{door.configuration.public_url}/login?out=true"
    where = back
    if provider is not None:
        try:
            where = await provider.end_address(back) or back
        except TryAgain:
            # Ours has ended whatever the provider says.
            where = back
    # Not a redirect: our Content-Security-Policy lets no form lead to another site.
    response = JSONResponse({"continue_at": where})
    drop_session_cookie(response)
    return response
