"""What people do on a patient's page: ring, enter what is told, correct, change, look in an emergency."""

import json

import pytest
from playwright.async_api import Locator, Page, expect

from ingest.rights.telephone import DEVICE, SOURCE
from models.access import Role
from models.clock import MINUTE_US
from models.db.pool import Connection
from tests.browser.accessible import require_accessible
from tests.browser.measured import NOW_US, all_drawn, enrol, heart_patient, measure
from tests.browser.screens import Screens

pytestmark = pytest.mark.timeout(180)


async def opened(
    screens: Screens, patient_id: object, who: str = "M. Jansen", *, phone: bool = False
) -> Page:
    page = await screens.open(who, f"/console/patients/{patient_id}", phone=phone)
    await all_drawn(page)
    return page


async def look_again(page: Page) -> None:
    await page.evaluate("document.body.dispatchEvent(new CustomEvent('changed', {bubbles: true}))")


async def test_a_call_is_a_note_of_its_alert_until_somebody_rings_again(
    screens: Screens, admin: Connection
) -> None:
    patient_id, alert_id = await heart_patient(screens, admin)
    page = await opened(screens, patient_id)
    await page.keyboard.press("b")
    dialog = page.locator("#dialog")
    await expect(dialog.get_by_role("heading", level=2)).to_have_text("Telefoongesprek: Anna Visser")
    await require_accessible(page)
    await dialog.get_by_label("Terugbellen afgesproken").check()
    await dialog.get_by_role("button", name="Vastleggen").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("call_back_at")
    await dialog.get_by_label("Terugbellen om").fill("2026-12-01T14:30")
    await dialog.get_by_label("Wat is besproken?").fill("Dochter neemt op, mevrouw slaapt.")
    await dialog.get_by_role("button", name="Vastleggen").click()
    await expect(page.locator("#said")).to_contain_text("Het gesprek is vastgelegd.")
    await expect(dialog).not_to_be_visible()
    await expect(page.locator("#patient-top .banner")).to_contain_text("terugbellen 14:30")
    note = await admin.fetchval(
        "SELECT why ->> 'text' FROM alert_event WHERE alert_id = $1 AND event = 'noted'", alert_id
    )
    assert note == "Gebeld: terugbellen afgesproken, terugbellen 14:30. Dochter neemt op, mevrouw slaapt."
    await page.keyboard.press("b")
    await dialog.get_by_label("Bereikt", exact=True).check()
    await dialog.get_by_role("button", name="Vastleggen").click()
    await expect(page.locator("#patient-rest")).to_contain_text("Bereikt: M. Jansen")
    await expect(page.locator("#patient-top .banner")).to_have_count(0)
    assert await admin.fetchval("SELECT count(*) FROM call WHERE patient_id = $1", patient_id) == 2
    await expect(page.locator("#chart-body_weight")).to_contain_text("Bevindingen en acties (3)")


