"""What all services that answer by HTTP run on."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, suppress

import uvicorn


class Server(uvicorn.Server):
    """Leaves signals to us, as in the other services."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Captures none."""
        yield


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Waits so long, or until `stop`."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
