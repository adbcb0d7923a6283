"""Pin Apache Kafka anew: `python -m simulators.stack.lock > simulators/stack/kafka.lock`.

Only for changing the version: walks the POMs, downloads every jar and prints coordinates with checksums.
Given coordinates of something else, as `group:artifact:version+…`, it pins that.
"""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import jgo

from simulators.stack.jars import KAFKA_VERSION, fetch_from_maven_central, sha256_of

# slf4j-simple: the POM brings no logging backend, and without one a broker that fails says nothing.
_ROOTS = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"


class Coordinate(NamedTuple):
    """What Maven calls a jar."""

    group: str
    artifact: str
    version: str


def lock_lines(roots: str) -> list[str]:
    """One `group:artifact:version sha256` for each jar that these need, themselves included, sorted."""
    found = {Coordinate(a.groupId, a.artifactId, a.version) for a in jgo.resolve(roots)}
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(8) as pool:
        pins = [pool.submit(_pin, coordinate, Path(scratch)) for coordinate in sorted(found)]
        return [pin.result() for pin in pins]


def _pin(coordinate: Coordinate, scratch: Path) -> str:
    group, artifact, version = coordinate
    jar = fetch_from_maven_central(group, artifact, version, scratch / group / artifact)
    return f"{group}:{artifact}:{version} {sha256_of(jar)}"


def main() -> None:
    """Print a new lock file."""
    of, roots = f"Apache Kafka {KAFKA_VERSION}", _ROOTS
    if others := sys.argv[1:]:
        of = roots = others[0]
    header = f"# {of} and all it needs; written by `python -m simulators.stack.lock`."
    sys.stdout.write("\n".join([header, *lock_lines(roots)]) + "\n")


if __name__ == "__main__":
    main()
