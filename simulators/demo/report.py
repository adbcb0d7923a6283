"""What the demo has to say at the end: one object for machines, one table for people."""

import hashlib
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from models.db.positions import Position
from simulators.demo.database import Stored
from simulators.demo.escalated import Escalated
from simulators.demo.gate import Delivered

NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Milliseconds:
    """How long something took, over all times it was seen; None where it never was."""

    p50: float | None
    p99: float | None
    max: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the demo found out; its fields are the fields of the JSON file.

    With a broker in memory nothing is measured: `reading_to_alert_ms` is empty, the flood's figures are None.
    """

    patients: int
    days: int
    seed: int
    start: str
    uploads_sent: int
    readings_sent: int
    readings_stored: int
    readings_duplicate: int
    readings_quarantined: int
    readings_refused: int
    by_http: Delivered | None
    findings: int
    findings_by_rule: Mapping[str, int]
    findings_digest: str
    alerts_opened: int
    alerts_retracted: int
    alerts_by_severity: Mapping[str, int]
    deteriorations_planted: int
    deteriorations_detectable: int
    deteriorations_detected: int
    deteriorations_detected_of_detectable: int
    false_alerts_per_patient_year: float
    patient_years: float
    labels_digest: str
    reading_to_alert_ms: Milliseconds
    reading_to_alert_is: str
    live_alerts_expected: int
    flood_readings: int
    flood_s: float | None
    flood_readings_per_s: float | None
    kafka: str
    postgres: str
    machine: str
    escalated: Escalated | None
    wall_s: float
    differences: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """For `json.dumps`."""
        return asdict(self)


def milliseconds(seconds: Iterable[float]) -> Milliseconds:
    """Summary of durations; percentiles are values that were seen (nearest rank).

    >>> milliseconds([0.004, 0.002, 0.001, 0.003])
    Milliseconds(p50=2.0, p99=4.0, max=4.0, count=4)
    """
    ordered = sorted(seconds)
    if not ordered:
        return Milliseconds(None, None, None, 0)

    def at(percent: int) -> float:
        return round(ordered[max(0, -(-len(ordered) * percent // 100) - 1)] * 1000, 1)

    return Milliseconds(at(50), at(99), at(100), len(ordered))


def findings_digest(ids: Iterable[UUID]) -> str:
    """One short text that is equal when all ids are."""
    return hashlib.sha256("\n".join(sorted(map(str, ids))).encode()).hexdigest()


def differences(
    sent: Mapping[int, int], positions: Mapping[str, Mapping[int, Position]], stored: Stored
) -> list[str]:
    """Where readings went missing or came from nowhere; empty when sent = stored + duplicate + quarantined.

    Looked at twice: per partition in the counters kept with the offsets, and in total in the tables.
    """
    found: list[str] = []
    ingest = positions["thuiswacht.ingest"]
    for partition, readings in sorted(sent.items()):
        at = ingest.get(partition)
        if at is None:
            found.append(f"partition {partition}: sent {readings:,}, nothing was read from it")
            continue
        kept = at.stored + at.duplicate + at.quarantined
        if not readings == at.received == kept:
            found.append(
                f"partition {partition}: sent {readings:,}, received {at.received:,}, stored {at.stored:,} + "
                f"duplicate {at.duplicate:,} + quarantined {at.quarantined:,} = {kept:,}"
            )
    counted = (("reading", stored.readings, "stored"), ("quarantine", stored.quarantined, "quarantined"))
    for table, rows, counter in counted:
        total = sum(getattr(at, counter) for at in ingest.values())
        if rows != total:
            found.append(f"table {table} holds {rows:,} readings, the counters say {total:,}")
    return found


def machine() -> str:
    """What this ran on, as far as it bears on speed."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores, {platform.machine()}, Python {platform.python_version()}"


def _verdict(report: Report) -> str:
    refused = " + refused" if report.by_http is not None else ""
    return f"sent = stored + duplicate + quarantined{refused}, to the reading"


def _flood(report: Report) -> tuple[str, str, str]:
    if report.flood_readings_per_s is None:
        return ("flood", NOT_MEASURED, "")
    return ("flood", f"{report.flood_readings_per_s:,.0f}", "readings/s stored and checked, both groups")


