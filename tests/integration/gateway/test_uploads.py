"""Plain JSON through the gate: stored once, as it was sent; or refused, kept, and told why."""

import gzip
import json
from typing import Any
from uuid import uuid4

import httpx
import zstandard

from models.clock import to_datetime
from tests.integration.delivery.homes import make_patient
from tests.integration.gateway.house import (
    CLIENT,
    House,
    admit,
    faults_of,
    minutes_ago,
    open_gate,
    upload,
    weight,
    written,
)


async def test_what_is_accepted_is_stored_once_with_value_unit_and_time_as_sent(home: House) -> None:
    at_us = minutes_ago(10)
    first = await home.post(upload(weight(81_400, at_us=at_us, unit="g"), sent_at=written(minutes_ago(9))))
    assert first.status_code == 202, first.text
    assert first.json()["result"] == "accepted"
    assert await home.became(first.json()["status"]) == {"state": "done", "stored": 1, "refused": []}
    assert first.headers["cache-control"] == "no-store"

    again = await home.post(upload(weight(81.4, at_us=at_us)))
    assert (again.status_code, again.json()["result"]) == (200, "duplicate")
    assert await home.rows() == [
        ("body_weight", 81_400.0, "g", None, 0, False, "scale-1", CLIENT, to_datetime(at_us))
    ]
    row = await home.admin.fetchrow("SELECT received_at, sent_at, upload_id FROM reading")
    assert row is not None
    assert row["sent_at"] < row["received_at"]
    assert str(row["upload_id"]) == first.json()["upload_id"]


async def test_the_same_in_friendly_form_on_several_lines_and_packed(home: House) -> None:
    at_us = minutes_ago(10)
    friendly = {"kind": "body_weight", "value": 81.4, "unit": "kg", "taken_at": written(at_us)}
    local = {"kind": "pulse", "value": 61, "unit": "/min", "taken_at": "2026-01-01T00:00:00+01:00"}
    mine = str(uuid4())
    lines = [json.dumps(upload(friendly, upload_id=mine)), "", json.dumps(upload(local, device="cuff-1"))]
    body = gzip.compress("\n".join(lines).encode())
    answer = await home.post(
        body, **{"Content-Type": "application/x-ndjson; charset=utf-8", "Content-Encoding": "gzip"}
    )
    assert answer.status_code == 200, answer.text
    first, second = answer.json()["uploads"]
    assert (first["result"], first["upload_id"], second["result"]) == ("accepted", mine, "accepted")
    await home.became(first["status"])
    await home.became(second["status"])
    packed = zstandard.ZstdCompressor().compress(json.dumps([upload(weight(at_us=at_us))]).encode())
    again = await home.post(packed, **{"Content-Encoding": "zstd"})
    assert again.json()["uploads"][0]["result"] == "duplicate"
    offsets = await home.admin.fetch("SELECT utc_offset_min FROM reading ORDER BY device_id")
    assert [row[0] for row in offsets] == [60, None]


async def test_one_bad_upload_does_not_take_the_others_with_it(home: House) -> None:
    at_us = minutes_ago(10)
    sent: list[Any] = [
        upload(weight(at_us=at_us)),
        {"device_id": "scale-1", "readings": []},
        upload(weight(at_us=at_us), device="somebody else's"),
        upload(weight(at_us=at_us), patient_id=str(uuid4())),
        upload(weight(at_us=at_us - 60_000_000)),
        "nonsense",
    ]
    answer = await home.post(sent)
    assert answer.status_code == 200
    results = answer.json()["uploads"]
    assert [one["result"] for one in results] == ["accepted", *["refused"] * 3, "accepted", "refused"]
    assert faults_of(results[1]) == [("[1].readings", "structure", False)]
    assert [faults_of(one)[0][1] for one in results[2:4]] == ["not_found", "forbidden"]
    assert faults_of(results[5]) == [("[5]", "structure", False)]
    # Of one patient and device: one message of the log, each with its own part of it.
    assert results[0]["upload_id"] == results[4]["upload_id"]
    for one in (results[0], results[4]):
        assert (await home.became(one["status"]))["stored"] == 1
    assert len(await home.rows()) == 2


