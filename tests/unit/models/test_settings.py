from pathlib import Path

import pytest

from models.errors import RefuseToStart
from models.settings import Settings, describe, load_settings


@pytest.fixture(autouse=True)
def no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"THUISWACHT_{name.upper()}", raising=False)


def test_defaults_are_enough_to_look_around() -> None:
    settings = load_settings()
    assert settings.kafka == "127.0.0.1:9092"
    assert settings.topic == "thuiswacht.log"
    assert settings.probes_port == 0


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THUISWACHT_BATCH_MAX_RECORDS", "17")
    monkeypatch.setenv("THUISWACHT_POSTGRES", "postgresql://nurse:secret@127.0.0.1:5432/x")
    settings = load_settings()
    assert settings.batch_max_records == 17
    assert settings.postgres_dsn == "postgresql://nurse:secret@127.0.0.1:5432/x"


def test_the_command_line_goes_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THUISWACHT_TOPIC", "one")
    assert load_settings(topic="two").topic == "two"
    assert load_settings(topic=None).topic == "one"


def test_a_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THUISWACHT_TOPPIC", "x")
    with pytest.raises(RefuseToStart, match=r"THUISWACHT_TOPPIC.*known are.*THUISWACHT_TOPIC"):
        load_settings()


def test_what_others_read_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THUISWACHT_CACHE", "x")
    load_settings()


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("BATCH_MAX_RECORDS", "many", "THUISWACHT_BATCH_MAX_RECORDS: .*integer"),
        ("BATCH_MAX_RECORDS", "0", "THUISWACHT_BATCH_MAX_RECORDS: .*greater"),
        ("LOG_LEVEL", "LOUD", "THUISWACHT_LOG_LEVEL: .*'DEBUG'"),
        ("PROBES_PORT", "70000", "THUISWACHT_PROBES_PORT: .*65535"),
        ("PROGRAMMES", "/no/such/folder", "THUISWACHT_PROGRAMMES: .*directory"),
        ("KAFKA_SECURITY_PROTOCOL", "SSL", "THUISWACHT_KAFKA_SECURITY_PROTOCOL: .*SASL_SSL"),
        (
            "KAFKA_SECURITY_PROTOCOL",
            "SASL_SSL",
            "THUISWACHT_KAFKA_SASL_USERNAME and THUISWACHT_KAFKA_SASL_PASS",
        ),
        ("KAFKA", "kafka.example.org:9092", "SASL_SSL"),
        ("POSTGRES", "postgresql://u:hunter2@db.example.org/x", "verify-full"),
    ],
)
def test_what_is_wrong_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(f"THUISWACHT_{variable}", value)
    with pytest.raises(RefuseToStart, match=message):
        load_settings()


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THUISWACHT_POSTGRES", "postgresql://u:hunter2@127.0.0.1/x")
    monkeypatch.setenv("THUISWACHT_KAFKA_SASL_PASSWORD", "hunter3")
    shown = repr(load_settings())
    monkeypatch.setenv("THUISWACHT_POSTGRES", "mysql://u:hunter2@127.0.0.1/x")
    with pytest.raises(RefuseToStart) as refused:
        load_settings()
    assert "hunter" not in shown + str(refused.value)


def test_a_database_is_asked_for_where_it_is_needed() -> None:
    with pytest.raises(RefuseToStart, match="THUISWACHT_POSTGRES"):
        _ = load_settings().postgres_dsn


def test_a_secured_cluster_may_be_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch()
    for name, value in {
        "KAFKA": "a.example.org:9092,b.example.org:9092",
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_USERNAME": "ingest",
        "KAFKA_SASL_PASSWORD": "secret",
        "KAFKA_CA_FILE": str(authority),
        "POSTGRES": "postgresql://ingest@db.example.org/x?sslmode=verify-full",
    }.items():
        monkeypatch.setenv(f"THUISWACHT_{name}", value)
    assert load_settings().kafka_ca_file == authority


def test_every_variable_is_described() -> None:
    text = describe()
    for name, field in Settings.model_fields.items():
        assert f"THUISWACHT_{name.upper()}\n    {field.description}" in text
