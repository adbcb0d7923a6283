"""The servers that Thuiswacht needs, as one object: started when entered, gone when left."""

import json
import os
import secrets
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from models.endpoints import require_safe_kafka, require_safe_postgres
from models.errors import Broken, RefuseToStart
from simulators.stack.cache import cache_folder
from simulators.stack.jars import JarsOutOfReach, ensure_jars
from simulators.stack.java import find_java
from simulators.stack.ports import accepts_connections, free_port
from simulators.stack.postgres import others_can_reach
from simulators.stack.supervisor import IN_MEMORY, Deed, Plan, ServerName

_ANSWER_WITHIN_S = 120.0
_PROJECT = Path(__file__).parents[2]
MEMORY = Path("/dev/shm")  # noqa: S108  (a random name follows)
ROOM_BYTES = 4 << 30
"""That much must be free in memory before several stacks may keep there all that they write."""


@dataclass(frozen=True)
class Wishes:
    """How a stack should be; the defaults suit a demo.

    `kafka` and `postgres` name servers that already run. `fsync` may be off only where losing everything in
    a power cut does not matter: a temporary folder is then in memory, where there is room. `allow_in_memory`
    lets a broker in memory stand in where Apache Kafka cannot be fetched; never in CI.
    """

    folder: Path | None = None
    kafka: str | None = None
    postgres: str | None = None
    kafka_port: int | None = None
    postgres_port: int | None = None
    kafka_security_protocol: str = "PLAINTEXT"
    fsync: bool = True
    allow_in_memory: bool = True


def say_to_stderr(line: str) -> None:
    """Where progress goes: not into the output, which a script may read."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def in_ci() -> bool:
    """Whether this run must not make do with less than the real thing."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false", "no"}


def make_plan(
    wishes: Wishes, say: Callable[[str], None], *, parent: int | None, register: Path | None
) -> Plan:
    """Everything that can fail before a server is started: addresses, jars, Java, the folder.

    **Raises**: RefuseToStart, with what is missing.
    """
    if wishes.kafka is not None:
        require_safe_kafka(wishes.kafka, wishes.kafka_security_protocol)
    if wishes.postgres is not None:
        require_safe_postgres(wishes.postgres)
    jars = [] if wishes.kafka is not None else _jars_or_none(wishes, say)
    java = find_java() if jars else ""
    for port in (wishes.kafka_port, wishes.postgres_port):
        if port is not None and accepts_connections(port):
            raise RefuseToStart(f"Port {port} is in use; choose another, or leave it to us.")
    starts_any = wishes.kafka is None or wishes.postgres is None
    return Plan(
        folder=str(_folder_for_servers(wishes)) if starts_any else "",
        remove_folder=wishes.folder is None,
        postgres_port=None if wishes.postgres is not None else wishes.postgres_port or free_port(),
        kafka_port=None if wishes.kafka is not None else wishes.kafka_port or free_port(),
        fsync=wishes.fsync,
        java=str(java),
        jars=tuple(map(str, jars)),
        parent=parent,
        register=None if register is None else str(register),
    )


def launch(plan: Plan) -> tuple[subprocess.Popen[bytes], dict[str, str]]:
    """Start the supervisor and wait until its servers are ready; their addresses by name.

    **Raises**: RefuseToStart when a server could not be started, with the end of its log.
    """
    stays = plan.parent is None
    path = os.pathsep.join(filter(None, [str(_PROJECT), os.environ.get("PYTHONPATH")]))
    with (Path(plan.folder) / "supervisor.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "simulators.stack.supervisor", plan.to_json()],
            stdin=subprocess.DEVNULL if stays else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=os.environ | {"PYTHONPATH": path},
            # Ctrl-C in a terminal is for us; the servers end after us, in order.
            start_new_session=True,
        )
    try:
        message = read_answer(process, _ANSWER_WITHIN_S)
    except BaseException:
        process.terminate()
        _see_off(process)
        raise
    if "ready" not in message:
        _see_off(process)
        if plan.remove_folder:
            shutil.rmtree(plan.folder, ignore_errors=True)
        raise RefuseToStart(f"The embedded servers did not start. {message.get('failed', '')}")
    return process, message["ready"]


def _see_off(process: subprocess.Popen[bytes]) -> None:
    """Tells the supervisor to end by closing its input, waits for it, and closes what it spoke through."""
    if process.stdin is not None:
        with suppress(BrokenPipeError):
            process.stdin.close()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def read_answer(process: subprocess.Popen[bytes], within_s: float) -> dict[str, dict[str, str]]:
    """The supervisor's next line; empty when it has ended without one."""
    assert process.stdout is not None  # noqa: S101  (we made the pipe)
    descriptor = process.stdout.fileno()
    deadline = time.monotonic() + within_s
    line = b""
    while not line.endswith(b"\n"):
        readable, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        if not readable:
            raise Broken(f"The supervisor of the embedded servers did not answer within {within_s:.0f} s.")
        received = os.read(descriptor, 65536)
        if not received:
            return {}
        line += received
    return json.loads(line)


