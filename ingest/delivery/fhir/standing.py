"""How a resource stands: whether it counts, corrects or takes back, and what would change its meaning."""

from collections.abc import Mapping

from ingest.delivery.content import Code, Correction, Fault
from ingest.delivery.fhir.codes import read_codings
from ingest.delivery.fhir.elements import Element, faulty, missing, object_in, objects_in, text_in

_STATUSES: Mapping[str, Correction] = {
    "final": Correction.NONE,
    "amended": Correction.CORRECTED,
    "corrected": Correction.CORRECTED,
    "entered-in-error": Correction.IN_ERROR,
}
_WHY_NOT: Mapping[str, str] = {
    "preliminary": "final: a value that may still change is sent when it does not",
    "registered": "final: there is no value yet",
    "cancelled": "final: nothing was measured; entered-in-error takes back what was sent",
    "unknown": "final, amended, corrected or entered-in-error",
}
_MEASUREMENT_STATUS = "/measurement-status"
_DOUBTFUL = frozenset({"questionable", "calibration-ongoing", "early-indication"})
_ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
HIGHEST_REVISION = 2_000_000_000


_ANSWERED: Mapping[str, Correction] = {
    "completed": Correction.NONE,
    "amended": Correction.CORRECTED,
    "entered-in-error": Correction.IN_ERROR,
}
_WHY_NOT_ANSWERED: Mapping[str, str] = {
    "in-progress": "completed: answers are sent when all are given",
    "stopped": "completed: answers that were broken off are not judged",
}


def read_status(resource: Element, where: str, faults: list[Fault]) -> Correction:
    """How an Observation stands to what was sent before; a status that does not count is a fault."""
    return _read(resource, _STATUSES, _WHY_NOT, where, faults)


def read_answered(resource: Element, where: str, faults: list[Fault]) -> Correction:
    """The same of a QuestionnaireResponse."""
    return _read(resource, _ANSWERED, _WHY_NOT_ANSWERED, where, faults)


def _read(
    resource: Element,
    known: Mapping[str, Correction],
    why_not: Mapping[str, str],
    where: str,
    faults: list[Fault],
) -> Correction:
    status = resource.get("status")
    found = known.get(status) if isinstance(status, str) else None
    if found is not None:
        return found
    at = f"{where}.status"
    expected = f"one of {', '.join(known)}"
    if isinstance(status, str) and status in why_not:
        faults.append(faulty(at, why_not[status], status, Code.NOT_SUPPORTED))
    else:
        faults.append(faulty(at, expected, status) if "status" in resource else missing(at, expected))
    return Correction.NONE


def read_revision(resource: Element, where: str, faults: list[Fault]) -> int | None:
    """The revision that a corrected resource says it is: a version that is a whole number."""
    meta = object_in(resource, "meta", where, faults)
    version = None if meta is None else text_in(meta, "versionId", f"{where}.meta", faults)
    if version is None or len(version) > 10 or not (version.isascii() and version.isdigit()):
        return None
    revision = int(version)
    return revision if 0 < revision <= HIGHEST_REVISION else None


def refuse_test_data(resource: Element, where: str, faults: list[Fault]) -> None:
    """Refuses what says of itself that it is for testing: it is nobody's reading."""
    meta = object_in(resource, "meta", where, faults)
    if meta is None or "security" not in meta:
        return
    for label in objects_in(meta, "security", f"{where}.meta", faults):
        if label.get("code") == "HTEST" and label.get("system") == _ACT_REASON:
            expected = "no HTEST: here are real patients, and what is sent for a test is nobody's reading"
            faults.append(Fault(f"{where}.meta.security", expected, "HTEST", Code.NOT_SUPPORTED))


def refuse_doubtful(resource: Element, where: str, faults: list[Fault]) -> None:
    """Refuses a value that its device doubts: here it would stand as a sure one."""
    if "interpretation" not in resource:
        return
    at = f"{where}.interpretation"
    for concept in objects_in(resource, "interpretation", where, faults):
        for system, code in read_codings(concept, at, faults):
            if code in _DOUBTFUL and system.endswith(_MEASUREMENT_STATUS):
                expected = "a measurement that its device does not doubt"
                faults.append(faulty(at, expected, code, Code.NOT_SUPPORTED))
