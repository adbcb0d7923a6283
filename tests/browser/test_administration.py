"""Administration and the review of looks, as administrators, coordinators and privacy officers use them."""

import json
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import Page, expect

from models.access import Role
from models.db.pool import Connection
from tests.browser.accessible import require_accessible
from tests.browser.screens import Screens
from tests.integration.alerting.ward import CENTRE

pytestmark = pytest.mark.timeout(180)
TABS = ("", "/people", "/systems", "/devices", "/programmes", "/policies", "/rosters")


async def somebody(screens: Screens, name: str, role: Role) -> str:
    screens.ward.people[name] = await screens.ward.somebody(name, role, CENTRE)
    return name


async def said(page: Page) -> None:
    await expect(page.locator("#said")).to_contain_text("Opgeslagen")


async def test_every_tab_opens_in_both_languages(screens: Screens) -> None:
    beheer = await somebody(screens, "B. Beheer", Role.ADMINISTRATOR)
    for language, title in (("nl", "Beheer"), ("en", "Administration")):
        page = await screens.open(beheer, language=language)
        for tab in TABS:
            await page.goto(f"{screens.url}/console/administration{tab}")
            await expect(page.get_by_role("heading", level=1)).to_have_text(title)
            await expect(page.locator(".tabs a[aria-current]")).to_have_count(1)
            await screens.picture(page, f"administration{tab.replace('/', '-')}-{language}")
            await require_accessible(page)


async def test_organisations_and_addresses(screens: Screens, admin: Connection) -> None:
    page = await screens.open(
        await somebody(screens, "B. Beheer", Role.ADMINISTRATOR), "/console/administration"
    )
    await page.get_by_text("Organisatie toevoegen").click()
    form = page.locator("form[hx-post='/console/administration/organisations']").first
    await form.get_by_label("Naam").fill("Praktijk <script>alert(1)</script> \u202eomgekeerd\u200b")
    await form.get_by_label("Soort").select_option("gp_practice")
    await form.get_by_role("button").click()
    await said(page)
    row = page.locator("tr", has_text="<script>alert(1)</script>")
    await expect(row).to_have_count(1)
    await row.get_by_text("Wijzigen").click()
    await row.get_by_label("Kanaal").select_option("secure_mail")
    await row.get_by_label("Adres", exact=True).fill("praktijk@example.org")
    await row.get_by_role("button", name="Adres toevoegen").click()
    await expect(row).to_contain_text("praktijk@example.org")
    page.on("dialog", lambda dialog: dialog.accept())
    await row.get_by_role("button", name="Beëindigen").click()
    await expect(row).not_to_contain_text("praktijk@example.org")
    await screens.picture(page, "administration-organisation")
    ended = await admin.fetchval("SELECT count(*) FROM message_address WHERE until_at IS NOT NULL")
    assert ended == 1


async def test_who_is_outdated_learns_it(screens: Screens, admin: Connection) -> None:
    page = await screens.open(
        await somebody(screens, "B. Beheer", Role.ADMINISTRATOR), "/console/administration"
    )
    row = page.locator("tr", has_text="monitoring_centre")
    await row.get_by_text("Wijzigen").click()
    await admin.execute("UPDATE organisation SET version = version + 1")
    await row.get_by_role("button", name="Opslaan").click()
    await expect(page.locator("#said")).to_contain_text("Iemand anders was u voor")


async def test_people_get_roles_and_leave(screens: Screens, admin: Connection) -> None:
    page = await screens.open(
        await somebody(screens, "B. Beheer", Role.ADMINISTRATOR), "/console/administration/people"
    )
    await page.get_by_text("Medewerker toevoegen").click()
    await page.locator("#new-person").fill("N. Nieuw")
    await page.get_by_role("button", name="Toevoegen").click()
    await said(page)
    row = page.locator("tr", has_text="N. Nieuw")
    await expect(row).to_contain_text("Geen rol")
    await row.get_by_text("Wijzigen").click()
    await row.get_by_label("Rol").select_option("community_nurse")
    await row.get_by_role("button", name="Rol geven").click()
    await expect(row.locator("form[hx-post$='/roles/end']")).to_contain_text("wijkverpleegkundige")
    await row.get_by_text("Wijzigen").click()
    page.on("dialog", lambda dialog: dialog.accept())
    await row.get_by_role("button", name="Vertrekt").click()
    await expect(row).to_contain_text("weg sinds")
    assert await admin.fetchval("SELECT left_at IS NOT NULL FROM person WHERE name = 'N. Nieuw'")


