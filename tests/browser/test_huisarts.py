"""The huisarts, on a telephone between two patients: what is asked of them, and nothing of anybody else."""

import pytest
from playwright.async_api import Page, expect

from models.db.pool import Connection
from tests.browser.accessible import require_accessible
from tests.browser.asking import escalate
from tests.browser.screens import Screens
from tests.integration.alerting.ward import CENTRE

pytestmark = pytest.mark.timeout(240)

PHONE = "070 312 45 67"


async def tell_telephone(admin: Connection) -> None:
    await admin.execute(
        "INSERT INTO message_address (address_id, organisation_id, channel, address) "
        "VALUES (gen_random_uuid(), $1, 'phone', $2)",
        CENTRE, PHONE,
    )  # fmt: skip


async def fits(page: Page) -> bool:
    """Whether nothing sticks out at the side of a telephone."""
    return await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


async def test_nothing_asked(screens: Screens) -> None:
    for language, said in (("nl", "Er is niets aan u gevraagd."), ("en", "Nothing is asked of you.")):
        page = await screens.open("H. de Boer", language=language, phone=True)
        await expect(page).to_have_url(f"{screens.url}/console/huisarts")
        await expect(page.locator("main")).to_contain_text(said)
        await screens.picture(page, f"huisarts-empty-{language}")
        await require_accessible(page)


async def test_takes_over_and_finishes_with_an_answer(
    screens: Screens, database: str, admin: Connection
) -> None:
    await tell_telephone(admin)
    patient_id = await screens.patient("Öztürk-van Dam", "Fatma")
    alert_id = await screens.ward.alert(patient_id)
    escalation_id = await escalate(screens, database, alert_id)
    page = await screens.open("H. de Boer", phone=True)
    await expect(page.get_by_role("listitem").filter(has_text="Fatma Öztürk-van Dam")).to_be_visible()
    assert await fits(page)
    await screens.picture(page, "huisarts-list")
    await page.get_by_role("link", name="Öztürk").click()
    first = page.locator(".responsible")
    await expect(first).to_contain_text("Verantwoordelijk tot iemand dit met naam overneemt")
    await expect(first.get_by_role("link")).to_have_attribute("href", "tel:0703124567")
    await expect(page.locator("#escalation")).to_contain_text("Kortademig sinds gisteren.")
    assert await fits(page)
    await screens.picture(page, "huisarts-one")
    await require_accessible(page)
    await page.get_by_role("button", name="Ik neem dit over").click()
    await expect(first).to_contain_text("Verantwoordelijk sinds")
    await expect(first).to_contain_text("H. de Boer")
    owner = await admin.fetchval("SELECT owner FROM alert WHERE alert_id = $1", alert_id)
    assert owner == screens.ward.people["H. de Boer"].person_id
    await screens.picture(page, "huisarts-accepted")
    await page.get_by_label("Uw antwoord").fill("Furosemide verhoogd, morgen bel ik.")
    await page.get_by_label("ja").check()
    await page.get_by_role("button", name="Antwoord versturen").click()
    await expect(page.get_by_role("heading", name="Uw antwoord is verstuurd")).to_be_focused()
    await screens.picture(page, "huisarts-done")
    await page.get_by_role("link", name="Klaar, terug naar de lijst").click()
    await expect(page.get_by_role("listitem").filter(has_text="beantwoord")).to_be_visible()
    row = await admin.fetchrow(
        "SELECT state, answer, referral_avoided FROM escalation WHERE escalation_id = $1", escalation_id
    )
    assert row is not None
    assert tuple(row) == ("answered", "Furosemide verhoogd, morgen bel ik.", True)


async def test_answers_a_question_in_english(screens: Screens, database: str, admin: Connection) -> None:
    patient_id = await screens.patient("Bakker", "Jan")
    alert_id = await screens.ward.alert(patient_id)
    escalation_id = await escalate(
        screens,
        database,
        alert_id,
        request="acute",
        question="Mag de dosis omhoog?",
        answer_within_minutes=30,
    )
    page = await screens.open("H. de Boer", f"/console/huisarts/{escalation_id}", language="en", phone=True)
    await expect(page.locator("#escalation")).to_contain_text("Mag de dosis omhoog?")
    await screens.picture(page, "huisarts-question-en")
    await require_accessible(page)
    await page.get_by_label("Your answer").fill("Yes, by 20 mg.")
    await page.get_by_label("no", exact=True).check()
    await page.get_by_role("button", name="Send the answer").click()
    await expect(page.get_by_role("heading", name="Your answer was sent")).to_be_visible()
    assert await admin.fetchval("SELECT owner FROM alert WHERE alert_id = $1", alert_id) is None