async def test_what_cannot_count_is_refused_and_kept_in_quarantine(home: House) -> None:
    at_us = minutes_ago(10)
    answer = await home.post(
        upload(
            weight(814, at_us=at_us),
            {"kind": "spo2", "value": 97, "unit": "percent", "taken_at_us": at_us},
            {"kind": "temperature", "value": 36.8, "unit": "Cel"},
            {**weight(at_us=at_us - 1_000_000), "revsion": 1},
        )
    )
    assert answer.status_code == 422, answer.text
    assert faults_of(answer.json()) == [
        ("readings[0].value", "value", True),
        ("readings[1].unit", "unknown_code", True),
        ("readings[2].taken_at_us", "required", True),
        ("readings[3].revsion", "structure", True),
    ]
    assert "did you mean revision?" in answer.json()["faults"][3]["expected"]
    became = await home.became(answer.json()["status"])
    assert became["stored"] == 0
    assert [(one["position"], one["reason"]) for one in became["refused"]] == [
        (0, "implausible"), (1, "unknown_unit"), (2, "missing_time"), (3, "not_one_content"),
    ]  # fmt: skip
    assert await home.rows() == []
    raw = json.loads(await home.admin.fetchval("SELECT raw FROM quarantine_message"))
    assert json.loads(raw["readings"][3]["as_sent"])["revsion"] == 1


async def test_a_reading_that_cannot_count_does_not_take_its_upload_with_it(home: House) -> None:
    at_us = minutes_ago(10)
    body = json.dumps(upload(weight(at_us=at_us), weight(at_us=at_us - 1_000_000))).encode()
    answer = await home.post(body.replace(b"81.4", b"1e999", 1))
    assert answer.status_code == 202
    assert answer.json()["readings"] == ["refused", "accepted"]
    became = await home.became(answer.json()["status"])
    assert (became["stored"], len(became["refused"])) == (1, 1)


async def test_another_value_of_what_is_known_is_a_conflict_and_kept(home: House) -> None:
    at_us = minutes_ago(10)
    first = await home.post(upload(weight(at_us=at_us)))
    await home.became(first.json()["status"])
    answer = await home.post(upload(weight(82, at_us=at_us)))
    assert answer.status_code == 422
    [fault] = answer.json()["faults"]
    assert (fault["where"], fault["code"], fault["found"]) == ("readings[0]", "conflict", "82 kg")
    assert fault["expected"].startswith("81.4 kg")
    became = await home.became(answer.json()["status"])
    assert became["refused"][0]["reason"] == "conflict"
    assert [row[1] for row in await home.rows()] == [81.4]


async def test_the_first_of_two_values_in_one_request_counts(home: House) -> None:
    at_us = minutes_ago(10)
    answer = await home.post([upload(weight(at_us=at_us)), upload(weight(82, at_us=at_us))])
    assert [one["result"] for one in answer.json()["uploads"]] == ["accepted", "refused"]
    became = await home.became(answer.json()["uploads"][1]["status"])
    assert became["refused"][0]["reason"] == "conflict"


async def test_corrections_come_above_what_was_acknowledged_and_are_taken_back(home: House) -> None:
    """One right behind the other: none waits for being stored but here."""
    at_us = minutes_ago(10)
    answers = [
        await home.post(upload(weight(value, at_us=at_us), **fields))
        for value, fields in (
            (81.4, {}),
            (82.0, {"correction": "corrected"}),
            (83.0, {"correction": "corrected"}),
            (83.0, {"correction": "corrected"}),
            (83.0, {"correction": "in_error"}),
            (83.0, {"correction": "in_error"}),
            (84.0, {"correction": "corrected"}),
        )
    ]
    said = [answer.json()["result"] for answer in answers]
    assert said == [*["accepted"] * 3, "duplicate", "accepted", "duplicate", "accepted"]
    await home.became(answers[-1].json()["status"])
    assert [(row[1], row[4], row[5]) for row in await home.rows()] == [
        (81.4, 0, False), (82.0, 1, False), (83.0, 2, False), (None, 2, True), (84.0, 3, False),
    ]  # fmt: skip


async def test_who_may_name_patients_needs_no_device(home: House) -> None:
    home.token = await admit(home.settings, home.admin, "hospital", names_patients=True)
    reading = weight(at_us=minutes_ago(10))
    answer = await home.post({"patient_id": str(home.patient_id), "readings": [reading]})
    assert answer.status_code == 202, answer.text
    await home.became(answer.json()["status"])
    assert [row[6] for row in await home.rows()] == ["hospital"]


