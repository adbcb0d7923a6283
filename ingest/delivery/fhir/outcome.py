"""What is said to who speaks FHIR: an OperationOutcome, one issue for each thing that is wrong."""

import re
from collections.abc import Mapping, Sequence

from ingest.delivery.content import Code, Fault
from models.clock import to_datetime

_ISSUES: Mapping[Code, str] = {
    Code.STRUCTURE: "structure",
    Code.REQUIRED: "required",
    Code.VALUE: "value",
    Code.UNKNOWN_CODE: "code-invalid",
    Code.NOT_SUPPORTED: "not-supported",
    Code.NOT_FOUND: "not-found",
    Code.FORBIDDEN: "forbidden",
    Code.CONFLICT: "conflict",
    Code.RULE: "business-rule",
    Code.TOO_LONG: "too-long",
}
"""FHIR's issue types (R4) for why something is refused."""


_OUR_TIME = ".taken_at_us"
_OUR_UNIT = ".valueQuantity.unit"
_MICROSECONDS = re.compile(r"\d{1,16}", re.ASCII)
_PART = re.compile(r"\.(item|component|dataAbsentReason|value[A-Z])")


def issue_of(fault: Fault) -> dict[str, object]:
    """One thing that is wrong: of which type, where, what was expected and found."""
    kept = " It is kept in quarantine." if fault.kept else ""
    where, found = fault.where, fault.found
    if where.endswith(_OUR_TIME):
        where, found = _time_of(where.removesuffix(_OUR_TIME)), _moment(found)
    elif where.endswith(_OUR_UNIT) and fault.kept:
        # UCUM's code decides, where there is one.
        where = where.removesuffix(".unit") + ".code"
    return {
        "severity": "error",
        "code": _ISSUES[fault.code],
        "diagnostics": f"expected {fault.expected}, found {found}.{kept}",
        "expression": [where],
    }


def _time_of(place: str) -> str:
    """Where a resource has the time of the reading that stands at a place of it."""
    part = _PART.search(place)
    whole = place if part is None else place[: part.start()]
    return f"{whole}.{'authored' if part is not None and part[1] == 'item' else 'effective'}"


def _moment(found: str) -> str:
    """The time as FHIR writes it, which the log has in microseconds."""
    return to_datetime(int(found)).isoformat() if _MICROSECONDS.fullmatch(found) else found


def information(diagnostics: str) -> dict[str, object]:
    """An issue that is none: something worth knowing."""
    return {"severity": "information", "code": "informational", "diagnostics": diagnostics}


def outcome_of(faults: Sequence[Fault], *more: Mapping[str, object]) -> dict[str, object]:
    """The OperationOutcome of all that is wrong, and what else is said; "all well" where nothing is."""
    issues: list[Mapping[str, object]] = [*map(issue_of, faults), *more]
    return {"resourceType": "OperationOutcome", "issue": issues or [information("All OK")]}
