"""What hospital systems propose: seen in a list and on the patient's page, decided by who may, and done."""

from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from ingest.delivery.content import Caller
from ingest.delivery.hospital.acts import HospitalDesk
from models.access import Role
from models.clock import DAY_US, HOUR_US, wall_now_us
from models.db.pool import Connection, connected
from models.identity import Keys
from tests.browser.accessible import require_accessible
from tests.browser.screens import KEY, Screens
from tests.integration.alerting.ward import CENTRE, HOSPITAL
from tests.unit.delivery.hospital.resources import by_id, encounter, episode, patient

pytestmark = pytest.mark.timeout(240)

LIST = "/console/include/proposals"


async def told(screens: Screens, *resources: dict[str, Any]) -> None:
    """The hospital's system tells this."""
    ward = screens.ward
    caller = Caller("zis", await ward.somebody("ZIS", Role.SERVICE, HOSPITAL), names_patients=True)
    async with connected(
        screens.settings.postgres_dsn, role="thuiswacht_people", application="test"
    ) as people:
        for resource in resources:
            answer = await HospitalDesk(people, Keys(KEY)).tell(caller, resource, wall_now_us())
            assert answer.faults == (), answer.faults


async def discharged(screens: Screens, family_name: str) -> UUID:
    """Somebody who came home an hour ago."""
    patient_id = await screens.patient(family_name, "Anna")
    now_us = wall_now_us()
    stay = encounter(
        "finished", subject=by_id(patient_id), number=family_name, start_us=now_us - DAY_US,
        end_us=now_us - HOUR_US,
    )  # fmt: skip
    await told(screens, stay)
    return patient_id


async def changes(admin: Connection, patient_id: UUID) -> list[str]:
    rows = await admin.fetch(
        "SELECT jsonb_object_keys(change) AS name FROM register_change WHERE patient_id = $1 ORDER BY number",
        patient_id,
    )
    return [row["name"] for row in rows]


async def coordinator(screens: Screens) -> str:
    screens.ward.people["C. de Wit"] = await screens.ward.somebody("C. de Wit", Role.COORDINATOR, CENTRE)
    return "C. de Wit"


def card(page: Page, text: str) -> Any:
    return page.locator("article.proposal", has_text=text)


async def test_a_discharge_is_one_click_from_being_followed_and_back(
    screens: Screens, admin: Connection
) -> None:
    patient_id = await discharged(screens, "Visser")
    await discharged(screens, "Peeters")
    page = await screens.open("M. Jansen", "/console/patients")
    await page.get_by_role("link", name="Voorstellen van ziekenhuizen (2)").click()
    one = card(page, "Anna Visser")
    await expect(one).to_contain_text("ontslagen uit het ziekenhuis")
    await expect(one).to_contain_text("Gemeld door ZIS")
    await require_accessible(page)
    await screens.picture(page, "proposals")
    await one.get_by_role("button", name="Volgen").click()
    await expect(page.locator("#said")).to_contain_text("wordt in dit programma gevolgd")
    await expect(one).to_have_count(0)
    assert await changes(admin, patient_id) == ["enrol"]
    await page.keyboard.press("z")
    await expect(page.locator("#said")).to_contain_text("De patiënt is uit het programma.")
    assert (await changes(admin, patient_id))[-1] == "withdraw"
    await expect(card(page, "Anna Peeters")).to_have_count(1)


async def test_on_the_patients_page_it_is_declined_with_a_reason(screens: Screens, admin: Connection) -> None:
    patient_id = await discharged(screens, "Visser")
    page = await screens.open("M. Jansen", f"/console/patients/{patient_id}", phone=True)
    one = card(page, "Ontslagen uit het ziekenhuis")
    await expect(one).to_have_count(1)
    await require_accessible(page)
    await screens.picture(page, "proposal-of-a-patient")
    await one.get_by_role("button", name="Niet doen").click()
    dialog = page.locator("#dialog")
    await dialog.get_by_label("Waarom niet").fill("Wil niet meer meten")
    await require_accessible(page)
    await dialog.get_by_role("button", name="Wijs af").click()
    await expect(page.locator("#said")).to_contain_text("afgewezen")
    await expect(one).to_have_count(0)
    row = await admin.fetchrow("SELECT state, reason, decided_by FROM proposal")
    assert row is not None
    nurse = screens.ward.people["M. Jansen"].person_id
    assert tuple(row) == ("declined", "Wil niet meer meten", nurse)
    audit = await admin.fetchrow("SELECT details, reason FROM audit WHERE details LIKE 'proposal declined%'")
    assert audit is not None
    assert tuple(audit) == ("proposal declined: enrol", "Wil niet meer meten")


