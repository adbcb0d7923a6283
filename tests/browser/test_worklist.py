"""The worklist in a browser: what stands in it, filters, views, search, screens where there is nothing."""

import pytest
from playwright.async_api import expect

from models.access import Role
from models.identity import Identity
from tests.browser.accessible import require_accessible
from tests.browser.keys import Keys, row
from tests.browser.screens import Screens
from tests.integration.alerting.ward import CENTRE

pytestmark = pytest.mark.timeout(180)

SCRIPT = "<script>document.title='taken'</script>"
STRANGE = "\u202eאברהם\u200b\u200d كريم"


async def test_patients_with_alerts_the_most_severe_first(screens: Screens) -> None:
    anna = await screens.patient("de Vries", "Anna")
    bram = await screens.patient("Yilmaz", "Bram", wijk="Zuiderpark")
    cees = await screens.patient("Post", "Cees")
    ward = screens.ward
    await ward.alert(anna, severity="medium", opened_at="2026-12-01T07:00:00+00:00")
    await ward.alert(anna, signal="silence", severity="low", opened_at="2026-12-01T08:30:00+00:00")
    await ward.alert(bram, severity="high")
    await ward.alert(cees, severity="medium", opened_at="2026-12-01T06:00:00+00:00")
    for language, look in (("nl", "light"), ("en", "dark"), ("nl", "contrast")):
        page = await screens.open("M. Jansen", language=language, look=look)
        rows = page.locator("#worklist tbody tr")
        await expect(rows.locator("th a")).to_have_text(["Yilmaz, Bram", "de Vries, Anna", "Post, Cees"])
        await expect(page.locator("#summary meter")).to_be_visible()
        await rows.nth(1).locator("th a").click()
        await expect(page.locator("#detail h2")).to_contain_text("de Vries")
        await screens.picture(page, f"worklist-{language}-{look}")
        await require_accessible(page)
        await page.keyboard.press("r")
        await expect(page.locator("#menu-resolve")).to_be_visible()
        await require_accessible(page)
        await screens.picture(page, f"worklist-resolve-{language}-{look}")


async def test_filters_views_and_search(screens: Screens) -> None:
    anna = await screens.patient("de Vries", "Anna")
    bram = await screens.patient("Öztürk", "Bram", wijk="Zuiderpark", born="1950-01-01")
    await screens.ward.alert(anna, severity="medium")
    await screens.ward.alert(bram, signal="glucose", severity="high")
    page = await screens.open("M. Jansen")
    names = page.locator("#worklist th a")
    await page.select_option("#filter-severity", "high")
    await expect(names).to_have_text(["Öztürk, Bram"])
    await expect(page).to_have_url(f"{screens.url}/console/worklist?severity=high")
    keys = Keys(page)
    await page.get_by_role("button", name="Bewaar dit filter").click()
    await page.fill("#view-name", "Ernstig & <b>snel</b>")
    await keys.press("Enter")
    await keys.hears("Weergave bewaard")
    await page.reload()
    await expect(names).to_have_text(["Öztürk, Bram"])
    await page.goto(f"{screens.url}/console/worklist")
    await expect(names).to_have_count(2)
    await keys.press("v", "3")
    await expect(names).to_have_text(["Öztürk, Bram"])
    await expect(page.locator("#filter-severity")).to_have_value("high")
    await page.get_by_role("button", name="Vergeet weergave").click()
    await expect(page.locator("#views .view")).to_have_count(0)
    await page.goto(f"{screens.url}/console/worklist?wijk=Loosduinen&owner=nobody&programme=heart_failure")
    await expect(names).to_have_text(["de Vries, Anna"])
    await page.goto(f"{screens.url}/console/worklist")
    await keys.press("/")
    await page.keyboard.type("bram 1950")
    await keys.press("Enter")
    await expect(names).to_have_text(["Öztürk, Bram"])
    assert "bram" not in page.url
    await page.fill("#search-name", "Onbekend")
    await keys.press("Enter")
    await expect(page.locator("#list .empty")).to_contain_text("Niets gevonden")


async def test_what_people_wrote_is_shown_as_text(screens: Screens) -> None:
    patient_id = await screens.patient(SCRIPT, STRANGE, wijk=f"{SCRIPT}{STRANGE}")
    await screens.ward.alert(patient_id)
    page = await screens.open("M. Jansen")
    link = row(page, patient_id).locator("th a")
    await expect(link).to_contain_text(SCRIPT)
    keys = Keys(page)
    await keys.press("c")
    await keys.hears(SCRIPT)
    await keys.press("o")
    await page.fill("#note-text", f"{SCRIPT} {STRANGE}")
    await page.locator("#menu-note").get_by_role("button", name="Opslaan").click()
    await keys.hears("notitie bewaard")
    await link.click()
    await expect(page.locator("#detail .happened q")).to_contain_text([SCRIPT])
    await screens.picture(page, "worklist-strange")
    await keys.press("w")
    await expect(page.locator("td.words")).to_contain_text([SCRIPT])
    await expect(page).to_have_title("Overdracht van de dienst · Thuiswacht")


async def test_plan_wishes_and_whom_to_ring_stand_beside(screens: Screens) -> None:
    patient_id = await screens.ward.patient()
    await screens.name(
        patient_id,
        Identity.model_validate(
            {
                "family_name": "Bos", "birth_date": "1944-05-05", "phone": "070 555 0101",
                "contacts": [{"name": "T. Bos", "relation": "mantelzorger", "phone": "06 5550 0102"}],
            }
        ),
    )  # fmt: skip
    await screens.ward.admin.execute(
        "UPDATE patient_care SET treatment_plan = 'Plas 40 mg', advance_care = 'Niet reanimeren' "
        "WHERE patient_id = $1",
        patient_id,
    )
    await screens.ward.alert(patient_id)
    page = await screens.open("M. Jansen")
    await Keys(page).press("j", "Enter")
    detail = page.locator("#detail")
    for text in ("Plas 40 mg", "Niet reanimeren", "070 555 0101", "T. Bos", "niets vertellen", "05-05-1944"):
        await expect(detail).to_contain_text(text)
    await expect(detail.get_by_role("link", name="Naar de patiënt")).to_have_attribute(
        "href", f"/console/patients/{patient_id}"
    )


async def test_screens_where_there_is_nothing(screens: Screens) -> None:
    ward = screens.ward
    page = await screens.open("M. Jansen")
    await expect(page.locator("#list .empty")).to_contain_text("Nog geen patiënten")
    await screens.picture(page, "worklist-first-run")
    await screens.patient("de Vries")
    await page.reload()
    await expect(page.locator("#list .empty")).to_contain_text("Niets open")
    await require_accessible(page)
    await page.goto(f"{screens.url}/console/worklist/shift")
    await expect(page.locator(".empty")).to_contain_text("niets over te dragen")
    ward.people["B. Kok"] = await ward.somebody("B. Kok", Role.ADMINISTRATOR, CENTRE)
    admin = await screens.open("B. Kok")
    await expect(admin).not_to_have_url(f"{screens.url}/console/worklist")
    await admin.goto(f"{screens.url}/console/worklist")
    await expect(admin.get_by_role("heading", level=1)).to_have_text("Dit mag u niet zien of doen")


async def test_on_a_phone(screens: Screens) -> None:
    patient_id = await screens.patient("de Vries", "Anna")
    await screens.ward.alert(patient_id)
    page = await screens.open("M. Jansen", phone=True)
    await row(page, patient_id).locator("th a").tap()
    await expect(page.locator("#detail h2")).to_contain_text("de Vries")
    await screens.picture(page, "worklist-phone")
    await require_accessible(page)
