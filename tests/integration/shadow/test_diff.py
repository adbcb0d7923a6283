"""`programme diff --shadow` and `forget-shadow`: what is said of a shadow, and to whom."""

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result

from alerting.engine.programme import Programme
from alerting.programmes.commands import programme as command
from alerting.shadow.candidates import Candidates
from models.access import Role
from models.db.pool import Connection, Pool
from tests.integration.alerting.following import follow, small_log, store
from tests.integration.alerting.small_log import ORGANISATION
from tests.integration.shadow.shadowing import GROUP, programme, shadow

LIVE = "ALTER TABLE installation DISABLE TRIGGER USER; UPDATE installation SET purpose = 'live'"


def stricter() -> Candidates:
    """Heart failure that speaks of half a kilogram, and of nothing about breathing."""
    of = programme("heart_failure")
    limits = of.limits | {"gain_3d": of.limits["gain_3d"].model_copy(update={"default": 1.0})}
    rules = {name: rule for name, rule in of.rules.items() if name != "spo2_low"}
    changed = of.model_copy(update={"version": 2, "limits": limits, "rules": rules})
    return Candidates.of([Programme.model_validate_json(changed.model_dump_json(by_alias=True))])


@pytest.fixture
async def followed(pool: Pool, storing_pool: Pool, shadow_pool: Pool) -> None:
    """Both have followed the log; the shadow from its middle on."""
    log = small_log()
    await store(storing_pool, log, 500)
    await follow(pool, log, 500)
    await shadow(shadow_pool, log, 600, stricter())
    await store(storing_pool, log)
    await follow(pool, log)
    await shadow(shadow_pool, log, None, stricter())


@pytest.fixture
def run(database: str, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("THUISWACHT_POSTGRES", database)
    return CliRunner()


def asks(run: CliRunner, *options: str) -> Result:
    # A thread of its own: the test's loop is running.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run.invoke, command, options).result()


async def test_what_differs_is_said_with_examples_where_nobody_exists(followed: None, run: CliRunner) -> None:
    said = asks(run, "diff", "--shadow", GROUP, "--json")
    assert said.exit_code == 0, said.output
    told = json.loads(said.output)
    assert told["candidates"][0]["version"] == 2
    assert told["valid_from_us"] == told["from_us"] < told["until_us"]
    assert told["patients"] == 12
    gain = told["by_rule"]["heart_failure/weight_gain_3d"]
    assert gain["candidate"]["alerts"] > gain["live"]["alerts"]
    low = told["by_rule"]["heart_failure/spo2_low"]
    assert low["live"]["alerts"] > 0 == low["candidate"]["alerts"]
    assert told["only"]["live"]
    assert {"breathing"} == {one["signal"] for one in told["only"]["live"]}
    assert UUID(told["only"]["live"][0]["patient"])
    rate = told["alerts"]["live"]
    assert rate["per_100_patient_days"] == pytest.approx(100 * rate["alerts"] / told["patient_days"])
    words = asks(run, "diff", "--shadow", GROUP).output
    assert "kandidaat" in words
    assert "candidate" in words
    assert told["only"]["live"][0]["patient"] in words


async def test_of_real_patients_nobody_in_particular_hears_of_few(
    followed: None, run: CliRunner, admin: Connection
) -> None:
    await admin.execute(LIVE)
    told = json.loads(asks(run, "diff", "--shadow", GROUP, "--json").output)
    assert told["only"] == {"live": None, "candidate": None}
    for counts in (told["alerts"], *told["by_rule"].values()):
        for count in counts.values():
            assert count is None or count["patients"] == 0 or count["patients"] >= 10
    assert None in told["by_rule"]["heart_failure/weight_gain_3d"].values()
    patients = [row[0] for row in await admin.fetch("SELECT patient_id::text FROM patient")]
    words = asks(run, "diff", "--shadow", GROUP).output
    assert not any(patient in words for patient in patients)


async def test_who_may_see_patients_sees_those_and_is_on_record(
    followed: None, run: CliRunner, admin: Connection
) -> None:
    await admin.execute(LIVE)
    seen, *others = [row[0] for row in await admin.fetch("SELECT patient_id FROM patient ORDER BY 1 DESC")]
    for patient_id in (seen, *others):
        await admin.execute(
            "INSERT INTO registration (patient_id, organisation_id, origin) VALUES ($1, $2, 'real')",
            patient_id, ORGANISATION,
        )  # fmt: skip
    await admin.execute(
        "INSERT INTO treatment_relation VALUES ($1, $2, now() - interval '1 d')", seen, ORGANISATION
    )
    nurse, engineer = uuid4(), uuid4()
    for person_id, role in ((nurse, Role.NURSE), (engineer, Role.ENGINEER)):
        await admin.execute("INSERT INTO person (person_id, name) VALUES ($1, 'Proef')", person_id)
        await admin.execute(
            "INSERT INTO person_role VALUES ($1, $2, $3)", person_id, ORGANISATION, role.value
        )
    said = asks(run, "diff", "--shadow", GROUP, "--json", "--as", str(nurse), "--reason", "new limits")
    told = json.loads(said.output)
    assert told["patients"] == 1
    shown = [*told["only"]["live"], *told["only"]["candidate"]]
    assert shown
    assert {one["patient"] for one in shown} == {str(seen)}
    event = await admin.fetchrow("SELECT * FROM audit ORDER BY happened_us DESC LIMIT 1")
    assert event is not None
    assert (event["user_id"], event["reason"], list(event["patients"])) == (str(nurse), "new limits", [seen])
    nothing = asks(run, "diff", "--shadow", GROUP, "--json", "--as", str(engineer))
    assert json.loads(nothing.output)["patients"] == 0


async def test_what_is_not_there_is_said(followed: None, run: CliRunner) -> None:
    for options, where in (
        (("diff", "--shadow", "another"), f"a shadow of this database ({GROUP})"),
        (("diff", "--shadow", GROUP, "--from", "tomorrow"), "--from: expected ISO 8601"),
        (
            ("diff", "--shadow", GROUP, "--from", "2036-01-01T00:00Z"),
            "found from 2036-01-01T00:00:00+00:00 until 20",
        ),
        (("forget-shadow", "another"), f"a shadow of this database ({GROUP})"),
    ):
        assert where in str(asks(run, *options).exception)


async def test_forgotten_by_command(followed: None, run: CliRunner, admin: Connection) -> None:
    found = await admin.fetchval("SELECT count(*) FROM shadow_finding")
    assert asks(run, "forget-shadow", GROUP).output == f"{GROUP} is forgotten, with {found} findings.\n"
    assert await admin.fetchval("SELECT count(*) FROM shadow") == 0