async def test_doubles_are_merged_by_a_coordinator_who_sees_both(screens: Screens, admin: Connection) -> None:
    double = await screens.patient("Visser", "A.", born="1948-03-02")
    stays = await screens.patient("Visser", "Anna", born="1948-03-02")
    linked = {**patient(), "id": str(double), "link": [{"type": "replaced-by", "other": by_id(stays)}]}
    del linked["identifier"]
    await told(screens, linked)
    page = await screens.open("M. Jansen", LIST, language="en")
    await expect(card(page, "Registered twice")).to_contain_text("A coordinator can decide this.")
    page = await screens.open(await coordinator(screens), f"/console/patients/{stays}")
    one = card(page, "Twee keer aangemeld")
    await screens.picture(page, "proposal-of-doubles")
    await one.get_by_role("button", name="Samenvoegen").click()
    dialog = page.locator("#dialog")
    await expect(dialog).to_contain_text("Vergelijk eerst wie het zijn.")
    await screens.picture(page, "proposal-to-merge")
    await require_accessible(page)
    await dialog.get_by_role("button", name="Voeg samen").click()
    await expect(page.locator("#said")).to_contain_text("samengevoegd")
    await expect(one).to_have_count(0)
    into = await admin.fetchval(
        "SELECT merged_into FROM patient_care WHERE patient_id = $1 ORDER BY version DESC LIMIT 1", double
    )
    assert into == stays


async def test_leaving_a_programme_asks_twice_and_may_be_taken_back_meanwhile(
    screens: Screens, admin: Connection
) -> None:
    patient_id = await screens.patient("Visser", "Anna")
    await admin.execute(
        "INSERT INTO register_change (patient_id, organisation_id, number, change_id, valid_from_us, change) "
        """VALUES ($1, $2, 1, gen_random_uuid(), 0, '{"enrol": {"programme": "copd", "version": 1}}')""",
        patient_id,
        CENTRE,
    )
    await told(screens, episode("finished", patient=by_id(patient_id)))
    page = await screens.open("M. Jansen", LIST)
    one = card(page, "sloot de zorgperiode af")
    await one.get_by_role("button", name="Stoppen").click()
    dialog = page.locator("#dialog")
    stop = dialog.get_by_role("button", name="Stop met dit programma")
    await expect(stop).to_be_visible()
    await told(screens, episode("entered-in-error", patient=by_id(patient_id)))
    await stop.click()
    await expect(dialog).to_contain_text("look again")
    await dialog.get_by_role("button", name="Annuleren").click()
    await expect(one).to_have_count(0)
    assert await changes(admin, patient_id) == ["enrol"]
    again = episode("finished", patient=by_id(patient_id), updated_us=wall_now_us())
    await told(screens, {**again, "id": "E-2"})
    await page.reload()
    await one.get_by_role("button", name="Stoppen").click()
    await stop.click()
    await expect(page.locator("#said")).to_contain_text("heeft het programma verlaten")
    assert await changes(admin, patient_id) == ["enrol", "withdraw"]


async def test_a_stay_that_nobody_ended_is_asked_about(screens: Screens, admin: Connection) -> None:
    patient_id = await screens.patient("Visser", "Anna")
    now_us = wall_now_us()
    await admin.execute(
        "INSERT INTO register_change (patient_id, organisation_id, number, change_id, valid_from_us, change) "
        """VALUES ($1, $2, 1, gen_random_uuid(), 0, '{"enrol": {"programme": "copd", "version": 1}}')""",
        patient_id,
        CENTRE,
    )
    await told(screens, encounter(subject=by_id(patient_id), start_us=now_us - 20 * DAY_US))
    page = await screens.open("M. Jansen", LIST)
    long = page.get_by_role("heading", name="Al lang in het ziekenhuis")
    await expect(page.locator("#proposals")).to_contain_text("Er zijn geen voorstellen.")
    await expect(long).to_have_count(0)
    await admin.execute("UPDATE hospital_word SET written_at = written_at - interval '15 days'")
    await page.reload()
    await expect(card(page, "Anna Visser")).to_contain_text("opgenomen sinds")
    await require_accessible(page)
    await screens.picture(page, "long-stay")
    await page.get_by_role("button", name="Terug uit ziekenhuis").click()
    await expect(long).to_have_count(0)
    assert await changes(admin, patient_id) == ["enrol", "admit", "discharge"]


async def test_who_is_alive_after_all_can_be_included_anew(screens: Screens, admin: Connection) -> None:
    patient_id = await screens.patient("Visser", "Anna")
    said = {**patient(), "id": str(patient_id)}
    del said["identifier"]
    await told(screens, {**said, "deceasedBoolean": True})
    page = await screens.open("M. Jansen", LIST)
    await expect(page.locator("#proposals")).to_contain_text("Er zijn geen voorstellen.")
    ward = screens.ward
    caller = Caller("zis", await ward.somebody("ZIS", Role.SERVICE, HOSPITAL), names_patients=True)
    async with connected(
        screens.settings.postgres_dsn, role="thuiswacht_people", application="test"
    ) as people:
        answer = await HospitalDesk(people, Keys(KEY)).tell(
            caller, {**said, "deceasedBoolean": False}, wall_now_us()
        )
    assert answer.faults
    await page.reload()
    one = card(page, "in leven")
    await one.get_by_role("button", name="Opnieuw aanmelden").click()
    await page.locator("#dialog").get_by_role("button", name="Geef het BSN vrij").click()
    await expect(page.locator("#said")).to_contain_text("Het BSN is vrij.")
    assert not await admin.fetchval(
        "SELECT is_current FROM patient_identity WHERE patient_id = $1", patient_id
    )
