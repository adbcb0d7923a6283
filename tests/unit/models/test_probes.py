import json
import threading
import urllib.request
from typing import Any
from urllib.error import HTTPError

import pytest

from models.probes import Health, ProbeServer, serving


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def health(seconds: Seconds) -> Health:
    return Health(("assignment", "database"), stall_after_s=10.0, monotonic=seconds)


def ask(server: ProbeServer, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def test_alive_as_long_as_the_loop_comes_round(health: Health, seconds: Seconds) -> None:
    seconds.now += 10.0
    assert health.is_alive()
    seconds.now += 0.1
    assert not health.is_alive()
    health.progress()
    assert health.is_alive()


def test_ready_when_everything_is_there(health: Health) -> None:
    assert not health.is_ready()
    health.set("assignment", True)
    assert not health.is_ready()
    health.set("database", True)
    assert health.is_ready()
    health.set("database", False, "refuses connections")
    assert not health.is_ready()
    assert health.described()["database"] == "refuses connections"


def test_the_answers(health: Health, seconds: Seconds) -> None:
    with ProbeServer(health, "127.0.0.1", 0) as server:
        assert ask(server, "/healthz")[0] == 200
        status, body = ask(server, "/readyz")
        described: dict[str, Any] = json.loads(body)
        assert (status, described["ok"], described["database"]) == (503, False, "not reached yet")
        health.set("assignment", True)
        health.set("database", True)
        assert ask(server, "/readyz")[0] == 200
        seconds.now += 11
        assert ask(server, "/healthz")[0] == 503
        status, metrics = ask(server, "/metrics")
        assert status == 200
        assert "thuiswacht_log_lag_records" in metrics
        assert ask(server, "/")[0] == 404


def test_nothing_is_left_running(health: Health) -> None:
    before = threading.active_count()
    with ProbeServer(health, "127.0.0.1", 0):
        pass
    with serving(health, "127.0.0.1", 0):
        pass
    assert threading.active_count() == before
