"""The report of a backtest as people open it: from a disk, in either language, by day and night."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, expect

from alerting.backtest.report import HTML, write_report
from tests.browser.accessible import require_accessible
from tests.unit.backtest.made_up import backtest


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_report(backtest(), folder, resamples=200)
    return folder / HTML


@pytest.mark.parametrize(("look", "width"), [("light", 1200), ("dark", 390)])
async def test_it_can_be_read_by_everybody(
    chromium: Browser, report: Path, pictures: Path, look: Literal["light", "dark"], width: int
) -> None:
    context = await chromium.new_context(color_scheme=look, viewport={"width": width, "height": 900})
    page = await context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    await page.goto(report.as_uri())
    await expect(page.get_by_role("heading", level=1)).to_have_text("Regels, geprobeerd op het verleden")
    for closed in await page.locator("main:visible details").all():
        await closed.locator("summary").click()
    await require_accessible(page)
    await page.screenshot(path=pictures / f"backtest-{look}.png", full_page=True)
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Rules, tried on the past")
    assert await page.evaluate("document.documentElement.lang") == "en"
    await require_accessible(page)
    # Nothing was asked for but the page itself, and the browser had no complaint about what it may load.
    assert asked == [report.as_uri()]
    assert complaints == []
    await context.close()
