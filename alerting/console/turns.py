"""What pages ask by themselves takes turns: what people do never waits behind fifty lists that look again."""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.gateway.login.door import BY_ITSELF_HEADER

AT_ONCE = 3
"""So many at a time: enough to keep a processor busy, and connections to the database are left for others."""
_NAME = BY_ITSELF_HEADER.lower().encode()


class Turns:
    """Lets requests that pages send by themselves through a few at a time, all others at once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and any(name == _NAME for name, _ in scope["headers"]):
            async with self._turns:
                await self._app(scope, receive, send)
            return
        await self._app(scope, receive, send)
