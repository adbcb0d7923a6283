"""`thuiswacht replay --via http`: uploads through a gate that runs, all else of a recording into its log."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from alerting.recording.layout import Type
from alerting.recording.reading import RecordingFile
from ingest.decode import message_of
from ingest.log import cluster_of
from ingest.on_command import Who, acting_as
from ingest.register import acts
from ingest.register.forms import InclusionForm, filled_in
from models.access import Action, Role
from models.audit import Kind
from models.clock import MINUTE_US, to_datetime
from models.db.pool import connected
from models.identity import Keys
from models.messages import Change, Enrol, Origin, Register
from models.settings import Settings, identity_key
from simulators.demo.registering import APART_US, AT_ONCE
from simulators.gate.answers import Answers
from simulators.gate.preparing import missing, until_told
from simulators.gate.sending import Gate
from simulators.gate.sending import connected as connected_to
from simulators.gate.simulating import Wanted
from simulators.gate.sink import ThroughGate, Way
from simulators.recording.messages import patients_of
from simulators.recording.replay import Done, Wishes, opened, send
from simulators.send import open_sender

BIRTH = "1950-01-01"
MOST_DEVICES = 20
TOGETHER_US = MINUTE_US
"""An enrolment so soon after the registration is part of the inclusion."""


@dataclass(slots=True)
class Inclusion:
    """What of a recording stands for the inclusion of a patient, and by which devices they measure.

    `messages`: the numbers of the changes that the register says itself. **Units**: `at_us` in microseconds.
    """

    at_us: int
    messages: list[int]
    enrolments: list[Enrol] = field(default_factory=list[Enrol])
    devices: list[str] = field(default_factory=list[str])


async def replay_through_gate(
    settings: Settings, wishes: Wishes, wanted: Wanted, tell: Callable[[str], None]
) -> Done:
    """Sends a recording: its patients are included first, with their devices, at the client's organisation.

    **Raises**: as `replay`; NotAllowed; Broken when the gate does not know the client.
    """
    recording = await opened(settings, wishes, tell)
    await cluster_of(settings)
    inclusions = inclusions_of(recording)
    for one in inclusions.values():
        one.enrolments = [moved_enrolment(enrol, wishes.versions) for enrol in one.enrolments]
    await include(settings, Who(wanted.person_id, wanted.organisation_id, Role.ENGINEER), inclusions)
    said = frozenset(number for one in inclusions.values() for number in one.messages)
    patients, answers = patients_of(recording), Answers()
    async with open_sender(settings, patients) as sender, connected_to(wanted.url) as http:
        way = Way(Gate(http, wanted.credentials, answers), wanted.form)
        sink = ThroughGate(sender, lambda _: way)
        done = await send(recording, patients, sink, replace(wishes, without=said), tell)
    done.answers = {one.value: number for one, number in answers.uploads.items()}
    return done


def inclusions_of(recording: RecordingFile) -> dict[str, Inclusion]:
    """Who is to be included: registered, and enrolled with that. **Raises**: BadRecording."""
    found: dict[str, Inclusion] = {}
    devices: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for _, table in recording.tables(["type", "content", "patient_id", "device_id"]):
        rows = zip(*(table[name].to_pylist() for name in ("message", "type", "content")), strict=True)
        for number, kind, content in rows:
            if kind == Type.CHANGE:
                change = message_of((content or "").encode(), partition=0, offset=number).change
                if change is not None:
                    _take(found, number, change)
        pairs: Any = table.group_by(["patient_id", "device_id"]).aggregate([])
        named = zip(pairs["patient_id"].to_pylist(), pairs["device_id"].to_pylist(), strict=True)
        for patient, device in named:
            if patient is not None and device is not None:
                devices[patient][device] = None
    for patient, one in found.items():
        one.devices = list(devices[patient])[:MOST_DEVICES]
    return {patient: one for patient, one in found.items() if one.enrolments}


def _take(found: dict[str, Inclusion], number: int, change: Change) -> None:
    only, patient = change.change.only, str(change.patient_id)
    if isinstance(only, Register):
        found.setdefault(patient, Inclusion(change.valid_from_us, [number]))
    elif isinstance(only, Enrol) and patient in found:
        one = found[patient]
        if change.valid_from_us - one.at_us <= TOGETHER_US:
            one.enrolments.append(only)
            one.messages.append(number)


async def include(settings: Settings, who: Who, inclusions: dict[str, Inclusion]) -> None:
    """Includes those who are not there yet, and returns when the log knows all. **Raises**: NotAllowed."""
    keys, dsn = Keys(identity_key(settings)), settings.postgres_dsn
    async with (
        connected(dsn, role="thuiswacht_people", application="replay") as people,
        connected(dsn, role="thuiswacht_read", application="replay", max_size=1) as reading,
    ):
        for some in _together(inclusions, await missing(reading, list(inclusions))):
            forms = [(UUID(patient), _form(inclusions[patient])) for patient in some]
            async with acting_as(people, who, Action.PATIENT_INCLUDE, Kind.CREATE) as act:
                await acts.include_patients(act, keys, forms, inclusions[some[0]].at_us)
        await until_told(reading)


def _together(inclusions: dict[str, Inclusion], patients: Sequence[str]) -> list[list[str]]:
    """Who is included at once: so many, and none much later than the first, whose moment is then now."""
    parts: list[list[str]] = []
    for patient in sorted(patients, key=lambda one: inclusions[one].at_us):
        first = inclusions[parts[-1][0]].at_us if parts else -APART_US
        if not parts or len(parts[-1]) == AT_ONCE or inclusions[patient].at_us - first > APART_US:
            parts.append([])
        parts[-1].append(patient)
    return parts


def _form(one: Inclusion) -> InclusionForm:
    fields = {
        "identity": {"family_name": "Simulant", "birth_date": BIRTH, "without_bsn": "does not exist"},
        "origin": Origin.SIMULATED,
        "programmes": [_enrolment(enrol) for enrol in one.enrolments],
        "watch_devices": False,
        "devices": [{"device_id": device} for device in one.devices],
        "starts_at": to_datetime(one.at_us),
    }
    return filled_in(InclusionForm, fields)


def moved_enrolment(enrol: Enrol, versions: Mapping[str, int]) -> Enrol:
    """The enrolment in another version, where one is asked for."""
    version = versions.get(enrol.programme, enrol.version)
    return enrol.model_copy(update={"version": version})


def _enrolment(enrol: Enrol) -> dict[str, Any]:
    limits = {name: {"value": limit.value, "unit": limit.unit} for name, limit in enrol.limits.items()}
    schedule = {name: {"before": one.before, "on": one.on} for name, one in enrol.schedule.items()}
    return {
        "programme": enrol.programme,
        "version": enrol.version,
        "limits": limits,
        **({"schedule": schedule} if schedule else {}),
    }
