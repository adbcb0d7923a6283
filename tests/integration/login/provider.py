"""A browser that logs in at a real OpenID provider, page by page."""

import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx
from pyotp.totp import TOTP

from simulators.identity import Member
from simulators.identity.keycloak import ADMIN
from tests.integration.login.conftest import Browser
from tests.integration.login.realm import ADMIN_PASSWORD

_FORM = re.compile(r'<form[^>]*action="([^"]+)"')
_TAG = re.compile(r"<script.*?</script>|<[^>]*>|\s{2,}", re.DOTALL)
_SECURE = re.compile(rb";\s*Secure(?=;|$)", re.IGNORECASE)


class LikeBrowsers(httpx.AsyncHTTPTransport):
    """Lets cookies for TLS alone go back to this machine without it, as browsers do."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        response.headers = httpx.Headers(
            [(name, _SECURE.sub(b"", value)) for name, value in response.headers.raw]
        )
        return response


@dataclass
class AtProvider:
    """The browser's other tab: the cookies of the provider are the provider's."""

    ours: Browser
    http: httpx.AsyncClient

    async def authorize(self, without: str = "", **changed: str) -> str:
        """Begins at our page; where the provider is to be asked. Parameters may be changed on the way."""
        started = await self.ours.http.get("/login/start")
        assert started.status_code == 303, started.text
        parts = urlsplit(started.headers["location"])
        query = dict(parse_qsl(parts.query)) | changed
        query.pop(without, None)
        return urlunsplit(parts._replace(query=urlencode(query)))

    async def back(self, address: str, member: Member, now_s: int) -> str:
        """Fills in the provider's forms; the address at which it sends the browser back to us."""
        answer = await self.http.get(address)
        for fields in (
            {"username": member.name, "password": member.password},
            {"otp": TOTP(member.totp_base32).at(now_s)},
        ):
            if answer.status_code != 200:
                break
            found = _FORM.search(answer.text)
            assert found, answer.text
            answer = await self.http.post(unescape(found[1]), data=fields)
        location: str = answer.headers.get("location", "")
        assert location.startswith(self.ours.url), (answer.status_code, location, _TAG.sub("", answer.text))
        return location

    async def log_in(self, member: Member, now_s: int, **changed: str) -> httpx.Response:
        """The whole way, as it should be."""
        address = await self.authorize(**changed)
        return await self.ours.http.get(await self.back(address, member, now_s))


async def as_administrator(keycloak: str, http: httpx.AsyncClient) -> str:
    """Logs in at the provider as its administrator; the address of its own API for our realm."""
    server, _, realm = keycloak.partition("/realms/")
    form = {"grant_type": "password", "client_id": "admin-cli", "username": ADMIN, "password": ADMIN_PASSWORD}
    answer = await http.post(f"{server}/realms/master/protocol/openid-connect/token", data=form)
    http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return f"{server}/admin/realms/{realm}"
