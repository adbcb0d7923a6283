"""Including a patient: by keyboard, with what is needed and no more; nothing that was typed gets lost."""

import json
from datetime import date
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from models.db.pool import Connection
from models.identity import Keys
from tests.browser.accessible import require_accessible
from tests.browser.screens import KEY, Screens
from tests.integration.alerting.ward import CENTRE, PRACTICE

pytestmark = pytest.mark.timeout(240)

BSN, WRONG = "111222333", "111222334"
MOST_FIELDS = 4
"""That a minimal inclusion may need: family name, birth date, number, a programme."""


async def open_form(screens: Screens, language: str = "nl") -> Page:
    return await screens.open("M. Jansen", "/console/include", language=language)


async def newest(admin: Connection) -> UUID:
    """The patient who was included last."""
    return await admin.fetchval("SELECT patient_id FROM registration ORDER BY entered_at DESC LIMIT 1")


async def require_included(admin: Connection) -> None:
    """They are in the register, sealed, and the log is to be told."""
    patient_id = await newest(admin)
    row = await admin.fetchrow(
        "SELECT sealed, key_id FROM patient_identity WHERE patient_id = $1", patient_id
    )
    assert row is not None
    identity = Keys(KEY).open(patient_id, row["sealed"], row["key_id"])
    assert (identity.family_name, identity.bsn) == ("van der Berg", BSN)
    assert identity.birth_date == date(1951, 11, 3)
    told = await admin.fetch(
        "SELECT change FROM register_change WHERE patient_id = $1 AND told_at IS NULL ORDER BY number",
        patient_id,
    )
    changes = [json.loads(one["change"]) for one in told]
    assert [next(iter(one)) for one in changes] == ["register", "enrol", "enrol"]
    assert {one["enrol"]["programme"] for one in changes[1:]} == {"heart_failure", "devices"}


async def test_a_minimal_inclusion_by_keyboard(screens: Screens, admin: Connection) -> None:
    page = await open_form(screens)
    await screens.picture(page, "inclusion-empty")
    filled = 0
    for label, text in (("Achternaam", "van der Berg"), ("Geboortedatum", "3-11-1951"), ("BSN", BSN)):
        control = page.get_by_label(label).first
        while not await control.evaluate("(one) => one === document.activeElement"):
            await page.keyboard.press("Tab")
        await page.keyboard.type(text)
        filled += 1
    heart_failure = page.get_by_label("Hartfalen")
    while not await heart_failure.evaluate("(one) => one === document.activeElement"):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    filled += 1
    await page.keyboard.press("Enter")
    heading = page.get_by_role("heading", level=1)
    await expect(heading).to_contain_text("van der Berg is aangemeld")
    await expect(heading).to_be_focused()
    await screens.picture(page, "inclusion-done")
    assert filled <= MOST_FIELDS
    await require_included(admin)
    await page.keyboard.press("n")
    await expect(page.get_by_label("Achternaam")).to_be_focused()
    await expect(page.get_by_label("Achternaam")).to_have_value("")


async def fill_person(page: Page) -> None:
    await page.get_by_label("Achternaam").fill("Şahin")
    await page.get_by_label("Voornamen").fill("Elif")
    await page.get_by_label("Geboortedatum").fill("01021960")
    await page.locator("summary", has_text="Geen BSN?").click()
    await page.get_by_label("Waarom is er geen BSN").fill("Aanvraag loopt")
    await page.locator("summary", has_text="Contactpersonen").click()
    first = page.get_by_role("group", name="Contact 1")
    await first.get_by_label("Naam").fill("Deniz Şahin")
    await first.get_by_label("Mag horen hoe het gaat").check()
    await expect(page.get_by_role("group", name="Contact 2")).to_be_visible()


async def fill_programme(page: Page) -> None:
    await page.get_by_label("Hoge bloeddruk").check()
    await page.locator("summary", has_text="Eigen grenzen").locator("visible=true").click()
    await page.get_by_label("Gemiddelde bovendruk die te hoog is").fill("150")
    schedule = page.get_by_role("group", name="Meten: bovendruk")
    await schedule.get_by_label("Vóór").fill("10:30")
    await schedule.get_by_label("maandag").check()
    await schedule.get_by_label("donderdag").check()


async def fill_care(page: Page) -> None:
    await page.get_by_label("Huisarts").select_option("gp_practice")
    await page.get_by_label("Wijk").fill("Laak")
    await page.get_by_label("Taal van de patiënt").select_option("tr")
    await page.locator("summary", has_text="Apparaten").click()
    await page.get_by_label("Nummer van het apparaat").first.focus()
    # As a scanner types: ends with Enter, which goes on to the next and sends nothing.
    await page.keyboard.type("BP-100")
    await page.keyboard.press("Enter")
    await page.keyboard.type("SC-200")
    await page.get_by_label("Soort").first.fill("bloeddrukmeter")
    await page.locator("summary", has_text="Behandelplan").click()
    await page.get_by_label("Behandelplan").fill("Zoutarm, lisinopril 10 mg.")
    await page.locator("summary", has_text="Uitleg aan de patiënt").click()
    await page.get_by_label("Uitleg gegeven door").select_option("P. Smit")


