"""Off this machine, only servers whose name and traffic are protected."""

import pytest

from models.endpoints import require_safe_kafka, require_safe_postgres
from models.errors import RefuseToStart


@pytest.mark.parametrize(
    ("bootstrap", "protocol"),
    [
        ("127.0.0.1:9092", "PLAINTEXT"),
        ("localhost:9092,127.0.0.2:9093", "PLAINTEXT"),
        ("[::1]:9092", "PLAINTEXT"),
        ("kafka.example.org:9093", "SASL_SSL"),
        ("a.example.org:9093, b.example.org:9093", "sasl_ssl"),
    ],
)
def test_safe_brokers_pass(bootstrap: str, protocol: str) -> None:
    require_safe_kafka(bootstrap, protocol)


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", ""])
@pytest.mark.parametrize(
    "bootstrap",
    [
        "kafka:9092",
        "10.0.0.7:9092",
        "127.0.0.1:9092,kafka:9092",
        "[2001:db8::1]:9092",
        "127.0.0.1.example.org:1",
    ],
)
def test_brokers_elsewhere_need_sasl_ssl(bootstrap: str, protocol: str) -> None:
    with pytest.raises(RefuseToStart, match="SASL_SSL"):
        require_safe_kafka(bootstrap, protocol)


@pytest.mark.parametrize(
    "bootstrap", ["", "kafka", "kafka:", ":9092", "kafka:0", "kafka:65536", "::1:9092", "a:1,"]
)
def test_malformed_brokers_are_refused(bootstrap: str) -> None:
    with pytest.raises(RefuseToStart, match="HOST:PORT"):
        require_safe_kafka(bootstrap, "SASL_SSL")


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://u:p@127.0.0.1:5432/thuiswacht",
        "postgres://localhost/thuiswacht",
        "postgresql://u:p@[::1]:5432/thuiswacht",
        "postgresql:///thuiswacht?host=/var/run/postgresql",
        "postgresql://u@%2Fvar%2Frun%2Fpostgresql/thuiswacht",
        "postgresql://u:p@db.example.org/thuiswacht?sslmode=verify-full",
        "postgresql://u:p@a.example.org:5432,b.example.org:5432/thuiswacht?sslmode=verify-full",
    ],
)
def test_safe_databases_pass(dsn: str) -> None:
    require_safe_postgres(dsn)


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://u:geheim@db/thuiswacht",
        "postgresql://u:geheim@db/thuiswacht?sslmode=require",
        "postgresql://u:geheim@db/thuiswacht?sslmode=verify-ca",
        "postgresql://u:geheim@db/thuiswacht?sslmode=verify-full&sslmode=disable",
        "postgresql://u:geheim@127.0.0.1,db/thuiswacht",
        "postgresql://u:geheim@127.0.0.1/thuiswacht?host=db",
        "postgresql://u:geheim@[2001:db8::1]:5432/thuiswacht",
        "postgresql://127.0.0.1@db/thuiswacht",
    ],
)
def test_databases_elsewhere_need_their_certificate_checked(dsn: str) -> None:
    with pytest.raises(RefuseToStart, match="sslmode=verify-full") as refused:
        require_safe_postgres(dsn)
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    "dsn",
    ["", "thuiswacht", "host=127.0.0.1 password=geheim", "mysql://u:geheim@127.0.0.1/x", "postgresql://u:geheim@[/x",
     "postgresql:///thuiswacht", "postgresql://u:geheim@/thuiswacht"],
)  # fmt: skip
def test_databases_without_a_host_are_refused(dsn: str) -> None:
    with pytest.raises(RefuseToStart, match="address of Postgres") as refused:
        require_safe_postgres(dsn)
    assert "geheim" not in str(refused.value)
