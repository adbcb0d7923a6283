"""How fast dispatchers work off steps that are due, the most severe first.

`python -m benchmarks.escalation [--alerts N] [--dispatchers N] [--json FILE]`: real servers of its own, and
`thuiswacht dispatch` as processes. Half of the alerts have just opened; of the other half no nurse took
notice, and the next is asked by a message. Time runs from letting the dispatchers go until nothing is due.
"""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import asyncpg
import httpx

from benchmarks.ground import fresh_ground
from benchmarks.machine import describe
from models.errors import Broken
from models.settings import Settings
from simulators.demo.services import Services
from simulators.load.meter import Meter
from simulators.stack import Stack
from simulators.stack.ports import free_port

LOOK_EVERY_S = 0.25
GIVE_UP_AFTER_S = 600.0

# Five alerts of a patient, of a signal each; one in ten severe, half medium, the rest low.
_SEED = """
CREATE TEMPORARY TABLE wanted AS
    SELECT gen_random_uuid() AS alert_id, gen_random_uuid() AS finding_id, p.patient_id, n,
        (ARRAY['fluid', 'breathing', 'pressure', 'heart_rate', 'glucose'])[n % 5 + 1] AS signal,
        CASE WHEN n % 10 = 0 THEN 'high' WHEN n % 10 < 6 THEN 'medium' ELSE 'low' END AS severity,
        n % 2 AS step_no
    FROM generate_series(0, {alerts} - 1) AS n JOIN (
        SELECT gen_random_uuid() AS patient_id, number
        FROM generate_series(0, ({alerts} - 1) / 5) AS number
    ) AS p ON p.number = n / 5;
INSERT INTO organisation VALUES
    ('00000000-0000-0000-0000-0000000000c1', 'centre', 'monitoring_centre', 'simulated'),
    ('00000000-0000-0000-0000-0000000000c2', 'region', 'coordination_centre', 'simulated'),
    ('00000000-0000-0000-0000-0000000000c3', 'post', 'out_of_hours_post', 'simulated'),
    ('00000000-0000-0000-0000-0000000000c4', 'wijk', 'community_nursing', 'simulated');
INSERT INTO organisation
    SELECT ('00000000-0000-0000-0001-' || lpad(n::text, 12, '0'))::uuid, 'practice', 'gp_practice',
        'simulated'
    FROM generate_series(1, 200) AS n;
INSERT INTO message_address (address_id, organisation_id, channel, address)
    SELECT gen_random_uuid(), organisation_id, 'pull', organisation_id::text FROM organisation;
INSERT INTO message_address (address_id, organisation_id, channel, address)
    SELECT gen_random_uuid(), organisation_id, 'secure_mail', organisation_id::text || '@example.nl'
    FROM organisation;
INSERT INTO patient
    SELECT DISTINCT patient_id, '00000000-0000-0000-0000-0000000000c1'::uuid, 'simulated', NULL, NULL, 'nl',
        'c', 't', 0, 0, now()
    FROM wanted;
INSERT INTO registration (patient_id, organisation_id, origin)
    SELECT patient_id, organisation_id, origin FROM patient;
INSERT INTO patient_care (patient_id, organisation_id, version, huisarts_id)
    SELECT patient_id, organisation_id, 1,
        ('00000000-0000-0000-0001-' || lpad((1 + row_number() OVER () % 200)::text, 12, '0'))::uuid
    FROM patient;
INSERT INTO finding (
    patient_id, finding_id, organisation_id, programme, version, programme_hash, rule, signal, severity,
    opened_at, opening, log_partition
)
    SELECT patient_id, finding_id, '00000000-0000-0000-0000-0000000000c1', 'heart_failure', 1, '', 'r',
        signal, severity, now() - interval '2 days', '[]', 0
    FROM wanted;
INSERT INTO alert (
    patient_id, alert_id, organisation_id, origin, signal, severity, opened_at, step_no, stepped_at
)
    SELECT patient_id, alert_id, '00000000-0000-0000-0000-0000000000c1', 'simulated', signal, severity,
        now() - interval '2 days', step_no, CASE WHEN step_no > 0 THEN now() - interval '2 days' END
    FROM wanted;
INSERT INTO alert_finding (patient_id, alert_id, finding_id, joined_at, organisation_id)
    SELECT patient_id, alert_id, finding_id, now(), '00000000-0000-0000-0000-0000000000c1' FROM wanted;
INSERT INTO alert_event (patient_id, alert_id, organisation_id, happened_at, event, to_value, by, why)
    SELECT patient_id, alert_id, '00000000-0000-0000-0000-0000000000c1', now() - interval '2 days', 'opened',
        severity, 'alerting', '{{}}'
    FROM wanted;
INSERT INTO escalation_step (patient_id, alert_id, organisation_id, due_at, rank, why)
    SELECT patient_id, alert_id, '00000000-0000-0000-0000-0000000000c1',
        now() - random() * interval '1 minute',
        CASE severity WHEN 'high' THEN 2 WHEN 'medium' THEN 1 ELSE 0 END, 'benchmark'
    FROM wanted ORDER BY random();
"""