async def test_a_reading_told_by_telephone_goes_to_the_log_and_is_shown_with_who(
    screens: Screens, admin: Connection
) -> None:
    patient_id, _ = await heart_patient(screens, admin)
    page = await opened(screens, patient_id)
    await page.keyboard.press("m")
    dialog = page.locator("#dialog")
    await dialog.get_by_label("Wanneer gemeten?").fill("2026-12-01T09:40")
    await dialog.get_by_label("Gewicht", exact=True).fill("842")
    await dialog.get_by_role("button", name="Invoeren").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("value")
    assert await admin.fetchval("SELECT count(*) FROM correction") == 0
    await dialog.get_by_label("Gewicht", exact=True).fill("84,3")
    await dialog.get_by_label("Benauwdheid").select_option("mild")
    await dialog.get_by_role("button", name="Invoeren").click()
    await expect(page.locator("#said")).to_contain_text("De meting is ingevoerd.")
    row = await admin.fetchrow("SELECT correction_id, message FROM correction")
    assert row is not None
    message = json.loads(row["message"])
    at_us = NOW_US - 20 * MINUTE_US
    assert (message["source"], message["device_id"]) == (SOURCE, DEVICE)
    assert message["readings"] == [
        {"kind": "body_weight", "taken_at_us": at_us, "value": 84.3, "unit": "kg"},
        {"kind": "symptom_dyspnoea", "taken_at_us": at_us, "code": "mild"},
    ]
    card = page.locator("#chart-body_weight")
    await expect(card).to_contain_text("Telefonisch ingevoerd door M. Jansen")
    await expect(card).to_contain_text("wordt verwerkt")
    # Ingest stores it.
    await measure(admin, patient_id, "body_weight", [(at_us, 84.3)], device=DEVICE)
    await admin.execute(
        "UPDATE reading SET upload_id = $1, source = $2 WHERE device_id = $3",
        row["correction_id"],
        SOURCE,
        DEVICE,
    )
    await look_again(page)
    await expect(card).to_contain_text("Gewicht 84,3 kg (09:40)")
    await expect(card).not_to_contain_text("wordt verwerkt")
    await card.get_by_text("Als tabel").click()
    newest = card.locator(".beside tbody tr").first
    await expect(newest).to_contain_text("Telefonisch ingevoerd door M. Jansen")
    await take_back(page, newest)
    await expect(card).to_contain_text("Teruggenomen door M. Jansen")
    void = json.loads(await admin.fetchval("SELECT message FROM correction ORDER BY asked_at DESC LIMIT 1"))
    assert void["readings"] == [{"kind": "body_weight", "taken_at_us": at_us, "void": True, "revision": 0}]


async def take_back(page: Page, row: Locator) -> None:
    await row.get_by_role("button", name="Verbeter").click()
    dialog = page.locator("#dialog")
    await expect(dialog).to_contain_text("Meting verbeteren: Anna Visser")
    await dialog.get_by_label("Waarom?").fill("Was van haar man, zei ze later.")
    await dialog.get_by_role("button", name="Verbeteren").click()
    await expect(page.locator("#said")).to_contain_text("De meting wordt teruggenomen.")


async def test_limits_pauses_and_admissions_say_who_and_until_when(
    screens: Screens, admin: Connection
) -> None:
    patient_id, _ = await heart_patient(screens, admin)
    page = await opened(screens, patient_id)
    dialog = page.locator("#dialog")
    await page.get_by_role("button", name="Grenzen aanpassen").click()
    row = dialog.locator("tr", has_text="Bovendruk die te hoog is")
    await row.get_by_label("Wordt").fill("170")
    await row.get_by_label("Geldt tot").fill("2026-12-20")
    await require_accessible(page)
    await dialog.get_by_role("button", name="Opslaan").click()
    await expect(page.locator("#said")).to_contain_text("De grenzen zijn aangepast.")
    personal = page.locator("#patient-rest tr", has_text="Bovendruk die te hoog is")
    await expect(personal).to_contain_text("170 mmHg (standaard 160 mmHg)")
    await expect(personal).to_contain_text("M. Jansen")
    await expect(personal).to_contain_text("tot 20 dec")
    await expect(page.locator("#chart-blood_pressure")).to_contain_text(
        "Persoonlijke grens 170 mmHg, ingesteld door M. Jansen tot 20 dec"
    )
    await page.get_by_role("button", name="Pauzeren").click()
    await dialog.get_by_label("Waarom?").fill("Vakantie")
    await dialog.get_by_label("Tot wanneer?").fill("2026-12-08T12:00")
    await dialog.get_by_role("button", name="Pauzeren").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("gepauzeerd tot 8 dec 12:00")
    await page.get_by_role("button", name="Hervatten").click()
    await expect(page.get_by_role("heading", level=1)).not_to_contain_text("gepauzeerd")
    await page.get_by_role("button", name="Ziekenhuisopname").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("opgenomen in het ziekenhuis")
    told = await admin.fetch(
        "SELECT change FROM register_change WHERE patient_id = $1 ORDER BY number", patient_id
    )
    assert [next(iter(json.loads(row["change"]))) for row in told] == [
        "enrol", "limits", "pause", "resume", "admit",
    ]  # fmt: skip
    await screens.picture(page, "patient-changed")