async def test_hands_back_with_a_reason(screens: Screens, database: str, admin: Connection) -> None:
    patient_id = await screens.patient("Visser", "Anna")
    alert_id = await screens.ward.alert(patient_id)
    escalation_id = await escalate(screens, database, alert_id)
    page = await screens.open("H. de Boer", f"/console/huisarts/{escalation_id}", phone=True)
    await page.locator("summary", has_text="Teruggeven").click()
    await page.get_by_label("Waarom kunt u dit niet doen?").fill("Patiënt ging naar een andere praktijk.")
    await page.get_by_role("button", name="Teruggeven").click()
    await expect(page.get_by_role("heading", name="U gaf dit terug")).to_be_visible()
    state = await admin.fetchval("SELECT state FROM escalation WHERE escalation_id = $1", escalation_id)
    assert state == "handed_back"


async def test_a_colleague_was_faster(screens: Screens, database: str) -> None:
    patient_id = await screens.patient("Jonker", "Piet")
    alert_id = await screens.ward.alert(patient_id)
    escalation_id = await escalate(screens, database, alert_id)
    path = f"/console/huisarts/{escalation_id}"
    page, other = [await screens.open(who, path, phone=True) for who in ("H. de Boer", "A. Visser")]
    # Cut off from what is new, so that they see what was there before.
    await other.route("**/standing*", lambda route: route.fulfill(status=204))
    await page.get_by_role("button", name="Ik neem dit over").click()
    await expect(page.locator(".responsible")).to_contain_text("H. de Boer")
    await other.get_by_role("button", name="Ik neem dit over").click()
    await expect(other.locator("#said")).to_contain_text("H. de Boer")
    await other.reload()
    await expect(other.locator("#escalation")).to_contain_text("H. de Boer heeft dit overgenomen")
    await expect(other.get_by_role("button", name="Antwoord versturen")).to_have_count(0)


async def test_sees_no_other_patient(screens: Screens, database: str) -> None:
    theirs, hidden = await screens.patient("Zichtbaar"), await screens.patient("Verborgen")
    await escalate(screens, database, await screens.ward.alert(theirs))
    of_hospital = await escalate(screens, database, await screens.ward.alert(hidden), recipient="specialist")
    page = await screens.open("H. de Boer", phone=True)
    await expect(page.locator("main")).to_contain_text("Zichtbaar")
    await expect(page.locator("main")).not_to_contain_text("Verborgen")
    for path in (f"/console/huisarts/{of_hospital}", f"/console/huisarts/{of_hospital}/letter.pdf"):
        response = await page.goto(screens.url + path)
        assert response is not None
        assert response.status == 404
        await expect(page.locator("main")).not_to_contain_text("Verborgen")
    specialist = await screens.open("K. Mulder", "/console/huisarts")
    await expect(specialist.locator("main")).to_contain_text("Verborgen")


async def test_the_letter_as_pdf(screens: Screens, database: str) -> None:
    patient_id = await screens.patient("Lelie", "Rosa")
    escalation_id = await escalate(screens, database, await screens.ward.alert(patient_id))
    page = await screens.open("H. de Boer", f"/console/huisarts/{escalation_id}", phone=True)
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="Brief als PDF").click()
    download = await coming.value
    path = await download.path()
    assert path.read_bytes().startswith(b"%PDF")
    assert download.suggested_filename == "thuiswacht.pdf"


async def test_who_asks_learns_of_it_at_once(screens: Screens, database: str) -> None:
    """The list of an open page grows by itself."""
    page = await screens.open("H. de Boer", phone=True)
    await expect(page.locator("main")).to_contain_text("Er is niets aan u gevraagd.")
    await escalate(screens, database, await screens.ward.alert(await screens.patient("Nieuwkoop")))
    await expect(page.locator("main")).to_contain_text("Nieuwkoop")