def _latency(latency: Milliseconds) -> tuple[str, str, str]:
    if latency.p50 is None:
        return ("reading to alert", NOT_MEASURED, "")
    remark = f"median of {latency.count}; p99 {latency.p99:,.0f} ms, longest {latency.max:,.0f} ms"
    return ("reading to alert", f"{latency.p50:,.0f} ms", remark)


def _escalated(handed: Escalated | None) -> list[tuple[str, str, str]]:
    if handed is None:
        return []
    by_recipient = ", ".join(f"{n:,} {name}" for name, n in sorted(handed.asked_by_recipient.items()))
    rows = [("escalations", f"{handed.asked:,}", by_recipient)]
    for channel, n in sorted(handed.delivered_by_channel.items()):
        rows.append((f"  by {channel}", f"{n:,}", "messages delivered, each received"))
    rows.append(("  waiting", f"{handed.waiting:,}", "messages whose time has not come"))
    rows.append(("  undelivered", f"{handed.undelivered:,}", ""))
    return rows


def _by_http(report: Report) -> list[tuple[str, str, str]]:
    came = report.by_http
    if came is None:
        return []
    formats = ", ".join(f"{n:,} {name}" for name, n in sorted(came.uploads_by_format.items()))
    said = f"{came.accepted:,} accepted, {came.duplicate:,} duplicate, {came.refused:,} refused"
    return [
        ("  refused", f"{report.readings_refused:,}", "by the front gate: torn, or of strangers"),
        ("uploads by HTTP", f"{came.uploads:,}", f"{formats}; the gate's answers:"),
        ("", "", said),
    ]


def table(report: Report) -> str:
    """The report as text of at most 100 columns, for any terminal or none."""
    severities = ", ".join(f"{count} {name}" for name, count in sorted(report.alerts_by_severity.items()))
    rows: list[tuple[str, str, str]] = [
        ("patients", f"{report.patients:,}", f"{report.days} days from {report.start}, seed {report.seed}"),
        ("uploads sent", f"{report.uploads_sent:,}", ""),
        ("readings sent", f"{report.readings_sent:,}", ""),
        ("  stored", f"{report.readings_stored:,}", ""),
        ("  duplicate", f"{report.readings_duplicate:,}", "the same value again: counted, not stored twice"),
        ("  quarantined", f"{report.readings_quarantined:,}", "refused, each with its reason"),
        *_by_http(report),
        ("findings", f"{report.findings:,}", "stretches of time in which a rule held"),
        ("alerts opened", f"{report.alerts_opened:,}", severities),
        ("  retracted", f"{report.alerts_retracted:,}", "late uploads showed that nothing had been missed"),
        ("deteriorations planted", f"{report.deteriorations_planted:,}", ""),
        (
            "  could be seen",
            f"{report.deteriorations_detectable:,}",
            f"by a perfect observer; {report.deteriorations_detected_of_detectable:,} of these were found",
        ),
        ("  detected", f"{report.deteriorations_detected:,}", "with a fitting finding between onset and end"),
        (
            "false alerts",
            f"{report.false_alerts_per_patient_year:.2f}",
            f"per patient-year, over {report.patient_years:,.1f} patient-years; silence left out",
        ),
        _flood(report),
        _latency(report.reading_to_alert_ms),
        *_escalated(report.escalated),
        ("wall time", f"{report.wall_s:,.0f} s", report.machine),
    ]
    lines = [f"  {name:<24}{value:>12}   {remark}".rstrip() for name, value, remark in rows]
    rules = [
        f"  {rule:<34}{count:>8,}"
        for rule, count in sorted(report.findings_by_rule.items(), key=lambda item: -item[1])
    ]
    head = f"Thuiswacht demo · {report.kafka} · {report.postgres}"
    verdict = (
        [_verdict(report)] if not report.differences else ["READINGS DO NOT ADD UP:", *report.differences]
    )
    line = "─" * 76
    return "\n".join(["", head, line, *lines, line, "findings by rule", *rules, line, *verdict, ""])