async def test_whoever_saw_an_older_version_is_told_so(screens: Screens, admin: Connection) -> None:
    patient_id, _ = await heart_patient(screens, admin)
    page = await opened(screens, patient_id)
    dialog = page.locator("#dialog")
    await page.get_by_role("button", name="Meetschema en afschalen").click()
    await expect(dialog.get_by_label("Vóór")).to_be_visible()
    await admin.execute("UPDATE registration SET version = version + 1 WHERE patient_id = $1", patient_id)
    await dialog.get_by_label("Opnieuw bekijken op").fill("2026-12-24")
    await dialog.get_by_role("button", name="Opslaan").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Iemand anders was u voor")


async def test_who_may_not_see_a_patient_can_declare_an_emergency(
    screens: Screens, admin: Connection
) -> None:
    patient_id, _ = await heart_patient(screens, admin)
    elsewhere = await admin.fetchval(
        "INSERT INTO organisation VALUES (gen_random_uuid(), 'Elders', 'hospital', 'simulated') "
        "RETURNING organisation_id"
    )
    screens.ward.people["N. Ander"] = await screens.ward.somebody("N. Ander", Role.NURSE, elsewhere)
    page = await screens.open("N. Ander", f"/console/patients/{patient_id}")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Dit mag u niet zien of doen")
    assert "Visser" not in await page.content()
    await require_accessible(page)
    await page.get_by_role("link", name="Noodgeval verklaren").click()
    await require_accessible(page)
    await page.get_by_label("Waarom moet u nu kijken?").fill("Ligt op de grond en reageert niet")
    await page.get_by_role("button", name="Noodgeval verklaren").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Anna Visser")
    assert await admin.fetchval("SELECT reason FROM emergency_access") == "Ligt op de grond en reageert niet"


async def test_the_huisarts_sees_it_on_a_phone(screens: Screens, admin: Connection) -> None:
    patient_id, _ = await heart_patient(screens, admin)
    page = await opened(screens, patient_id, "H. de Boer", phone=True)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Anna Visser")
    # Nothing was handed to the practice: its alerts are the centre's.
    await expect(page.locator(".alert-card")).to_have_count(0)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await require_accessible(page)
    await screens.picture(page, "patient-phone")


async def test_past_alerts_say_what_came_of_them_who_and_how_long(
    screens: Screens, admin: Connection
) -> None:
    patient_id, alert_id = await heart_patient(screens, admin)
    await admin.execute(
        "UPDATE alert SET state = 'resolved', resolved_at = opened_at + interval '40 minutes', "
        "outcome = 'true_acted_on' WHERE alert_id = $1",
        alert_id,
    )
    await admin.execute(
        "INSERT INTO alert_event (patient_id, alert_id, organisation_id, happened_at, event, by, why) "
        "SELECT patient_id, alert_id, organisation_id, resolved_at, 'resolved', $2, "
        "jsonb_build_object('note', 'Furosemide verhoogd') FROM alert WHERE alert_id = $1",
        alert_id, str(screens.ward.people["P. Smit"].person_id),
    )  # fmt: skip
    page = await opened(screens, patient_id)
    row = page.locator("section", has_text="Eerdere meldingen").locator("tbody tr")
    for said in ("klopte; er is iets gedaan", "P. Smit", "40 min"):
        await expect(row).to_contain_text(said)
    await row.locator("summary").click()
    await expect(row).to_contain_text("Furosemide verhoogd")


