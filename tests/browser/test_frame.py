"""What is around every page: who looks, where they may go, help, language, look, the end of a session."""

import pytest
from playwright.async_api import expect

from tests.browser.screens import Screens

pytestmark = pytest.mark.timeout(180)


async def test_every_room_opens_in_both_languages(screens: Screens) -> None:
    for language, worklist in (("nl", "Werklijst"), ("en", "Worklist")):
        page = await screens.open("M. Jansen", language=language)
        await expect(page.get_by_role("heading", level=1)).to_have_text(worklist)
        await expect(page.locator("header .who")).to_contain_text("M. Jansen")
        await screens.picture(page, f"frame-{language}")


async def test_who_is_not_logged_in_is_led_to_the_login(screens: Screens) -> None:
    page = await (await screens.browser.new_context()).new_page()
    await page.goto(f"{screens.url}/console")
    await expect(page).to_have_url(f"{screens.url}/login")
