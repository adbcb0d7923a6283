"""Organisations, people, roles, addresses: entered by administrators, known to all who work here."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from ingest.acting import Decide
from models.access import Role, decide
from models.db.pool import Connection
from tests.integration.policies import anybody_may
from tests.integration.register.conftest import CENTRE, HOSPITAL, Api, form, somebody


async def administrator_of(admin: Connection, api: Api) -> Api:
    return api.as_user(await somebody(admin, Role.ADMINISTRATOR))


async def test_somebody_is_entered_and_may_work_until_they_leave(admin: Connection, api: Api) -> None:
    boss = await administrator_of(admin, api)
    organisation = await boss(
        "POST", "/directory/organisations", {"name": "Praktijk", "kind": "gp_practice"}, 201
    )
    person = (await boss("POST", "/directory/people", {"name": "J. Jansen"}, 201))["person_id"]
    where = organisation["organisation_id"]
    new = api.as_user(type(api.user)(UUID(person), UUID(where), Role.HUISARTS))
    await new("POST", "/patients", form(huisarts=None), 403)
    role = {"organisation_id": where, "role": "huisarts"}
    await boss("POST", f"/directory/people/{person}/roles", role, 204)
    await new("POST", "/patients", form(huisarts=None), 201)
    people = (await boss("GET", "/directory/people"))["people"]
    assert [one["posts"][0]["role"] for one in people if one["person_id"] == person] == ["huisarts"]
    await boss("POST", f"/directory/people/{person}/roles/end", role, 204)
    await new("POST", "/patients/search", {"bsn": "111222333"}, 403)
    await boss("POST", f"/directory/people/{person}/roles", role, 204)
    await new("POST", "/patients/search", {"bsn": "111222333"})
    await boss("POST", f"/directory/people/{person}/leave", expect=204)
    await new("POST", "/patients/search", {"bsn": "111222333"}, 403)


async def test_what_is_not_there_or_makes_no_sense_is_refused(admin: Connection, api: Api) -> None:
    boss = await administrator_of(admin, api)
    person = (await boss("POST", "/directory/people", {"name": "J. Jansen"}, 201))["person_id"]
    role: dict[str, Any] = {"organisation_id": str(HOSPITAL), "role": "nurse"}
    for path, body, status in (
        (f"people/{person}/roles", {**role, "organisation_id": str(uuid4())}, 404),
        (f"people/{uuid4()}/roles", role, 404),
        (f"people/{person}/roles", {**role, "role": "wizard"}, 422),
        (f"people/{person}/roles", {**role, "until": "2020-01-01T00:00:00Z"}, 422),
        (f"people/{person}/roles/end", role, 404),
        (f"people/{uuid4()}/leave", None, 404),
        (f"people/{boss.user.person_id}/leave", None, 422),
        ("organisations", {"name": "X", "kind": "casino"}, 422),
        ("organisations", {"name": "X", "kind": "hospital", "organisation_id": str(HOSPITAL)}, 422),
        ("addresses", {"channel": "email", "address": "a@b.nl"}, 422),
        ("addresses", {"channel": "owl", "address": "a", "person_id": person}, 422),
        ("addresses", {"channel": "email", "address": "a@b.nl", "person_id": str(uuid4())}, 404),
        (f"addresses/{uuid4()}/end", None, 404),
    ):
        await boss("POST", f"/directory/{path}", body, status)


async def test_two_administrators_do_not_overwrite_each_other(admin: Connection, api: Api) -> None:
    boss = await administrator_of(admin, api)
    path, body = f"/directory/organisations/{HOSPITAL}", {"version": 1, "name": "Zee", "kind": "hospital"}
    await boss("PUT", path, body, 204)
    await boss("PUT", path, body, 409)
    await boss("PUT", f"/directory/organisations/{uuid4()}", body, 404)
    names = {one["name"] for one in (await api("GET", "/directory/organisations"))["organisations"]}
    assert "Zee" in names


async def test_who_includes_sees_what_can_be_chosen(api: Api) -> None:
    programmes = (await api("GET", "/directory/programmes"))["programmes"]
    hearts = [one for one in programmes if one["programme"] == "heart_failure"]
    assert [one["version"] for one in hearts] == [1, 2]
    assert all(one["limits"]["systolic_low"]["unit"] == "mm[Hg]" for one in hearts)


async def test_addresses_of_organisations_and_people(admin: Connection, api: Api) -> None:
    boss = await administrator_of(admin, api)
    address = {"organisation_id": str(CENTRE), "channel": "secure_mail", "address": "50001@lms.lifeline.nl"}
    made = (await boss("POST", "/directory/addresses", address, 201))["address_id"]
    await boss("POST", "/directory/addresses", address, 422)
    listed = (await api("GET", "/directory/addresses"))["addresses"]
    assert [(one["channel"], one["organisation_id"]) for one in listed] == [("secure_mail", str(CENTRE))]
    await boss("POST", f"/directory/addresses/{made}/end", expect=204)
    assert (await api("GET", "/directory/addresses"))["addresses"] == []
    await boss("POST", "/directory/addresses", address, 201)


@pytest.mark.parametrize(
    ("channel", "address", "expected"),
    [
        ("webhook", "http://hooks.example.org/in", "https://HOST"),
        ("webhook", "https://user:secret@hooks.example.org/in", "https://HOST"),
        ("webhook", "https://10.0.0.8/in", "everybody can reach"),
        ("fhir", "https://169.254.169.254/latest", "everybody can reach"),
        ("fhir", "https://[::ffff:10.0.0.8]/fhir", "everybody can reach"),
        ("email", "everybody", "NAME@DOMAIN"),
        ("secure_mail", "a@b.nl, c@d.nl", "NAME@DOMAIN"),
    ],
)
async def test_an_address_that_is_not_allowed_is_refused_as_it_is_entered(
    admin: Connection, api: Api, channel: str, address: str, expected: str
) -> None:
    boss = await administrator_of(admin, api)
    body = {"organisation_id": str(CENTRE), "channel": channel, "address": address}
    refused = await boss("POST", "/directory/addresses", body, 422)
    assert expected in str(refused)
    assert "secret" not in str(refused)
    assert await admin.fetchval("SELECT count(*) FROM message_address") == 0


@pytest.mark.parametrize("policy", [decide, anybody_may], ids=["checked", "by the database alone"])
async def test_nobody_else_gives_roles_or_enters_anything(
    admin: Connection, api: Api, policy: Decide
) -> None:
    api.app.state.decide = policy
    before = await admin.fetchval("SELECT count(*) FROM person_role")
    me = api.user.person_id
    for path, body in (
        (f"people/{me}/roles", {"organisation_id": str(HOSPITAL), "role": "administrator"}),
        ("people", {"name": "X"}),
        ("organisations", {"name": "X", "kind": "hospital"}),
        ("addresses", {"person_id": str(me), "channel": "email", "address": "a@b.nl"}),
    ):
        await api("POST", f"/directory/{path}", body, 403)
    assert await admin.fetchval("SELECT count(*) FROM person_role") == before
    assert await admin.fetchval("SELECT count(*) FROM audit WHERE outcome = 'refused'") == 4