class Stack:
    """Postgres and Kafka for one program: `with Stack() as stack: …`.

    They end with the block, and also when the program is killed. Data is in `folder`, which stays, or in a
    temporary one, which does not. Calls block: in a coroutine, use `asyncio.to_thread`.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        kafka: str | None = None,
        postgres: str | None = None,
        kafka_security_protocol: str = "PLAINTEXT",
        fsync: bool = True,
        allow_in_memory: bool = True,
        say: Callable[[str], None] = say_to_stderr,
    ) -> None:
        self._wishes = Wishes(
            folder,
            kafka,
            postgres,
            kafka_security_protocol=kafka_security_protocol,
            fsync=fsync,
            allow_in_memory=allow_in_memory,
        )
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._addresses: dict[str, str] = {}
        self._plan: Plan | None = None

    def start(self) -> Self:
        """Start what is not running elsewhere, and return when it can be used.

        **Raises**: RefuseToStart when that is impossible, with what is missing.
        """
        plan = make_plan(self._wishes, self._say, parent=os.getpid(), register=None)
        self._plan = plan
        if plan.folder:
            self._process, self._addresses = launch(plan)
        return self

    def stop(self) -> None:
        """End the servers in order, and remove the temporary folder."""
        process, self._process = self._process, None
        if process is None:
            return
        _see_off(process)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def kafka(self) -> str:
        """HOST:PORT of the broker."""
        return self._wishes.kafka or self._addresses["kafka"]

    @property
    def postgres_dsn(self) -> str:
        """The address of Postgres, as its superuser when the server is ours."""
        return self._wishes.postgres or self._addresses["postgres"]

    @property
    def kafka_kind(self) -> str:
        """What the broker is, for reports."""
        return self._started().kafka_kind

    @property
    def is_real_kafka(self) -> bool:
        """Whether figures may be measured with it, and producers may be idempotent."""
        return self.kafka_kind != IN_MEMORY

    @property
    def folder(self) -> Path:
        """Where the servers keep data and logs (`postgres/postgres.log`, `kafka/kafka.log`)."""
        return Path(self._started().folder)

    def start_server(self, name: ServerName) -> None:
        """Start a server that was stopped or killed, on its old port, with its data."""
        self._request("start", name)

    def stop_server(self, name: ServerName) -> None:
        """End one server in order."""
        self._request("stop", name)

    def kill_server(self, name: ServerName) -> None:
        """End one server as a crash would."""
        self._request("kill", name)

    def restart_server(self, name: ServerName) -> None:
        """End one server in order and start it again."""
        self._request("restart", name)

    def _started(self) -> Plan:
        if self._plan is None:
            raise Broken("The stack has not been started.")
        return self._plan

    def _request(self, deed: Deed, name: ServerName) -> None:
        if self._process is None or self._process.stdin is None or name not in self._addresses:
            raise Broken(f"{name} is not ours to {deed}.")
        self._process.stdin.write(json.dumps({"do": deed, "server": name}).encode() + b"\n")
        self._process.stdin.flush()
        message = read_answer(self._process, _ANSWER_WITHIN_S)
        if "done" not in message:
            raise Broken(f"Could not {deed} {name}: {message.get('failed', 'the supervisor has ended')}")


def _jars_or_none(wishes: Wishes, say: Callable[[str], None]) -> list[Path]:
    try:
        return ensure_jars(cache_folder(), say)
    except JarsOutOfReach as error:
        if in_ci():
            raise RefuseToStart(f"{error}, and in CI nothing else will do.") from error
        if not wishes.allow_in_memory:
            raise RefuseToStart(f"{error}, and only Apache Kafka itself will do here.") from error
        say(f"{error}: a broker in memory stands in, for looking around only; measure nothing with it.")
        return []


def _folder_for_servers(wishes: Wishes) -> Path:
    as_root = os.geteuid() == 0
    if wishes.folder is not None:
        folder = wishes.folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        if as_root and not others_can_reach(folder.parent):
            raise RefuseToStart(
                f"As root, Postgres runs as the user nobody, who cannot reach {folder}: "
                "choose a folder outside root's home, or run as another user."
            )
    else:
        place = roomy_place(as_root=as_root, survives_power_cuts=wishes.fsync)
        folder = place / f"thuiswacht-{secrets.token_hex(6)}"
        folder.mkdir(mode=0o700)
    if as_root:
        # Nobody walks through it to Postgres's own folder, but does not see what else is there.
        folder.chmod(0o711)
    return folder


def roomy_place(*, as_root: bool, survives_power_cuts: bool) -> Path:
    """Where temporary folders are made."""
    places = [Path(tempfile.gettempdir()), Path("/var/tmp"), Path("/tmp")]  # noqa: S108  (a random name follows)
    if not survives_power_cuts and _has_room(MEMORY):
        # A new database is a thousand files: on disk they take ten times the processor time.
        places.insert(0, MEMORY)
    return next((place for place in places if not as_root or others_can_reach(place)), places[0])


def _has_room(place: Path) -> bool:
    return os.access(place, os.W_OK | os.X_OK) and shutil.disk_usage(place).free >= ROOM_BYTES
