"""The process between a program and its servers: starts them, obeys, and ends them when the program is gone.

Run as `python -m simulators.stack.supervisor PLAN`. It reads one request a line (`{"do": "restart", "server":
"postgres"}`) and answers each with one line; the end of its input, the end of its parent, SIGTERM, and a
server that dies all mean: stop everything. Its servers die with it even when it is killed (`children.spawn`).
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Literal, Self

from models.errors import RefuseToStart
from simulators.stack.cache import hold
from simulators.stack.children import Server, ServerFailed, account_for_postgres
from simulators.stack.jars import KAFKA_VERSION
from simulators.stack.kafka import KafkaServer, TansuServer
from simulators.stack.postgres import PostgresServer

REAL_KAFKA = f"apache-kafka {KAFKA_VERSION}"
IN_MEMORY = "tansu (in memory)"
EXTERNAL = "external"
ServerName = Literal["postgres", "kafka"]
Deed = Literal["start", "stop", "kill", "restart"]
_START_WITHIN_S = 90.0
_LOOK_EVERY_S = 0.02
_WATCH_EVERY_S = 0.5
_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True)
class Plan:
    """What to run; None for a server that somebody else runs. No secrets: process lists show it."""

    folder: str
    """Empty: there is nothing to start."""
    remove_folder: bool
    postgres_port: int | None
    kafka_port: int | None
    fsync: bool
    java: str
    jars: tuple[str, ...]
    """Empty: the broker in memory."""
    parent: int | None
    """The process without which the servers have no use; None to stay until told to stop."""
    register: str | None = None
    """The file that tells others about the servers while they run, for a stack that stays."""

    def to_json(self) -> str:
        """For the command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """As `to_json` wrote it."""
        fields: dict[str, Any] = json.loads(text)
        fields["jars"] = tuple(fields["jars"])
        return cls(**fields)

    @property
    def kafka_kind(self) -> str:
        """What the broker is, for reports."""
        if self.kafka_port is None:
            return EXTERNAL
        return REAL_KAFKA if self.jars else IN_MEMORY

    def servers(self) -> list[Server]:
        """The servers to run, not yet started."""
        folder = Path(self.folder)
        servers: list[Server] = []
        if self.postgres_port is not None:
            account = account_for_postgres()
            servers.append(PostgresServer(folder / "postgres", self.postgres_port, account, fsync=self.fsync))
        if self.kafka_port is not None:
            jars = [Path(jar) for jar in self.jars]
            place = folder / "kafka"
            real = KafkaServer(place, self.kafka_port, Path(self.java), jars) if jars else None
            servers.append(real or TansuServer(place, self.kafka_port))
        return servers


class Stopped(Exception):
    """We are to end; the message says why."""


def start(servers: Sequence[Server]) -> None:
    """Start servers, all at the same time, and return when each can be used.

    **Raises**: ServerFailed when one ends or takes too long.
    """
    _prepare(servers)
    for server in servers:
        server.launch()
    deadline = time.monotonic() + _START_WITHIN_S
    while not all(server.is_ready() for server in servers):
        if time.monotonic() > deadline:
            words = " ".join(server.last_words() for server in servers)
            raise ServerFailed(f"Not ready within {_START_WITHIN_S:.0f} s. {words}")
        # Neither server tells its parent when it is ready.
        time.sleep(_LOOK_EVERY_S)


def _prepare(servers: Sequence[Server]) -> None:
    preparing = [(server, server.prepare()) for server in servers]
    try:
        for server, process in preparing:
            if process is not None and process.wait(_START_WITHIN_S) != 0:
                raise ServerFailed(f"{server.name} could not be set up. {server.last_words()}")
    finally:
        for _, process in preparing:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()


def supervise(plan: Plan) -> None:
    """Run the plan until told to stop."""
    servers = plan.servers()
    try:
        start(servers)
        addresses = {server.name: server.address for server in servers}
        with _registered(plan, addresses):
            answer({"ready": addresses})
            _obey(plan, servers)
    finally:
        # A second signal must not interrupt the stopping.
        for number in _STOPPING:
            signal.signal(number, signal.SIG_IGN)
        for server in reversed(servers):
            server.stop()
        if plan.remove_folder:
            shutil.rmtree(plan.folder, ignore_errors=True)


@contextmanager
def _registered(plan: Plan, addresses: Mapping[str, str]) -> Generator[None]:
    if plan.register is None:
        yield
        return
    entry = {**addresses, "kafka_kind": plan.kafka_kind, "folder": plan.folder, "pid": os.getpid()}
    register = Path(plan.register)
    new = register.with_suffix(".new")
    # It holds the password: nobody else may read it, not for a moment.
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(json.dumps(entry), encoding="utf-8")
    new.replace(register)
    try:
        yield
    finally:
        register.unlink(missing_ok=True)


def _obey(plan: Plan, servers: Sequence[Server]) -> None:
    named = {server.name: server for server in servers}
    inbox = b""
    wanted = set(named)
    source = [] if plan.parent is None else [sys.stdin.fileno()]
    while True:
        readable, _, _ = select.select(source, [], [], _WATCH_EVERY_S)
        if plan.parent is not None and os.getppid() != plan.parent:
            raise Stopped("the program that started the servers is gone")
        for name in wanted:
            if not named[name].is_alive():
                raise ServerFailed(f"{name} has ended by itself. {named[name].last_words()}")
        if not readable:
            continue
        received = os.read(sys.stdin.fileno(), 65536)
        if not received:
            raise Stopped("the program that started the servers is gone")
        *lines, inbox = (inbox + received).split(b"\n")
        for line in lines:
            request = json.loads(line)
            wanted = _carry_out(request["do"], named[request["server"]], wanted)
            answer({"done": request["do"]})


def _carry_out(deed: Deed, server: Server, wanted: set[str]) -> set[str]:
    """Do it, and return the names of the servers that should now be running."""
    match deed:
        case "stop":
            server.stop()
        case "kill":
            server.kill()
        case "start" | "restart":
            server.stop()
            start([server])
            return wanted | {server.name}
    return wanted - {server.name}


def answer(message: dict[str, object]) -> None:
    """One line to whoever started us; nobody may be left to read it."""
    with suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), json.dumps(message).encode() + b"\n")


def _stop_on_signal(number: int, _frame: FrameType | None) -> None:
    raise Stopped(signal.Signals(number).name)


def lock_of(register: Path) -> Path:
    """The file that is locked as long as the servers in the register run."""
    return register.with_suffix(".lock")


def main() -> int:
    """Run until told to stop; 1 when a server failed."""
    plan = Plan.from_json(sys.argv[1])
    for number in _STOPPING:
        signal.signal(number, _stop_on_signal)
    try:
        with ExitStack() as locks:
            folder = Path(plan.folder)
            locks.enter_context(hold(folder / "in-use.lock", f"Another stack uses {folder}."))
            if plan.register is not None:
                lock = lock_of(Path(plan.register))
                locks.enter_context(hold(lock, "A stack is running already; end it with `stack down`."))
            supervise(plan)
    except Stopped:
        return 0
    except (ServerFailed, RefuseToStart, OSError, subprocess.TimeoutExpired) as error:
        answer({"failed": str(error)})
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
