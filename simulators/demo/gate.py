"""The demo's front gate: some patients' devices deliver over HTTP, by clients with real credentials."""

import asyncio
import base64
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

from joserfc.jwk import ECKey

from ingest.delivery.clients.registry import Made, WantedClient, WantedKey, add_client
from ingest.delivery.clients.sealing import SECRET_BYTES, Sealing, secret_of
from ingest.gateway.login.keys import public_pem
from ingest.keys import partition_of
from models.clock import wall_now_us
from models.db.pool import connected as connected_to_database
from models.errors import Broken
from models.settings import Settings
from simulators.demo.services import Services
from simulators.gate.answers import Answered, Answers
from simulators.gate.credentials import Credentials, Signed, Tokens
from simulators.gate.requests import Format
from simulators.gate.sending import Gate, connected
from simulators.gate.sink import ThroughGate, Way
from simulators.scenarios.scenario import Scenario
from simulators.send import Sender
from simulators.simulate import Sink
from simulators.stack.ports import free_port, is_free

SERVICE = "gateway"
HOST = "localhost"
EVERY = 3
"""Of the patients of a hospital that has a client: with three hospitals and two clients a fifth of all."""
PER_SECOND = 1_000.0
"""A day goes by in a third of a second here: nobody who delivers at that pace is an attacker."""
_LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came through the gate, and what it answered.

    Whether something was stored already when it came again, the same or another, depends on how far the
    services were, and with it what was answered. In two runs alike are the uploads in all, the readings that
    are in the log or duplicates taken together, and those that were refused and are not in the log.
    """

    uploads: int
    accepted: int
    duplicate: int
    refused: int
    uploads_by_format: Mapping[str, int]
    readings_in_log: int
    readings_duplicate: int
    readings_refused: int
    requests: int
    requests_again: int

    @property
    def readings(self) -> int:
        """All readings that were sent to the gate."""
        return self.readings_in_log + self.readings_duplicate + self.readings_refused


class DemoGate:
    """The way of all messages, and the answers of the gate to those that went through it."""

    def __init__(self, sink: ThroughGate, answers: Mapping[Format, Answers], exports: str) -> None:
        """`exports`: with what somebody can deliver from a shell, as the README shows."""
        self.sink = sink
        self.exports = exports
        self._answers = answers

    def delivered(self) -> Delivered:
        """What was answered so far."""
        uploads, not_in_log = Counter[Answered](), Counter[Answered]()
        for one in self._answers.values():
            uploads.update(one.uploads)
            not_in_log.update(one.not_in_log)
        return Delivered(
            uploads=uploads.total(),
            accepted=uploads[Answered.ACCEPTED],
            duplicate=uploads[Answered.DUPLICATE],
            refused=uploads[Answered.REFUSED],
            uploads_by_format={form.value: one.uploads.total() for form, one in self._answers.items()},
            readings_in_log=self.in_log().total(),
            readings_duplicate=not_in_log[Answered.DUPLICATE],
            readings_refused=not_in_log[Answered.REFUSED],
            requests=sum(one.requests for one in self._answers.values()),
            requests_again=sum(one.again for one in self._answers.values()),
        )

    def in_log(self) -> Counter[int]:
        """How many readings of each patient the gate has put into the log."""
        found = Counter[int]()
        for one in self._answers.values():
            found.update(one.in_log)
        return found


@dataclass(frozen=True, slots=True)
class Sent:
    """All that was sent, on both ways; `readings_by_partition` is what must be in the log."""

    uploads: int
    readings: int
    readings_by_partition: Mapping[int, int]
    delivered: Delivered | None

    @property
    def duplicate(self) -> int:
        """Readings that the gate knew already, so that they are not in the log again."""
        return 0 if self.delivered is None else self.delivered.readings_duplicate

    @property
    def refused(self) -> int:
        """Readings that the gate did not take at all."""
        return 0 if self.delivered is None else self.delivered.readings_refused


def sent(scenario: Scenario, sender: Sender, gate: DemoGate | None) -> Sent:
    """What was sent so far."""
    by_partition = dict(sender.readings_by_partition)
    if gate is None:
        return Sent(sender.uploads, sender.readings, by_partition, None)
    for patient, readings in gate.in_log().items():
        by_partition[partition_of(scenario.patient_texts[patient], sender.partitions)] += readings
    delivered = gate.delivered()
    return Sent(
        sender.uploads + delivered.uploads, sender.readings + delivered.readings, by_partition, delivered
    )


def chosen(scenario: Scenario) -> dict[int, Format]:
    """Whose uploads come over HTTP, and in which format: by rows."""
    forms = dict(zip(sorted(set(scenario.follow_up.organisation)), Format, strict=False))
    seen = Counter[str]()
    rows: dict[int, Format] = {}
    for row, hospital in enumerate(scenario.follow_up.organisation):
        seen[hospital] += 1
        if hospital in forms and seen[hospital] % EVERY == 1:
            rows[row] = forms[hospital]
    return rows


@dataclass(frozen=True, slots=True)
class Started:
    """A gate that is about to listen: where, and its secret."""

    url: str
    port: int
    key: bytes


def start_gate(settings: Settings, services: Services) -> Started:
    """Starts the gate; it needs some seconds, in which others can be entered. In the main thread."""
    key = secrets.token_bytes(SECRET_BYTES)
    port = settings.gateway_port if is_free(settings.gateway_port) else free_port()
    url = f"http://{HOST}:{port}"
    services.start(
        SERVICE,
        {
            "THUISWACHT_GATEWAY_KEY": base64.b64encode(key).decode(),
            "THUISWACHT_GATEWAY_PORT": str(port),
            "THUISWACHT_GATEWAY_PUBLIC_URL": url,
            "THUISWACHT_GATEWAY_TIME": "told",
        },
    )
    return Started(url, port, key)


@asynccontextmanager
async def open_gate(
    started: Started, settings: Settings, services: Services, scenario: Scenario, log: Sink
) -> AsyncGenerator[DemoGate]:
    """Registers a client for each format, and gives the way through the gate once it listens.

    **Raises**: Broken when the gate ends instead.
    """
    rows, url = chosen(scenario), started.url
    hospitals = {scenario.follow_up.organisation[row]: form for row, form in rows.items()}
    clients = {
        form: await _register(settings, Sealing(started.key), hospital, form, url)
        for hospital, form in hospitals.items()
    }
    await _until_listening(services, started.port)
    answers = {form: Answers() for form in clients}
    hub = clients.get(Format.JSON)
    exports = "" if hub is None else hub.exports(url, _scale_of(scenario, rows))
    async with AsyncExitStack() as stack:
        ways = {
            form: Way(Gate(await stack.enter_async_context(connected(url)), one.by, answers[form]), form)
            for form, one in clients.items()
        }
        known = len(scenario.population)

        def way_of(patient: int) -> Way | None:
            # Strangers send with somebody's device; through the gate if that one does.
            form = rows.get(patient % known)
            return None if form is None else ways[form]

        yield DemoGate(ThroughGate(log, way_of), answers, exports)


@dataclass(frozen=True, slots=True)
class _Client:
    client_id: str
    by: Credentials
    secret: str = ""

    def exports(self, url: str, device_id: str) -> str:
        return f"export GATE={url} DEVICE={device_id} CLIENT={self.client_id} SECRET={self.secret}"


def _scale_of(scenario: Scenario, rows: Mapping[int, Format]) -> str:
    """A scale of somebody whose devices deliver as plain JSON; where nobody has one, what they do have."""
    homes = scenario.homes
    first = [(homes.devices_of(row)[0], row) for row, form in rows.items() if form is Format.JSON]
    device, row = min(first)
    return homes.device_text(row, device)


async def _register(settings: Settings, sealing: Sealing, hospital: str, form: Format, url: str) -> _Client:
    """A client of a hospital: a vendor's cloud with a key, or a small hub with a secret."""
    client_id = f"demo-{form.value}"
    key = ECKey.generate_key("P-256") if form is Format.FHIR else None
    wanted = WantedClient(
        client_id,
        f"Demo, {form.value}",
        UUID(hospital),
        WantedKey(hmac=True) if key is None else WantedKey(public_key=public_pem(key)),
        per_second=PER_SECOND,
    )
    dsn = settings.postgres_dsn
    async with connected_to_database(
        dsn, role="thuiswacht_login", application="thuiswacht-demo-clients", max_size=1
    ) as pool:
        made: Made = await add_client(pool, wanted, sealing, wall_now_us())
    if key is not None:
        return _Client(client_id, Tokens(client_id, key, url))
    if made.secret is None:
        raise Broken(f"Client {client_id} was registered without a secret.")
    return _Client(client_id, Signed(client_id, secret_of(made.secret)), made.secret)


async def _until_listening(services: Services, port: int) -> None:
    while True:
        services.require_running()
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()
            return
        await asyncio.sleep(_LOOK_EVERY_S)
