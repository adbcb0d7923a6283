"""How the services are set up: `THUISWACHT_…` in the environment, checked before anything starts."""

import base64
import os
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import DirectoryPath, Field, FilePath, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsConfigDict

from models.endpoints import require_safe_kafka, require_safe_postgres, require_safe_watcher
from models.errors import RefuseToStart
from models.gateway_settings import GatewaySettings
from models.message_settings import Port

PREFIX = "THUISWACHT_"

OTHER_VARIABLES: Mapping[str, str] = {
    "THUISWACHT_CACHE": "Folder for what can be fetched or compiled again (the embedded Kafka's jars).",
    "THUISWACHT_PERSON": "Id of the person as whom `thuiswacht register` and others act, in place of --as.",
}
"""Variables with our prefix that other parts read by themselves."""

_IDENTITY_KEY_BYTES = 32


class Settings(GatewaySettings):
    """What a service is told from outside; each field is the variable of its name, in capitals, prefixed."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True
    )

    kafka: Annotated[
        str, Field(description="Brokers of the log, HOST:PORT, several separated by commas.")
    ] = "127.0.0.1:9092"
    kafka_security_protocol: Annotated[
        Literal["PLAINTEXT", "SASL_PLAINTEXT", "SASL_SSL"],
        Field(description="How to talk to Kafka; off this machine only SASL_SSL."),
    ] = "PLAINTEXT"
    kafka_sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], Field(description="How to log in to Kafka.")
    ] = "SCRAM-SHA-512"
    kafka_sasl_username: Annotated[str | None, Field(description="User of Kafka.")] = None
    kafka_sasl_password: Annotated[SecretStr | None, Field(description="Password of Kafka.")] = None
    kafka_ca_file: Annotated[
        FilePath | None, Field(description="Certificate of the authority of Kafka, when it is your own.")
    ] = None
    postgres: Annotated[
        SecretStr | None,
        Field(
            description="Address of the database, postgresql://USER:PASSWORD@HOST:PORT/DATABASE; "
            "off this machine with ?sslmode=verify-full. PGPASSWORD may hold the password instead."
        ),
    ] = None
    postgres_connections: Annotated[
        int, Field(ge=2, le=100, description="At most so many connections to Postgres for each service.")
    ] = 4
    topic: Annotated[str, Field(min_length=1, max_length=249, description="The topic of the log.")] = (
        "thuiswacht.log"
    )
    requests_topic: Annotated[
        str,
        Field(
            min_length=1,
            max_length=249,
            description="The topic on which patients are asked to measure again.",
        ),
    ] = "thuiswacht.requests"
    consumer_group: Annotated[
        str | None, Field(description="Another consumer group than thuiswacht.ingest, thuiswacht.alerting.")
    ] = None
    storing_group: Annotated[
        str,
        Field(
            min_length=1,
            description="The consumer group by which ingest stores into this database: what alerting builds "
            "its state from.",
        ),
    ] = "thuiswacht.ingest"
    group_instance_id: Annotated[
        str | None,
        Field(description="A lasting name of this worker: a quick restart then moves no partitions."),
    ] = None
    session_timeout_ms: Annotated[
        int,
        Field(ge=1_000, le=300_000, description="After so long without a sign, a worker's partitions move."),
    ] = 10_000
    batch_max_records: Annotated[
        int, Field(ge=1, le=100_000, description="At most so many messages in one transaction.")
    ] = 10_000
    batch_max_bytes: Annotated[
        int, Field(ge=1_000, description="At most about so many bytes of messages in one transaction.")
    ] = 16 * 1024 * 1024
    refusal_limit: Annotated[
        float,
        Field(gt=0, le=1, description="A partition that refuses more than this share stops the service."),
    ] = 0.95
    refusal_window_readings: Annotated[
        int, Field(ge=1, description="Over so many readings at least the share of refusals is taken.")
    ] = 1_000
    stall_timeout_s: Annotated[
        float, Field(gt=0, description="After so long without progress, /healthz says that we hang.")
    ] = 60.0
    stall_exit_s: Annotated[
        float,
        Field(
            gt=0,
            description="After so long with work and without progress a service ends itself, to be started "
            "again. Waiting for a database or a broker that is away does not count.",
        ),
    ] = 180.0
    probes_host: Annotated[str, Field(description="Where /metrics, /healthz and /readyz listen.")] = (
        "127.0.0.1"
    )
    probes_port: Annotated[Port, Field(description="Their port; 0: they are not served.")] = 0
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], Field(description="From which level on to log.")
    ] = "INFO"
    incident_patients: Annotated[
        int,
        Field(
            ge=2,
            description="A silent vendor or gateway is an incident when readings of at least so many "
            "patients were to be expected in an hour of the silence.",
        ),
    ] = 10
    incident_silent_minutes: Annotated[
        int, Field(ge=1, le=10_080, description="And when nothing came from it for longer than this.")
    ] = 60
    incident_hold_minutes: Annotated[
        int,
        Field(
            ge=0,
            le=10_080,
            description="For so long at most an incident holds back an alert about missing data.",
        ),
    ] = 240
    incident_grace_minutes: Annotated[
        int,
        Field(
            ge=0,
            le=1_440,
            description="So long after its end for what piled up to come in, before alerts are released.",
        ),
    ] = 30
    dispatch_time: Annotated[
        Literal["wall", "log"],
        Field(
            description="By which clock promises and escalations run: the wall's, or, in trial databases "
            "only, that of the log as far as alerting has followed it.",
        ),
    ] = "wall"
    canary_every_s: Annotated[
        float,
        Field(
            ge=0,
            le=3_600,
            description="How often, in seconds, the canary of each partition sends a reading that must "
            "come out as an alert; 0: no canaries.",
        ),
    ] = 60.0
    canary_late_s: Annotated[
        float,
        Field(gt=0, description="After so long without such an alert the canary is late: a technical alert."),
    ] = 120.0
    heartbeat_url: Annotated[
        SecretStr | None,
        Field(
            description="Address of a watcher outside, https://…, that hears from us while all is well, and "
            "alarms when it does not."
        ),
    ] = None
    heartbeat_every_s: Annotated[
        float, Field(gt=0, description="How often it hears from us, in seconds.")
    ] = 60.0
    watch_limit_s: Annotated[
        float,
        Field(
            gt=0,
            description="No heartbeat is sent when a step has been due, or the auditor silent, for longer.",
        ),
    ] = 300.0
    dispatch_overdue_minutes: Annotated[
        int,
        Field(
            ge=1,
            le=1_440,
            description="A step of an escalation that is due for longer than this is trouble, which the "
            "auditor of the dispatchers tells of.",
        ),
    ] = 5
    identity_key: Annotated[
        SecretStr | None,
        Field(
            description="Secret with which names and national numbers are sealed: 32 bytes in base64. "
            "Never changes for a database; kept apart from it."
        ),
    ] = None
    programmes: Annotated[
        DirectoryPath | None, Field(description="Folder of programmes, in place of those that come with us.")
    ] = None
    wijken: Annotated[
        FilePath | None,
        Field(description="The wijken of each municipality, a file in place of the one that comes with us."),
    ] = None
    api_host: Annotated[
        str,
        Field(description="Where API and console listen; off this machine only with API_TRUSTED_PROXIES."),
    ] = "127.0.0.1"
    api_port: Annotated[Port, Field(description="Its port.")] = 8080
    console_port: Annotated[
        Port, Field(description="The port of the console; it listens where the API listens.")
    ] = 8090
    api_trusted_proxies: Annotated[
        str | None,
        Field(
            description="Addresses of the TLS proxies before the API, separated by commas: nobody else may "
            "reach it, and they alone say from where a request comes.",
        ),
    ] = None
    public_url: Annotated[
        str | None,
        Field(description="Address of the API as browsers and systems see it, https://HOST[:PORT]."),
    ] = None
    local_accounts: Annotated[
        bool, Field(description="Whether people log in with accounts of our own: in trial databases only.")
    ] = False
    oidc_issuer: Annotated[
        str | None, Field(description="The OpenID provider at which people log in, https://….")
    ] = None
    oidc_client_id: Annotated[str | None, Field(description="What that provider calls us.")] = None
    oidc_client_secret: Annotated[
        SecretStr | None, Field(description="Our secret at the provider; or use OIDC_CLIENT_KEY.")
    ] = None
    oidc_client_key: Annotated[
        SecretStr | None,
        Field(description="Our private key (PEM) at the provider, in place of a secret (private_key_jwt)."),
    ] = None
    oidc_acr_values: Annotated[
        str | None,
        Field(
            description="Values of acr that stand for several factors, separated by commas; we ask for them."
        ),
    ] = None
    oidc_role_claim: Annotated[
        str, Field(min_length=1, description="The claim with roles; dots lead into objects.")
    ] = "roles"
    oidc_roles: Annotated[
        str | None,
        Field(
            description="What their roles are here, THEIRS=OURS, separated by commas. Without: our own names."
        ),
    ] = None
    oidc_organisation_claim: Annotated[
        str, Field(min_length=1, description="The claim with the organisation; dots lead into objects.")
    ] = "organisation"
    oidc_organisations: Annotated[
        str | None,
        Field(
            description="What their organisations are here, THEIRS=ID, separated by commas. Without: our ids."
        ),
    ] = None

    @model_validator(mode="after")
    def _credentials_come_together(self) -> Self:
        if self.kafka_security_protocol != "PLAINTEXT" and not (
            self.kafka_sasl_username and self.kafka_sasl_password
        ):
            raise ValueError(
                f"{self.kafka_security_protocol} needs {PREFIX}KAFKA_SASL_USERNAME and "
                f"{PREFIX}KAFKA_SASL_PASSWORD"
            )
        return self

    @property
    def postgres_dsn(self) -> str:
        """The address of the database.

        **Raises**: RefuseToStart when none is set.
        """
        if self.postgres is None:
            raise RefuseToStart(
                f"No database is set: expected {PREFIX}POSTGRES=postgresql://USER:PASSWORD@HOST:PORT/DATABASE."
            )
        return self.postgres.get_secret_value()


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment; `overrides` (of the command line) go before it, None leaves it as it is.

    **Raises**: RefuseToStart, naming each variable that is unknown, wrong, or unsafe.
    """
    _require_known(os.environ)
    given: dict[str, Any] = {name: value for name, value in overrides.items() if value is not None}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        lines = [_line(details) for details in error.errors(include_url=False, include_context=False)]
        raise RefuseToStart("The settings are wrong:\n" + "\n".join(lines)) from None
    require_safe_kafka(settings.kafka, settings.kafka_security_protocol)
    if settings.postgres is not None:
        require_safe_postgres(settings.postgres_dsn)
    if settings.heartbeat_url is not None:
        require_safe_watcher(settings.heartbeat_url.get_secret_value())
    return settings


