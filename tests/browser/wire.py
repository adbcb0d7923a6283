"""A wire between a browser and the console that can be cut and mended."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from simulators.stack.ports import free_port


@dataclass
class Wire:
    """Listens at `url` and passes on to a server; what is on it ends when it is cut."""

    to_port: int
    port: int = field(default_factory=free_port)
    _server: asyncio.Server | None = None
    _ends: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://localhost:{self.port}"

    async def mend(self) -> None:
        """From now on it passes everything on."""
        self._server = await asyncio.start_server(self._pass_on, "localhost", self.port)

    async def cut(self) -> None:
        """Ends what is on it, and answers nobody any more."""
        if self._server is not None:
            self._server.close()
        for end in self._ends:
            end.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("localhost", self.to_port)
        self._ends |= {writer, far_writer}
        async with asyncio.TaskGroup() as both:
            both.create_task(_copy(reader, far_writer))
            both.create_task(_copy(far_reader, writer))
        self._ends -= {writer, far_writer}


@asynccontextmanager
async def wire_to(url: str) -> AsyncGenerator[Wire]:
    """A wire to a console, whole until somebody cuts it."""
    wire = Wire(urlsplit(url).port or 80)
    await wire.mend()
    try:
        yield wire
    finally:
        await wire.cut()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while said := await reader.read(65_536):
            writer.write(said)
            await writer.drain()
    writer.close()
