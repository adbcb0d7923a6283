"""Our twin: the definitions in plain Python, from the whole log, from scratch. Slow, and obviously right."""

import time
from typing import Any
from uuid import UUID

import numpy as np

from benchmarks.rules.engine import BEGIN_US
from benchmarks.rules.peers.compared import PROGRAMME, RULES, Compared, Outcome
from models.clock import DAY_US
from models.kinds import KINDS
from models.units import UNITS
from tests.naive.findings import naive_findings


def found(given: Compared, patients: int) -> Outcome:
    """The first patients' findings, one patient's log after the other."""
    given = given.of_first(patients)
    opened = np.zeros((len(RULES), patients), np.int64)
    logs = [_log(given, row) for row in range(patients)]
    begun_s, cpu_s = time.perf_counter(), time.process_time()
    for row, log in enumerate(logs):
        for finding in naive_findings([PROGRAMME], log):
            opened[RULES.index(finding.rule.partition("/")[2]), row] += 1
    elapsed_s, cpu_s = time.perf_counter() - begun_s, time.process_time() - cpu_s
    return Outcome("twin", f"plain Python, {patients:,} patients", len(given), elapsed_s, cpu_s, opened)


def _log(given: Compared, row: int) -> list[dict[str, Any]]:
    """A patient's messages as they are on the wire: changes, every reading by itself, the clock."""
    patient_id = str(given.people.patient_id(row))
    own = given.columns.take(np.flatnonzero(given.columns.patient == row))
    uploads = [
        _upload(patient_id, kind, at_us, value, unit)
        for kind, at_us, value, unit in zip(*(column.tolist() for column in own[1:]), strict=True)
    ]
    clock = {"type": "clock", "now_us": BEGIN_US + given.days * DAY_US}
    return [*_changes(patient_id), *uploads, clock]


def _changes(patient_id: str) -> list[dict[str, Any]]:
    register = {"register": {"origin": "simulated", "organisation_id": str(UUID(int=1))}}
    enrol = {"enrol": {"programme": PROGRAMME.programme, "version": PROGRAMME.version}}
    return [
        {
            "type": "change",
            "change_id": str(UUID(int=number)),
            "patient_id": patient_id,
            "valid_from_us": BEGIN_US,
            "change": change,
        }
        for number, change in enumerate((register, enrol))
    ]


def _upload(patient_id: str, kind: int, at_us: int, value: float, unit: int) -> dict[str, Any]:
    reading = {"kind": KINDS[kind].name, "value": value, "unit": UNITS[unit], "taken_at_us": at_us}
    return {
        "type": "upload",
        "patient_id": patient_id,
        "device_id": "scale",
        "received_at_us": at_us,
        "readings": [reading],
    }
