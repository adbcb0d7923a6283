"""Small stories of one patient in a shipped programme: what was measured, and what the engine finds."""

from collections.abc import Mapping, Sequence

from models.kinds import KIND_BY_NAME
from tests import shipped
from tests.naive.engine_run import Run
from tests.naive.findings import Finding
from tests.naive.random_logs import DAY_US, HOUR_US, PATIENTS, Message, change_message, clock, registration

MIDNIGHT_US = 1_780_264_800_000_000  # 2026-06-01 in Amsterdam
MINUTE_US = 60_000_000
PATIENT = PATIENTS[0]
UNITS = {"glucose_cgm": "mg/dL"}
Taken = tuple[str, float | str, int]
"""Kind, value or code, and when: microseconds after the first midnight."""


def at(day: int, hour: float = 8.0) -> int:
    """A moment after the first midnight, in microseconds."""
    return day * DAY_US + int(hour * HOUR_US)


def daily(kind: str, values: Sequence[float | str], *, first: int = 0, hour: float = 8.0) -> list[Taken]:
    """One value a day."""
    return [(kind, value, at(first + day, hour)) for day, value in enumerate(values)]


def steady(kind: str, values: Sequence[float | str], from_us: int, step_min: float) -> list[Taken]:
    """Values at a steady pace, in minutes."""
    return [(kind, value, from_us + int(i * step_min * MINUTE_US)) for i, value in enumerate(values)]


def _reading(kind: str, value: float | str, at_us: int) -> Message:
    if isinstance(value, str):
        return {"kind": kind, "code": value, "taken_at_us": at_us}
    unit = UNITS.get(kind, KIND_BY_NAME[kind].unit)
    return {"kind": kind, "value": value, "unit": unit, "taken_at_us": at_us}


def found(
    name: str,
    taken: Sequence[Taken],
    until_us: int,
    limits: Mapping[str, tuple[float, str]] | None = None,
    version: int = 1,
) -> list[Finding]:
    """The findings of a patient in one programme since the first midnight, in order of opening."""
    own = {limit: {"value": v, "unit": u, "set_by": "nurse"} for limit, (v, u) in (limits or {}).items()}
    enrol = {"enrol": {"programme": name, "version": version, "limits": own}}
    log: list[Message] = [registration(PATIENT, MIDNIGHT_US), change_message(PATIENT, MIDNIGHT_US, enrol)]
    log += [
        {
            "type": "upload",
            "patient_id": PATIENT,
            "device_id": "device",
            "received_at_us": MIDNIGHT_US + at_us,
            "readings": [_reading(kind, value, MIDNIGHT_US + at_us)],
        }
        for kind, value, at_us in sorted(taken, key=lambda one: one[2])
    ]
    run = Run(shipped.compiled())
    run.batch([*log, clock(MIDNIGHT_US + until_us)])
    return sorted(run.findings.values(), key=lambda finding: (finding.opened_us, finding.rule))


def severities(findings: Sequence[Finding]) -> dict[str, str]:
    """Each rule that spoke, without its programme, with its latest severity."""
    return {finding.rule.partition("/")[2]: finding.severity for finding in findings}
