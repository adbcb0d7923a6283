"""Behind proxies that end TLS: from where a request comes by their word, and who it was that said so."""

from ipaddress import ip_address, ip_network
from typing import Any, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_FROM_PROXY = "thuiswacht.from_proxy"


class BehindProxies:
    """Believes trusted proxies, as uvicorn does, and keeps in mind that one of them was the peer itself.

    uvicorn must not do the same before (`proxy_headers=False`): the peer would not be seen any more.
    """

    def __init__(self, app: ASGIApp, trusted: str | None) -> None:
        """`trusted`: addresses and networks, separated by commas; None: there are no proxies."""
        self._networks = [ip_network(one.strip()) for one in (trusted or "").split(",") if one.strip()]
        self._app: ASGIApp = app
        if self._networks:
            names = [str(network) for network in self._networks]
            # uvicorn writes the types of ASGI otherwise than starlette does; they are the same.
            self._app = cast("Any", ProxyHeadersMiddleware)(app, trusted_hosts=names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http":
            scope[_FROM_PROXY] = self._is_trusted(scope)
        await self._app(scope, receive, send)

    def _is_trusted(self, scope: Scope) -> bool:
        peer = scope.get("client")
        if not self._networks or not peer:
            return False
        try:
            address = ip_address(peer[0])
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def is_from_proxy(scope: Scope) -> bool:
    """Whether a trusted proxy handed this request to us."""
    found: bool = scope.get(_FROM_PROXY, False)
    return found
