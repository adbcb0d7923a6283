"""The worklist while the world goes on: news, nothing that moves under the pointer, a cut connection."""

import pytest
from playwright.async_api import expect

from tests.browser.keys import Keys, row, says, tell
from tests.browser.screens import Screens
from tests.browser.wire import wire_to

pytestmark = pytest.mark.timeout(180)


async def test_what_is_new_appears_by_itself(screens: Screens) -> None:
    ward = screens.ward
    patient_id = await screens.patient("de Vries", "Anna")
    page = await screens.open("M. Jansen")
    await expect(page.locator("#list .empty")).to_contain_text("Niets open")
    alert_id = await ward.alert(patient_id)
    await tell(ward.admin, alert_id)
    await expect(row(page, patient_id)).to_be_visible()
    await expect(page.locator("#urgent")).to_have_text(says("Nieuwe ernstige melding: de Vries, Anna: vocht"))


async def test_what_a_colleague_does_is_seen(screens: Screens) -> None:
    patient_id = await screens.patient("de Vries", "Anna")
    await screens.ward.alert(patient_id)
    page = await screens.open("M. Jansen")
    await expect(row(page, patient_id).locator("em")).to_have_text("niemand")
    await row(page, patient_id).locator("th a").click()
    await expect(page.locator("#detail")).to_contain_text("bij niemand")
    colleague = Keys(await screens.open("P. Smit"))
    await colleague.press("c")
    await expect(row(page, patient_id).locator(".owner")).to_contain_text("P. Smit")
    await expect(page.locator("#detail")).to_contain_text("bij P. Smit")


async def test_nothing_moves_under_the_pointer(screens: Screens) -> None:
    ward = screens.ward
    first, second = await screens.patient("Aas"), await screens.patient("Bos")
    first_alert = await ward.alert(first, severity="medium")
    await ward.alert(second, severity="low")
    page = await screens.open("M. Jansen")
    names = page.locator("#worklist th a")
    await expect(names).to_have_text(["Aas", "Bos"])
    await row(page, second).hover()
    third = await screens.patient("Cals")
    alert_id = await ward.alert(third)
    await ward.admin.execute(
        "UPDATE alert SET state = 'resolved', resolved_at = opened_at, outcome = 'expected' "
        "WHERE alert_id = $1",
        first_alert,
    )
    await tell(ward.admin, alert_id)
    waiting = page.locator("#waiting")
    await expect(waiting).to_contain_text("2 nieuw of veranderd")
    await expect(names).to_have_text(["Aas", "Bos"])
    await expect(row(page, first)).to_contain_class("gone")
    await screens.picture(page, "worklist-waiting")
    await page.keyboard.press("n")
    await expect(names).to_have_text(["Cals", "Bos"])
    await expect(waiting).to_be_hidden()
    # Without the pointer it follows at once.
    await page.locator("h1").hover()
    await ward.admin.execute("UPDATE alert SET severity = 'low' WHERE alert_id = $1", alert_id)
    await tell(ward.admin, alert_id)
    await expect(row(page, third).locator(".tag.low")).to_be_visible()


async def test_a_connection_cut_and_restored_misses_nothing(screens: Screens) -> None:
    ward = screens.ward
    first, second = await screens.patient("Aas"), await screens.patient("Bos")
    await ward.alert(first)
    page = await screens.open("M. Jansen", "/console/me")
    async with wire_to(screens.url) as wire:
        await page.goto(f"{wire.url}/console/worklist")
        await expect(row(page, first)).to_be_visible()
        await wire.cut()
        await expect(page.locator("#cut-off")).to_contain_text("Geen verbinding sinds")
        await screens.picture(page, "worklist-cut-off")
        alert_id = await ward.alert(second)
        await tell(ward.admin, alert_id)
        await expect(row(page, second)).to_have_count(0)
        await wire.mend()
        await expect(row(page, second)).to_be_visible(timeout=15_000)
        await expect(page.locator("#cut-off")).to_be_hidden()
    # That the network was away is what this is about.
    screens.errors[:] = [one for one in screens.errors if not one.startswith("htmx:")]
