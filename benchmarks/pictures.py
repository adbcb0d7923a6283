"""Pictures of the main screens, of people who do not exist.

`python -m benchmarks.pictures [--folder FOLDER]` runs the demo as anybody would, in a terminal of its own,
logs in as its nurse and as its huisarts, looks around as they do, and ends it. The same patients and days
each time; what a machine's speed decides may differ a little.
"""

import argparse
import asyncio
import io
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Page, ViewportSize, async_playwright
from pyotp.totp import TOTP

from models.errors import Broken, RefuseToStart

FOLDER = Path(__file__).parents[1] / "alerting" / "console" / "pictures"
LARGEST_BYTES = 200_000
COLOURS = 128
DEMO = ("--patients", "400", "--days", "45", "--seed", "7", "--live-seconds", "10")
REASON = "Drie dagen zwaarder en sneller buiten adem. Wilt u de plastabletten bekijken?"
_PATIENTS = r"""() => [...document.querySelectorAll('main a[href^="/console/patients/"]')]
    .map(one => one.getAttribute('href').split('/')[3]).filter(one => /^[0-9a-f-]{36}$/.test(one))"""
_STAYS = "at wall speed"
_LOGIN = re.compile(r"(nurse|huisarts)\s+name (\S+)\s+password (\S+)")
_SECRET = re.compile(r"(nurse|huisarts)\s+secret of the codes: (\S+)")
_ADDRESS = re.compile(r"console\s+(http://localhost:[0-9]+)/console")
# Somebody who is not better already.
_FIRST = "#worklist tbody tr:not(:has(.state.cleared)):not(:has(.state.retracted)) th a"
_WITHIN_S = 900.0
_LOOK_EVERY_S = 0.5
_DRAWN = """() => new Promise((resolve) => {
    const busy = () => document.querySelector('#charts .chart[aria-busy]');
    const look = () => (busy() ? setTimeout(look, 50) : resolve());
    look();
})"""


@dataclass
class Demo:
    """`thuiswacht demo` in a terminal: what it shows there, for as long as it runs."""

    process: "subprocess.Popen[bytes]"
    shown: str = ""
    _reading: list[threading.Thread] = field(default_factory=list[threading.Thread])

    async def until(self, text: str) -> None:
        """Returns when it shows a text. **Raises**: Broken when it ends before, or takes too long."""
        waited_s = 0.0
        while text not in self.shown:
            if self.process.poll() is not None or waited_s > _WITHIN_S:
                raise Broken(f"The demo did not get as far as {text!r}:\n{self.shown[-2_000:]}")
            await asyncio.sleep(_LOOK_EVERY_S)
            waited_s += _LOOK_EVERY_S

    @property
    def address(self) -> str:
        """Where its console is."""
        return _ADDRESS.findall(self.shown)[-1]

    def login(self, who: str) -> tuple[str, str, TOTP]:
        """Name, password and codes of one of its people."""
        name, password = next((one[1], one[2]) for one in _LOGIN.findall(self.shown) if one[0] == who)
        secret = next(one[1] for one in _SECRET.findall(self.shown) if one[0] == who)
        return name, password, TOTP(secret)