def identity_key(settings: Settings) -> bytes:
    """The secret that identities are sealed with.

    **Raises**: RefuseToStart when there is none, or not one of 32 bytes in base64.
    """
    how = (
        f"make one with `openssl rand -base64 32`, set it as {PREFIX}IDENTITY_KEY, and keep a copy apart "
        "from the database: without it no name and no national number in there can be read again."
    )
    if settings.identity_key is None:
        raise RefuseToStart(f"There is no key to seal names and national numbers with: {how}")
    try:
        key = base64.b64decode(settings.identity_key.get_secret_value(), validate=True)
    except ValueError:
        key = b""
    if len(key) != _IDENTITY_KEY_BYTES:
        raise RefuseToStart(f"{PREFIX}IDENTITY_KEY is not 32 bytes in base64: {how}")
    return key


def gateway_key(settings: Settings) -> bytes:
    """The secret of the front gate. **Raises**: RefuseToStart when there is none."""
    secret = settings.gateway_secret
    if secret is None:
        raise RefuseToStart(
            "There is no key for the secrets of the front gate: make one with `openssl rand -base64 32`, "
            f"set it as {PREFIX}GATEWAY_KEY, the same for all of its instances, and keep a copy: without it "
            "the hubs that sign with a secret of ours are not known any more."
        )
    return secret


