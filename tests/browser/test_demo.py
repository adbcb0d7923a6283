"""`thuiswacht demo` in a terminal: the console is there while it runs and afterwards, until Ctrl-C."""

import asyncio
import os
import pty
import re
import signal
import subprocess
import sys
import threading

import pytest
from playwright.async_api import Browser, expect

from simulators.stack import Stack
from tests.architecture.sources import ROOT

pytestmark = pytest.mark.timeout(300)

SMALL = ("--patients", "60", "--days", "8", "--seed", "5", "--live-seconds", "2", "--no-receivers")
LOGIN = re.compile(r"name (nurse|huisarts)   password (\S+)   code (\d{6})")
STAYS = "at wall speed"


class Terminal:
    """What a terminal shows of a process, for as long as it runs."""

    def __init__(self, arguments: list[str]) -> None:
        self.shown = ""
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            arguments, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env={**os.environ, "COLUMNS": "200", "TERM": "xterm"},
        )  # fmt: skip
        os.close(theirs)
        self._thread = threading.Thread(target=self._read, args=(ours,), daemon=True)
        self._thread.start()

    def _read(self, descriptor: int) -> None:
        while True:
            try:
                read = os.read(descriptor, 65_536)
            except OSError:
                return
            if not read:
                return
            self.shown += read.decode(errors="replace")

    async def until(self, text: str) -> None:
        """Returns when the terminal shows a text; fails when the process ends before."""
        while text not in self.shown:
            assert self.process.poll() is None, self.shown[-2_000:]
            await asyncio.sleep(0.2)


async def test_the_console_of_the_demo(stack: Stack, database: str, chromium: Browser) -> None:
    servers = ["--kafka", stack.kafka, "--postgres", database]
    terminal = Terminal([sys.executable, "-m", "thuiswacht", "demo", *SMALL, *servers])
    try:
        await terminal.until(STAYS)
        address = re.findall(r"console   (http://localhost:[0-9]+/console)", terminal.shown)[-1]
        page = await (await chromium.new_context(locale="nl-NL")).new_page()
        await page.goto(address)
        name, password, code = next(one for one in LOGIN.findall(terminal.shown)[::-1] if one[0] == "nurse")
        await page.get_by_label("Gebruikersnaam").fill(name)
        await page.get_by_label("Wachtwoord").fill(password)
        await page.get_by_label("Code uit uw app").fill(code)
        await page.get_by_role("button", name="Inloggen").click()
        await expect(page.locator("header .who")).to_contain_text("nurse")
        await expect(page.locator("main")).to_contain_text("Simulant")
        assert "sent = stored + duplicate + quarantined" in terminal.shown
        terminal.process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(terminal.process.wait, 60) == 0, terminal.shown[-2_000:]
    finally:
        if terminal.process.poll() is None:
            terminal.process.kill()
            terminal.process.wait()
