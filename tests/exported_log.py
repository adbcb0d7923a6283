"""A log as two files, its readings and its changes; and what `evaluate` makes of it, to be compared."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from alerting.engine.expressions import comparisons
from alerting.engine.programme import Programme
from alerting.offline.arrow import arrow, parquet
from alerting.offline.registrations import BadRegistrations
from alerting.offline.run import Wishes, evaluate
from models.clock import to_datetime
from models.findings import Finding

Message = Mapping[str, Any]
FIELDS = ("kind", "value", "unit", "code", "revision", "void", "absent")


def iso(at_us: int) -> str:
    """A moment as the findings of a file have it."""
    return to_datetime(at_us).isoformat().replace("+00:00", "Z")


def rows(log: Sequence[Message]) -> Iterator[dict[str, Any]]:
    """A row for each reading but remarks, in the order of the log."""
    for message in log:
        readings: Any = message.get("readings", "none")
        for reading in () if readings == "none" else readings:
            if not {"value", "code", "void", "absent"} & reading.keys():
                continue
            row = {
                "patient_id": message["patient_id"],
                "device_id": message["device_id"],
                "received_at": message["received_at_us"],
                "taken_at": reading["taken_at_us"],
            }
            yield row | {name: reading[name] for name in FIELDS if name in reading}


def changes(log: Sequence[Message]) -> Iterator[dict[str, Any]]:
    """The changes in the order of the log; each one once, from when it holds there."""
    sent: set[tuple[str, str]] = set()
    now_us = 0
    for message in log:
        if message["type"] == "clock":
            now_us = max(now_us, message["now_us"])
        elif message["type"] == "change" and (message["patient_id"], message["change_id"]) not in sent:
            sent.add((message["patient_id"], message["change_id"]))
            valid_from_us = message["valid_from_us"]
            held_us = valid_from_us if message.get("correction") else max(valid_from_us, now_us)
            yield {**message, "valid_from_us": held_us}


def write_readings(log: Sequence[Message], file: Path) -> Path:
    """The readings as a file of Parquet or of NDJSON."""
    found = list(rows(log))
    if file.suffix == ".parquet":
        names = list(dict.fromkeys(name for row in found for name in row))
        parquet.write_table(arrow.table({name: [row.get(name) for row in found] for name in names}), file)
    else:
        file.write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
    return file


def write_changes(log: Sequence[Message], file: Path) -> Path:
    """The changes as a file of NDJSON."""
    file.write_text("".join(json.dumps(change) + "\n" for change in changes(log)), encoding="utf-8")
    return file


class Told(NamedTuple):
    """What two runs are compared by."""

    id: str
    patient_id: str
    rule: str
    opened_at: str
    cleared_at: str | None
    severity: str
    values: tuple[float | None, ...]
    raised_at: str | None
    raised_values: frozenset[float | None]
    unconfirmed: bool


def evaluated_log(
    log: Sequence[Message], made: Sequence[Programme], folder: Path, until_us: int
) -> tuple[list[Message], list[Told]]:
    """What `evaluate` makes of a log, and the log without changes that nobody could follow."""
    kept, readings = list(log), write_readings(log, folder / "readings.ndjson")
    out = folder / "findings.ndjson"
    while True:
        registrations = write_changes(kept, folder / "registrations.ndjson")
        wishes = Wishes(made, readings, out, registrations, until_us=until_us, skip=True, threads=2)
        try:
            evaluate(wishes, print)
        except BadRegistrations as told:
            lines = registrations.read_text(encoding="utf-8").splitlines()
            places = {int(error.where.split(",")[1].removeprefix(" line ")) for error in told.errors}
            bad = {json.loads(lines[place - 1])["change_id"] for place in places}
            kept = [message for message in kept if message.get("change_id") not in bad]
        else:
            by_version = {(programme.programme, programme.version): programme for programme in made}
            lines = out.read_text(encoding="utf-8").splitlines()
            return kept, [as_told(json.loads(line), by_version) for line in lines]


def as_told(finding: Mapping[str, Any], made: Mapping[tuple[str, int], Programme]) -> Told:
    programme = made[finding["programme"], finding["version"]]
    names: list[str] = []
    units: dict[str, str] = {}
    for comparison in comparisons(programme.rules[finding["rule"]].when):
        feature, unit = str(comparison.feature), programme.limits[comparison.limit].unit
        names.append(feature if units.setdefault(feature, unit) == unit else f"{feature} in {unit}")
    return Told(
        finding["id"],
        finding["patient_id"],
        f"{finding['programme']}/{finding['rule']}",
        finding["opened_at"],
        finding["cleared_at"],
        finding["severity"],
        tuple(finding["values"][name] for name in names),
        finding["raised_at"],
        frozenset(finding["raised_values"].values()),
        finding["unconfirmed"],
    )


def of_finding(finding: Finding) -> Told:
    return Told(
        str(finding.finding_id),
        str(finding.patient_id),
        f"{finding.programme}/{finding.rule}",
        iso(finding.opened_at_us),
        None if finding.cleared_at_us is None else iso(finding.cleared_at_us),
        finding.severity.value,
        tuple(evidence.value for evidence in finding.opening),
        None if finding.raised_at_us is None else iso(finding.raised_at_us),
        frozenset(evidence.value for evidence in finding.raised),
        finding.unconfirmed,
    )