async def test_everything_that_can_be_said(screens: Screens, admin: Connection) -> None:
    page = await open_form(screens)
    await fill_person(page)
    await fill_programme(page)
    await fill_care(page)
    await screens.picture(page, "inclusion-full")
    await require_accessible(page)
    await page.get_by_role("button", name="Aanmelden").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Elif Şahin is aangemeld")
    patient_id = await newest(admin)
    change = await admin.fetchval(
        "SELECT change->'enrol' FROM register_change "
        "WHERE patient_id = $1 AND change->'enrol'->>'programme' = 'hypertension'",
        patient_id,
    )
    enrol = json.loads(change)
    assert {name: limit["value"] for name, limit in enrol["limits"].items()} == {"mean_systolic": 150}
    schedule = enrol["schedule"]["pressure_daily"]
    assert (schedule["before"], schedule["on"]) == ("10:30", ["mon", "thu"])
    care = await admin.fetchrow("SELECT * FROM patient_care WHERE patient_id = $1", patient_id)
    assert care is not None
    assert (care["huisarts_id"], care["wijk"], care["language"]) == (PRACTICE, "Laak", "tr")
    assert care["informed_by"] == screens.ward.people["P. Smit"].person_id
    assert care["copy_to_mantelzorger"]
    devices = await admin.fetch(
        "SELECT device_id, kind FROM device_loan WHERE patient_id = $1 ORDER BY 1", patient_id
    )
    assert [tuple(one) for one in devices] == [("BP-100", "bloeddrukmeter"), ("SC-200", "device")]


async def test_errors_stand_at_their_fields_and_nothing_is_lost(screens: Screens, admin: Connection) -> None:
    before = await admin.fetchval("SELECT count(*) FROM registration")
    page = await open_form(screens)
    await page.get_by_role("button", name="Aanmelden").click()
    wrong = page.locator(".wrong:visible")
    await expect(wrong).to_have_count(3)
    await expect(page.get_by_label("Achternaam")).to_be_focused()
    await expect(page.get_by_role("alert").get_by_role("link")).to_have_count(3)
    await screens.picture(page, "inclusion-wrong")
    await require_accessible(page)
    await page.get_by_label("Achternaam").fill("Bos")
    await page.get_by_label("Geboortedatum").fill("31-02-1950")
    await page.get_by_label("BSN").first.fill(WRONG)
    await page.get_by_label("Hartfalen").check()
    await page.get_by_role("button", name="Aanmelden").click()
    await expect(page.get_by_label("Geboortedatum")).to_be_focused()
    await expect(wrong).to_have_count(1)
    await page.get_by_label("Geboortedatum").fill("28-02-1950")
    await page.get_by_role("button", name="Aanmelden").click()
    number = page.get_by_label("BSN").first
    await expect(number).to_be_focused()
    await expect(number).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("#bsn-wrong")).to_contain_text("elfproef")
    await expect(number).to_have_value(WRONG)
    await expect(page.get_by_label("Achternaam")).to_have_value("Bos")
    await expect(page.get_by_label("Hartfalen")).to_be_checked()
    await page.locator("summary", has_text="Eigen grenzen").locator("visible=true").click()
    limit = page.locator("tr input:visible").first
    await limit.fill("99999")
    await number.fill(BSN)
    await page.get_by_role("button", name="Aanmelden").click()
    await expect(limit).to_be_focused()
    await expect(wrong).to_have_count(1)
    assert await admin.fetchval("SELECT count(*) FROM registration") == before
    await limit.fill("")
    await page.get_by_role("button", name="Aanmelden").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Bos is aangemeld")


async def test_who_is_registered_already_is_found_while_typing(screens: Screens, admin: Connection) -> None:
    patient_id = await screens.patient("Özdemir-Müller", "Ayşe", born="1948-03-01")
    page = await open_form(screens, "en")
    await page.get_by_label("Family name").fill("muller ozdemir")
    await page.get_by_label("Birth date").fill("1-3-1948")
    await page.keyboard.press("Tab")
    known = page.locator("#known")
    await expect(known.get_by_role("link")).to_have_attribute("href", f"/console/patients/{patient_id}")
    await expect(known).to_contain_text("Ayşe Özdemir-Müller")
    await page.get_by_label("BSN").first.fill(WRONG)
    await page.keyboard.press("Tab")
    await expect(known).to_contain_text("eleven-test")
    await screens.picture(page, "inclusion-known-en")
    await require_accessible(page)
    # On record as a look at that patient; neither name nor number stands in an address.
    touched = await admin.fetch(
        "SELECT FROM audit WHERE event_code = 'patient.search' AND $1 = ANY(patients)",
        patient_id,
    )
    assert touched
    assert "ozdemir" not in page.url


