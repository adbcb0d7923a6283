"""A monitoring centre of a region: its patients, open alerts and nurses, and the console before it."""

import asyncio
import base64
import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
from pydantic import SecretStr

from alerting.engine.compiled import compile_programmes
from alerting.engine.programme_files import load_folder
from alerting.versions import offer
from benchmarks.ground import fresh_ground
from ingest.gateway.configuration import read_configuration
from ingest.gateway.login.door import Door
from models.access import Role, User
from models.clock import wall_now_us
from models.db.pool import Connection, Pool, connected
from models.errors import Broken
from models.identity import KEY_BYTES, NONCE_BYTES, Identity, Keys
from models.kinds import KIND_BY_NAME
from models.sessions import SessionKind
from models.settings import Settings
from simulators.demo.services import Services
from simulators.stack import Stack
from simulators.stack.ports import free_port

CENTRE = UUID("00000000-0000-0000-0000-0000000000c1")
PATIENTS_PER_ALERT = 0.7
"""5,000 alerts are of 3,500 patients."""
YEAR_OF_CGM = 105_000
_UP_WITHIN_S = 60.0

_PLACES = """
INSERT INTO organisation VALUES ('{centre}', 'Meldcentrum', 'monitoring_centre', 'simulated');
INSERT INTO organisation
    SELECT ('00000000-0000-0000-0001-' || lpad(n::text, 12, '0'))::uuid, 'Praktijk ' || n, 'gp_practice',
        'simulated'
    FROM generate_series(1, 200) AS n;
INSERT INTO log_position (consumer_group, cluster_id, topic, partition, clock_us)
    SELECT g, 'c', 't', 0, (extract(epoch FROM clock_timestamp()) * 1e6)::bigint
    FROM unnest(ARRAY['thuiswacht.ingest', 'thuiswacht.alerting']) AS g;
"""

_PATIENTS = """
CREATE TEMPORARY TABLE followed AS
    SELECT patient_id, place - 1 AS n FROM unnest($1::uuid[]) WITH ORDINALITY AS p (patient_id, place)
"""
_FOLLOWED = """
INSERT INTO registration (patient_id, organisation_id, origin)
    SELECT patient_id, '{centre}', 'simulated' FROM followed;
INSERT INTO patient
    SELECT patient_id, '{centre}', 'simulated', NULL,
        (ARRAY['Loosduinen', 'Escamp', 'Laak', 'Segbroek', 'Scheveningen'])[n % 5 + 1], 'nl', 'c', 't', 0, 0,
        now() - interval '100 days'
    FROM followed;
INSERT INTO patient_care (patient_id, organisation_id, version, huisarts_id)
    SELECT patient_id, '{centre}', 1,
        ('00000000-0000-0000-0001-' || lpad((1 + n % 200)::text, 12, '0'))::uuid
    FROM followed;
INSERT INTO treatment_relation (patient_id, organisation_id, from_at)
    SELECT patient_id, '{centre}', now() - interval '100 days' FROM followed;
"""
_IDENTITIES = """
INSERT INTO patient_identity (patient_id, organisation_id, sealed, key_id, name_digest)
    SELECT patient_id, '{centre}', sealed, $3, digest
    FROM unnest($1::uuid[], $2::bytea[], $4::bytea[]) AS i (patient_id, sealed, digest)
"""

