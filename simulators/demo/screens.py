"""The console of the demo: somebody to log in as, where to find it, and the codes of the moment."""

import asyncio
import base64
import secrets
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from pyotp.totp import TOTP

from ingest.gateway.login.administration import WantedAccount, add_account
from models.access import Role
from models.clock import SECOND_US, wall_now_us
from models.db.pool import connected
from models.settings import Settings
from simulators.demo.registering import practice_of
from simulators.demo.services import Services
from simulators.scenarios.scenario import Scenario
from simulators.stack.ports import free_port, is_free

SERVICE = "console"
HOST = "localhost"
_LOOK_EVERY_S = 0.2
_STEP_S = 30


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody as whom one can look; the code changes every half minute, and each counts once."""

    who: str
    name: str
    password: str
    secret: str

    def line(self, now_us: int) -> str:
        """All that has to be typed, with the code of this moment."""
        now_s = now_us // SECOND_US
        left_s = _STEP_S - now_s % _STEP_S
        code = TOTP(self.secret).at(now_s)
        return f"  {self.who:<10} name {self.name}   password {self.password}   code {code} ({left_s:2} s)"


@dataclass(frozen=True, slots=True)
class Screens:
    """Where the console is, and who may look."""

    address: str
    logins: Sequence[Login]

    def lines(self, now_us: int | None = None) -> list[str]:
        """What to open and what to type, now."""
        at_us = wall_now_us() if now_us is None else now_us
        return [f"console   {self.address}/console", *(login.line(at_us) for login in self.logins)]

    def secrets(self) -> list[str]:
        """For an authenticator app, where the codes on the screen are of no use."""
        return [f"  {one.who:<10} secret of the codes: {one.secret}" for one in self.logins]


async def open_screens(settings: Settings, services: Services, scenario: Scenario, secret: bytes) -> Screens:
    """Starts the console and returns when it answers. `secret` is that with which names are sealed.

    **Raises**: Broken when it ends instead.
    """
    port = settings.console_port if is_free(settings.console_port) else free_port()
    address = f"http://{HOST}:{port}"
    logins = await _enter(settings, scenario)
    services.start(
        SERVICE,
        {
            "THUISWACHT_PUBLIC_URL": address,
            "THUISWACHT_CONSOLE_PORT": str(port),
            "THUISWACHT_LOCAL_ACCOUNTS": "true",
            "THUISWACHT_DISPATCH_TIME": "log",
            "THUISWACHT_IDENTITY_KEY": base64.b64encode(secret).decode(),
        },
    )
    while True:
        services.require_running()
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()
            return Screens(address, logins)
        await asyncio.sleep(_LOOK_EVERY_S)


async def _enter(settings: Settings, scenario: Scenario) -> list[Login]:
    """A nurse and a huisarts, each where most patients are."""
    hospital = UUID(_most(scenario.follow_up.organisation))
    practice = practice_of(scenario, _most(scenario.follow_up.huisarts))
    logins: list[Login] = []
    dsn = settings.postgres_dsn
    async with connected(
        dsn, role="thuiswacht_login", application="thuiswacht-demo-login", max_size=1
    ) as pool:
        for who, role, organisation_id in (
            ("nurse", Role.NURSE, hospital),
            ("huisarts", Role.HUISARTS, practice),
        ):
            password = secrets.token_urlsafe(9)
            wanted = WantedAccount(who, f"Demo, {who}", organisation_id, role.value, password)
            added = await add_account(pool, wanted)
            logins.append(Login(who, added.name, password, added.totp_secret))
    return logins


def _most(names: Sequence[str]) -> str:
    """The one that occurs most often; of several the first in order."""
    counts = Counter(names)
    return min(counts, key=lambda name: (-counts[name], name))