async def test_a_number_is_registered_once(screens: Screens, admin: Connection) -> None:
    for family_name in ("Eerste", "Tweede"):
        page = await open_form(screens)
        await page.get_by_label("Achternaam").fill(family_name)
        await page.get_by_label("Geboortedatum").fill("1-1-1950")
        await page.get_by_label("BSN").first.fill(BSN)
        await page.get_by_label("COPD").check()
        await page.get_by_role("button", name="Aanmelden").click()
        if family_name == "Eerste":
            await expect(page.get_by_role("heading", level=1)).to_contain_text("Eerste is aangemeld")
    await expect(page.locator("#bsn-wrong")).to_contain_text("Met dit BSN is al iemand aangemeld")
    await expect(page.get_by_label("Achternaam")).to_have_value("Tweede")
    count = await admin.fetchval("SELECT count(*) FROM registration WHERE organisation_id = $1", CENTRE)
    assert count == 1


async def test_script_and_turned_text_in_every_field_are_harmless(screens: Screens) -> None:
    page = await open_form(screens)
    script = "<script>alert(1)</script>\u202e"
    await page.get_by_label("Achternaam").fill(script)
    await page.get_by_label("Voornamen").fill("<img src=x onerror=alert(2)>")
    await page.get_by_label("Geboortedatum").fill("1-1-1950")
    await page.locator("summary", has_text="Geen BSN?").click()
    await page.get_by_label("Waarom is er geen BSN").fill("'; DROP TABLE patient; --")
    await page.get_by_label("COPD").check()
    await page.get_by_role("button", name="Aanmelden").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("<script>alert(1)</script>")
    await page.get_by_role("link", name="Apparaat uitgeven").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("<img src=x")


async def test_devices_go_out_and_come_back(screens: Screens, admin: Connection) -> None:
    patient_id = await screens.patient("Kok", "Wim")
    page = await screens.open("M. Jansen", f"/console/patients/{patient_id}/devices")
    await expect(page.locator("main")).to_contain_text("Er is nog geen apparaat uitgegeven.")
    await page.get_by_label("Nummer van het apparaat").fill("SC-<1>")
    await page.get_by_label("Soort").fill("weegschaal")
    await page.get_by_role("button", name="Apparaat uitgeven").click()
    await expect(page.get_by_role("row", name="SC-<1>")).to_contain_text("30 dagen niets")
    await expect(page.locator("#said")).to_contain_text("SC-<1> is uitgegeven.")
    await admin.execute("SELECT ensure_reading_partitions(ARRAY['2026-12-01'::date])")
    await admin.execute(
        "INSERT INTO reading (taken_at, received_at, log_offset, value, revision, log_position, kind, "
        "log_partition, void, too_late, patient_id, organisation_id, upload_id, device_id, source) VALUES "
        "('2026-12-01T08:30Z', now(), 0, 81.4, 0, 0, 0, 0, false, false, $1, $2, $1, 'SC-<1>', 'x'), "
        "('2026-12-01T08:31Z', now(), 0, 64, 0, 0, 17, 0, false, false, $1, $2, $1, 'SC-<1>', 'x')",
        patient_id, CENTRE,
    )  # fmt: skip
    await page.reload()
    row = page.get_by_role("row", name="SC-<1>")
    await expect(row).to_contain_text("09:31")
    await expect(row).to_contain_text("64 %")
    await screens.picture(page, "devices")
    await require_accessible(page)
    other = await screens.patient("Smit")
    second = await screens.open("P. Smit", f"/console/patients/{other}/devices", language="en")
    await second.get_by_label("Number of the device").fill("SC-<1>")
    await second.get_by_role("button", name="Hand out a device").click()
    await expect(second.locator("#device-id-wrong")).to_contain_text("not taken back from somebody else")
    await require_accessible(second)
    await page.get_by_role("button", name="Terugnemen").click()
    await expect(page.locator("summary", has_text="Teruggenomen (1)")).to_be_visible()
    assert await admin.fetchval("SELECT count(*) FROM device_loan WHERE returned_at IS NULL") == 0


async def test_handing_out_is_undone(screens: Screens, admin: Connection) -> None:
    patient_id = await screens.patient("Kuipers")
    page = await screens.open("M. Jansen", f"/console/patients/{patient_id}/devices")
    await page.get_by_label("Nummer van het apparaat").fill("TH-9")
    await page.get_by_role("button", name="Apparaat uitgeven").click()
    await page.get_by_role("button", name="Ongedaan maken").click()
    await expect(page.locator("summary", has_text="Teruggenomen (1)")).to_be_visible()
    assert await admin.fetchval("SELECT count(*) FROM device_loan WHERE returned_at IS NULL") == 0


async def test_who_may_not_include_is_told_so(screens: Screens, admin: Connection) -> None:
    page = await screens.open("A. Visser", "/console/include")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Patiënt aanmelden")
    await admin.execute("UPDATE person_role SET until_at = now() WHERE role = 'huisarts'")
    response = await page.goto(f"{screens.url}/console/include")
    assert response is not None
    assert response.status == 403
    await expect(page.get_by_role("heading", level=1)).to_have_text("Dit mag u niet zien of doen")
