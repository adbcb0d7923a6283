"""Keycloak on 127.0.0.1: fetched once, its realm made once, started from a copy of that each time."""

import hashlib
import json
import os
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from models.errors import RefuseToStart
from simulators.identity.realm import Realm
from simulators.stack.cache import exclusively
from simulators.stack.children import Server, ServerFailed
from simulators.stack.jars import ensure_jars, read_lock
from simulators.stack.java import find_java
from simulators.stack.ports import accepts_connections

LOCK_FILE = Path(__file__).with_name("keycloak.lock")
ADMIN = "trial-admin"
_MAKING_S = 600
START_WITHIN_S = 240
_FORMAT = "1"
"""To be raised when realms are made in another way, so that those in caches are made anew."""

_QUARKUS = "io.quarkus.bootstrap"
_JVM = (
    "-Xms64m",
    "-Xmx512m",
    "-XX:MaxMetaspaceSize=256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Dfile.encoding=UTF-8",
    f"-Djava.util.concurrent.ForkJoinPool.common.threadFactory={_QUARKUS}.forkjoin.QuarkusForkJoinWorkerThreadFactory",
    "--add-opens=java.base/java.util=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--add-opens=java.base/java.security=ALL-UNNAMED",
)


def prepare_keycloak(cache: Path, realm: Realm, admin_password: str, say: Callable[[str], None]) -> Path:
    """The folder of a Keycloak that has this realm; a minute or two for the first time, then at once.

    **Raises**: JarsOutOfReach, RefuseToStart.
    """
    (distribution,) = read_lock(LOCK_FILE.read_text(encoding="utf-8"))
    name = f"keycloak-{distribution.version}"
    (archive,) = ensure_jars(
        cache, say, [distribution], of=f"Keycloak {distribution.version}", folder_name=name
    )
    described = json.dumps(realm.described(), sort_keys=True)
    content = f"{_FORMAT}\n{described}\n{admin_password}\n{distribution.sha256}"
    folder = cache / name / f"realm-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    with exclusively(cache / "keycloak.lock"):
        if not (folder / "made").exists():
            say("Making a realm in Keycloak, once: a minute or two …")
            shutil.rmtree(folder, ignore_errors=True)
            _make(archive, folder, described, admin_password)
            (folder / "made").touch()
    return folder


def _make(archive: Path, folder: Path, described: str, admin_password: str) -> None:
    folder.mkdir(parents=True)
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(folder)
    (home,) = (path for path in folder.iterdir() if path.is_dir())
    home.rename(folder / "home")
    (folder / "realm.json").write_text(described, encoding="utf-8")
    _run(folder, "build", "--db=dev-file", "--health-enabled=false")
    admin = {"KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN, "KC_BOOTSTRAP_ADMIN_PASSWORD": admin_password}
    _run(folder, "import", "--optimized", f"--file={folder / 'realm.json'}", more=admin)


def _run(folder: Path, *arguments: str, more: dict[str, str] | None = None) -> None:
    environment = _environment() | (more or {})
    with (folder / "made.log").open("ab") as log:
        ended = subprocess.run(
            [*_java(folder), *arguments],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=folder,
            timeout=_MAKING_S, check=False,
        )  # fmt: skip
    if ended.returncode != 0:
        last = (folder / "made.log").read_text(errors="replace").splitlines()[-12:]
        raise RefuseToStart(f"Keycloak could not {arguments[0]}:\n" + "\n".join(last))


def _java(folder: Path) -> list[str | Path]:
    home = folder / "home"
    own = ["-Dkc.home.dir=" + str(home), "-Djboss.server.config.dir=" + str(home / "conf")]
    entry = f"{_QUARKUS}.runner.QuarkusEntryPoint"
    return [find_java(), *_JVM, *own, "-cp", home / "lib" / "quarkus-run.jar", entry]


def _environment() -> dict[str, str]:
    """Ours, without what would silently change its settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("KC_", "JAVA_"))}


class Keycloak(Server):
    """A Keycloak with its data in `folder`: a copy of what was prepared, gone with it."""

    name = "keycloak"

    def __init__(self, prepared: Path, folder: Path, port: int) -> None:
        super().__init__(folder)
        self._prepared = prepared
        self._port = port

    @property
    def address(self) -> str:
        """Its address; its realms are below it."""
        return f"http://127.0.0.1:{self._port}"

    def prepare(self) -> subprocess.Popen[bytes] | None:
        """Copy the data, which other runs use too."""
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(self._prepared / "home" / "data" / "h2", self.folder / "h2")
        return None

    def argv(self) -> Sequence[str | Path]:
        """The command that runs it."""
        data = self.folder / "h2" / "keycloakdb"
        return [
            *_java(self._prepared),
            "start",
            "--optimized",
            "--cache=local",
            "--http-enabled=true",
            "--http-host=127.0.0.1",
            f"--http-port={self._port}",
            f"--hostname={self.address}",
            f"--db-url=jdbc:h2:file:{data};NON_KEYWORDS=VALUE",
        ]

    def __enter__(self) -> Self:
        """Starts it, and waits until it answers. **Raises**: ServerFailed."""
        self.prepare()
        self.launch()
        try:
            self._wait()
        except BaseException:
            self.kill()
            raise
        return self

    def _wait(self) -> None:
        give_up_s = time.monotonic() + START_WITHIN_S
        # A process of its own: there is nothing to await but its answer.
        while not self.is_ready():
            if time.monotonic() > give_up_s:
                raise ServerFailed(f"{self.name} does not answer. {self.last_words()}")
            time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        """Ends it."""
        self.kill()

    def answers(self) -> bool:
        """Whether it takes connections, which it does when all else is done."""
        return accepts_connections(self._port)
