"""Including a patient in one request: everything that it comes to, or a refusal that leaves nothing."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from models.access import Role
from models.db.pool import Connection
from tests.integration.register.conftest import (
    ANOTHER_BSN,
    BSN,
    CENTRE,
    ELSEWHERE,
    HOSPITAL,
    OTHER_PRACTICE,
    PRACTICE,
    Api,
    form,
    included,
    somebody,
)

TABLES = (
    "registration",
    "treatment_relation",
    "register_change",
    "patient_care",
    "patient_identity",
    "device_loan",
)


async def counts(admin: Connection) -> dict[str, int]:
    return {table: await admin.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES}


async def test_one_request_registers_enrols_and_relates(admin: Connection, api: Api) -> None:
    patient_id = await included(
        api,
        wijk="wijk-12",
        devices=[{"device_id": "scale-4711", "kind": "scale"}],
        treatment_plan="wegen, elke ochtend",
        programmes=[{"programme": "heart_failure", "limits": {"systolic_low": 95}}],
    )
    rows = await admin.fetch("SELECT change FROM register_change ORDER BY number")
    first, second, third = (json.loads(row["change"]) for row in rows)
    assert first["register"] == {
        "origin": "simulated", "organisation_id": str(HOSPITAL), "huisarts": str(PRACTICE),
        "wijk": "wijk-12", "language": "nl",
    }  # fmt: skip
    assert second["enrol"]["limits"]["systolic_low"] == {"value": 95.0, "unit": "mm[Hg]", "set_by": "nurse"}
    assert third["enrol"]["programme"] == "devices"
    shown = await api("GET", f"/patients/{patient_id}")
    assert {one["organisation_id"] for one in shown["treated_by"]} == {
        str(HOSPITAL),
        str(PRACTICE),
        str(CENTRE),
    }
    assert shown["care"]["huisarts_id"] == str(PRACTICE)
    assert shown["care"]["informed_by"] == str(api.user.person_id)
    assert set(shown["programmes"]) == {"heart_failure", "devices"}
    assert [device["device_id"] for device in shown["devices"]] == ["scale-4711"]
    assert "de Vries" not in json.dumps(shown)
    identity = await api("GET", f"/patients/{patient_id}/identity")
    assert (identity["family_name"], identity["bsn"]) == ("de Vries", BSN)
    events = await admin.fetch(
        "SELECT event_code, identifier, ground FROM audit WHERE patients = $1 ORDER BY happened_us, number",
        [UUID(patient_id)],
    )
    assert [tuple(row) for row in events] == [
        ("patient.include", patient_id, "office"),
        ("patient.read", patient_id, "treatment"),
        ("identity.read", patient_id, "treatment"),
    ]


def who(birth_date: str = "1950-01-01", bsn: str | None = None) -> dict[str, Any]:
    return {"identity": {"family_name": "X", "birth_date": birth_date, "bsn": bsn}}


def heart_failure(**more: Any) -> dict[str, Any]:
    return {"programmes": [{"programme": "heart_failure", **more}]}


def systolic(limit: object) -> dict[str, Any]:
    return heart_failure(limits={"systolic_low": limit})


LONG_AGO, LATER = "2020-01-01T00:00:00Z", "2094-01-01T00:00:00Z"
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "BSN with a wrong digit": (who(bsn="111222334"), "eleven-test"),
    "BSN of letters": (who(bsn="11122233X"), "nine digits"),
    "born tomorrow": (who("2094-01-01"), "130 years"),
    "unknown huisarts": ({"huisarts": str(uuid4())}, "gp_practice"),
    "a hospital as huisarts": ({"huisarts": str(HOSPITAL)}, "gp_practice"),
    "unknown centre": ({"monitoring_centre": str(uuid4())}, "monitoring_centre"),
    "unknown programme": ({"programmes": [{"programme": "astrology"}]}, "heart_failure"),
    "unknown version": (heart_failure(version=999), "version"),
    "no programme": ({"programmes": []}, "programmes"),
    "a programme twice": ({"programmes": [{"programme": "copd"}, {"programme": "copd"}]}, "once"),
    "unknown limit": (heart_failure(limits={"luck": 7}), "systolic_low"),
    "implausible limit": (systolic(900), "mm[Hg]"),
    "limit in another unit": (systolic({"value": 95, "unit": "kg"}), "mm[Hg]"),
    "limit that ends before it begins": (systolic({"value": 95, "until": LONG_AGO}), "end after"),
    "limit of 16 digits": (systolic(95.12345678901234), "digits"),
    "unknown schedule": (heart_failure(schedule={"luck": {"before": "10:00"}}), "schedule"),
    "a real patient in a trial": ({"origin": "real"}, "simulated"),
    "begins in the past": ({"starts_at": LONG_AGO}, "starts_at"),
    "informed tomorrow": ({"informed_at": LATER}, "informed_at"),
    "informed by nobody that is known": ({"informed_by": str(uuid4())}, "a person in the register"),
    "a field that is none": ({"bsn": BSN}, "bsn"),
}


async def test_bad_input_is_refused_and_leaves_nothing(admin: Connection, api: Api) -> None:
    before = await counts(admin)
    for name, (wrong, said) in BAD.items():
        answer = await api("POST", "/patients", form(**wrong), 422)
        assert said in json.dumps(answer), (name, answer)
        assert await counts(admin) == before, name
        for secret in ("111222334", "11122233X", BSN, "de Vries"):
            assert secret not in json.dumps(answer), name
    outcomes = await admin.fetch("SELECT outcome, count(*) AS n FROM audit GROUP BY outcome")
    assert [tuple(row) for row in outcomes] == [("failed", len(BAD))]


async def test_the_same_number_twice_is_refused_until_the_first_has_ended(
    admin: Connection, api: Api
) -> None:
    first = await included(api, devices=[{"device_id": "scale-1"}])
    before = await counts(admin)
    answer = await api("POST", "/patients", form(), 422)
    assert "nobody is registered with" in answer["detail"]
    taken = form(devices=[{"device_id": "scale-1"}])
    taken["identity"] = {"family_name": "X", "birth_date": "1950-01-01", "bsn": ANOTHER_BSN}
    assert "was not returned" in (await api("POST", "/patients", taken, 422))["detail"]
    assert await counts(admin) == before
    change = {"version": 1, "change": {"end": {"reason": "finished"}}}
    await api("POST", f"/patients/{first}/changes", change)
    # Put right afterwards, it is still free.
    right = {"version": 2, "change": {"identity": form()["identity"]}}
    await api("POST", f"/patients/{first}/changes", right)
    second = await included(api)
    found = await api("POST", "/patients/search", {"bsn": BSN})
    assert {one["patient_id"]: one["ended"] for one in found["patients"]} == {first: True, second: False}


async def test_search_finds_whom_one_may_see_and_each_is_on_record(admin: Connection, api: Api) -> None:
    patient_id = await included(api)
    by_name = {"family_name": "Vries, De", "birth_date": "1948-03-02"}
    for wanted in ({"bsn": "1112.22.333"}, by_name):
        (found,) = (await api("POST", "/patients/search", wanted))["patients"]
        assert found["patient_id"] == patient_id
    for wanted in ({"bsn": ANOTHER_BSN}, {**by_name, "birth_date": "1948-03-03"}):
        assert (await api("POST", "/patients/search", wanted))["patients"] == []
    stranger = api.as_user(await somebody(admin, Role.NURSE, ELSEWHERE))
    assert (await stranger("POST", "/patients/search", {"bsn": BSN}))["patients"] == []
    touched = await admin.fetch("SELECT patients FROM audit WHERE event_code = 'patient.search'")
    assert [len(row["patients"]) for row in touched].count(1) == 2
    for wanted in ({}, {"bsn": BSN, **by_name}, {"family_name": "de Vries"}):
        await api("POST", "/patients/search", wanted, 422)
    assert "eleven-test" in (await api("POST", "/patients/search", {"bsn": "111222334"}, 422))["detail"]


async def test_an_unknown_user_and_the_wrong_role_include_nobody(admin: Connection, api: Api) -> None:
    before = await counts(admin)
    for role in (Role.COMMUNITY_NURSE, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR, Role.SERVICE):
        await api.as_user(await somebody(admin, role))("POST", "/patients", form(), 403)
    engineer = api.as_user(await somebody(admin, Role.ENGINEER))
    await engineer("POST", "/patients", form(origin="canary"), 403)
    assert await counts(admin) == before
    await engineer("POST", "/patients", form(), 201)


async def test_without_the_key_nothing_opens_and_nothing_is_readable(admin: Connection, api: Api) -> None:
    patient_id = await included(api, identity={
        "family_name": "de Vries", "birth_date": "1948-03-02", "bsn": BSN,
        "contacts": [{"name": "Truus", "relation": "mantelzorger", "may_be_told": True}],
    })  # fmt: skip
    sealed = await admin.fetchval("SELECT sealed FROM patient_identity")
    assert b"Vries" not in sealed
    assert b"Truus" not in sealed
    await admin.execute(
        "UPDATE patient_identity SET sealed = set_byte(sealed, 20, 255 - get_byte(sealed, 20))"
    )
    await api("GET", f"/patients/{patient_id}/identity", expect=500)
    rows = await admin.fetch(
        "SELECT role FROM unnest(ARRAY['thuiswacht_people', 'thuiswacht_read', 'thuiswacht_ingest', "
        "'thuiswacht_alerting', 'thuiswacht_register', 'thuiswacht_login', 'thuiswacht_audit']) AS role "
        "WHERE has_any_column_privilege(role, 'patient_identity', 'SELECT, INSERT, UPDATE')"
    )
    assert rows == []


@pytest.mark.parametrize("practice", [None, OTHER_PRACTICE])
async def test_another_huisarts_treats_and_the_former_no_more(api: Api, practice: UUID | None) -> None:
    patient_id = await included(api)
    change = {"version": 1, "change": {"care": {"huisarts": None if practice is None else str(practice)}}}
    assert await api("POST", f"/patients/{patient_id}/changes", change) == {"version": 2}
    shown = await api("GET", f"/patients/{patient_id}")
    treating = {one["organisation_id"] for one in shown["treated_by"] if one["until_at"] is None}
    assert treating == {str(HOSPITAL), str(CENTRE)} | ({str(practice)} if practice else set())
