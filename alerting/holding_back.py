"""Carries out what `incidents` decides, on the connection of the elected service."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

from alerting.incidents import Limits, Release, expected_patients, is_incident, release
from models import logs, metrics
from models.alerts import Alert, AlertEvent, AlertHappening, AlertState, HeldBack
from models.clock import DAY_US, MINUTE_US
from models.db import incidents, sources
from models.db.alerts import lock_alerts, write_alerts
from models.db.incidents import Held, Incident, ToHoldBack
from models.db.pool import Connection
from models.db.sources import Storing
from models.settings import Settings

log = logs.get(__name__)

AT_ONCE = 500
LOOKS_BACK_US = 60 * DAY_US
"""So far before an incident the newest reading of a patient is looked for."""


def limits_of(settings: Settings) -> Limits:
    """What the settings say."""
    return Limits(
        patients=settings.incident_patients,
        silent_us=settings.incident_silent_minutes * MINUTE_US,
        longest_us=settings.incident_hold_minutes * MINUTE_US,
        grace_us=settings.incident_grace_minutes * MINUTE_US,
    )


async def look_after_incidents(connection: Connection, settings: Settings) -> None:
    """One round: ends and opens incidents, holds back, releases. Each step is whole by itself."""
    limits = limits_of(settings)
    storing = await sources.where_storing_is(connection, settings.storing_group, settings.topic)
    if storing is None:
        return
    await _end(connection, storing, settings.topic)
    await _open(connection, storing, settings.topic, limits)
    lasting = await incidents.open_incidents(connection)
    if lasting:
        await _hold_back(connection, lasting, storing.now_us)
    held = await incidents.held_back(connection)
    await _release(connection, held, storing.now_us, limits)
    metrics.ALERTING_INCIDENTS_OPEN.set(len(lasting))
    metrics.ALERTING_INCIDENTS_HELD_BACK.set(len(held))


async def _end(connection: Connection, storing: Storing, topic: str) -> None:
    lasting = await incidents.open_incidents(connection)
    if not lasting:
        return
    names = [incident.source for incident in lasting]
    last = await sources.last_received(connection, storing.cluster_id, topic, names)
    for incident in lasting:
        if last.get(incident.source, 0) > incident.began_us:
            await incidents.end_incident(connection, incident.incident_id, storing.now_us)
            log.warning("incident_ended", incident=str(incident.incident_id), source=incident.source)


async def _open(connection: Connection, storing: Storing, topic: str, limits: Limits) -> None:
    since_us = max(storing.now_us - limits.silent_us, 0)
    silent = await sources.silent_since(connection, storing.cluster_id, topic, since_us)
    known = {incident.source for incident in await incidents.open_incidents(connection)}
    asked = sorted(silent.keys() - known)
    by_hour = await sources.patients_by_hour(connection, storing.cluster_id, topic, asked)
    for source in asked:
        began_us = silent[source]
        if not is_incident(by_hour[source], began_us, storing.now_us, limits):
            continue
        patients = round(expected_patients(by_hour[source], began_us, storing.now_us))
        incident = Incident(uuid4(), source, began_us)
        if await incidents.open_incident(connection, incident, noticed_us=storing.now_us, patients=patients):
            log.warning(
                "incident_opened", incident=str(incident.incident_id), source=source, patients=patients
            )


async def _hold_back(connection: Connection, lasting: Sequence[Incident], now_us: int) -> None:
    first_us = min(incident.began_us for incident in lasting)
    while True:
        async with connection.transaction():
            found = await incidents.to_hold_back(
                connection,
                readings_from_us=first_us - LOOKS_BACK_US,
                opened_from_us=first_us,
                at_most=AT_ONCE,
            )
            held = {(one.patient_id, one.alert_id): one for one in found}
            alerts = await lock_alerts(connection, list(held))
            # Meanwhile somebody may have claimed one.
            free = [alert for alert in alerts if _is_free(alert)]
            named = [(alert, held[alert.patient_id, alert.alert_id]) for alert in free]
            await incidents.keep_held(connection, [one for _, one in named], now_us)
            await write_alerts(
                connection,
                [_changed(alert, HeldBack.INCIDENT) for alert in free],
                (),
                [_held_back(alert, one, now_us) for alert, one in named],
            )
        if len(found) < AT_ONCE or not free:
            return


async def _release(connection: Connection, held: Sequence[Held], now_us: int, limits: Limits) -> None:
    due: dict[tuple[UUID, UUID], tuple[Held, Release]] = {}
    for one in held:
        # The longer of the two: where the log's clock stands still, nothing may stay hidden.
        held_us = max(now_us - one.held_at_us, one.waited_us)
        reason = release(one.ended_us, held_us, now_us, limits, let_through=one.let_through)
        if reason is not None:
            due[one.patient_id, one.alert_id] = (one, reason)
    keys = list(due)
    for first in range(0, len(keys), AT_ONCE):
        async with connection.transaction():
            alerts = await lock_alerts(connection, keys[first : first + AT_ONCE])
            still = [alert for alert in alerts if alert.held_back is HeldBack.INCIDENT]
            await write_alerts(
                connection,
                [_changed(alert, None) for alert in still],
                (),
                [
                    _released(alert, *due[alert.patient_id, alert.alert_id], now_us)
                    for alert in still
                    if alert.state is not AlertState.RESOLVED
                ],
            )


def _is_free(alert: Alert) -> bool:
    return alert.state is AlertState.OPEN and alert.owner is None and alert.held_back is None


def _changed(alert: Alert, held_back: HeldBack | None) -> Alert:
    return replace(alert, held_back=held_back, version=alert.version + 1)


def _held_back(alert: Alert, held: ToHoldBack, now_us: int) -> AlertHappening:
    why = {"incident_id": str(held.incident_id)}
    return _happening(alert, now_us, AlertEvent.HELD_BACK, (None, HeldBack.INCIDENT), why)


def _released(alert: Alert, held: Held, reason: Release, now_us: int) -> AlertHappening:
    why: dict[str, object] = {
        "incident_id": str(held.incident_id),
        "because": reason.value,
        "incident_lasts": held.ended_us is None,
    }
    return _happening(alert, now_us, AlertEvent.RELEASED, (HeldBack.INCIDENT, None), why)


def _happening(
    alert: Alert,
    now_us: int,
    event: AlertEvent,
    change: tuple[str | None, str | None],
    why: dict[str, object] | dict[str, str],
) -> AlertHappening:
    return AlertHappening(
        alert_id=alert.alert_id,
        patient_id=alert.patient_id,
        organisation_id=alert.organisation_id,
        happened_at_us=now_us,
        event=event,
        from_value=change[0],
        to_value=change[1],
        why=dict(why),
    )
