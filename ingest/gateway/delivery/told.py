"""The time of receipt in trials where days pass in seconds: who simulates tells it with each request.

Lateness and the future are judged by when something was received, so that a simulation of last spring needs
spring's time. A live database never has it so: there our own clock counts, whatever a request says.
"""

from contextvars import ContextVar

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from models.clock import wall_now_us
from models.db.installation import Purpose
from models.errors import RefuseToStart
from models.settings import Settings

HEADER = "thuiswacht-simulated-time"
_LATEST_US = 4_102_444_800_000_000
_told_us: ContextVar[int | None] = ContextVar("told_us", default=None)


class ToldTime:
    """Around the application: what a request tells is its time of receipt; without, the wall's time."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, in a context of its own."""
        if scope["type"] == "http":
            told = Headers(scope=scope).get(HEADER, "")
            is_time = told.isascii() and told.isdecimal() and len(told) <= 16 and int(told) <= _LATEST_US
            _told_us.set(int(told) if is_time else None)
        await self._app(scope, receive, send)


def told_now_us() -> int:
    """The time of receipt of the request at hand. **Units**: microseconds since 1970 UTC."""
    told_us = _told_us.get()
    return wall_now_us() if told_us is None else told_us


def require_gateway_time(settings: Settings, purpose: Purpose) -> None:
    """Lets told times through in trial databases only. **Raises**: RefuseToStart."""
    if settings.gateway_time == "told" and purpose == "live":
        raise RefuseToStart(
            "THUISWACHT_GATEWAY_TIME=told is for trial databases: in a live one it is our clock that says "
            "when something was received. Leave it out."
        )
