"""A gate as a deployment runs it, for tests that knock at it: real broker and Postgres, ingest behind it."""

import asyncio
import json
import socket
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.gateway.ground import Ground, opened
from benchmarks.gateway.requests import Home
from simulators.stack import Stack

WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """What it says."""
        return json.loads(self.body)


@dataclass(slots=True)
class Gate:
    """A gate that runs, and who may deliver at it."""

    ground: Ground
    runner: asyncio.Runner
    homes: Sequence[Home]
    token: str

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.ground.ports[0]

    @property
    def pid(self) -> int:
        """Its process."""
        (pid,) = [pid for name, pid in self.ground.workers().items() if name.startswith("gateway")]
        return pid

    def request(
        self,
        path: str,
        body: bytes = b"",
        media_type: str = "application/json",
        token: str | None = None,
        **headers: str,
    ) -> bytes:
        """The bytes of a POST; a header that is empty is left out."""
        said = {
            "Host": f"127.0.0.1:{self.port}",
            "Authorization": f"Bearer {self.token if token is None else token}",
            "Content-Type": media_type,
            "Content-Length": str(len(body)),
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in said.items() if value)
        return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body

    def post(
        self,
        path: str,
        body: bytes,
        media_type: str = "application/json",
        token: str | None = None,
        **headers: str,
    ) -> Answer:
        """One request on a connection of its own."""
        headers |= {"Connection": "close"}
        (answer,) = self.exchange(self.request(path, body, media_type, token, **headers))
        return answer

    def deliver(self, path: str, body: bytes, media_type: str = "application/json") -> Answer:
        """As a client delivers: what is answered with 503 is sent again when the answer says so."""
        for _ in range(10):
            answer = self.post(path, body, media_type)
            if answer.status != 503:
                return answer
            # Who asks again at once, as this did, asks five times within the same pause of the broker.
            time.sleep(float(answer.headers["retry-after"]))
        raise AssertionError("the gate takes nothing in")

    def exchange(self, *parts: bytes, apart_s: float = 0.0, within_s: float = WITHIN_S) -> list[Answer]:
        """Sends bytes as they are, and reads answers until the other side closes or says nothing more."""
        with socket.create_connection(("127.0.0.1", self.port), within_s) as line:
            received = b""
            try:
                for part in parts:
                    line.sendall(part)
                    if apart_s:
                        # What is slow is what this is about; an early answer is read below all the same.
                        time.sleep(apart_s)
            except (BrokenPipeError, ConnectionResetError):
                pass
            try:
                while not _is_whole(received):
                    more = line.recv(1 << 16)
                    if not more:
                        break
                    received += more
            except ConnectionResetError:
                pass
        return list(_answers(received))

    def stored(self, query: str, *arguments: object) -> list[Any]:
        """What stands in the database, after ingest has come to the end of the log."""
        self.runner.run(self.ground.until_followed())
        return list(self.runner.run(self.ground.admin.fetch(query, *arguments)))


@contextmanager
def at_work(stack: Stack, folder: Path, homes: int = 20, gates: int = 1) -> Generator[Gate]:
    """A gate and what is behind it, until the end of the block."""
    with asyncio.Runner() as runner:
        opening = opened(stack, folder, gates, homes)
        ground = runner.run(opening.__aenter__())
        try:
            yield Gate(ground, runner, ground.requests.homes, ground.requests.token)
        finally:
            runner.run(opening.__aexit__(None, None, None))


def _is_whole(received: bytes) -> bool:
    """Whether the last answer said that it is the last one, and is whole."""
    answers = list(_answers(received))
    return bool(answers) and answers[-1].headers.get("connection", "").lower() == "close"


def _answers(received: bytes) -> Iterator[Answer]:
    while received:
        head, found, rest = received.partition(b"\r\n\r\n")
        if not found:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        yield Answer(int(first.split(" ")[1]), headers, rest[:length])
        received = rest[length:]
