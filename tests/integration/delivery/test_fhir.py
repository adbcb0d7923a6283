"""FHIR through a front gate, a real log and a real worker: what is answered is what becomes of it."""

from typing import Any

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from tests.integration.delivery.fhir_gate import Hub

MILD = {"system": "http://snomed.info/sct", "code": "255604002"}


def weight(
    hub: Hub, value: object = 81.4, *, device: str = "scale", minutes: int = 10, **more: Any
) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "effectiveDateTime": hub.at(minutes),
        "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": "kg"},
        "device": {"identifier": {"system": "urn:thuiswacht:device", "value": device}},
        **more,
    }


def entry(resource: dict[str, Any], **conditions: str) -> dict[str, Any]:
    request = {"method": "POST", "url": resource["resourceType"], **conditions}
    return {"resource": resource, "request": request}


def statuses(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [int(one["response"]["status"][:3]) for one in answer.json()["entry"]]


def issues(answer: Any) -> list[dict[str, Any]]:
    assert answer.headers["content-type"] == "application/fhir+json"
    OperationOutcome.model_validate(answer.json())
    return answer.json()["issue"]


async def test_a_batch_takes_the_good_entries_and_says_what_is_wrong_with_the_others(fhir: Hub) -> None:
    await fhir.home("scale", "another")
    stones = weight(fhir, 12, minutes=9)
    stones["valueQuantity"]["code"] = "[stone_av]"
    answer = await fhir.batch(
        entry(weight(fhir)),
        {"resource": weight(fhir)},
        entry(stones),
        entry(weight(fhir, 814, minutes=8)),
        entry(weight(fhir, 80.9, device="another")),
        entry(weight(fhir, device="nobody's")),
        entry({"resourceType": "Medication"}),
        entry(weight(fhir)),
    )
    assert statuses(answer) == [201, 400, 422, 422, 201, 404, 404, 201]
    entries = answer.json()["entry"]
    assert entries[0]["response"] == entries[7]["response"]
    implausible = entries[3]["response"]["outcome"]["issue"]
    assert implausible[0]["expression"] == ["Bundle.entry[3].resource.valueQuantity.value"]
    assert "quarantine" in implausible[0]["diagnostics"]
    assert "/v1/uploads/" in implausible[1]["diagnostics"]
    assert entries[5]["response"]["outcome"]["issue"][0]["expression"] == ["Bundle.entry[5].resource.device"]

    stored = await fhir.readings()
    assert [(row["value"], row["device_id"], row["source"]) for row in stored] == [
        (81.4, "scale", "hub"),
        (80.9, "another", "hub"),
    ]
    refused = await fhir.admin.fetch("SELECT reason FROM quarantine ORDER BY reason")
    assert [row["reason"] for row in refused] == ["implausible", "unknown_unit"]


async def test_a_hundred_observations_of_one_device_are_one_message(fhir: Hub) -> None:
    await fhir.home("scale")
    before = await fhir.messages()
    answer = await fhir.batch(*[entry(weight(fhir, 80 + n / 10, minutes=n + 1)) for n in range(100)])
    assert statuses(answer) == [201] * 100
    assert await fhir.messages() == before + 1
    assert len(await fhir.readings()) == 100


async def test_several_patients_are_split_as_a_batch_and_refused_as_a_transaction(fhir: Hub) -> None:
    await fhir.home("scale")
    await fhir.home("hers")
    entries = [entry(weight(fhir)), entry(weight(fhir, 60.2, device="hers")), entry(weight(fhir, minutes=5))]
    before = await fhir.messages()
    refused = await fhir.batch(*entries, type_="transaction")
    assert refused.status_code == 422
    (issue,) = issues(refused)
    assert issue["expression"] == ["Bundle.entry[1].resource"]
    assert await fhir.messages() == before

    assert statuses(await fhir.batch(*entries)) == [201, 201, 201]
    stored = await fhir.readings()
    assert len({row["patient_id"] for row in stored}) == 2
    assert len(stored) == 3


@pytest.mark.parametrize(
    ("bad", "status"),
    [({"valueQuantity": {"value": 81.4}}, 422), ({"effectiveDateTime": "2026-03-01"}, 422)],
)
async def test_a_transaction_is_all_or_nothing(fhir: Hub, bad: dict[str, Any], status: int) -> None:
    await fhir.home("scale")
    before = await fhir.messages()
    refused = await fhir.batch(
        entry(weight(fhir)), entry(weight(fhir, minutes=5, **bad)), type_="transaction"
    )
    assert refused.status_code == status
    assert all(one["expression"][0].startswith("Bundle.entry[1].resource") for one in issues(refused))
    implausible = await fhir.batch(
        entry(weight(fhir)), entry(weight(fhir, 814, minutes=5)), type_="transaction"
    )
    assert implausible.status_code == 422
    assert await fhir.messages() == before

    taken = await fhir.batch(entry(weight(fhir)), entry(weight(fhir, minutes=5)), type_="transaction")
    assert statuses(taken) == [201, 201]
    assert taken.json()["type"] == "transaction-response"
    assert len(await fhir.readings()) == 2


async def test_created_twice_it_is_stored_once_and_found_again(fhir: Hub) -> None:
    await fhir.home("scale")
    first = await fhir.post("/fhir/Observation", weight(fhir))
    assert first.status_code == 201
    assert first.headers["etag"] == 'W/"0"'
    assert first.headers["content-location"].startswith("/v1/uploads/")
    assert [issue["severity"] for issue in issues(first)] == ["information", "information"]
    await fhir.until_followed()
    second = await fhir.post("/fhir/Observation", weight(fhir))
    assert second.status_code == 200
    assert second.headers["location"] == first.headers["location"]
    other = await fhir.post("/fhir/Observation", weight(fhir, 82))
    assert other.status_code == 409
    assert "81.4" in issues(other)[0]["diagnostics"]
    assert [row["value"] for row in await fhir.readings()] == [81.4]


async def test_it_is_put_to_its_own_id_alone(fhir: Hub) -> None:
    await fhir.home("scale")
    refused = await fhir.put(weight(fhir), "mine")
    assert refused.status_code == 422
    own = issues(refused)[0]["diagnostics"].split()[1].rstrip(":")
    assert (await fhir.send("PUT", f"/fhir/Observation/{own}", weight(fhir, id="mine"))).status_code == 400
    put = await fhir.put(weight(fhir), own)
    assert put.status_code == 201
    await fhir.until_followed()
    again = await fhir.put(weight(fhir), own)
    assert (again.status_code, again.headers["location"]) == (200, put.headers["location"])
    assert (await fhir.post("/fhir/Observation", weight(fhir))).headers["location"] == put.headers["location"]


async def test_it_is_corrected_and_then_taken_back(fhir: Hub) -> None:
    await fhir.home("scale")
    created = await fhir.post("/fhir/Observation", weight(fhir))
    id_ = created.headers["location"].split("/")[-3]
    await fhir.until_followed()

    stale = await fhir.put(weight(fhir, 80.1, status="corrected"), id_, if_match='W/"4"')
    assert stale.status_code == 412
    assert 'W/"0"' in issues(stale)[0]["diagnostics"]
    assert issues(stale)[0]["expression"] == ["http.If-Match"]
    corrected = await fhir.put(weight(fhir, 80.1, status="corrected"), id_, if_match='W/"0"')
    assert corrected.status_code == 200
    assert corrected.headers["etag"] == 'W/"1"'
    await fhir.until_followed()
    again = await fhir.put(weight(fhir, 80.1, status="corrected"), id_)
    assert (again.status_code, again.headers["etag"]) == (200, 'W/"1"')

    taken_back = await fhir.put(weight(fhir, 80.1, status="entered-in-error"), id_)
    assert taken_back.status_code == 200
    rows = [(row["revision"], row["void"], row["value"]) for row in await fhir.readings()]
    assert rows[:2] == [(0, False, 81.4), (1, False, 80.1)]
    assert any(void and revision >= 1 for revision, void, _ in rows)


async def test_only_where_it_is_not_here_yet(fhir: Hub) -> None:
    await fhir.home("scale")
    named = weight(fhir, identifier=[{"system": "urn:example:hub", "value": "7"}])
    condition = {"if_none_exist": "identifier=urn:example:hub|7"}
    assert (await fhir.post("/fhir/Observation", named, **condition)).status_code == 201
    await fhir.until_followed()
    assert (await fhir.post("/fhir/Observation", named, **condition)).status_code == 200
    at = fhir.at().replace("+", "%2B")
    by_device = f"device.identifier=urn:thuiswacht:device|scale&date={at}&code=http://loinc.org|29463-7"
    assert statuses(await fhir.batch(entry(named, ifNoneExist=by_device))) == [200]
    other = await fhir.post("/fhir/Observation", named, if_none_exist="identifier=urn:example:hub|8")
    assert other.status_code == 412
    unknown = await fhir.post("/fhir/Observation", named, if_none_exist="status=final")
    assert unknown.status_code == 400
    assert len(await fhir.readings()) == 1


async def test_devices_of_the_bundle_are_found_and_patients_are_not_believed(fhir: Hub) -> None:
    await fhir.home("ACDE480000000001")
    eui = "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680"
    device = {"resourceType": "Device", "identifier": [{"system": eui, "value": "AC-DE-48-00-00-00-00-01"}]}
    sent = weight(fhir) | {"device": {"reference": "urn:uuid:d"}}
    theirs = weight(fhir, minutes=5) | {
        "device": {"reference": "urn:uuid:d"},
        "subject": {"reference": "urn:uuid:p"},
    }
    somebody = {
        "resourceType": "Patient",
        "identifier": [{"system": "http://fhir.nl/fhir/NamingSystem/bsn", "value": "111222333"}],
    }
    answer = await fhir.batch(
        entry(device, ifNoneExist=f"identifier={eui}|x") | {"fullUrl": "urn:uuid:d"},
        entry(sent),
        entry(theirs),
        entry(somebody) | {"fullUrl": "urn:uuid:p"},
    )
    assert statuses(answer) == [200, 201, 403, 200]
    assert [row["device_id"] for row in await fhir.readings()] == ["ACDE480000000001"]


async def test_the_answer_holds_what_is_preferred(fhir: Hub) -> None:
    await fhir.home("scale")
    small = await fhir.post("/fhir/Observation", weight(fhir), prefer="return=minimal")
    assert (small.status_code, small.content) == (201, b"")
    whole = await fhir.post("/fhir/Observation", weight(fhir, minutes=9), prefer="return=representation")
    sent = weight(fhir, minutes=9)
    assert {name: whole.json()[name] for name in sent} == sent
    assert whole.json()["id"] == whole.headers["location"].split("/")[-3]


async def test_the_address_tells_what_became_of_it(fhir: Hub) -> None:
    await fhir.home("scale")
    pressure = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
        "effectiveDateTime": fhir.at(),
        "component": [
            {
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
            }
            for code, value in (("8480-6", 900), ("8462-4", 81))
        ],
        "device": {"reference": "Device/scale"},
    }
    answer = await fhir.post("/fhir/Observation", pressure, prefer="return=minimal")
    assert answer.status_code == 201
    first = issues(answer)[0]
    assert (first["severity"], first["expression"]) == (
        "warning",
        ["Observation.component[0].valueQuantity.value"],
    )
    await fhir.until_followed()
    became = (await fhir.send("GET", answer.headers["content-location"], b"")).json()
    assert (became["state"], became["stored"], len(became["refused"])) == ("done", 1, 1)


