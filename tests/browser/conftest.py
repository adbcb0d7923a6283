"""Real Chromium before a real console over the test's own database.

Where there is no Chromium they are left out, and a line at the end says so; with CI=true that is an error.
"""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect

from models.db.pool import Connection
from tests.browser.screens import Screens, screens_over

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# As for a page's other waits: the machine may do several things at once.
expect.set_options(timeout=15_000)
HOW = "install Debian's package chromium (apt-get install chromium) and run them again"

collect_ignore_glob: list[str] = []
if CHROMIUM is None:
    if os.environ.get("CI") == "true":
        raise pytest.UsageError(f"There is no Chromium for the browser tests: {HOW}.")
    collect_ignore_glob = ["test_*.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if CHROMIUM is None:
        terminalreporter.write_line(f"browser tests were left out, for there is no Chromium: {HOW}", red=True)


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """A browser of its own for each test: several people are several contexts in it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield browser
        await browser.close()


@pytest.fixture
async def screens(database: str, chromium: Browser, pictures: Path) -> AsyncIterator[Screens]:
    """The console with a ward behind it; `await screens.open("M. Jansen")` is somebody at a screen."""
    async with screens_over(database, chromium, pictures) as running:
        yield running


@pytest.fixture
def admin(screens: Screens) -> Connection:
    """The superuser, who sees everything."""
    return screens.ward.admin


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots of a test go; THUISWACHT_PICTURES names a folder in which they stay."""
    folder = Path(os.environ.get("THUISWACHT_PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