@asynccontextmanager
async def demo() -> AsyncGenerator[Demo]:
    """A demo that stays up until the end of the block."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(  # noqa: ASYNC220 nothing else goes on while it starts
        [sys.executable, "-m", "thuiswacht", "demo", *DEMO],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**os.environ, "COLUMNS": "200", "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    running = Demo(process)

    def read() -> None:
        while True:
            try:
                read = os.read(ours, 65_536)
            except OSError:
                return
            running.shown += read.decode(errors="replace")

    threading.Thread(target=read, daemon=True).start()
    try:
        await running.until(_STAYS)
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            await asyncio.to_thread(process.wait, 60)
        except subprocess.TimeoutExpired:
            process.kill()


@asynccontextmanager
async def at_screen(
    browser: Browser, running: Demo, who: str, *, look: str = "light", phone: bool = False
) -> AsyncGenerator[Page]:
    """Somebody who has logged in, before their first page."""
    size: ViewportSize = {"width": 390, "height": 844} if phone else {"width": 1500, "height": 940}
    context = await browser.new_context(
        viewport=size, has_touch=phone, locale="nl-NL", timezone_id="Europe/Amsterdam"
    )
    await context.add_cookies([{"name": "thuiswacht-look", "value": look, "url": running.address}])
    page = await context.new_page()
    name, password, codes = running.login(who)
    await page.goto(f"{running.address}/console")
    await page.get_by_label("Gebruikersnaam").fill(name)
    await page.get_by_label("Wachtwoord").fill(password)
    await page.get_by_label("Code uit uw app").fill(codes.now())
    await page.get_by_role("button", name="Inloggen").click()
    await page.locator("header .who").wait_for()
    try:
        yield page
    finally:
        await context.close()


async def take(folder: Path) -> None:
    """All pictures. **Raises**: RefuseToStart without Chromium; Broken where one is too large."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise RefuseToStart("There is no Chromium to take pictures with: apt-get install chromium.")
    async with demo() as running, async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        # Each logs in once: a code counts once.
        async with (
            at_screen(browser, running, "huisarts", phone=True) as huisarts,
            at_screen(browser, running, "nurse") as nurse,
        ):
            await _of_nurse(nurse, running.address, folder)
            await _of_huisarts(huisarts, nurse, running.address, folder)
        await browser.close()


async def _of_nurse(page: Page, address: str, folder: Path) -> None:
    await _worklist(page, address)
    await _keep(page, folder / "worklist.png")
    patient = await page.locator(_FIRST).first.get_attribute("href")
    await page.goto(f"{address}{patient}")
    await page.evaluate(_DRAWN)
    await page.locator("#charts").evaluate("charts => charts.scrollIntoView()")
    await _keep(page, folder / "patient.png")
    for room in ("insight", "technical"):
        await page.goto(f"{address}/console/{room}")
        await page.locator("main h1").wait_for()
        await _keep(page, folder / f"{room}.png")
    await page.context.add_cookies([{"name": "thuiswacht-look", "value": "dark", "url": address}])
    await _worklist(page, address)
    await _keep(page, folder / "worklist-dark.png")


async def _of_huisarts(page: Page, nurse: Page, address: str, folder: Path) -> None:
    """Somebody of the practice's own patients is asked about, and what was asked is read."""
    await page.goto(f"{address}/console/patients")
    own = await page.evaluate(_PATIENTS)
    await nurse.goto(f"{address}/console/worklist?limit=500")
    rows = nurse.locator(", ".join(f"#row-{patient_id}" for patient_id in own))
    if not await rows.count():
        raise Broken("Nobody of the practice has an alert; take another seed.")
    await rows.first.locator("th a").click()
    await nurse.locator("[data-detail]").wait_for()
    await nurse.keyboard.press("e")
    await nurse.fill("#ask-reason", REASON)
    await nurse.locator("#menu-ask").get_by_role("button", name="Vragen").click()
    await nurse.locator("#said .banner").wait_for()
    await page.goto(f"{address}/console/huisarts")
    await page.locator("main a[href^='/console/huisarts/']").first.click()
    await page.locator("main h1").wait_for()
    await _keep(page, folder / "huisarts.png")


async def _worklist(page: Page, address: str) -> None:
    """The list, with its first patient beside it."""
    await page.goto(f"{address}/console/worklist")
    await page.locator("details.finding summary").first.click()
    await page.locator(_FIRST).first.click()
    await page.locator("[data-detail]").wait_for()
    await page.locator("#summary .capacity").wait_for()


async def _keep(page: Page, path: Path) -> None:
    """One picture. **Raises**: Broken where it is too large."""
    # With the caret as it is: to hide it Playwright would add a style, which our policy forbids.
    taken = _small(await page.screenshot(caret="initial", scale="css"))
    if len(taken) > LARGEST_BYTES:
        raise Broken(f"{path.name} has {len(taken):,} bytes; {LARGEST_BYTES:,} is the most.")
    await asyncio.to_thread(path.write_bytes, taken)
    sys.stdout.write(f"{path.name}: {len(taken):,} bytes\n")


def _small(png: bytes) -> bytes:
    """The same in few colours, as screens have: a third of the size."""
    written = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS).save(written, "PNG", optimize=True)
    return written.getvalue()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=FOLDER)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(folder))


if __name__ == "__main__":
    main()
