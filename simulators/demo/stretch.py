"""The stretch at live speed: sends what is planned at its moment, and times each alert until it is heard."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from models.findings import Signal
from simulators.demo.database import Database
from simulators.demo.following import LOOK_EVERY_S, Following
from simulators.demo.live import Planned, signal_of
from simulators.scenarios.scenario import Scenario

HEARD_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """What came of it.

    **Units**: seconds, from before a reading was handed to Kafka until its alert was heard.
    """

    expected: int
    delays_s: Sequence[float]


async def alarming_patients(
    scenario: Scenario, database: Database, able: Sequence[int], count: int
) -> list[int]:
    """Rows of patients at home without an open alert about what an alarming reading would be about."""
    taken = {
        signal: await database.patients_with_open_alerts(signal)
        for signal in {signal_of(scenario, patient) for patient in able}
    }
    texts = scenario.patient_texts
    free = [patient for patient in able if texts[patient] not in taken[signal_of(scenario, patient)]]
    return free[:count]


async def send_live(following: Following, scenario: Scenario, planned: Sequence[Planned]) -> Stretch:
    """Send everything at its moment, wait for the alerts that must come, and time them."""
    heard_s: dict[UUID, float] = {}
    handed_s: dict[tuple[str, Signal], float] = {}

    def hear(alert_id: UUID) -> None:
        heard_s.setdefault(alert_id, time.perf_counter())

    following.state.step = "live"
    async with following.database.listening(hear):
        begun_s = time.perf_counter()
        for one in planned:
            wait_s = (one.at_us - planned[0].at_us) / 1e6 - (time.perf_counter() - begun_s)
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            if one.alarms is not None:
                patient = scenario.patient_texts[one.message.patient]
                handed_s[patient, one.alarms] = time.perf_counter()
            await following.way.put([one.message])
            await following.way.flush()
            if following.picture.due():
                await following.behind()
        await following.until_through()
        delays_s = await _delays(following.database, handed_s, heard_s)
    return Stretch(len(handed_s), delays_s)


async def _delays(
    database: Database, handed_s: dict[tuple[str, Signal], float], heard_s: dict[UUID, float]
) -> list[float]:
    deadline = time.perf_counter() + HEARD_WITHIN_S
    while True:
        alerts = await database.alerts_of(list(heard_s))
        found = {
            (patient, Signal(signal)): heard_s[alert_id] - handed_s[patient, Signal(signal)]
            for alert_id, patient, signal in alerts
            if (patient, Signal(signal)) in handed_s
        }
        if len(found) == len(handed_s) or time.perf_counter() > deadline:
            return list(found.values())
        await asyncio.sleep(LOOK_EVERY_S)
