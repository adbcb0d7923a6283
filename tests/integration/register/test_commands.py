"""The command line: a newcomer includes a patient, as a declared person, on record like any request."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import pytest
from click.testing import CliRunner, Result

from alerting.versions import offer
from ingest.register.commands import register
from models.errors import BadInput, NotAllowed, Outdated, RefuseToStart
from tests import shipped

BSN = "111222333"
KEY = base64.b64encode(b"k" * 32).decode()


class CommandLine:
    """Runs `thuiswacht register …` on a database."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.environment: dict[str, str | None] = {
            "THUISWACHT_POSTGRES": database,
            "THUISWACHT_IDENTITY_KEY": KEY,
        }

    def run(self, *arguments: object, answers: str | None = None) -> Result:
        """What becomes of it. `answers` are typed, a line for each question."""
        texts = [str(one) for one in arguments]
        return CliRunner().invoke(register, texts, input=answers, env=self.environment)

    def done(self, *arguments: object, answers: str | None = None) -> Any:
        """What it prints as JSON; it has to go well."""
        result = self.run(*arguments, answers=answers)
        assert result.exit_code == 0, (result.output, result.exception)
        printed = result.output[result.output.index("\n{") + 1 :] if answers else result.output
        return json.loads(printed) if printed.strip() else None

    def refused(self, kind: type[Exception], *arguments: object, answers: str | None = None) -> str:
        """With what it is refused."""
        result = self.run(*arguments, answers=answers)
        assert isinstance(result.exception, kind), (result.output, result.exception)
        assert BSN not in result.output + str(result.exception)
        return str(result.exception)

    def query(self, query: str) -> list[asyncpg.Record]:
        """As the superuser."""

        async def fetch() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.database)
            await offer(connection, shipped.compiled())
            found = await connection.fetch(query)
            await connection.close()
            return found

        import asyncio

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, fetch()).result()


@pytest.fixture
def line(database: str) -> CommandLine:
    line = CommandLine(database)
    line.query("SELECT 1")  # programmes are there: alerting ran once
    return line


def begun(line: CommandLine) -> dict[str, Any]:
    return line.done("begin", "--also", "coordinator", answers="Centrum\nA. Beheerder\n")


def test_a_newcomer_begins_and_includes_a_patient(line: CommandLine) -> None:
    first = begun(line)
    as_boss = ("--as", first["person_id"], "--role", "administrator")
    as_coordinator = ("--as", first["person_id"], "--role", "coordinator")
    practice = line.done(*as_boss, "organisation", "--name", "De Praktijk", "--kind", "gp_practice")
    answers = f"de Vries\nMaria\n1948-03-02\n{BSN}\ny\nTruus\nmantelzorger\n\ny\nheart_failure\n1\n"
    result = line.run(*as_coordinator, "include", answers=answers)
    assert result.exit_code == 0, (result.output, result.exception)
    assert BSN not in result.output
    included = json.loads(result.output[result.output.index("\n{") + 1 :])
    patient_id = included["patient_id"]
    shown = line.done(*as_coordinator, "show", patient_id, "--identity")
    assert shown["care"]["huisarts_id"] == practice["organisation_id"]
    assert set(shown["programmes"]) == {"heart_failure", "devices"}
    assert shown["identity"]["contacts"][0]["may_be_told"] is True
    found = line.run(*as_coordinator, "find", answers=f"{BSN}\n")
    assert patient_id in found.output
    assert BSN not in found.output
    pause = ("change", patient_id, "--version", 1, json.dumps({"pause": {"reason": "vakantie"}}))
    assert line.done(*as_coordinator, *pause)["version"] == 2
    line.refused(Outdated, *as_coordinator, *pause)
    emergency = ("emergency", patient_id, "--reason", "does not open the door")
    line.refused(NotAllowed, *as_coordinator, *emergency)
    rows = line.query("SELECT event_code, outcome, source, user_id FROM audit ORDER BY happened_us")
    assert {(row["source"], row["user_id"]) for row in rows} == {("thuiswacht.cli", first["person_id"])}
    assert [(row["event_code"], row["outcome"]) for row in rows] == [
        ("register.begin", "allowed"), ("people.change", "allowed"), ("organisation.change", "allowed"),
        ("directory.read", "allowed"), ("patient.include", "allowed"), ("patient.read", "allowed"),
        ("identity.read", "allowed"), ("patient.search", "allowed"), ("patient.change", "allowed"),
        ("patient.change", "failed"), ("emergency.declare", "refused"),
    ]  # fmt: skip


def test_a_form_is_read_from_standard_input(line: CommandLine) -> None:
    first = begun(line)
    person = line.done("--as", first["person_id"], "--role", "administrator", "person", "--name", "N. Urse")
    role = ("role", person["person_id"], "nurse", first["organisation_id"])
    line.run("--as", first["person_id"], "--role", "administrator", *role)
    form = {
        "identity": {"family_name": "de Vries", "birth_date": "1948-03-02", "bsn": BSN},
        "programmes": [{"programme": "copd"}],
    }
    run = ("--as", person["person_id"], "include", "--form", "-")
    result = line.run(*run, answers=json.dumps(form))
    assert result.exit_code == 0, (result.output, result.exception)
    assert "nobody is registered with" in line.refused(BadInput, *run, answers=json.dumps(form))
    assert "birth_date" in line.refused(BadInput, *run, answers='{"identity": {"family_name": "X"}}')
    form["identity"] = {"family_name": "X", "birth_date": "1950-01-01", "bsn": "111222334"}
    assert "eleven-test" in line.refused(BadInput, *run, answers=json.dumps(form))
    # Ended roles and people who left are nobody any more.
    line.run("--as", first["person_id"], "--role", "administrator", *role, "--end")
    assert "a person who has this role there today" in line.refused(BadInput, *run, answers=json.dumps(form))


def test_who_acts_has_to_be_clear(line: CommandLine) -> None:
    first = begun(line)
    assert "THUISWACHT_PERSON" in line.refused(BadInput, "organisations")
    several = line.refused(BadInput, "--as", first["person_id"], "organisations")
    assert "--role administrator" in several
    assert "--role coordinator" in several
    line.environment["THUISWACHT_PERSON"] = first["person_id"]
    assert line.run("--role", "administrator", "organisations").exit_code == 0
    line.refused(BadInput, "--role", "nurse", "organisations")
    line.refused(NotAllowed, "--role", "coordinator", "organisation", "--name", "X", "--kind", "hospital")
    again = line.refused(BadInput, "begin", answers="Nog een\nB. Beheerder\n")
    assert "without people" in again
    identity = json.dumps({"identity": {"family_name": "X", "birth_date": "1950-01-01"}})
    shown = line.run("change", first["person_id"], "--version", 1, identity)
    assert shown.exit_code == 2
    assert "never arguments" in shown.output


def test_without_its_key_it_refuses_and_says_how_to_make_one(line: CommandLine) -> None:
    first = begun(line)
    line.environment["THUISWACHT_PERSON"] = first["person_id"]
    for key in (None, "short"):
        line.environment["THUISWACHT_IDENTITY_KEY"] = key  # None takes it away
        assert "openssl rand -base64 32" in line.refused(RefuseToStart, "include")
