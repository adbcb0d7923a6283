"""The console over a ward, and people who sit before it."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page
from pydantic import SecretStr

from alerting.console.service import serve
from alerting.versions import offer
from ingest.gateway.configuration import read_configuration
from ingest.gateway.login.door import COOKIE, Door
from models.clock import wall_now_us
from models.db.pool import Pool, connected
from models.identity import NONCE_BYTES, Identity, Keys
from models.sessions import SessionKind
from models.settings import Settings
from simulators.stack.ports import free_port
from tests import shipped
from tests.integration.alerting.ward import CENTRE, Ward

KEY = bytes(range(32))
_IDENTITY = """
    INSERT INTO patient_identity (patient_id, organisation_id, sealed, key_id, name_digest)
    VALUES ($1, $2, $3, $4, $5)
"""
_GROUPS = {"storing": "thuiswacht.ingest", "alerting": "thuiswacht.alerting"}
_STORES = """
INSERT INTO log_position (consumer_group, cluster_id, topic, partition, clock_us)
SELECT 'thuiswacht.ingest', cluster_id, topic, partition, clock_us FROM log_position
ON CONFLICT ON CONSTRAINT log_position_pkey DO NOTHING
"""
_MOVED = "UPDATE log_position SET updated_at = clock_timestamp() WHERE consumer_group = ANY ($1::text[])"
_ALIVE = """
INSERT INTO sign_of_life (name, at) VALUES ('auditor', clock_timestamp())
ON CONFLICT ON CONSTRAINT sign_of_life_pkey DO UPDATE SET at = excluded.at
"""


@dataclass
class Screens:
    """A running console. `errors`: what went wrong in any of its pages; a test ends with none."""

    ward: Ward
    url: str
    browser: Browser
    login: Pool
    settings: Settings
    pictures: Path
    errors: list[str] = field(default_factory=list[str])
    _numbers: int = 0
    is_resting: bool = False
    rests: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once nobody says any more that services are alive."""
    _stopped: set[str] = field(default_factory=set[str])

    async def patient(
        self, name: str, given: str = "", *, wijk: str = "Loosduinen", born: str = "1948-03-01"
    ) -> UUID:
        """A patient of the ward with a name."""
        patient_id = await self.ward.patient(wijk)
        await self.name(
            patient_id, Identity(family_name=name, given_names=given, birth_date=date.fromisoformat(born))
        )
        return patient_id

    async def name(self, patient_id: UUID, identity: Identity) -> None:
        """Says who a patient is."""
        self._numbers += 1
        keys = Keys(KEY)
        sealed = keys.seal(patient_id, identity, self._numbers.to_bytes(NONCE_BYTES, "big"))
        await self.ward.admin.execute(
            _IDENTITY, patient_id, CENTRE, sealed.sealed, sealed.key_id, sealed.name_digest
        )

    async def open(
        self, who: str, path: str = "/console", *, language: str = "nl", look: str = "light",
        phone: bool = False, **options: Any,
    ) -> Page:  # fmt: skip
        """Somebody who is logged in, in a browser of their own, before a page."""
        size = {"width": 390, "height": 844} if phone else {"width": 1440, "height": 900}
        context = await self.browser.new_context(
            viewport=options.pop("viewport", size), has_touch=phone, locale=f"{language}-NL",
            timezone_id="Europe/Amsterdam", **options,
        )  # fmt: skip
        await self.enter(context, who)
        await context.add_cookies(
            [
                {"name": "thuiswacht-language", "value": language, "url": self.url},
                {"name": "thuiswacht-look", "value": look, "url": self.url},
            ]
        )
        page = await context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._note)
        await page.goto(self.url + path)
        return page

    async def enter(self, context: BrowserContext, who: str) -> None:
        """Gives a browser the session that a login would have given it."""
        door = Door(self.login, read_configuration(self.settings))
        async with self.login.transaction() as connection:
            token, _ = await door.begin(connection, self.ward.people[who], SessionKind.BROWSER, wall_now_us())
        await context.add_cookies(
            [
                {
                    "name": COOKIE,
                    "value": token,
                    "url": self.url.replace("http:", "https:"),
                    "secure": True,
                    "httpOnly": True,
                    "sameSite": "Lax",
                }
            ]
        )

    async def stop_stage(self, stage: str) -> None:
        """One of storing, alerting, dispatching stands still, as if its service were stopped."""
        self._stopped.add(stage)

    async def start_stage(self, stage: str) -> None:
        """It gets on again."""
        self._stopped.discard(stage)

    async def rest(self) -> None:
        """Nothing is written down any more: for tests that take the database away."""
        self.is_resting = True
        await self.rests.wait()

    async def keep_going(self) -> None:
        """What running services write down, once a second: that they are alive; until cancelled."""
        connection = await asyncpg.connect(self.settings.postgres_dsn)
        try:
            while not self.is_resting:
                going = [group for stage, group in _GROUPS.items() if stage not in self._stopped]
                await connection.execute(_MOVED, going)
                if "dispatching" not in self._stopped:
                    await connection.execute(_ALIVE)
                await asyncio.sleep(1)
        finally:
            self.rests.set()
            await connection.close()

    async def picture(self, page: Page, name: str) -> None:
        """A screenshot, for who wants to look."""
        # With the caret as it is: to hide it Playwright would add a style, which our policy forbids.
        await page.screenshot(path=str(self.pictures / f"{name}.png"), full_page=True, caret="initial")

    def _note(self, said: ConsoleMessage) -> None:
        # What the server refuses is told to the person, and by Chromium to whoever reads its console.
        refused = "Failed to load resource" in said.text or "Response Status Error Code" in said.text
        if said.type == "error" and not refused:
            self.errors.append(said.text)


@asynccontextmanager
async def screens_over(
    database: str, browser: Browser, pictures: Path, **more: Any
) -> AsyncGenerator[Screens]:
    """Serves a console over a database, with a ward in it; what its pages complained of fails the test."""
    port = free_port()
    url = f"http://localhost:{port}"
    settings = Settings(
        postgres=SecretStr(database), public_url=url, console_port=port, local_accounts=True,
        identity_key=SecretStr(b64encode(KEY).decode()), dispatch_time="log", **more,
    )  # fmt: skip
    admin = await asyncpg.connect(database)
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(settings, read_configuration(settings), stop))
    try:
        async with (
            httpx.AsyncClient() as client,
            connected(database, role="thuiswacht_login", application="test") as login,
        ):
            ward = Ward(admin, client)
            await ward.begin()
            await admin.execute(_STORES)
            await offer(admin, shipped.compiled())
            await _until_up(client, url, serving)
            screens = Screens(ward, url, browser, login, settings, pictures)
            going = asyncio.create_task(screens.keep_going())
            try:
                yield screens
            finally:
                going.cancel()
                await asyncio.wait([going])
            assert screens.errors == [], screens.errors
    finally:
        stop.set()
        await serving
        await admin.close()


async def _until_up(client: httpx.AsyncClient, url: str, serving: "asyncio.Task[None]") -> None:
    while True:
        if serving.done():
            await serving
        try:
            if (await client.get(f"{url}/login")).status_code == 200:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.05)
