"""The demo from beginning to end: servers, services, a flood, a stretch at live speed, what came of it."""

import asyncio
import base64
import os
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np

from ingest.log import cluster_of, connection_options, create_topic
from ingest.service import until_told
from models.clock import HOUR_US, MINUTE_US, SECOND_US
from models.db.migrate import migrate
from models.db.pool import connected
from models.identity import KEY_BYTES
from models.labels import labels_digest
from models.settings import Settings, load_settings
from simulators.demo.arriving import Arriving
from simulators.demo.database import Database
from simulators.demo.escalated import escalated, undelivered
from simulators.demo.following import Following
from simulators.demo.gate import DemoGate, Sent, Started, chosen, open_gate, sent, start_gate
from simulators.demo.live import plan
from simulators.demo.picture import Picture
from simulators.demo.registering import fill_register
from simulators.demo.report import Report, differences, findings_digest, machine, milliseconds
from simulators.demo.scoring import Score, score
from simulators.demo.screens import open_screens
from simulators.demo.services import Services
from simulators.demo.staying import stay
from simulators.demo.stretch import Stretch, alarming_patients, send_live
from simulators.receivers.receivers import Receivers, receiving
from simulators.scenarios.scenario import Scenario
from simulators.send import open_sender
from simulators.simulate import newest_programmes
from simulators.stack import Stack
from simulators.wire import Encoder

