"""The huisarts, on a telephone between two patients: what is asked of them, and nothing of anybody else."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Page, expect

from alerting.notify.letter.levels import SHORT_US
from models.clock import to_datetime, to_us
from models.db.findings import write_findings
from models.db.pool import Connection
from tests.browser.accessible import require_accessible
from tests.browser.asking import escalate
from tests.browser.screens import Screens
from tests.integration.alerting.ward import CENTRE, NOW
from tests.unit.letter.letters import WEIGHTS, finding, rise

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


async def gained_weight(screens: Screens) -> UUID:
    """An alert of a patient who got heavier, with the readings that say so."""
    admin = screens.ward.admin
    patient_id = await screens.patient("Haddad", "Youssef")
    alert_id = await screens.ward.alert(patient_id)
    found = replace(
        finding("weight_gain_3d", rise()), patient_id=patient_id, finding_id=uuid4(), organisation_id=CENTRE
    )
    await write_findings(admin, [found])
    await admin.execute(
        "UPDATE alert_finding SET finding_id = $1 WHERE alert_id = $2", found.finding_id, alert_id
    )
    await admin.execute("SELECT ensure_reading_partitions(ARRAY['2026-11-01'::date])")
    for at_us, value in WEIGHTS:
        await admin.execute(
            "INSERT INTO reading (taken_at, received_at, log_offset, value, value_received, unit_received, "
            "revision, log_position, kind, log_partition, void, too_late, patient_id, organisation_id, "
            "upload_id, device_id, source) "
            "VALUES ($1, now(), 0, $2, $2, 'kg', 0, 0, 0, 0, false, false, $3, $4, $3, 'SC-1', 'x')",
            to_datetime(at_us), value, patient_id, CENTRE,
        )  # fmt: skip
    return alert_id


@pytest.mark.parametrize("look", ["dark", "contrast"])
async def test_the_letter_has_its_charts_in_every_look(screens: Screens, database: str, look: str) -> None:
    escalation_id = await escalate(screens, database, await gained_weight(screens))
    path = f"/console/huisarts/{escalation_id}"
    page = await screens.open("H. de Boer", path, phone=True, look=look)
    chart = page.get_by_role("img", name="Gewicht")
    await expect(chart).to_be_visible()
    assert await chart.locator("polyline").count() == 1
    await expect(page.locator("figcaption")).to_contain_text("metingen van")
    await page.locator("summary", has_text="Als tabel").click()
    shown = [at_us for at_us, _ in WEIGHTS if at_us > to_us(datetime.fromisoformat(NOW)) - SHORT_US]
    await expect(page.locator("figure table").get_by_role("row")).to_have_count(len(shown) + 1)
    assert await page.evaluate("document.querySelectorAll('#escalation [style]').length") == 0
    assert await fits(page)
    await screens.picture(page, f"huisarts-letter-{look}")
    await require_accessible(page)


async def test_what_is_asked_appears_by_itself(screens: Screens, database: str) -> None:
    page = await screens.open("H. de Boer", phone=True)
    await expect(page.locator("main")).to_contain_text("Er is niets aan u gevraagd.")
    await escalate(screens, database, await screens.ward.alert(await screens.patient("Nieuwkoop")))
    await expect(page.locator("main")).to_contain_text("Nieuwkoop")