# One alert in ten severe, half medium; a day of them, a finding each, four in ten owned.
_WANTED = """
CREATE TEMPORARY TABLE wanted AS
    SELECT gen_random_uuid() AS alert_id, gen_random_uuid() AS finding_id, p.patient_id, a.n,
        r.programme, r.rule, r.hash, r.signal,
        CASE WHEN a.n % 10 = 0 THEN 'high' WHEN a.n % 10 < 6 THEN 'medium' ELSE 'low' END AS severity,
        now() - (a.n * 17 % 1440) * interval '1 minute' AS opened_at
    FROM generate_series(0, $1::int - 1) AS a (n)
    JOIN followed AS p ON p.n = a.n % $2::int
    JOIN unnest($3::text[], $4::text[], $5::text[], $6::text[])
        WITH ORDINALITY AS r (programme, rule, hash, signal, place)
        ON r.place = 1 + (a.n % $2::int + a.n / $2::int) % $7::int
"""
_ALERTS = """
INSERT INTO finding (
    patient_id, finding_id, organisation_id, programme, version, programme_hash, rule, signal, severity,
    opened_at, opening, log_partition
)
    SELECT patient_id, finding_id, '{centre}', programme, 1, hash, rule, signal, severity, opened_at,
        jsonb_build_array(jsonb_build_object(
            'feature', 'rise(body_weight, days=3)', 'value', 2.1, 'unit', 'kg', 'limit', 'gain_3d',
            'limit_value', 2.0, 'comparator', '>', 'holds', true, 'window_us', 259200000000, 'count', 2,
            'readings', jsonb_build_array(jsonb_build_object(
                'kind', 'body_weight', 'value', 84.1, 'unit', 'kg',
                'taken_at_us', (extract(epoch FROM opened_at) * 1e6)::bigint
            ))
        )), 0
    FROM wanted;
INSERT INTO alert (
    patient_id, alert_id, organisation_id, origin, signal, severity, opened_at, state, owner, acknowledged_at,
    resolve_by
)
    SELECT patient_id, alert_id, '{centre}', 'simulated', signal, severity, opened_at,
        CASE WHEN person_id IS NULL THEN 'open' ELSE 'acknowledged' END, person_id,
        CASE WHEN person_id IS NOT NULL THEN opened_at END,
        CASE WHEN person_id IS NOT NULL THEN now() + interval '8 hours' END
    FROM wanted LEFT JOIN (
        SELECT person_id, row_number() OVER (ORDER BY person_id) AS place, count(*) OVER () AS number
        FROM person
    ) AS o ON wanted.n / 10 % 10 < 4 AND o.place = 1 + wanted.n % o.number;
INSERT INTO alert_finding (patient_id, alert_id, finding_id, joined_at, organisation_id)
    SELECT patient_id, alert_id, finding_id, opened_at, '{centre}' FROM wanted;
INSERT INTO alert_event (patient_id, alert_id, organisation_id, happened_at, event, to_value, by, why)
    SELECT patient_id, alert_id, '{centre}', opened_at, 'opened', severity, 'alerting', '{{}}'
    FROM wanted;
INSERT INTO escalation_step (patient_id, alert_id, organisation_id, due_at, rank, why)
    SELECT patient_id, alert_id, '{centre}', now() + interval '8 hours', 1, 'opened' FROM wanted;
"""
_CGM = """
INSERT INTO reading (taken_at, received_at, log_offset, value, value_received, unit_received, revision,
    log_position, kind, log_partition, void, too_late, patient_id, organisation_id, upload_id, device_id,
    source)
SELECT at, at, n, 7 + 3 * sin(n / 97.0), 7 + 3 * sin(n / 97.0), $3, 0, 0, $2, 0, false, false, $1, '{centre}',
    gen_random_uuid(), 'sensor-1', 'vendor-a'
FROM generate_series(1, $4::int) AS n
CROSS JOIN LATERAL (SELECT $5::timestamptz - n * interval '5 minutes' AS at) AS t
"""
_ENROLLED = """
INSERT INTO register_change (patient_id, organisation_id, number, change_id, valid_from_us, change)
VALUES ($1, '{centre}', 1, gen_random_uuid(), $2, '{{"enrol": {{"programme": "diabetes", "version": 1}}}}')
"""
_FAMILY = ("Jansen", "de Vries", "Bakker", "Visser", "Özdemir", "van den Berg", "Smit", "El Amrani", "Ramdin")
_GIVEN = ("Anna", "Kees", "Fatima", "Jan", "Ömer", "Riet", "Soedesh", "Maria")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the region and its centre are."""

    patients: int = 40_000
    alerts: int = 5_000
    nurses: int = 50
    readings: int = YEAR_OF_CGM

    @property
    def with_alerts(self) -> int:
        """Patients who have at least one open alert."""
        return max(1, round(self.alerts * PATIENTS_PER_ALERT))


@dataclass(frozen=True, slots=True)
class Centre:
    """A console that runs, and who is logged in. `tokens`: the session of each nurse.

    `patients`: everybody who is followed; the first have alerts, the last one a year of glucose readings.
    """

    settings: Settings
    url: str
    admin: Connection
    services: Services
    nurses: Sequence[User]
    tokens: Sequence[str]
    patients: Sequence[UUID]

    @property
    def console_pid(self) -> int:
        """The process of the console."""
        return self.services.processes["console"].pid


@asynccontextmanager
async def opened(stack: Stack, folder: Path, sizes: Sizes) -> AsyncGenerator[Centre]:
    """A centre of these sizes with its console, until the end of the block."""
    secret = secrets.token_bytes(KEY_BYTES)
    port = free_port()
    url = f"http://localhost:{port}"
    settings = (await fresh_ground(stack)).model_copy(
        update={
            "public_url": url,
            "local_accounts": True,
            "identity_key": SecretStr(base64.b64encode(secret).decode()),
        }
    )
    admin = await asyncpg.connect(settings.postgres_dsn)
    environment = {
        "THUISWACHT_KAFKA": settings.kafka,
        "THUISWACHT_POSTGRES": settings.postgres_dsn,
        "THUISWACHT_TOPIC": settings.topic,
        "THUISWACHT_PUBLIC_URL": url,
        "THUISWACHT_CONSOLE_PORT": str(port),
        "THUISWACHT_PROBES_PORT": "0",
        "THUISWACHT_LOCAL_ACCOUNTS": "true",
        "THUISWACHT_LOG_LEVEL": "WARNING",
        "THUISWACHT_IDENTITY_KEY": base64.b64encode(secret).decode(),
    }
    services = Services(environment, folder)
    try:
        nurses = await _staff(admin, sizes.nurses)
        patients = await _fill(admin, sizes, Keys(secret))
        services.start("console")
        dsn = settings.postgres_dsn
        async with connected(dsn, role="thuiswacht_login", application="benchmark", max_size=1) as login:
            tokens = [await _session(login, settings, nurse) for nurse in nurses]
        await _until_up(url, services)
        yield Centre(settings, url, admin, services, nurses, tokens, patients)
    finally:
        services.stop()
        await admin.close()


async def _staff(admin: Connection, number: int) -> list[User]:
    await admin.execute(_PLACES.format(centre=CENTRE))
    nurses = [User(uuid4(), CENTRE, Role.NURSE) for _ in range(number)]
    people = [(one.person_id, f"Verpleegkundige {n}") for n, one in enumerate(nurses)]
    await admin.executemany("INSERT INTO person (person_id, name) VALUES ($1, $2)", people)
    await admin.executemany(
        "INSERT INTO person_role VALUES ($1, $2, 'nurse')", [(one.person_id, CENTRE) for one in nurses]
    )
    return nurses


async def _fill(admin: Connection, sizes: Sizes, keys: Keys) -> list[UUID]:
    """Patients with sealed names, alerts, and of the last patient a year of readings."""
    patients = [uuid4() for _ in range(sizes.patients)]
    await admin.execute(_PATIENTS, patients)
    await admin.execute(_FOLLOWED.format(centre=CENTRE))
    sealed = [keys.seal(who, _somebody(n), n.to_bytes(NONCE_BYTES, "big")) for n, who in enumerate(patients)]
    await admin.execute(
        _IDENTITIES.format(centre=CENTRE),
        patients,
        [one.sealed for one in sealed],
        keys.key_id,
        [one.name_digest for one in sealed],
    )
    programmes = load_folder()
    rules = [
        (one.programme, name, one.hash, rule.signal.value)
        for one in programmes
        if one.programme == "heart_failure"
        for name, rule in one.rules.items()
    ]
    # Of each signal one rule: a patient has one open alert of each.
    by_signal = list({rule[3]: rule for rule in reversed(rules)}.values())
    columns = [list(column) for column in zip(*by_signal, strict=True)]
    await admin.execute(_WANTED, sizes.alerts, sizes.with_alerts, *columns, len(by_signal))
    await admin.execute(_ALERTS.format(centre=CENTRE))
    await offer(admin, compile_programmes(programmes))
    await _measure(admin, patients[-1], sizes.readings)
    await admin.execute("VACUUM ANALYZE")
    await admin.execute("CHECKPOINT")
    return patients


async def _measure(admin: Connection, patient_id: UUID, readings: int) -> None:
    now = await admin.fetchval("SELECT date_trunc('minute', now())")
    months = sorted({(now - timedelta(days=n)).date().replace(day=1) for n in range(370)})
    await admin.execute("SELECT ensure_reading_partitions($1::date[])", months)
    glucose = KIND_BY_NAME["glucose_cgm"]
    await admin.execute(_CGM.format(centre=CENTRE), patient_id, glucose.number, glucose.unit, readings, now)
    year_ago_us = wall_now_us() - 370 * 86_400_000_000
    await admin.execute(_ENROLLED.format(centre=CENTRE), patient_id, year_ago_us)


def _somebody(n: int) -> Identity:
    return Identity(
        family_name=f"{_FAMILY[n % len(_FAMILY)]}-{n // 100}",
        given_names=_GIVEN[n % len(_GIVEN)],
        birth_date=date(1930 + n % 60, 1 + n % 12, 1 + n % 28),
        phone="070 000 00 00",
    )


async def _session(login: Pool, settings: Settings, user: User) -> str:
    door = Door(login, read_configuration(settings))
    async with login.transaction() as connection:
        token, _ = await door.begin(connection, user, SessionKind.BROWSER, wall_now_us())
    return token


async def _until_up(url: str, services: Services) -> None:
    begun_s = time.perf_counter()
    async with httpx.AsyncClient() as client:
        while True:
            services.require_running()
            try:
                if (await client.get(f"{url}/login")).is_success:
                    return
            except httpx.TransportError:
                pass
            if time.perf_counter() - begun_s > _UP_WITHIN_S:
                raise Broken("The console does not come up.")
            await asyncio.sleep(0.1)
