"""A copy of everything that is held of a patient, as one FHIR R4 bundle. Pure.

What FHIR has a resource for becomes one; every other row of every table is there as it is stored (Basic), so
that a table of a later version is in the copy from its first day.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from ingest.rights import resources
from ingest.rights.looks import Look
from ingest.rights.resources import Resource, Row
from models.clock import to_datetime
from models.identity import Identity

Record = Mapping[str, Sequence[Row]]
"""The rows of each table, as `models.db.copies` loads them."""

_AS_RESOURCES = {
    "registration", "patient", "reading", "treatment_relation", "consent", "objection", "finding", "alert",
    "alert_finding", "alert_event", "measurement_request",
}  # fmt: skip


def bundle(
    patient_id: UUID,
    record: Record,
    looks: Sequence[tuple[Look, str]],
    names: Mapping[str, str],
    who: Mapping[UUID, Identity],
    at_us: int,
) -> Resource:
    """The copy. `looks` with their actions (C, R, U, D, E), `names` by id, `who` each registration is of.

    **Units**: `at_us` in microseconds since 1970 UTC.
    """
    at = to_datetime(at_us).isoformat()
    found = [*_resources(patient_id, record, looks, who, at)]
    found = [*_organisations(found, names), *found]
    return {
        "resourceType": "Bundle",
        "id": resources.id_of("copy", patient_id, at_us),
        "type": "collection",
        "timestamp": at,
        "entry": [{"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in found],
    }


def _resources(
    patient_id: UUID,
    record: Record,
    looks: Sequence[tuple[Look, str]],
    who: Mapping[UUID, Identity],
    at: str,
) -> Iterator[Resource]:
    followed = {row["patient_id"]: row for row in record.get("patient", ())}
    for row in record.get("registration", ()):
        yield resources.patient(row, followed.get(row["patient_id"]), who.get(UUID(row["patient_id"])))
    yield from _readings(patient_id, record.get("reading", ()))
    yield from _care(record, at)
    yield from _findings(record)
    for table, rows in record.items():
        if table not in _AS_RESOURCES:
            for number, row in enumerate(rows):
                yield resources.basic(table, number, row)
    for number, (look, action) in enumerate(looks):
        yield resources.audit_event(number, look, action, patient_id)


def _readings(patient_id: UUID, rows: Sequence[Row]) -> Iterator[Resource]:
    for device_id in dict.fromkeys(row["device_id"] for row in rows):
        yield resources.device(device_id, patient_id)
    counts = {_identity(row): _counting(rows_of_one) for row, rows_of_one in _by_identity(rows)}
    for row in rows:
        yield resources.observation(row, _status(row, counts[_identity(row)]))


def _by_identity(rows: Sequence[Row]) -> Iterator[tuple[Row, Sequence[Row]]]:
    found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[_identity(row)].append(row)
    return ((same[0], same) for same in found.values())


def _identity(row: Row) -> tuple[Any, ...]:
    return row["kind"], row["taken_at"], row["device_id"]


def _counting(rows: Sequence[Row]) -> int | None:
    """The revision that counts; None where it was taken back."""
    highest = max(row["revision"] for row in rows)
    taken_back = any(row["void"] and row["revision"] == highest for row in rows)
    return None if taken_back else highest


def _status(row: Row, counting: int | None) -> str:
    if row["void"]:
        return "cancelled"
    if row["revision"] != counting:
        return "entered-in-error"
    return "corrected" if counting else "final"


def _care(record: Record, at: str) -> Iterator[Resource]:
    changes = sorted(
        record.get("patient_change", ()), key=lambda row: (row["effective_from"], row["log_offset"])
    )
    for place, row in enumerate(changes):
        if "enrol" in row["change"]:
            programme = row["change"]["enrol"]["programme"]
            ended = (later for later in changes[place + 1 :] if _ends(later["change"], programme))
            end = next(ended, None)
            yield resources.care_plan(row, None if end is None else end["effective_from"])
    for row in record.get("treatment_relation", ()):
        yield resources.care_team(row, at)
    for table in ("consent", "objection"):
        for row in record.get(table, ()):
            yield resources.consent(row, at, deny=table == "objection")


def _ends(change: Mapping[str, Any], programme: str) -> bool:
    return "end" in change or change.get("withdraw", {}).get("programme") == programme


def _findings(record: Record) -> Iterator[Resource]:
    for row in record.get("finding", ()):
        yield resources.flag(row)
    reasons: dict[str, list[str]] = defaultdict(list)
    for row in record.get("alert_finding", ()):
        reasons[row["alert_id"]].append(row["finding_id"])
    events: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(record.get("alert_event", ()), key=lambda row: row["event_no"]):
        events[row["alert_id"]].append(row)
    for row in record.get("alert", ()):
        yield resources.detected_issue(row, reasons[row["alert_id"]], events[row["alert_id"]])
    for row in record.get("measurement_request", ()):
        yield resources.service_request(row)


def _organisations(found: Sequence[Resource], names: Mapping[str, str]) -> Iterator[Resource]:
    there = {one["id"] for one in found}
    wanted = {id_ for one in found for id_ in _referred(one)} - there
    for id_ in sorted(wanted):
        yield resources.organisation(id_, names.get(id_))


def _referred(part: Any) -> Iterator[str]:
    """The ids that a resource refers to."""
    match part:
        case {"reference": str(target)}:
            yield target.removeprefix("urn:uuid:")
        case dict():
            for inner in cast("dict[str, Any]", part).values():
                yield from _referred(inner)
        case list():
            for inner in cast("list[Any]", part):
                yield from _referred(inner)
        case _:
            return
