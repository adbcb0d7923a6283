"""The readings behind findings, each as one Observation that a receiver keeps once. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from alerting.notify.fhir.entries import DEVICE, READING, create, identified, mark, patient_reference
from ingest.rights.resources import Resource, observation
from models.findings import Finding
from models.kinds import KIND_BY_NAME
from models.messages import Origin

Row = Mapping[str, Any]
Wanted = tuple[int, int]
"""A kind's number, and when it was taken in microseconds since 1970 UTC."""

AT_MOST = 60
"""So many readings at most go with one message; the newest."""


def wanted_readings(findings: Sequence[Finding]) -> list[Wanted]:
    """What was looked at when these findings opened or rose, the newest last."""
    found = {
        (KIND_BY_NAME[reading.kind].number, reading.taken_at_us)
        for finding in findings
        for evidence in (*finding.opening, *finding.raised)
        for reading in evidence.readings
        if reading.kind in KIND_BY_NAME
    }
    return sorted(found, key=lambda one: (one[1], one[0]))[-AT_MOST:]


def observation_entries(rows: Sequence[Row], origin: Origin) -> Iterator[Resource]:
    """Each reading that counts, or was taken back since; of several revisions the highest."""
    for row, status in _counting(rows):
        made = observation(row, status)
        id_ = made.pop("id")
        resource = made | {
            "identifier": [{"system": READING, "value": id_}],
            "subject": patient_reference(row["patient_id"]),
            "device": identified("Device", DEVICE, row["device_id"]),
        }
        yield create(id_, mark(resource, origin), READING, id_)


def observation_of(row: Row) -> str:
    """The id of a reading's Observation."""
    return observation(row, "final")["id"]


def _counting(rows: Iterable[Row]) -> Iterator[tuple[Row, str]]:
    held: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        held.setdefault((row["kind"], row["taken_at"], row["device_id"]), []).append(row)
    for same in held.values():
        measured = [row for row in same if not row["void"]]
        if not measured:
            continue
        newest = max(measured, key=lambda row: row["revision"])
        taken_back = any(row["void"] and row["revision"] >= newest["revision"] for row in same)
        status = "entered-in-error" if taken_back else "corrected" if newest["revision"] else "final"
        yield newest, status