SERVICES = ("ingest", "alerting", "register publish")
DISPATCH = "dispatch"
TOPIC = "thuiswacht.log"
PARTITIONS = 4
TICK_US = 900 * SECOND_US
LIVE_FROM_US = 9 * HOUR_US
"""The stretch at live speed is in the morning after the last simulated day."""
LATER_US = (11 * MINUTE_US, 27 * MINUTE_US, 43 * MINUTE_US)
"""After it: when nurses have had time enough for what is severe, then practices, then whom else is asked.

None of it reaches the hour before which patients are to have measured: nobody here does any more.
"""
GATE_EVERY_US = 4 * HOUR_US
"""In the simulated days, so often what comes over HTTP is waited for."""
UPLOADS_PER_S = 20
ALARMS_PER_S = 5


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the demo is asked for."""

    patients: int
    days: int
    seed: int
    start: date
    live_s: int = 20
    moving: bool = False
    kafka: str | None = None
    postgres: str | None = None
    receivers: bool = True
    console: bool = True
    gate: bool = True
    """Whether a part of the patients delivers over HTTP; with a real Kafka alone."""
    stays: bool = False
    """Whether it goes on afterwards, at wall speed, until it is told to end."""


@dataclass(frozen=True, slots=True)
class _Flood:
    readings: int
    seconds: float


def run(wishes: Wishes, tell: Callable[[Report], None]) -> Report:
    """Run the demo in this process, in its main thread; `tell` is given the report as soon as it is there.

    **Raises**: RefuseToStart for servers that may not be used; Broken when a service ends or stands still.
    """
    begun_s = time.monotonic()
    kafka = wishes.kafka or os.environ.get("THUISWACHT_KAFKA")
    postgres = wishes.postgres or os.environ.get("THUISWACHT_POSTGRES")
    programmes = newest_programmes(load_settings(kafka=kafka, postgres=postgres).programmes)
    picture = Picture(programmes, moving=wishes.moving)
    picture.say(
        "starting Kafka and Postgres" if kafka is None or postgres is None else "using the servers given"
    )
    with Stack(kafka=kafka, postgres=postgres, say=picture.say) as stack:
        # The gate counts on what a broker in memory does not promise: that what it took over is kept.
        wishes = replace(wishes, gate=wishes.gate and stack.is_real_kafka)
        # Somebody else's broker may hold somebody else's log.
        topic = TOPIC if kafka is None else f"thuiswacht.demo.{secrets.token_hex(4)}"
        settings = load_settings(
            kafka=stack.kafka,
            postgres=stack.postgres_dsn,
            topic=topic,
            requests_topic=f"{topic}.requests",
        )
        scenario = Scenario(
            seed=wishes.seed,
            patients=wishes.patients,
            days=wishes.days,
            start=wishes.start,
            programmes=programmes,
            registers=False,
        )
        return asyncio.run(_run(wishes, stack, settings, scenario, picture, tell, begun_s))


async def _run(
    wishes: Wishes,
    stack: Stack,
    settings: Settings,
    scenario: Scenario,
    picture: Picture,
    tell: Callable[[Report], None],
    begun_s: float,
) -> Report:
    await migrate(settings.postgres_dsn, purpose="trial")
    for topic in (settings.topic, settings.requests_topic):
        await create_topic(settings.kafka, topic, PARTITIONS, options=connection_options(settings))
    cluster_id = await cluster_of(settings)
    async with AsyncExitStack() as last:
        pool = await last.enter_async_context(
            connected(settings.postgres_dsn, role="thuiswacht_read", application="thuiswacht-demo")
        )
        database = Database(pool, cluster_id, settings.topic, PARTITIONS)
        await database.require_empty_trial()
        folder = Path(last.enter_context(tempfile.TemporaryDirectory(prefix="thuiswacht-demo-")))
        secret = secrets.token_bytes(KEY_BYTES)
        picture.say(f"names are sealed with a key of this demo: {base64.b64encode(secret).decode()}")
        receivers = await last.enter_async_context(_received(wishes, folder, secret, picture))
        services = _start_services(settings, folder, picture)
        last.callback(services.stop)
        sender = await last.enter_async_context(
            open_sender(settings, scenario.patient_texts, idempotent=stack.is_real_kafka)
        )
        following = Following(sender, database, services, picture, wishes.days)
        await following.until_ready()
        started = start_gate(settings, services) if wishes.gate else None
        lent_to = chosen(scenario) if wishes.gate else {}
        await fill_register(settings, secret, scenario, picture, receivers, lent_to)
        await following.until_told()
        gate = await last.enter_async_context(_delivering(started, settings, following, scenario))
        if wishes.console:
            await _show_screens(settings, services, scenario, secret, picture)
        encoder = Encoder(scenario, TICK_US)
        flood = await _flood(following, scenario, encoder, gate)
        # Of the simulated days alone: what the stretch at live speed plants is found by its alerts.
        found = await _score(database, scenario)
        if receivers is not None:
            await _dispatch(following, receivers, secret, scenario)
        stretch = await _live(wishes, following, scenario, encoder)
        await following.show()
        everything = sent(scenario, sender, gate)
        report = await _report(wishes, stack, everything, database, scenario, flood, found, stretch, begun_s)
        if receivers is not None:
            report = await _later(wishes, following, receivers, scenario, report)
            report = replace(report, wall_s=round(time.monotonic() - begun_s, 1))
        services.require_running()
        tell(report)
        if wishes.stays:
            later_us = LATER_US[-1] if receivers is not None else 0
            await _stay(wishes, following, scenario, encoder, later_us)
    return report


@asynccontextmanager
async def _received(
    wishes: Wishes, folder: Path, secret: bytes, picture: Picture
) -> AsyncGenerator[Receivers | None]:
    """Receivers of messages, where they are wished for."""
    if not wishes.receivers:
        yield None
        return
    async with receiving(folder, secret, Arriving(picture).tell) as receivers:
        yield receivers


@asynccontextmanager
async def _delivering(
    started: Started | None, settings: Settings, following: Following, scenario: Scenario
) -> AsyncGenerator[DemoGate | None]:
    """The gate, where one was started, with the way of messages through it."""
    if started is None:
        yield None
        return
    async with open_gate(started, settings, following.services, scenario, following.sender) as gate:
        following.way = gate.sink
        following.picture.say("for your own readings through the front gate (README, Connect a device):")
        following.picture.say(f"  {gate.exports}")
        following.arranged = partial(gate.sink.early, every_us=GATE_EVERY_US)
        yield gate


async def _flood(following: Following, scenario: Scenario, encoder: Encoder, gate: DemoGate | None) -> _Flood:
    seconds = await following.flood(scenario, encoder)
    return _Flood(sent(scenario, following.sender, gate).readings, seconds)


async def _stay(
    wishes: Wishes, following: Following, scenario: Scenario, encoder: Encoder, later_us: int
) -> None:
    now_us = scenario.end_us + LIVE_FROM_US + wishes.live_s * SECOND_US + later_us
    day = wishes.days + (wishes.live_s > 0)
    await until_told(lambda stop: stay(following, scenario, encoder, day, now_us, stop))


async def _show_screens(
    settings: Settings, services: Services, scenario: Scenario, secret: bytes, picture: Picture
) -> None:
    screens = await open_screens(settings, services, scenario, secret)
    picture.below = screens.lines
    for line in ("", *screens.lines(), *screens.secrets(), ""):
        picture.say(line)


def _start_services(settings: Settings, folder: Path, picture: Picture) -> Services:
    services = Services(_environment(settings), folder)
    picture.say("starting the services: " + ", ".join(SERVICES))
    for name in SERVICES:
        services.start(name)
    return services


def _environment(settings: Settings) -> Mapping[str, str]:
    return {
        "THUISWACHT_KAFKA": settings.kafka,
        "THUISWACHT_POSTGRES": settings.postgres_dsn,
        "THUISWACHT_TOPIC": settings.topic,
        "THUISWACHT_REQUESTS_TOPIC": settings.requests_topic,
    }


async def _dispatch(following: Following, receivers: Receivers, secret: bytes, scenario: Scenario) -> None:
    """Has the dispatcher ask and send what is due after the simulated days, and once more in the morning.

    Not during them: nobody here takes anything over, so that every alert would climb its whole ladder, again
    and again; and when it does a step depends on how fast this machine is, while what the demo counts must
    not.
    """
    following.state.step, following.state.readings_per_s = "dispatch", 0.0
    more = {
        **receivers.environment,
        "THUISWACHT_DISPATCH_TIME": "log",
        "THUISWACHT_IDENTITY_KEY": base64.b64encode(secret).decode(),
    }
    following.services.start(DISPATCH, more)
    await following.until_dispatched()
    await following.until(scenario.end_us + LIVE_FROM_US - SECOND_US)


async def _later(
    wishes: Wishes, following: Following, receivers: Receivers, scenario: Scenario, report: Report
) -> Report:
    """Lets some of the morning pass, in which nobody takes on what was alarming, and adds what came of it."""
    following.state.step = "later"
    live_us = scenario.end_us + LIVE_FROM_US + wishes.live_s * SECOND_US
    # Whatever opened just now has to be looked at by the clock of now.
    await following.until_dispatched()
    for after_us in LATER_US:
        await following.until(live_us + after_us)
    handed = escalated(await following.database.handed(), receivers.inbox)
    return replace(report, escalated=handed, differences=[*report.differences, *undelivered(handed)])


async def _score(database: Database, scenario: Scenario) -> Score:
    until_us = np.minimum(scenario.follow_up.ended_us, scenario.end_us)
    followed_us = np.maximum(until_us - scenario.follow_up.registered_us, 0).tolist()
    findings = [found for _, _, found in await database.findings()]
    followed = dict(zip(scenario.population.patient_text, followed_us, strict=True))
    return score(findings, scenario.labels(), followed)


async def _live(wishes: Wishes, following: Following, scenario: Scenario, encoder: Encoder) -> Stretch:
    if wishes.live_s == 0:
        return Stretch(0, [])
    able = np.flatnonzero(scenario.follow_up.able(scenario.end_us)).tolist()
    alarming = await alarming_patients(scenario, following.database, able, wishes.live_s * ALARMS_PER_S)
    planned = plan(
        scenario,
        encoder,
        scenario.day(wishes.days),
        begin_us=scenario.end_us + LIVE_FROM_US,
        seconds=wishes.live_s,
        uploads_per_s=UPLOADS_PER_S,
        alarming=alarming,
    )
    return await send_live(following, scenario, planned)


async def _report(
    wishes: Wishes,
    stack: Stack,
    everything: Sent,
    database: Database,
    scenario: Scenario,
    flood: _Flood,
    found: Score,
    stretch: Stretch,
    begun_s: float,
) -> Report:
    positions = await database.positions()
    ingest = positions["thuiswacht.ingest"].values()
    findings = await database.findings()
    alerts = await database.alerts_by_severity()
    measurable = stack.is_real_kafka
    wrong = differences(everything.readings_by_partition, positions, await database.stored())
    if len(stretch.delays_s) < stretch.expected:
        wrong.append(f"alerts at live speed: expected {stretch.expected}, heard {len(stretch.delays_s)}")
    return Report(
        patients=wishes.patients,
        days=wishes.days,
        seed=wishes.seed,
        start=wishes.start.isoformat(),
        uploads_sent=everything.uploads,
        readings_sent=everything.readings,
        readings_stored=sum(at.stored for at in ingest),
        readings_duplicate=sum(at.duplicate for at in ingest) + everything.duplicate,
        readings_quarantined=sum(at.quarantined for at in ingest),
        readings_refused=everything.refused,
        by_http=everything.delivered,
        findings=len(findings),
        findings_by_rule=dict(sorted(Counter(rule for _, rule, _ in findings).items())),
        findings_digest=findings_digest(finding_id for finding_id, _, _ in findings),
        alerts_opened=sum(alerts.values()),
        alerts_retracted=await database.alerts_retracted(),
        alerts_by_severity=alerts,
        deteriorations_planted=found.planted,
        deteriorations_detectable=found.detectable,
        deteriorations_detected=found.detected,
        deteriorations_detected_of_detectable=found.detected_of_detectable,
        false_alerts_per_patient_year=round(found.false_alerts_per_patient_year, 3),
        patient_years=round(found.patient_years, 2),
        labels_digest=labels_digest(scenario.labels()),
        reading_to_alert_ms=milliseconds(stretch.delays_s if measurable else []),
        reading_to_alert_is="from before the reading is handed to Kafka, or to the gate, until NOTIFY at the "
        "commit is heard",
        live_alerts_expected=stretch.expected,
        flood_readings=flood.readings,
        flood_s=round(flood.seconds, 2) if measurable else None,
        flood_readings_per_s=round(flood.readings / flood.seconds, 1) if measurable else None,
        kafka=stack.kafka_kind,
        postgres=f"PostgreSQL {await database.version()}",
        machine=machine(),
        escalated=None,
        wall_s=round(time.monotonic() - begun_s, 1),
        differences=wrong,
    )