async def test_versions_are_known_before_anything_is_stored_by_hand(fhir: Hub) -> None:
    """Nobody waits between these: whoever corrects, and then takes back, need not know how far storing is."""
    await fhir.home("scale")
    created = await fhir.post("/fhir/Observation", weight(fhir), prefer="return=representation")
    id_ = created.json()["id"]
    once = created.json() | {"status": "corrected", "valueQuantity": weight(fhir, 80.1)["valueQuantity"]}
    corrected = await fhir.put(once, id_, if_match='W/"0"', prefer="return=representation")
    assert corrected.headers["etag"] == 'W/"1"'
    again = corrected.json() | {"valueQuantity": weight(fhir, 79.9)["valueQuantity"]}
    assert (await fhir.put(again, id_, if_match='W/"1"')).headers["etag"] == 'W/"2"'
    taken_back = await fhir.put(again | {"status": "entered-in-error"}, id_)
    assert taken_back.status_code == 200
    rows = [(row["revision"], row["void"], row["value"]) for row in await fhir.readings()]
    assert [row for row in rows if not row[1]] == [(0, False, 81.4), (1, False, 80.1), (2, False, 79.9)]
    assert max(revision for revision, void, _ in rows if void) >= 2


async def test_answers_to_questions_are_taken(fhir: Hub) -> None:
    patient_id = await fhir.home("tablet")
    answers: dict[str, Any] = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "authored": fhir.at(),
        "subject": {"reference": f"Patient/{patient_id}"},
        "author": {"reference": "Device/tablet"},
        "questionnaire": "urn:thuiswacht:questionnaire:symptoms|1",
        "item": [{"linkId": "symptom_dyspnoea", "answer": [{"valueCoding": MILD}]}],
    }
    answer = await fhir.post("/fhir/QuestionnaireResponse", answers)
    assert answer.status_code == 201, answer.text
    assert "/fhir/QuestionnaireResponse/" in answer.headers["location"]
    (stored,) = await fhir.readings()
    assert stored["device_id"] == "tablet"
    refused = await fhir.post("/fhir/QuestionnaireResponse", answers | {"status": "in-progress"})
    assert refused.status_code == 422
    assert issues(refused)[0]["expression"] == ["QuestionnaireResponse.status"]
