"""Jars of Apache Kafka, or of others: which ones, fetched once from Maven Central, checked every time."""

import hashlib
import os
import shutil
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from models.errors import RefuseToStart, TryAgain
from simulators.stack.cache import exclusively

LOCK_FILE = Path(__file__).with_name("kafka.lock")
KAFKA_VERSION = "4.3.0"
_DOWNLOADS_AT_ONCE = 8
_ATTEMPTS = 2


@dataclass(frozen=True)
class Jar:
    """One pinned artifact."""

    group: str
    artifact: str
    version: str
    sha256: str
    packaging: str = "jar"

    @property
    def file_name(self) -> str:
        """Its name in the cache, as in Maven's own layout."""
        return f"{self.artifact}-{self.version}.{self.packaging}"


class JarsOutOfReach(TryAgain):
    """Maven Central cannot be reached and the cache does not hold everything."""


def read_lock(text: str) -> tuple[Jar, ...]:
    r"""The pinned jars of a lock file: one `group:artifact:version sha256` a line, # starts a comment.

    What is no jar says so, as Maven writes it: `group:artifact:zip:version`.

    >>> read_lock("# why\norg.x:y:1.0 " + "0" * 64)[0].file_name
    'y-1.0.jar'
    """
    jars: list[Jar] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        coordinate, _, sha256 = line.strip().partition(" ")
        parts = coordinate.split(":")
        if not (len(parts) == 3 or (len(parts) == 4 and parts[2] == "zip")) or len(sha256) != 64:
            raise RefuseToStart(
                f"Lock file, line {number}: expected group:artifact:version sha256, found {line}"
            )
        group, artifact, *packaging, version = parts
        jars.append(Jar(group, artifact, version, sha256, *packaging))
    return tuple(jars)


def pinned_jars() -> tuple[Jar, ...]:
    """The jars that this version of the stack runs with."""
    return read_lock(LOCK_FILE.read_text(encoding="utf-8"))


def ensure_jars(
    cache: Path,
    say: Callable[[str], None],
    jars: Iterable[Jar] | None = None,
    *,
    of: str = f"Apache Kafka {KAFKA_VERSION}",
    folder_name: str = f"kafka-{KAFKA_VERSION}",
) -> list[Path]:
    """The files of Java's class path, downloaded where missing or damaged, each with its checksum verified.

    **Raises**: JarsOutOfReach when Maven Central does not answer; RefuseToStart when it answers with
    something else than what is pinned.
    """
    wanted = tuple(pinned_jars() if jars is None else jars)
    folder = cache / folder_name
    # A wait here means that another process downloads the same files.
    with exclusively(cache / "kafka.lock"):
        missing = [jar for jar in wanted if not _is_intact(folder / jar.file_name, jar)]
        if missing:
            _download_all(missing, folder, say, of)
    return [folder / jar.file_name for jar in wanted]


def sha256_of(path: Path) -> str:
    """The checksum of a file, as in a lock file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _is_intact(path: Path, jar: Jar) -> bool:
    return path.is_file() and sha256_of(path) == jar.sha256


def _download_all(jars: list[Jar], folder: Path, say: Callable[[str], None], of: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    say(f"Fetching {of} from Maven Central, once: {len(jars)} files …")
    # Beside the cache, so that the last step is a rename within one file system.
    scratch_folder = tempfile.TemporaryDirectory(prefix=".download-", dir=folder.parent)
    with scratch_folder as scratch, _trusting_what_the_machine_trusts():
        pool = ThreadPoolExecutor(_DOWNLOADS_AT_ONCE)
        try:
            downloads = [pool.submit(_download, jar, folder, Path(scratch)) for jar in jars]
            for done, download in enumerate(as_completed(downloads), start=1):
                download.result()
                _show_progress(done, len(jars))
        finally:
            pool.shutdown(cancel_futures=True)
    size_mb = sum((folder / jar.file_name).stat().st_size for jar in jars) / 1e6
    took_s = time.monotonic() - started
    say(f"Fetched {len(jars)} files, {size_mb:.0f} MB, in {took_s:.1f} s; checksums are right.")


def _download(jar: Jar, folder: Path, scratch: Path) -> None:
    found = ""
    for attempt in range(_ATTEMPTS):
        own = scratch / f"{jar.artifact}-{attempt}"
        try:
            arrived = fetch_from_maven_central(jar.group, jar.artifact, jar.version, own, jar.packaging)
        except OSError as error:
            if attempt + 1 == _ATTEMPTS:
                raise JarsOutOfReach(f"Maven Central cannot be reached ({type(error).__name__})") from error
            continue
        found = sha256_of(arrived)
        if found == jar.sha256:
            arrived.replace(folder / jar.file_name)
            return
        shutil.rmtree(own)
    raise RefuseToStart(
        f"{jar.file_name} from Maven Central is not what is pinned: sha256 {jar.sha256}, found {found}. "
        "Nothing was started; check what stands between this machine and Maven Central."
    )


def fetch_from_maven_central(
    group: str, artifact: str, version: str, folder: Path, packaging: str = "jar"
) -> Path:
    """Download one jar through jgo, which knows the address, into `folder`, unchecked."""
    # Only who downloads needs jgo.
    from jgo.maven import MavenContext  # noqa: PLC0415

    context = MavenContext(repo_cache=folder)
    try:
        return context.project(group, artifact).at_version(version).artifact(packaging=packaging).resolve()
    except RuntimeError as error:
        raise RefuseToStart(f"Maven Central does not have {group}:{artifact}:{version}.") from error


@contextmanager
def _trusting_what_the_machine_trusts() -> Generator[None]:
    """Use the machine's list of authorities where it has one: its network may have its own authority."""
    machine = ssl.get_default_verify_paths().cafile
    if not machine or os.environ.keys() & {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}:
        yield
        return
    # The one way to tell requests, through jgo.
    os.environ["REQUESTS_CA_BUNDLE"] = machine
    try:
        yield
    finally:
        del os.environ["REQUESTS_CA_BUNDLE"]


def _show_progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r  {done} of {total} files" + ("\r\033[K" if done == total else ""))
        sys.stderr.flush()
