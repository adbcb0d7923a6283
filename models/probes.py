"""/metrics, /healthz and /readyz of a service, in a thread of their own, so that they always answer."""

import json
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import REGISTRY, make_wsgi_app  # pyright: ignore[reportUnknownVariableType]  (its app has no types)

_JSON = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))


class Health:
    """What a service knows of itself: whether it makes progress, and whether what it needs is there.

    **Units**: `stall_after_s` in seconds; `monotonic` gives seconds that never run backwards.
    """

    def __init__(
        self,
        needs: Iterable[str] = ("assignment", "database", "broker"),
        *,
        stall_after_s: float = 60.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._stall_after_s = stall_after_s
        self._progress_at_s = monotonic()
        self._begun: dict[str, float] = {}
        self._states: dict[str, tuple[bool, str]] = dict.fromkeys(needs, (False, "not reached yet"))
        self._lock = threading.Lock()

    def progress(self) -> None:
        """The main loop came round; to be called at least every few seconds, also when waiting for others."""
        self._progress_at_s = self._monotonic()

    def begin(self, work: str) -> None:
        """There is work, from now on: it has to be finished, or to get on, before long."""
        with self._lock:
            self._begun.setdefault(work, self._monotonic())

    def finish(self, work: str) -> None:
        """It is done, or not ours any more."""
        with self._lock:
            self._begun.pop(work, None)

    def moved(self) -> None:
        """What is begun gets on; or it waits for a server that is away, which is said: that is no stall."""
        now_s = self._monotonic()
        self._progress_at_s = now_s
        with self._lock:
            self._begun = dict.fromkeys(self._begun, now_s)

    def stall(self) -> tuple[float, str]:
        """For how long nothing got on, in seconds, and what: the main loop, or what waits longest."""
        with self._lock:
            since_s = {"the main loop": self._progress_at_s} | self._begun
        what = min(since_s, key=since_s.__getitem__)
        return self._monotonic() - since_s[what], what

    def set(self, need: str, ok: bool, why: str = "") -> None:
        """What became of something that the service needs; `why` says what is wrong, without patient data."""
        with self._lock:
            self._states[need] = (ok, why)

    def is_alive(self) -> bool:
        """Whether the main loop came round recently."""
        return self._monotonic() - self._progress_at_s <= self._stall_after_s

    def is_ready(self) -> bool:
        """Whether everything that the service needs is there."""
        with self._lock:
            return all(ok for ok, _ in self._states.values())

    def described(self) -> dict[str, Any]:
        """All of it, for who asks."""
        with self._lock:
            states = {need: "ok" if ok else why or "away" for need, (ok, why) in self._states.items()}
        return {"since_progress_s": round(self._monotonic() - self._progress_at_s, 3), **states}


@contextmanager
def serving(health: Health, host: str, port: int) -> Generator[None]:
    """Answers on host and port until the end of the block; port 0: nothing is served."""
    if port == 0:
        yield
        return
    with ProbeServer(health, host, port):
        yield


class ProbeServer:
    """The server itself; port 0 takes any free one, which `port` then tells."""

    def __init__(self, health: Health, host: str, port: int) -> None:
        self._health = health
        self._metrics: Callable[..., Iterable[bytes]] = make_wsgi_app(REGISTRY)
        self._server = make_server(host, port, self._answer, server_class=_Server, handler_class=_Silent)
        self._thread = threading.Thread(target=self._server.serve_forever, name="probes", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, environment: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        match environment.get("PATH_INFO"):
            case "/metrics":
                return self._metrics(environment, start)
            case "/healthz":
                return _verdict(start, self._health.is_alive(), self._health.described())
            case "/readyz":
                return _verdict(start, self._health.is_ready(), self._health.described())
            case _:
                start("404 Not Found", list(_JSON))
                return [b'{"expected": ["/metrics", "/healthz", "/readyz"]}\n']


def _verdict(start: StartResponse, ok: bool, described: dict[str, Any]) -> Iterable[bytes]:
    start("200 OK" if ok else "503 Service Unavailable", list(_JSON))
    return [json.dumps({"ok": ok, **described}).encode() + b"\n"]


class _Server(ThreadingMixIn, WSGIServer):
    # One who asks and then hangs must not keep the others, or our end, waiting.
    daemon_threads = True
    block_on_close = False


class _Silent(WSGIRequestHandler):
    timeout = 5

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name is http.server's)
        """Says nothing: a line for each scrape would bury the rest."""
