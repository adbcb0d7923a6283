"""A patient's record, loaded for their page: what the register knows, alerts, calls, what people entered."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError

from alerting.console.patient.entries import Entered, entered
from alerting.console.patient.levels import Own, own_of
from alerting.engine.programme import Programme
from alerting.engine.programme_files import PACKAGED, load_folder
from alerting.worklist.handling import Rules, findings_of
from alerting.worklist.structure import ids_of_alert
from ingest.acting import Acting
from ingest.register.acts import CONSENT, TREATMENT
from ingest.register.state import State, fold
from models.alerts import Alert, AlertHappening, AlertState
from models.clock import DAY_US
from models.db import register
from models.db.calls import Call, calls_of
from models.db.identity import identities
from models.db.patient_records import Decision, alerts_of, decisions_of, happened_to
from models.db.pool import Connection
from models.db.programmes import recorded
from models.db.register import Standing
from models.db.series import entries_of, mark_of
from models.db.worklist import names_of
from models.findings import Finding
from models.identity import Identity, Keys
from models.register import Device, Registered

MOST_ALERTS = 200
LATE_DAYS = 8
"""So far back readings still come in that the rules look at."""


@dataclass(frozen=True, slots=True)
class Record:
    """Everything about a patient but their readings. **Units**: `now_us` in microseconds since 1970 UTC.

    `who` is None where nothing is known of who they are; alerts are those for who looks, the newest first.
    """

    patient_id: UUID
    now_us: int
    who: Identity | None
    registered: Registered
    decisions: Sequence[Decision]
    programmes: Mapping[tuple[str, int], Programme]
    alerts: Sequence[Alert]
    findings: Mapping[UUID, tuple[Finding, ...]]
    happened: Sequence[AlertHappening]
    calls: Sequence[Call]
    entered: Sequence[Entered]
    treated_by: Sequence[Standing]
    consents: Sequence[Standing]
    devices: Sequence[tuple[Device, object, object]]
    names: Mapping[UUID, str]
    mark: str

    @property
    def state(self) -> State:
        """What holds now."""
        return fold(((one.valid_from_us, one.change) for one in self.decisions), self.now_us)

    @property
    def open_alerts(self) -> list[Alert]:
        """Alerts that are not resolved, the most severe first."""
        found = [alert for alert in self.alerts if alert.state is not AlertState.RESOLVED]
        return sorted(found, key=lambda alert: (-alert.severity.rank, alert.opened_at_us))

    @property
    def own(self) -> list[Own]:
        """What is the patient's own in each of their programmes, as far as we know the programme."""
        decided = [
            (one.valid_from_us, one.change, None if one.by is None else self.names.get(one.by))
            for one in self.decisions
        ]
        return [
            own_of(programme, enrolment, decided, self.now_us)
            for name, enrolment in self.state.enrolments.items()
            if (programme := self.programmes.get((name, enrolment.version))) is not None
        ]


async def load_record(act: Acting, keys: Keys, rules: Rules, patient_id: UUID, now_us: int) -> Record:
    """All of it, in the transaction of who looks. **Raises**: NotAllowed."""
    connection = act.connection
    registered = await register.registered(connection, patient_id)
    decisions = await decisions_of(connection, patient_id)
    alerts = await alerts_of(connection, patient_id, MOST_ALERTS)
    happened = await happened_to(connection, patient_id, [alert.alert_id for alert in alerts])
    calls = await calls_of(connection, patient_id)
    entries = entered(await entries_of(connection, patient_id))
    treated_by = await register.relations_of(connection, TREATMENT, patient_id)
    consents = await register.relations_of(connection, CONSENT, patient_id)
    ids = _ids(registered, decisions, alerts, happened, calls, entries, [*treated_by, *consents])
    return Record(
        patient_id=patient_id,
        now_us=now_us,
        who=(await identities(connection, keys, patients=[patient_id])).get(patient_id),
        registered=registered,
        decisions=decisions,
        programmes=await programmes_of(connection, rules),
        alerts=alerts,
        findings=await findings_of(connection, alerts),
        happened=happened,
        calls=calls,
        entered=entries,
        treated_by=treated_by,
        consents=consents,
        devices=await register.devices_of(connection, patient_id),
        names=await names_of(connection, ids),
        mark=await mark(connection, patient_id, now_us),
    )


async def mark(connection: Connection, patient_id: UUID, now_us: int) -> str:
    """A mark that changes with what the page shows."""
    return await mark_of(connection, patient_id, now_us - LATE_DAYS * DAY_US)


async def programmes_of(connection: Connection, rules: Rules) -> dict[tuple[str, int], Programme]:
    """Every programme by name and version: those on record as they were first used, else of the folder."""
    folder = _folder(str(rules.settings.programmes or PACKAGED))
    found = {(one.programme, one.version): one for one in folder}
    for used in await recorded(connection):
        programme = _read(used.programme_hash, used.content)
        if programme is not None:
            found[used.programme, used.version] = programme
    return found


@lru_cache(maxsize=4)
def _folder(path: str) -> tuple[Programme, ...]:
    return tuple(load_folder(Path(path)))


@lru_cache(maxsize=256)
def _read(programme_hash: str, content: str) -> Programme | None:  # noqa: ARG001 - the hash is the short key
    try:
        return Programme.model_validate(json.loads(content))
    except ValidationError:
        return None


def _ids(
    registered: Registered,
    decisions: Iterable[Decision],
    alerts: Iterable[Alert],
    happened: Iterable[AlertHappening],
    calls: Iterable[Call],
    entries: Iterable[Entered],
    standing: Iterable[Standing],
) -> set[UUID]:
    found = {one.by for one in (*calls, *entries)}
    found |= {one.by for one in decisions if one.by is not None}
    found |= {one.organisation_id for one in standing} | {registered.organisation_id}
    found |= {key for alert in alerts for key in ids_of_alert(alert)}
    found |= {key for key in (registered.care.huisarts_id, registered.care.informed_by) if key is not None}
    for one in happened:
        try:
            found.add(UUID(one.by))
        except ValueError:
            continue  # alerting itself, or the ladder
    return found