_DUE = "SELECT count(*) FROM escalation_step WHERE state = 'due' AND due_at <= $1"
_WHEN = """
SELECT rank, count(*) AS steps, extract(epoch FROM max(done_at) - $1)::float8 AS last_s
FROM escalation_step WHERE state = 'done' AND done_at >= $1 GROUP BY rank ORDER BY rank DESC
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run. **Units**: seconds; processor microseconds for each alert, by process.

    `last_s`: when the last step of each severity was taken, high, medium and low. `messages` were written.
    """

    alerts: int
    dispatchers: int
    elapsed_s: float
    last_s: tuple[float, ...]
    messages: int
    cpu_us: dict[str, float]

    @property
    def per_s(self) -> float:
        """Alerts a second."""
        return self.alerts / self.elapsed_s


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """A process, and the port on which it says how it is."""

    services: Services
    port: int


async def work_off(stack: Stack, alerts: int, dispatchers: int) -> Measured:
    """So many alerts with steps due within one minute, worked off by so many processes."""
    settings = await fresh_ground(stack)
    admin = await asyncpg.connect(settings.postgres_dsn)
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            _dispatchers(settings, Path(folder), dispatchers) as them,
        ):
            await _until_ready(them)
            names = {f"dispatch {n}": one.services.processes["dispatch"].pid for n, one in enumerate(them)}
            with _held(them):
                await admin.execute(_SEED.format(alerts=alerts))
                await admin.execute("VACUUM ANALYZE")
                await admin.execute("CHECKPOINT")
                begun_at = await admin.fetchval("SELECT clock_timestamp()")
                meter = Meter(names)
                before = meter.seconds()
                begun_s = time.perf_counter()
            while await admin.fetchval(_DUE, begun_at):
                for one in them:
                    one.services.require_running()
                if time.perf_counter() - begun_s > GIVE_UP_AFTER_S:
                    raise Broken(f"Not through after {GIVE_UP_AFTER_S:.0f} s.")
                await asyncio.sleep(LOOK_EVERY_S)
            elapsed_s = time.perf_counter() - begun_s
            after = meter.seconds()
            rows = await admin.fetch(_WHEN, begun_at)
            messages = await admin.fetchval("SELECT count(*) FROM message")
    finally:
        await admin.close()
    cpu_us = {name: (after[name] - before[name]) / alerts * 1e6 for name in after}
    return Measured(alerts, dispatchers, elapsed_s, tuple(row["last_s"] for row in rows), messages, cpu_us)


def line(measured: Measured) -> str:
    """What came of it, in a line."""
    last = ", ".join(f"{at_s:.1f} s" for at_s in measured.last_s)
    cpu = ", ".join(f"{name} {us:.0f}" for name, us in measured.cpu_us.items() if us)
    return (
        f"{measured.alerts:,} alerts, {measured.dispatchers} dispatchers: {measured.elapsed_s:.1f} s, "
        f"{measured.per_s:,.0f} a second; the last high, medium, low after {last}; "
        f"{measured.messages:,} messages; processor, µs an alert: {cpu}"
    )


@contextmanager
def _dispatchers(settings: Settings, folder: Path, number: int) -> Generator[list[Dispatcher]]:
    them: list[Dispatcher] = []
    try:
        for n in range(number):
            own = folder / str(n)
            own.mkdir()
            port = free_port()
            environment = {
                "THUISWACHT_KAFKA": settings.kafka,
                "THUISWACHT_POSTGRES": settings.postgres_dsn,
                "THUISWACHT_TOPIC": settings.topic,
                "THUISWACHT_LOG_LEVEL": "WARNING",
                "THUISWACHT_PROBES_PORT": str(port),
            }
            them.append(Dispatcher(Services(environment, own), port))
            them[-1].services.start("dispatch")
        yield them
    finally:
        for one in them:
            one.services.stop()


async def _until_ready(them: Sequence[Dispatcher]) -> None:
    """Each has looked and found nothing: from then on it works at full speed."""
    begun_s = time.perf_counter()
    async with httpx.AsyncClient() as client:
        for one in them:
            while not await _is_ready(client, one):
                one.services.require_running()
                if time.perf_counter() - begun_s > GIVE_UP_AFTER_S:
                    raise Broken("The dispatchers do not come up.")
                await asyncio.sleep(LOOK_EVERY_S)


async def _is_ready(client: httpx.AsyncClient, one: Dispatcher) -> bool:
    try:
        return (await client.get(f"http://127.0.0.1:{one.port}/readyz")).is_success
    except httpx.TransportError:
        return False


@contextmanager
def _held(them: Sequence[Dispatcher]) -> Generator[None]:
    for one in them:
        one.services.processes["dispatch"].send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for one in them:
            one.services.processes["dispatch"].send_signal(signal.SIGCONT)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--dispatchers", type=int, default=2)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    sys.stdout.write(describe() + "\n")
    with Stack(allow_in_memory=False) as stack:
        measured = asyncio.run(work_off(stack, given.alerts, given.dispatchers))
    sys.stdout.write(line(measured) + "\n")
    if given.json is not None:
        given.json.write_text(json.dumps(asdict(measured)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
