"""What is around every page: who looks, where they may go, help, language, look, the end of a session."""

import pytest
from playwright.async_api import expect
from pyotp.totp import TOTP

from ingest.gateway.login.administration import WantedAccount, add_account
from models.access import Role
from models.db.pool import Connection
from tests.browser.accessible import require_accessible
from tests.browser.screens import Screens
from tests.integration.alerting.ward import CENTRE

pytestmark = pytest.mark.timeout(180)


async def test_every_room_opens_in_both_languages(screens: Screens) -> None:
    for language, worklist in (("nl", "Werklijst"), ("en", "Worklist")):
        page = await screens.open("M. Jansen", language=language)
        await expect(page.get_by_role("heading", level=1)).to_have_text(worklist)
        await expect(page.locator("header .who")).to_contain_text("M. Jansen")
        await screens.picture(page, f"frame-{language}")


async def test_somebody_logs_in_at_the_page_and_out_again(screens: Screens) -> None:
    wanted = WantedAccount("nurse", "N. Nurse", CENTRE, "nurse", "a very long password")
    added = await add_account(screens.login, wanted)
    page = await (await screens.browser.new_context(locale="nl-NL")).new_page()
    await page.goto(f"{screens.url}/console")
    await page.get_by_label("Gebruikersnaam").fill("nurse")
    await page.get_by_label("Wachtwoord").fill("a very long password")
    await page.get_by_label("Code uit uw app").fill(TOTP(added.totp_secret).now())
    await page.get_by_role("button", name="Inloggen").click()
    await expect(page).to_have_url(f"{screens.url}/console/worklist")
    await expect(page.locator("header .who")).to_contain_text("N. Nurse")
    await page.get_by_role("button", name="Uitloggen").click()
    await expect(page.get_by_role("alert")).to_have_text("U bent uitgelogd.")
    await page.goto(f"{screens.url}/console")
    await expect(page).to_have_url(f"{screens.url}/login")


async def test_language_and_look_are_kept(screens: Screens) -> None:
    page = await screens.open("M. Jansen", "/console/me")
    await page.get_by_role("button", name="English").click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    for name, look in (("Dark", "dark"), ("High contrast", "contrast")):
        await page.get_by_role("button", name=name).click()
        await expect(page.locator("html")).to_have_attribute("data-look", look)
        await screens.picture(page, f"me-{look}")


async def test_what_is_around_every_page_can_be_used_by_everybody(screens: Screens) -> None:
    for language in ("nl", "en"):
        for look in ("light", "dark", "contrast"):
            page = await screens.open("M. Jansen", "/console/me", language=language, look=look)
            await require_accessible(page)
            await page.keyboard.press("?")
            await require_accessible(page)
            await page.goto(f"{screens.url}/console/administration/people")
            await expect(page.locator("h1")).to_be_visible()
            await require_accessible(page)
        page = await (await screens.browser.new_context(locale=language)).new_page()
        await page.goto(f"{screens.url}/login?lang={language}")
        await require_accessible(page)


async def test_help_and_rooms_by_keyboard(screens: Screens) -> None:
    page = await screens.open("M. Jansen", "/console/me")
    await page.keyboard.press("?")
    await expect(page.locator("#help")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#help")).to_be_hidden()
    await page.keyboard.press("g")
    await page.keyboard.press("1")
    await expect(page).to_have_url(f"{screens.url}/console/worklist")


async def test_a_session_that_was_ended_leads_to_the_login(screens: Screens, admin: Connection) -> None:
    page = await screens.open("M. Jansen", "/console/me")
    await admin.execute("UPDATE session SET ended_at = clock_timestamp(), ended_why = 'logout'")
    await page.get_by_role("button", name="English").click()
    await expect(page.locator("#said")).to_contain_text("U bent uitgelogd")
    await page.locator("#said").get_by_role("link").click()
    await expect(page).to_have_url(f"{screens.url}/login")


async def test_who_is_not_logged_in_is_led_to_the_login(screens: Screens) -> None:
    page = await (await screens.browser.new_context()).new_page()
    await page.goto(f"{screens.url}/console")
    await expect(page).to_have_url(f"{screens.url}/login")


@pytest.mark.parametrize(
    ("role", "begins_at"),
    [
        (Role.COORDINATOR, "/console/huisarts"),
        (Role.ADMINISTRATOR, "/console/administration"),
        (Role.PRIVACY_OFFICER, "/console/looks"),
        (Role.ENGINEER, "/console/worklist"),
    ],
)
async def test_everybody_begins_where_their_work_is(screens: Screens, role: Role, begins_at: str) -> None:
    screens.ward.people["B. Kok"] = await screens.ward.somebody("B. Kok", role, CENTRE)
    page = await screens.open("B. Kok", "/console")
    await expect(page).to_have_url(screens.url + begins_at)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
