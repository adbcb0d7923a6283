"""What simulated senders write for the gate says what their messages for the log say, troubles included."""

import json
from collections import Counter
from datetime import date, datetime
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.observation import Observation

from ingest.delivery.fhir.observation import Mapped, map_observation
from models.clock import to_us
from models.kinds import KINDS
from models.messages import WireReading, WireUpload
from models.units import UNIT_BY_SPELLING
from simulators.devices.trouble import Rates
from simulators.gate.fhir import OURS, bundle, is_said, observations
from simulators.gate.requests import MOST_READINGS, Format, Request, requests_of
from simulators.scenarios.files import load_scenario
from simulators.scenarios.scenario import Scenario
from simulators.simulate import newest_programmes
from simulators.wire import TICK, Encoder, Message

KIND_BY_CODE = {code: kind.name for kind in KINDS for code in (*kind.ieee, *kind.snomed, *kind.loinc)}


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    """The uploads of a week in which much goes wrong."""
    scenario = Scenario(
        seed=11, patients=80, days=7, start=date(2026, 3, 27), programmes=newest_programmes(None),
        rates=Rates().times(20),
    )  # fmt: skip
    encoder = Encoder(scenario, 3_600_000_000)
    return [one for day in scenario for one in encoder.day(day) if one.patient != TICK and one.readings]


def whole(messages: list[Message]) -> list[WireUpload]:
    found: list[WireUpload] = []
    for message in messages:
        try:
            found.append(json.loads(message.value))
        except ValueError:
            continue
    assert 0 < len(found) < len(messages), "some are torn"
    return found


def read_back(resources: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What Observations say, as somebody would read them who knows the codes alone."""
    found: list[tuple[Any, ...]] = []
    for one in resources:
        taken_at_us = to_us(datetime.fromisoformat(one["effectiveDateTime"]))
        revision = int(one.get("meta", {}).get("versionId", 0))
        void = one["status"] == "entered-in-error"
        assert (one["status"] == "corrected") == (revision > 0 and not void)
        for part in one.get("component", [one]):
            coding = part["code"]["coding"][-1]
            kind = coding["code"] if coding["system"] == OURS else KIND_BY_CODE[coding["code"]]
            content: Any = True
            if "valueQuantity" in part:
                quantity = part["valueQuantity"]
                content = (quantity["value"], UNIT_BY_SPELLING[quantity["code"]])
                assert UNIT_BY_SPELLING[quantity["unit"]] == UNIT_BY_SPELLING[quantity["code"]]
            elif not void:
                (name,) = {"valueCodeableConcept", "dataAbsentReason"} & set(part)
                content = part[name]["coding"][0]["code"]
            found.append((kind, taken_at_us, None if void else content, revision))
    return sorted(found, key=str)


def said(readings: list[WireReading]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for one in readings:
        content: Any = None
        if "value" in one:
            content = (one["value"], UNIT_BY_SPELLING[one.get("unit", "")])
        elif "void" not in one:
            content = one.get("code", one.get("absent"))
        found.append((one["kind"], one["taken_at_us"], content, one.get("revision", 0)))
    return sorted(found, key=str)


def test_observations_say_what_the_upload_says(messages: list[Message]) -> None:
    seen = Counter[str]()
    for upload in whole(messages):
        if not is_said(upload):
            seen["text"] += 1
            continue
        resources = observations(upload)
        assert read_back(resources) == said(upload["readings"])
        assert {one["device"]["identifier"]["value"] for one in resources} == {upload["device_id"]}
        assert {one["subject"]["reference"] for one in resources} == {f"Patient/{upload['patient_id']}"}
        seen.update(one["status"] for one in resources)
        seen.update("component" for one in resources if "component" in one)
        seen.update("absent" for one in resources if "dataAbsentReason" in one)
    assert min(seen[what] for what in ("text", "entered-in-error", "corrected", "component", "absent")) > 0


def test_the_gate_reads_what_the_upload_says(messages: list[Message]) -> None:
    for upload in whole(messages):
        readings: list[WireReading] = []
        for one in observations(upload) if is_said(upload) else []:
            mapped = map_observation(one)
            assert isinstance(mapped, Mapped), mapped
            assert mapped.delivered.device_id == upload["device_id"]
            assert mapped.about
            readings += mapped.delivered.readings
        assert not is_said(upload) or said(readings) == said(upload["readings"])


def test_they_are_valid(messages: list[Message]) -> None:
    uploads = [one for one in whole(messages) if is_said(one)]
    for upload in uploads[::7]:
        resources = observations(upload)
        for one in resources:
            Observation.model_validate(one)
        Bundle.model_validate(bundle(resources))


@pytest.mark.parametrize("form", Format)
def test_everything_is_sent_once_and_each_home_in_order(messages: list[Message], form: Format) -> None:
    requests = list(requests_of(messages, form))
    assert [part.message for one in requests for part in one.parts] == messages
    for request in requests:
        assert (
            sum(part.message.readings for part in request.parts) <= MOST_READINGS or len(request.parts) == 1
        )
        assert request.at_us == max(part.message.at_us for part in request.parts)
        entries = entries_of(request)
        assert entries is None or len(entries) == sum(len(part.entries) for part in request.parts)
    paths = Counter(request.path for request in requests)
    assert (paths["/fhir"] > 0) == (form is Format.FHIR)


def entries_of(request: Request) -> list[Any] | None:
    """The entries of a request; None for what is torn."""
    try:
        content: Any = json.loads(request.body)
    except ValueError:
        assert len(request.parts) == 1
        return None
    entries: list[Any] = content["entry"] if request.path == "/fhir" else content
    return entries


def test_what_patients_of_any_condition_measure_goes_through_the_gate() -> None:
    """Sensors by the minute, breaths, breath, glucose, answers of all kinds."""
    conditions = {"hospital_at_home": 0.2, "diabetes": 0.3, "copd": 0.3, "frail_elderly": 0.2}
    said_by_file = load_scenario("storm").changed(patients=30, days=3, conditions=conditions, seed=2)
    scenario = Scenario.of(said_by_file, newest_programmes(None))
    encoder = Encoder(scenario, 3_600_000_000)
    sent = [one for day in scenario for one in encoder.day(day) if one.patient != TICK and one.readings]
    kinds: set[str] = set()
    for upload in whole(sent):
        readings: list[WireReading] = []
        for one in observations(upload) if is_said(upload) else []:
            mapped = map_observation(one)
            assert isinstance(mapped, Mapped), mapped
            readings += mapped.delivered.readings
        assert not is_said(upload) or said(readings) == said(upload["readings"])
        kinds |= {one["kind"] for one in readings}
    assert kinds >= {
        "glucose", "glucose_cgm", "temperature", "respiratory_rate", "peak_flow", "fev1", "steps", "spo2",
        "consciousness", "supplemental_oxygen", "symptom_sputum", "symptom_neurological",
    }  # fmt: skip