async def test_patients_are_found_and_listed(screens: Screens, admin: Connection) -> None:
    patient_id, _ = await heart_patient(screens, admin)
    for number in range(3):
        await screens.patient(f"Ander{number}")
    page = await screens.open("M. Jansen", "/console/patients")
    await expect(page.get_by_role("row", name="Anna Visser")).to_contain_text("Loosduinen")
    await page.get_by_label("Achternaam").fill("Visser")
    await page.get_by_label("Geboortedatum").fill("1948-03-01")
    await page.get_by_label("Geboortedatum").press("Enter")
    found = page.locator("#found").get_by_role("link", name="Anna Visser")
    await expect(found).to_be_visible()
    await screens.picture(page, "patients")
    await require_accessible(page)
    await page.get_by_label("BSN").fill("111222333")
    await page.get_by_label("BSN").press("Enter")
    await expect(page.locator("#found")).to_contain_text("Niemand gevonden")
    assert (
        await admin.fetchval(
            "SELECT count(*) FROM audit WHERE event_code = 'patient.search' AND patients @> ARRAY[$1::uuid]",
            patient_id,
        )
        == 2
    )


async def test_a_message_to_who_has_no_app_says_to_ring(screens: Screens, admin: Connection) -> None:
    patient_id = await screens.patient("Bos")
    await enrol(admin, patient_id, "heart_failure")
    page = await screens.open("M. Jansen", f"/console/patients/{patient_id}")
    await expect(page.locator("#charts .empty")).to_contain_text("Er zijn nog geen metingen.")
    await page.keyboard.press("p")
    dialog = page.locator("#dialog")
    await dialog.get_by_label("Waarover?").select_option("body_weight")
    await dialog.get_by_role("button", name="Versturen").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("ring them")


async def test_programmes_plans_consent_and_the_end(screens: Screens, admin: Connection) -> None:
    patient_id, _ = await heart_patient(screens, admin)
    page = await opened(screens, patient_id)
    page.on("dialog", lambda asked: asked.accept())
    dialog, rest = page.locator("#dialog"), page.locator("#patient-rest")

    async def fill(button: str, done: str, **fields: str) -> None:
        await page.get_by_role("button", name=button, exact=True).click()
        await expect(dialog.get_by_role("heading", level=2)).to_contain_text("Anna Visser")
        for label, value in fields.items():
            field = dialog.get_by_label(label.replace("_", " "))
            if await field.evaluate("one => one.tagName") == "SELECT":
                await field.select_option(label=value)
            else:
                await field.fill(value)
        await require_accessible(page)
        await dialog.get_by_role("button", name=done, exact=True).click()
        await expect(dialog).not_to_be_visible()

    await fill("Programma erbij", "Toevoegen", Programma="COPD")
    await expect(rest.get_by_role("heading", name="COPD")).to_be_visible()
    await fill("Plan en gegevens", "Opslaan", Behandelplan="Bumetanide 1 mg.")
    await expect(page.locator(".plans")).to_contain_text("Bumetanide 1 mg.")
    await rest.locator("section", has_text="COPD").get_by_role("button", name="Uit dit programma").click()
    await dialog.get_by_role("button", name="Uit het programma").click()
    await expect(rest.get_by_role("heading", name="COPD")).to_have_count(0)
    await fill("Toestemming vastleggen", "Vastleggen", Organisatie="out_of_hours_post")
    relations = rest.locator("section", has_text="Wie mag dit zien")
    await expect(relations).to_contain_text("out_of_hours_post")
    await relations.get_by_role("button", name="Beëindigen out_of_hours_post").click()
    await expect(page.locator("#said")).to_contain_text("Toestemming beëindigd.")
    await fill("Beëindigen", "Beëindigen", Waarom_stopt_het="klaar met de thuismeting")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("beëindigd: klaar met de thuismeting")
    await expect(page.get_by_role("button", name="Meting invoeren")).to_have_count(0)
    assert await admin.fetchval("SELECT count(*) FROM consent WHERE until_at IS NULL") == 0
