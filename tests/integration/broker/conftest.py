"""A broker as docker-compose.yml has it, which knows its users; it listens with TLS besides."""

import asyncio
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ingest.broker.applying import Broker
from ingest.log import connection_options, create_topic
from models.settings import Settings
from simulators.stack.cache import cache_folder
from simulators.stack.jars import ensure_jars
from simulators.stack.java import find_java
from simulators.stack.kafka import KafkaServer
from simulators.stack.ports import free_port
from simulators.stack.stack import say_to_stderr
from simulators.stack.supervisor import start
from tests.receivers.authority import make_authority
from tests.unit.test_compose import Compose, properties_of, read_compose

ROOT = Path(__file__).parents[3]
ADMIN_PASSWORD = "secret"
"""What `filled_in` of the checks of compose puts where the environment has to say something."""
USERS = ("alerting", "clock", "dispatch", "gateway", "ingest", "register", "stranger")
TOPICS = ("thuiswacht.log", "thuiswacht.requests", "thuiswacht.alerts", "thuiswacht.alerts.sandbox")


@dataclass(frozen=True, slots=True)
class Known:
    """A broker that knows who asks: its addresses, who signed that with TLS, the passwords."""

    plain: str
    tls: str
    authority: Path
    passwords: dict[str, str]

    def settings(self, user: str, *, tls: bool = False) -> dict[str, str]:
        """What a service of this user is told."""
        who = {
            "THUISWACHT_KAFKA": self.tls if tls else self.plain,
            "THUISWACHT_KAFKA_SECURITY_PROTOCOL": "SASL_SSL" if tls else "SASL_PLAINTEXT",
            "THUISWACHT_KAFKA_SASL_MECHANISM": "PLAIN" if user == "admin" else "SCRAM-SHA-512",
            "THUISWACHT_KAFKA_SASL_USERNAME": user,
            "THUISWACHT_KAFKA_SASL_PASSWORD": self.passwords[user],
        }
        return who | ({"THUISWACHT_KAFKA_CA_FILE": str(self.authority)} if tls else {})

    def thuiswacht(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A command of ours as the operator of the broker runs it."""
        return subprocess.run(
            [sys.executable, "-m", "thuiswacht", *command],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **self.settings("admin"), **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    """Configured by docker-compose.yml itself, but for ports and paths, and a listener with TLS besides."""
    folder = tmp_path_factory.mktemp("broker")
    compose, port, tls_port, controller_port = read_compose(), free_port(), free_port(), free_port()
    authority = make_authority(folder)
    authority.server("127.0.0.1")
    more = _more(compose, port, tls_port, controller_port, folder / "127.0.0.1.pem")
    jars = ensure_jars(cache_folder(), say_to_stderr)
    server = KafkaServer(folder / "kafka", port, find_java(), jars, more)
    users = [name.removeprefix("BROKER_PASSWORD_").lower() for name in _passwords_of(compose)]
    passwords = {user: secrets.token_urlsafe(12) for user in [*users, "stranger"]}
    try:
        start([server])
        found = Known(
            server.address,
            f"127.0.0.1:{tls_port}",
            authority.file,
            {**passwords, "admin": ADMIN_PASSWORD},
        )
        yield found
    finally:
        server.stop()


def _more(compose: Compose, port: int, tls_port: int, controller_port: int, pem: Path) -> dict[str, str]:
    ours = properties_of(compose.services["kafka"].environment)
    del ours["log.dirs"]
    at = {"SERVICES": f"127.0.0.1:{port}", "TLS": f"127.0.0.1:{tls_port}"}
    advertised = ",".join(f"{name}://{address}" for name, address in at.items())
    protocols = ours["listener.security.protocol.map"]
    tls = {
        "listener.name.tls.ssl.keystore.type": "PEM",
        "listener.name.tls.ssl.keystore.location": str(pem),
        "listener.name.tls.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.tls.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
    }
    return {
        **ours,
        **tls,
        "listeners": f"{advertised},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": advertised,
        "listener.security.protocol.map": f"{protocols},TLS:SASL_SSL",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
    }


def _passwords_of(compose: Compose) -> list[str]:
    return [name for name in compose.services["broker"].environment if name.startswith("BROKER_PASSWORD_")]


def settings_of(known: Known, user: str, *, tls: bool = False, password: str | None = None) -> Settings:
    """As the service of this user reads them from its environment."""
    told: dict[str, Any] = {
        name.removeprefix("THUISWACHT_").lower(): value
        for name, value in known.settings(user, tls=tls).items()
    }
    if password is not None:
        told["kafka_sasl_password"] = password
    return Settings(**told)


@pytest.fixture(scope="module")
def ruled(known: Known) -> Known:
    """With topics, and the rules put there by the command that docker-compose.yml runs."""
    asyncio.run(_make_topics(known))
    given = {f"BROKER_PASSWORD_{user.upper()}": known.passwords[user] for user in USERS if user != "stranger"}
    before = known.thuiswacht("broker", "check")
    assert before.returncode == 1
    assert "missing: User:gateway may write topic thuiswacht.log" in before.stdout
    applied = known.thuiswacht("broker", "apply", **given)
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert "12 rules added, 0 removed" in applied.stdout
    checked = known.thuiswacht("broker", "check")
    assert (checked.returncode, checked.stdout) == (0, "As the rules say.\n"), checked.stderr
    # Somebody whom the broker knows, and of whom the rules say nothing.
    asyncio.run(_introduce(known, "stranger"))
    return known


async def _make_topics(known: Known) -> None:
    options = connection_options(settings_of(known, "admin"))
    reach = options.pop("bootstrap_servers")
    for topic in TOPICS:
        await create_topic(reach, topic, 2, options=options)


async def _introduce(known: Known, user: str) -> None:
    async with Broker(settings_of(known, "admin")) as broker:
        await broker.set_passwords({user: known.passwords[user]})
