"""The banner on every screen: a stage that stands still is said to, and not any more when it goes on."""

import asyncio
from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from simulators.stack import Stack
from tests.browser.accessible import require_accessible
from tests.browser.screens import Screens

pytestmark = pytest.mark.timeout(240)

NURSE = "M. Jansen"
SOON_MS = 40_000
"""A stage is late after a quarter of a minute; this machine may be slow."""


@pytest.fixture
def postgres_back(stack: Stack) -> Iterator[None]:
    """Whatever the test does to Postgres, the others find it running."""
    yield
    stack.restart_server("postgres")


async def test_a_worker_that_is_stopped_is_seen_on_every_screen_until_it_goes_on(screens: Screens) -> None:
    pages = [
        await screens.open(NURSE, path) for path in ("/console", "/console/technical", "/console/patients")
    ]
    for page in pages:
        await expect(page.locator("#delays")).to_be_attached()
        await expect(page.locator("#delays .banner")).to_have_count(0)
    await screens.stop_stage("alerting")
    for page in pages:
        said = page.locator("#delays .banner")
        await expect(said).to_contain_text("Bewaking vertraagd sinds", timeout=SOON_MS)
        await expect(said).to_contain_text("Meldingen ontstaan later")
    stage = pages[1].locator("tr", has_text="Meldingen maken")
    await expect(stage).to_contain_text("vertraagd sinds")
    await require_accessible(pages[1])
    await screens.picture(pages[1], "technical-delayed-nl")
    later = await screens.open(NURSE, "/console/technical", language="en")
    await expect(later.locator("#delays .banner")).to_contain_text("Monitoring delayed since")
    await require_accessible(later)
    await screens.start_stage("alerting")
    for page in pages:
        await expect(page.locator("#delays .banner")).to_have_count(0, timeout=SOON_MS)
    await expect(stage).to_contain_text("op tijd")


async def test_when_both_stand_still_nothing_comes_in(screens: Screens) -> None:
    await screens.stop_stage("alerting")
    await screens.stop_stage("storing")
    page = await screens.open(NURSE, "/console")
    await expect(page.locator("#delays .banner")).to_contain_text("Er komt niets binnen.", timeout=SOON_MS)


async def test_what_never_began_is_said_to(screens: Screens) -> None:
    await screens.ward.admin.execute("DELETE FROM log_position WHERE consumer_group = 'thuiswacht.ingest'")
    page = await screens.open(NURSE, "/console/technical")
    said = page.locator("#delays .banner")
    await expect(said).to_contain_text("De bewaking is niet compleet.", timeout=SOON_MS)
    await expect(said).to_contain_text("Het opslaan van metingen is nog niet gestart.")
    await expect(page.locator("tr", has_text="Metingen opslaan")).to_contain_text("nog niet gestart")
    await screens.picture(page, "technical-never-nl")


@pytest.mark.usefixtures("postgres_back")
async def test_while_the_database_is_away_open_screens_say_so_and_others_are_designed(
    screens: Screens, stack: Stack
) -> None:
    await screens.rest()
    page = await screens.open(NURSE, "/console/technical")
    other = await screens.open("P. Smit", "/console/technical")
    await asyncio.to_thread(stack.kill_server, "postgres")
    await expect(page.locator("#cut-off")).to_contain_text("Geen verbinding sinds", timeout=SOON_MS)
    await screens.picture(page, "technical-away-nl")
    await other.goto(f"{screens.url}/console/technical")
    await expect(other.locator("h1")).to_have_text("Even niet bereikbaar")
    await screens.picture(other, "technical-away-page-nl")
    await asyncio.to_thread(stack.start_server, "postgres")
    await expect(page.locator("#cut-off")).to_be_hidden(timeout=SOON_MS)
    await expect(page.locator("#flow")).to_be_visible()
