"""Changing what holds for a patient: in order, never two at once, and only what one may."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from ingest.acting import Decide
from models.access import Role, decide
from models.db.pool import Connection
from tests.integration.policies import anybody_may
from tests.integration.register.conftest import (
    ANOTHER_BSN,
    CENTRE,
    ELSEWHERE,
    HOSPITAL,
    OTHER_PRACTICE,
    PRACTICE,
    Api,
    included,
    somebody,
)

IN_A_WEEK = (datetime.now(UTC) + timedelta(days=7)).isoformat()  # noqa: TID251 (the API's clock is the real one)
DAY_TO_COME = IN_A_WEEK[:10]
WEIGH = {"before": "11:00", "on": ["mon", "thu"]}


async def change(api: Api, patient_id: str, version: int, what: dict[str, Any], expect: int = 200) -> Any:
    body = {"version": version, "change": what}
    return await api("POST", f"/patients/{patient_id}/changes", body, expect)


async def contents(admin: Connection, patient_id: str) -> list[str]:
    rows = await admin.fetch(
        "SELECT change FROM register_change WHERE patient_id = $1 ORDER BY number", UUID(patient_id)
    )
    return [next(iter(json.loads(row["change"]))) for row in rows]


async def test_a_life_in_the_register(admin: Connection, api: Api) -> None:
    patient_id = await included(api)
    schedule = next(
        iter(
            json.loads(
                await admin.fetchval(
                    "SELECT offered FROM programme_catalogue WHERE programme = 'heart_failure' "
                    "ORDER BY version DESC LIMIT 1"
                )
            )["schedules"]
        )
    )
    lighter = {"programme": "heart_failure", "schedule": {schedule: WEIGH}}
    changes: list[dict[str, Any]] = [
        {"limits": {"programme": "heart_failure", "limits": {"systolic_low": 92}}},
        {"limits": {"programme": "heart_failure", "limits": {"systolic_low": None}}},
        {"enrol": {"programme": "copd"}},
        {"withdraw": {"programme": "copd"}},
        {"pause": {"until": IN_A_WEEK, "reason": "vakantie"}},
        {"resume": {}},
        {"admit": {}},
        {"discharge": {}},
        {"step_down": {**lighter, "review_on": DAY_TO_COME}},
        {
            "care": {
                "treatment_plan": "bellen bij twijfel",
                "advance_care": "niet reanimeren",
                "wijk": "wijk-3",
            }
        },
        {"hand_out": {"device_id": "cuff-1", "kind": "cuff"}},
        {"end": {"reason": "died"}},
        {"take_back": {"device_id": "cuff-1"}},
    ]
    for version, what in enumerate(changes, 1):
        assert await change(api, patient_id, version, what) == {"version": version + 1}
    assert await contents(admin, patient_id) == [
        "register", "enrol", "enrol", "limits", "limits", "enrol", "withdraw", "pause", "resume", "admit",
        "discharge", "schedule", "end",
    ]  # fmt: skip
    shown = await api("GET", f"/patients/{patient_id}")
    assert (shown["ended"], shown["programmes"], shown["paused"]) == ("died", {}, False)
    assert shown["care"]["advance_care"] == "niet reanimeren"
    assert shown["care"]["ended_at"] is not None
    assert shown["care"]["review_on"] is None
    assert shown["devices"][0]["returned_at"] is not None
    # What was, is kept: each version of the care, with who wrote it.
    history = await admin.fetch("SELECT version, review_on, by FROM patient_care ORDER BY version")
    assert [(row["version"], str(row["review_on"])) for row in history] == [
        (1, "None"), (10, DAY_TO_COME), (11, DAY_TO_COME), (13, "None"),
    ]  # fmt: skip
    assert {row["by"] for row in history} == {api.user.person_id}


HEART = "heart_failure"
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "pause that ends before it begins": ({"pause": {"until": "2020-01-01T00:00:00Z"}}, "end after"),
    "resume without pause": ({"resume": {}}, "paused"),
    "discharge without admission": ({"discharge": {}}, "admitted"),
    "review in the past": ({"care": {"review_on": "2020-01-01"}}, "a day to come"),
    "unknown huisarts": ({"care": {"huisarts": str(uuid4())}}, "gp_practice"),
    "a hospital as huisarts": ({"care": {"huisarts": str(HOSPITAL)}}, "gp_practice"),
    "informed by nobody that is known": ({"care": {"informed_by": str(uuid4())}}, "a person in the register"),
    "nothing of care": ({"care": {}}, "something that changes"),
    "a programme twice": ({"enrol": {"programme": HEART}}, "not in yet"),
    "leaving what one is not in": ({"withdraw": {"programme": "copd"}}, "that the patient is in"),
    "moving to the same version": ({"move": {"programme": HEART}}, "another"),
    "unknown limit": ({"limits": {"programme": HEART, "limits": {"luck": 1}}}, "systolic_low"),
    "unknown limit taken back": ({"limits": {"programme": HEART, "limits": {"luck": None}}}, "systolic_low"),
    "implausible limit": ({"limits": {"programme": HEART, "limits": {"systolic_low": -5}}}, "mm[Hg]"),
    "unknown schedule": ({"schedule": {"programme": HEART, "schedule": {"luck": WEIGH}}}, "schedule"),
    "a device that is not there": ({"take_back": {"device_id": "x"}}, "a device that the patient has"),
    "wrong BSN": (
        {"identity": {"family_name": "X", "birth_date": "1950-01-01", "bsn": "123456789"}},
        "eleven-test",
    ),
    "two things at once": ({"resume": {}, "admit": {}}, "exactly one"),
    "nothing": ({}, "exactly one"),
}


async def test_bad_changes_are_refused_and_change_nothing(admin: Connection, api: Api) -> None:
    patient_id = await included(api)
    for name, (what, said) in BAD.items():
        answer = await change(api, patient_id, 1, what, 422)
        assert said in json.dumps(answer), (name, answer)
    shown = await api("GET", f"/patients/{patient_id}")
    assert shown["version"] == 1
    assert await contents(admin, patient_id) == ["register", "enrol", "enrol"]
    early: dict[str, Any] = {"version": 1, "change": {"pause": {}}, "as_of": "2020-01-01T00:00:00Z"}
    path = f"/patients/{patient_id}/changes"
    assert "correction" in (await api("POST", path, early, 422))["detail"]
    await api("POST", path, {**early, "correction": True})
    await change(api, patient_id, 2, {"end": {"reason": "moved"}})
    assert "included anew" in (await change(api, patient_id, 3, {"admit": {}}, 422))["detail"]


async def test_what_is_to_come_is_shown_apart_from_what_holds(api: Api) -> None:
    patient_id = await included(api, starts_at=IN_A_WEEK)
    shown = await api("GET", f"/patients/{patient_id}")
    assert shown["programmes"] == {}
    assert [next(name for name in one if name != "from") for one in shown["to_come"]] == [
        "register", "enrol", "enrol",
    ]  # fmt: skip
    assert shown["to_come"][0]["from"][:10] == DAY_TO_COME


async def test_of_two_people_at_once_one_is_told_to_look_again(admin: Connection, api: Api) -> None:
    patient_id = await included(api)
    other = api.as_user(await somebody(admin, Role.NURSE))
    path = f"/patients/{patient_id}/changes"
    headers = [
        {"x-user": f"{one.user.person_id} {one.user.organisation_id} {one.user.role}"} for one in (api, other)
    ]
    answers = await asyncio.gather(
        *(
            api.client.post(path, json={"version": 1, "change": {"admit": {}}}, headers=who)
            for who in headers * 3
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    assert (await contents(admin, patient_id)).count("admit") == 1
    assert (await api("GET", f"/patients/{patient_id}"))["version"] == 2
    outcomes = await admin.fetch("SELECT outcome FROM audit WHERE event_code = 'patient.change'")
    assert sorted(row["outcome"] for row in outcomes) == ["allowed", *["failed"] * 5]


async def test_a_double_registration_ends_and_points_to_the_other(admin: Connection, api: Api) -> None:
    stays = await included(api)
    without = {"family_name": "de Vries", "birth_date": "1948-03-02"}
    double = await included(api, identity=without)
    body = {"version": 1, "into": stays, "into_version": 1}
    await api("POST", f"/patients/{double}/merge", body, 403)
    coordinator = api.as_user(await somebody(admin, Role.COORDINATOR))
    for wrong, status in (
        ({**body, "into": str(uuid4())}, 403),
        ({**body, "into": double}, 422),
        ({**body, "version": 7}, 409),
        ({**body, "into_version": 7}, 409),
    ):
        await coordinator("POST", f"/patients/{double}/merge", wrong, status)
    assert await coordinator("POST", f"/patients/{double}/merge", body) == {"version": 2}
    shown = await coordinator("GET", f"/patients/{double}")
    assert (shown["ended"], shown["care"]["merged_into"]) == ("finished", stays)
    found = (await coordinator("POST", "/patients/search", without))["patients"]
    assert {one["patient_id"]: one["merged_into"] for one in found} == {stays: None, double: stays}
    again = {"version": 2, "into": stays, "into_version": 2}
    await coordinator("POST", f"/patients/{double}/merge", again, 422)
    touched = await admin.fetchval(
        "SELECT patients FROM audit WHERE event_code = 'patient.merge' AND outcome = 'allowed'"
    )
    assert {str(one) for one in touched} == {stays, double}


async def test_relations_begin_and_end_and_decide_who_sees(admin: Connection, api: Api) -> None:
    patient_id = await included(api)
    stranger = api.as_user(await somebody(admin, Role.NURSE, ELSEWHERE))
    path = f"/patients/{patient_id}"
    await stranger("GET", path, expect=403)
    for begins, ends in (("relations", "relations/end"), ("consents", "consents/end")):
        elsewhere = {"organisation_id": str(ELSEWHERE)}
        await api("POST", f"{path}/{begins}", elsewhere, 204)
        await api("POST", f"{path}/{begins}", elsewhere, 204)
        await stranger("GET", path)
        await api("POST", f"{path}/{ends}", elsewhere, 204)
        await stranger("GET", path, expect=403)
        await api("POST", f"{path}/{ends}", elsewhere, 404)
        await api("POST", f"{path}/{begins}", {"organisation_id": str(uuid4())}, 422)
        await api("POST", f"{path}/{begins}", {**elsewhere, "until": "2020-01-01T00:00:00Z"}, 422)
    await api("POST", f"{path}/consents", {**elsewhere, "until": IN_A_WEEK}, 204)
    await stranger("POST", f"{path}/changes", {"version": 1, "change": {"admit": {}}}, 403)
    assert await admin.fetchval("SELECT count(*) FROM treatment_relation") == 4


async def test_an_emergency_lets_look_for_hours_and_is_there_to_be_reviewed(
    admin: Connection, api: Api
) -> None:
    patient_id = await included(api)
    path = f"/patients/{patient_id}"
    stranger = api.as_user(await somebody(admin, Role.NURSE, ELSEWHERE))
    reason = "does not answer the door, lies on the floor"
    await stranger("POST", f"{path}/emergencies", {"reason": "curious"}, 422)
    await stranger("POST", f"{path}/emergencies", {"reason": reason, "hours": 9}, 422)
    await stranger("POST", f"/patients/{uuid4()}/emergencies", {"reason": reason}, 403)
    await stranger("GET", path, expect=403)
    await stranger("POST", f"{path}/emergencies", {"reason": reason, "hours": 8}, 201)
    await stranger("GET", path)
    await stranger("POST", f"{path}/changes", {"version": 1, "change": {"admit": {}}}, 403)
    row = await admin.fetchrow("SELECT reason, reviewed_at FROM emergency_access")
    assert tuple(row or ()) == (reason, None)
    told = await admin.fetchval(
        "SELECT reason FROM audit WHERE event_code = 'emergency.declare' AND outcome = 'allowed'"
    )
    assert told == reason


OTHERS: list[tuple[str, str, Any]] = [
    ("GET", "", None),
    ("GET", "/identity", None),
    ("POST", "/changes", {"version": 1, "change": {"admit": {}}}),
    ("POST", "/changes", {"version": 1, "change": {"care": {"huisarts": str(OTHER_PRACTICE)}}}),
    ("POST", "/changes", {"version": 1, "change": {"hand_out": {"device_id": "scale-1"}}}),
    ("POST", "/relations", {"organisation_id": str(ELSEWHERE)}),
    ("POST", "/consents", {"organisation_id": str(ELSEWHERE)}),
    ("POST", "/relations/end", {"organisation_id": str(HOSPITAL)}),
]  # fmt: skip


@pytest.mark.parametrize("policy", [decide, anybody_may], ids=["checked", "by the database alone"])
async def test_the_patients_of_others_are_out_of_reach(admin: Connection, api: Api, policy: Decide) -> None:
    patient_id = await included(api)
    rows = "SELECT count(*) FROM {}"
    tables = ("register_change", "patient_care", "treatment_relation", "consent", "patient_identity")
    before = [await admin.fetchval(rows.format(table)) for table in tables]
    api.app.state.decide = policy
    for role in (Role.NURSE, Role.COORDINATOR, Role.HUISARTS):
        stranger = api.as_user(await somebody(admin, role, ELSEWHERE))
        for method, path, body in OTHERS:
            user = stranger.user
            headers = {"x-user": f"{user.person_id} {user.organisation_id} {user.role}"}
            answer = await api.client.request(
                method, f"/patients/{patient_id}{path}", json=body, headers=headers
            )
            assert answer.status_code in ({403} if policy is decide else {403, 404, 409}), (path, answer.text)
    assert [await admin.fetchval(rows.format(table)) for table in tables] == before
    care = await admin.fetchrow("SELECT huisarts_id, version FROM patient_care")
    assert tuple(care or ()) == (PRACTICE, 1)
    assert await admin.fetchval("SELECT count(*) FROM treatment_relation WHERE until_at IS NOT NULL") == 0


async def test_who_somebody_is_can_be_put_right_but_not_be_somebody_else(api: Api) -> None:
    first = await included(api)
    second = await included(
        api, identity={"family_name": "Bakker", "birth_date": "1950-01-01", "bsn": ANOTHER_BSN}
    )
    right = {"family_name": "Bakker-Visser", "birth_date": "1950-01-01", "bsn": ANOTHER_BSN}
    assert await change(api, second, 1, {"identity": right}) == {"version": 2}
    assert (await api("GET", f"/patients/{second}/identity"))["family_name"] == "Bakker-Visser"
    taken = await change(api, first, 1, {"identity": right}, 422)
    assert "nobody is registered with" in taken["detail"]
    assert str(CENTRE) in json.dumps(await api("GET", f"/patients/{first}"))