async def test_a_status_address_opens_for_who_delivered_alone(home: House) -> None:
    answer = await home.post(upload(weight(at_us=minutes_ago(10))))
    status = answer.json()["status"]
    home.token = await admit(home.settings, home.admin, "another")
    assert (await home.get(status)).status_code == 404
    assert (await home.get("/v1/uploads/AAAA")).status_code == 404
    assert (await home.get("/v1/uploads/" + "%C3%A9" * 40)).status_code == 404


async def test_what_is_not_stored_yet_is_pending(house: House) -> None:
    await house.admin.execute(
        "INSERT INTO patient VALUES ($1, $2, 'simulated', NULL, NULL, 'nl', 'c', 't', 0, 0, now())",
        house.patient_id, await house.admin.fetchval("SELECT organisation_id FROM client"),
    )  # fmt: skip
    async with open_gate(house):
        answer = await house.post(upload(weight(at_us=minutes_ago(10))))
        status = await house.get(answer.json()["status"])
    assert (answer.status_code, status.status_code) == (202, 200)
    assert status.json() == {"state": "pending"}
    assert status.headers["retry-after"] == "1"


async def test_nothing_is_taken_for_whom_the_log_does_not_know_yet(house: House) -> None:
    async with open_gate(house):
        answer = await house.post(upload(weight(at_us=minutes_ago(10))))
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


async def test_what_was_measured_in_another_home_is_not_taken(home: House) -> None:
    await home.admin.execute(
        "INSERT INTO device_loan (patient_id, organisation_id, device_id, kind, handed_out_at, returned_at) "
        "SELECT patient_id, organisation_id, 'scale-9', 'scale', now() - interval '2 days', "
        "now() - interval '1 day' FROM registration"
    )
    other = await make_patient(home.admin)
    await home.admin.execute(
        "INSERT INTO device_loan (patient_id, organisation_id, device_id, kind, handed_out_at) "
        "SELECT $1, organisation_id, 'scale-9', 'scale', now() FROM registration WHERE patient_id = $1",
        other,
    )
    answer = await home.post(upload(weight(at_us=minutes_ago(36 * 60)), device="scale-9"))
    assert answer.status_code == 403
    assert faults_of(answer.json()) == [("readings[0]", "forbidden", False)]


UNREADABLE: list[tuple[bytes, dict[str, str], int, str]] = [
    (b"<Observation/>", {}, 400, "body"),
    (b"{}", {"Content-Type": "text/xml"}, 415, "Content-Type"),
    (b"{}", {"Content-Type": "application/json; charset=latin1"}, 415, "Content-Type"),
    (b"{}", {"Content-Encoding": "br"}, 415, "Content-Encoding"),
    (b"{}", {"Content-Encoding": "gzip"}, 400, "body"),
    (gzip.compress(bytes(9_000_000)), {"Content-Encoding": "gzip"}, 413, "body"),
    (b" " * 8_388_609, {}, 413, "body"),
    (b"[" * 10_000, {}, 413, "body"),
    (b'{"device_id":"a","device_id":"b"}', {}, 400, "body"),
    (b"[]", {}, 400, "body"),
    (b"[" + b"1," * 1_000 + b"1]", {}, 413, "body"),
]


async def test_what_cannot_be_read_is_refused_and_says_why(home: House) -> None:
    for body, headers, status, where in UNREADABLE:
        answer = await home.post(body, **headers)
        assert answer.status_code == status, (body[:20], headers, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        [error] = answer.json()["errors"]
        assert error["where"] == where
    good = await home.post(upload(weight(at_us=minutes_ago(10))))
    assert good.status_code == 202


async def test_openapi_describes_it_and_needs_no_token(home: House) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{home.port}") as http:
        described = (await http.get("/openapi.json")).json()
        refused = await http.post("/v1/uploads", json={})
    assert refused.status_code == 401
    operation = described["paths"]["/v1/uploads"]["post"]
    assert {"200", "202", "400", "401", "403", "404", "408", "413", "415", "422", "429", "503"} == set(
        operation["responses"]
    )
    assert "Upload" in described["components"]["schemas"]