def describe() -> str:
    """All variables with their meaning and default, for help texts.

    >>> "THUISWACHT_TOPIC" in describe()
    True
    """
    lines: list[str] = []
    for name, field in Settings.model_fields.items():
        lines += [PREFIX + name.upper(), f"    {field.description}{_default(field)}"]
    for name, meaning in OTHER_VARIABLES.items():
        lines += [name, f"    {meaning}"]
    return "\n".join(lines)


def _default(field: FieldInfo) -> str:
    choices = get_args(field.annotation) if isinstance(field.default, str) else ()
    shown = f" One of {', '.join(choices)}." if choices else ""
    return shown if field.default is None else f"{shown} Default: {field.default}."


def _require_known(environment: Iterable[str]) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | set(OTHER_VARIABLES)
    unknown = sorted(name for name in environment if name.upper().startswith(PREFIX) and name not in known)
    if unknown:
        raise RefuseToStart(
            f"Unknown in the environment: {', '.join(unknown)}. A misspelt setting would silently not be "
            f"used; known are {', '.join(sorted(known))}."
        )


def _line(details: ErrorDetails) -> str:
    # Without the value: it may be a secret.
    variable = "".join(f"{PREFIX}{str(part).upper()}: " for part in details["loc"][:1])
    return f"  {variable}{details['msg']}"
