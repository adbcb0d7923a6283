"""Starting servers so that they cannot outlive the process that started them."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

_PR_SET_PDEATHSIG = 1
_PATIENCE_S = 20.0


class ServerFailed(Exception):
    """A server did not start, or ended by itself; the message shows the end of its log."""


@dataclass(frozen=True)
class Account:
    """Whose rights a server gets, when it may not have ours."""

    name: str
    uid: int
    gid: int


def account_for_postgres() -> Account | None:
    """None for ourselves; as root, who may not run Postgres, the powerless user nobody."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def spawn(
    argv: Sequence[str | Path],
    *,
    log: Path,
    end_with: signal.Signals,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server that gets the signal `end_with` when we die, however we die.

    To be called in the main thread: Linux sends the signal when the *thread* that started the child ends.
    """
    # In its own session, so that Ctrl-C in a terminal reaches us alone, and we end it in order.
    with log.open("ab") as output:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment() if environment is None else environment,
            cwd=log.parent,
            start_new_session=True,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            preexec_fn=_signal_when_we_die(end_with),  # noqa: PLW1509 (we have one thread)
        )


class Server(ABC):
    """One server: how it is made ready, started, asked whether it answers, and ended."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    kill_signal: ClassVar[signal.Signals] = signal.SIGKILL
    account: Account | None = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / f"{self.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def address(self) -> str:
        """What a client connects to."""

    @abstractmethod
    def prepare(self) -> subprocess.Popen[bytes] | None:
        """Make what the server needs in its folder; the process returned does the slow part, if any."""

    @abstractmethod
    def argv(self) -> Sequence[str | Path]:
        """The command that runs it."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the process that was launched takes requests."""

    def launch(self) -> None:
        """Start it; `is_ready` says when it can be used."""
        self.process = spawn(self.argv(), log=self.log, end_with=self.stop_signal, account=self.account)

    def is_ready(self) -> bool:
        """Whether it can be used now.

        **Raises**: ServerFailed when it has ended.
        """
        if not self.is_alive():
            raise ServerFailed(f"{self.name} has ended by itself. {self.last_words()}")
        return self.answers()

    def last_words(self) -> str:
        """The end of its log, which may soon be removed with its folder."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return f"Its log, {self.log}, ends with:\n" + "\n".join(lines[-12:])

    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """End it in order, so that the next start needs no recovery."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(self.kill_signal)

    def _end(self, with_signal: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(with_signal)
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment() -> dict[str, str]:
    """Ours, without what would silently change the servers' settings."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return ours | {"LC_ALL": "C", "TZ": "UTC"}


def _signal_when_we_die(end_with: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    # Everything that could take a lock is done before the fork.
    prctl, parent = ctypes.CDLL(None, use_errno=True).prctl, os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(end_with))
        if os.getppid() != parent:
            os._exit(1)

    return ask
