"""Answers from a closed list: how a coded kind's entry is said in LOINC, SNOMED CT, yes or no, and by itself.

**Source**: NEWS2's consciousness in SNOMED CT (UK Core ACVPU) and LOINC 67775-7; yes and no, and grades, in
LOINC's and SNOMED CT's own answers; the data-absent-reason code system of HL7.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from ingest.delivery.content import Code, Fault
from ingest.delivery.fhir.codes import LOINC, SNOMED, listed, named, read_codings
from ingest.delivery.fhir.elements import Element, faulty, missing, object_in
from models.kinds import GRADES, KINDS, NO_YES, Kind
from models.messages import Absent, WireReading

_YES_NO = "http://terminology.hl7.org/CodeSystem/v2-0136"
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_ABSENT_BEFORE = "http://hl7.org/fhir/data-absent-reason"

_YES = ((SNOMED, "373066001"), (LOINC, "LA33-6"), (_YES_NO, "Y"))
_NO = ((SNOMED, "373067005"), (LOINC, "LA32-8"), (_YES_NO, "N"))
_OF_LIST: Mapping[tuple[str, ...], Sequence[tuple[tuple[str, str], ...]]] = {
    NO_YES: (_NO, _YES),
    GRADES: (
        ((SNOMED, "260413007"), (LOINC, "LA137-2")),
        ((SNOMED, "255604002"), (LOINC, "LA6752-5")),
        ((SNOMED, "6736007"), (LOINC, "LA6751-7")),
        ((SNOMED, "24484000"), (LOINC, "LA6750-9")),
    ),
    ("air", "oxygen"): ((*_NO, (SNOMED, "722742002")), (*_YES, (SNOMED, "371825009"))),
    ("A", "C", "V", "P", "U"): (
        ((SNOMED, "248234008"), (LOINC, "LA9340-6")),
        ((SNOMED, "130987000"), (LOINC, "LA6560-2")),
        ((SNOMED, "300202002"), (LOINC, "LA17108-4")),
        ((SNOMED, "450847001"), (LOINC, "LA17107-6")),
        ((SNOMED, "422768004"), (LOINC, "LA9343-0")),
    ),
}
"""For each closed list, in its order, how its entries are said elsewhere."""

_OF_BOOLEAN: Mapping[tuple[str, ...], tuple[str, str]] = {
    NO_YES: NO_YES,
    ("air", "oxygen"): ("air", "oxygen"),
}
"""What false and true say."""


def our_answers(kind: str) -> str:
    """The code system of a kind's own closed list."""
    return f"urn:thuiswacht:answer:{kind}"


def _answers(kind: Kind) -> Mapping[tuple[str, str], str]:
    own = {(our_answers(kind.name), code): code for code in kind.codes}
    elsewhere = _OF_LIST.get(kind.codes)
    if elsewhere is None:
        return own
    said = zip(kind.codes, elsewhere, strict=True)
    return own | {coding: code for code, codings in said for coding in codings}


ANSWERS: Mapping[str, Mapping[tuple[str, str], str]] = MappingProxyType(
    {kind.name: MappingProxyType(_answers(kind)) for kind in KINDS if kind.is_coded}
)
"""The entry of a kind's closed list that a coding stands for."""

_REASONS: Mapping[str, Absent] = MappingProxyType(
    {reason.value: reason for reason in Absent}
    | {
        "temp-unknown": Absent.TEMPORARILY_UNKNOWN,
        "asked-unknown": Absent.UNKNOWN,
        "not-asked": Absent.UNKNOWN,
        "not-a-number": Absent.ERROR,
        "negative-infinity": Absent.ERROR,
        "positive-infinity": Absent.ERROR,
    }
)
"""HL7's reasons by ours: each by itself, or by the broader one above it in HL7's own hierarchy."""


def answer_of_boolean(kind: Kind, found: object, where: str, faults: list[Fault]) -> WireReading | None:
    """Yes or no, where a kind's answers are that."""
    sides = _OF_BOOLEAN.get(kind.codes)
    if not isinstance(found, bool):
        faults.append(faulty(where, "true or false", found))
    elif sides is None:
        faults.append(Fault(where, f"valueCodeableConcept: {entries(kind)}", "yes or no", Code.NOT_SUPPORTED))
    else:
        return _answer(sides[found], "true" if found else "false")
    return None


def answer_of_text(kind: Kind, found: object, where: str, faults: list[Fault]) -> WireReading | None:
    """An entry of the closed list by itself; no other text is understood."""
    if isinstance(found, str) and found in kind.codes:
        return _answer(found, None)
    faults.append(faulty(where, entries(kind), found, Code.UNKNOWN_CODE))
    return None


def answer_of_codings(
    kind: Kind, codings: Sequence[tuple[str, str]], where: str, faults: list[Fault]
) -> WireReading | None:
    """The entry that the codings stand for: all that are known must agree on it."""
    known = ANSWERS[kind.name]
    found = [(coding, known[coding]) for coding in codings if coding in known]
    if not found:
        faults.append(Fault(where, entries(kind), listed(codings), Code.UNKNOWN_CODE))
        return None
    first, code = found[0]
    for coding, other in found[1:]:
        if other != code:
            expected = f"codings that mean the same: {named(first)} is {code}"
            faults.append(Fault(where, expected, f"{named(coding)}, {other}", Code.RULE))
            return None
    return _answer(code, None if first[0] == our_answers(kind.name) else named(first))


def answer_of_concept(kind: Kind, parent: Element, where: str, faults: list[Fault]) -> WireReading | None:
    """The same, of a `valueCodeableConcept`."""
    concept = object_in(parent, "valueCodeableConcept", where, faults)
    if concept is None:
        return None
    at = f"{where}.valueCodeableConcept"
    before = len(faults)
    codings = read_codings(concept, at, faults)
    return answer_of_codings(kind, codings, at, faults) if len(faults) == before else None


def read_absent(parent: Element, where: str, faults: list[Fault]) -> WireReading | None:
    """Why there is no value; a reason that ours say more broadly is kept as it was received, too."""
    concept = object_in(parent, "dataAbsentReason", where, faults)
    if concept is None:
        return None
    at = f"{where}.dataAbsentReason"
    codings = read_codings(concept, at, faults)
    said = [code for system, code in codings if system in {_ABSENT, _ABSENT_BEFORE}]
    reasons = {_REASONS.get(code) for code in said}
    if not said:
        faults.append(missing(f"{at}.coding", f"a code of {_ABSENT}"))
        return None
    reason = _REASONS.get(said[0])
    if reason is None or len(reasons) > 1:
        expected = f"one of {', '.join(sorted(_REASONS))}"
        faults.append(Fault(at, expected, listed(codings), Code.UNKNOWN_CODE))
        return None
    content: WireReading = {"kind": "", "taken_at_us": 0, "absent": reason}
    if said[0] != reason.value:
        content["code_received"] = said[0]
    return content


def entries(kind: Kind) -> str:
    """The closed list of a kind, in words."""
    return f"one of {', '.join(kind.codes)} ({our_answers(kind.name)}, or as SNOMED CT and LOINC say it)"


def _answer(code: str, received: str | None) -> WireReading:
    content: WireReading = {"kind": "", "taken_at_us": 0, "code": code}
    if received is not None:
        content["code_received"] = received
    return content