async def test_systems_come_with_their_key_and_go(screens: Screens, admin: Connection) -> None:
    page = await screens.open(
        await somebody(screens, "B. Beheer", Role.ADMINISTRATOR), "/console/administration/systems"
    )
    await expect(page.locator(".empty")).to_contain_text("Nog geen systemen")
    await page.get_by_text("Systeem toevoegen").click()
    await page.get_by_label("Kenmerk").fill("vendor-a")
    await page.get_by_label("Naam").fill("Leverancier A")
    await page.get_by_label("Openbare sleutel").fill("geen sleutel")
    await page.get_by_role("button", name="Toevoegen").click()
    await expect(page.locator("#said")).to_contain_text("Dit klopt niet")
    key = generate_private_key(SECP256R1()).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    await page.get_by_label("Openbare sleutel").fill(pem)
    await page.get_by_role("button", name="Toevoegen").click()
    await expect(page.locator("tr", has_text="vendor-a")).to_contain_text("Leverancier A")
    person = await admin.fetchval("SELECT person_id FROM client WHERE client_id = 'vendor-a'")
    await admin.execute(
        "INSERT INTO session (session_id, kind, token_sha256, person_id, organisation_id, role, began_at, "
        "seen_at, until_at) VALUES ($1, 'system', $4, $2, $3, 'service', now(), now(), now() + '9m')",
        uuid4(), person, CENTRE, bytes(32),
    )  # fmt: skip
    page.on("dialog", lambda dialog: dialog.accept())
    await expect(page.locator("tr", has_text="vendor-a")).to_contain_text("1. openbare sleutel, sinds")
    await page.get_by_role("button", name="Intrekken").click()
    # Who was revoked stays in sight: since when, and so that nobody wonders where it went.
    await expect(page.locator("tr", has_text="vendor-a")).to_contain_text("ingetrokken op")
    await expect(page.get_by_role("button", name="Intrekken")).to_have_count(0)
    assert await admin.fetchval("SELECT ended_why FROM session WHERE person_id = $1", person) == "withdrawn"


async def enrol(admin: Connection, patient_id: UUID, version: int) -> None:
    change = {"enrol": {"programme": "heart_failure", "version": version}}
    await admin.execute(
        "INSERT INTO register_change (patient_id, organisation_id, number, change_id, valid_from_us, change) "
        "VALUES ($1, $2, 1, $3, 0, $4)",
        patient_id, CENTRE, uuid4(), json.dumps(change),
    )  # fmt: skip


async def test_patients_move_to_the_newest_version(screens: Screens, admin: Connection) -> None:
    newest = await admin.fetchval(
        "SELECT max(version) FROM programme_catalogue WHERE programme = 'heart_failure'"
    )
    await admin.execute(
        "INSERT INTO programme_catalogue SELECT programme, version + 1, "
        "jsonb_set(offered, '{version}', to_jsonb(version + 1)) FROM programme_catalogue "
        "WHERE programme = 'heart_failure' AND version = $1",
        newest,
    )
    for name in ("Bakker", "de Vries"):
        await enrol(admin, await screens.patient(name, "A."), newest)
    page = await screens.open(
        await somebody(screens, "C. Kok", Role.COORDINATOR), "/console/administration/programmes"
    )
    await expect(page.get_by_text("2 patiënten")).to_have_count(1)
    await page.locator("a[href$='/programmes/heart_failure']").click()
    await page.get_by_label("Bakker, A.").uncheck()
    await screens.picture(page, "administration-moving")
    await require_accessible(page)
    await page.get_by_role("button", name="Verhuis de gekozen patiënten").click()
    await expect(page.locator("#said")).to_contain_text("1 patiënten verhuisd")
    await expect(page.locator("#moving tbody tr")).to_have_count(1)
    await expect(page.locator("#moving")).to_contain_text("Bakker")
    moved = await admin.fetchval("SELECT count(*) FROM register_change WHERE change ? 'version'")
    assert moved == 1


async def test_looks_are_reviewed_and_told_to_the_patient(screens: Screens, admin: Connection) -> None:
    patient_id = await screens.patient("Jansen", "Piet", born="1950-03-01")
    officer = await somebody(screens, "P. Privé", Role.PRIVACY_OFFICER)
    nurse = screens.ward.people["M. Jansen"]
    await admin.execute(
        "INSERT INTO emergency_access (emergency_id, patient_id, person_id, organisation_id, until_at, "
        "reason) VALUES ($1, $2, $3, $4, now() + interval '1 hour', 'doet de deur niet open')",
        uuid4(), patient_id, nurse.person_id, CENTRE,
    )  # fmt: skip
    page = await screens.open(officer, "/console/looks")
    await expect(page.locator("#flags")).to_contain_text("doet de deur niet open")
    await screens.picture(page, "looks")
    await page.get_by_role("button", name="Terecht", exact=True).click()
    await expect(page.locator("#flags")).to_contain_text("Niets opvallends")
    await page.get_by_label("Achternaam").fill("Jansen")
    await page.get_by_label("Geboortedatum").fill("1950-03-01")
    await page.get_by_role("button", name="Zoeken").click()
    await page.get_by_label("Waarom").fill("op verzoek van de patiënt")
    await page.get_by_role("button", name="Overzicht maken").click()
    await expect(page.locator("#overview")).to_contain_text("P. Privé")
    await screens.picture(page, "looks-overview")
    await require_accessible(page)
    assert await admin.fetchval("SELECT verdict FROM emergency_access") == "justified"


async def test_a_nurse_does_not_administer(screens: Screens) -> None:
    page = await screens.open("M. Jansen", "/console/administration/people")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Dit mag u niet zien of doen")
    await expect(page.locator("header nav")).to_have_count(0)
    await screens.picture(page, "forbidden")
