"""What is measured, by the codes of an Observation: every coding counts, and all that are known must agree.

**Source**: the codes of `models.kinds`, of LOINC, SNOMED CT and IEEE 11073-10101; beside them those of
panels, of parts that zibs and devices send along, and of what is no reading.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from ingest.delivery.content import Code, Fault
from ingest.delivery.fhir.elements import (
    MAX_FOUND,
    Element,
    elements,
    missing,
    object_in,
    objects_in,
    refuse_others,
    shown,
    text_in,
)
from models.kinds import BLOOD_PRESSURE_IEEE, BLOOD_PRESSURE_LOINC, BLOOD_PRESSURE_SNOMED, KINDS

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
MDC = "urn:iso:std:iso:11073:10101"
MDC_BITS = "http://terminology.hl7.org/CodeSystem/ASN1ToHL7"
STATISTICS = "http://terminology.hl7.org/CodeSystem/observation-statistics"
OUR_KIND = "urn:thuiswacht:kind"

SYSTEMS: Mapping[str, str] = MappingProxyType(
    {system: system for system in (LOINC, SNOMED, MDC, MDC_BITS, OUR_KIND)}
    | {
        "urn:oid:2.16.840.1.113883.6.1": LOINC,
        "urn:oid:2.16.840.1.113883.6.96": SNOMED,
        "urn:oid:2.16.840.1.113883.6.24": MDC,
    }
)
"""Code systems by every name that they have in FHIR: their URI, and their registered OID."""

BLOOD_PRESSURE = "blood_pressure"
OXIMETER_STATUS = "oximeter_status"
OXYGEN_FLOW = "oxygen_flow"
OXYGEN_FRACTION = "oxygen_fraction"
NO_READING = "no_reading"
"""Known beside a reading, and none itself: how it was taken."""
PANEL = "panel"
"""Known, and without a value of its own: its members are sent by themselves."""
CLOCK = "clock"
"""What a device's clock said beside its gateway's: about no patient."""

_ALSO: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (BLOOD_PRESSURE, LOINC, (BLOOD_PRESSURE_LOINC, "55284-4", "35094-2")),
    (BLOOD_PRESSURE, SNOMED, (BLOOD_PRESSURE_SNOMED,)),
    (BLOOD_PRESSURE, MDC, (BLOOD_PRESSURE_IEEE,)),
    ("systolic", SNOMED, ("271649006",)),
    ("diastolic", SNOMED, ("271650006",)),
    ("mean_arterial", LOINC, ("8478-0",)),
    ("pulse", LOINC, ("8889-8",)),
    # A pulse is a heart rate in SNOMED CT, too: both beside one another mean the narrower one.
    ("pulse", SNOMED, ("364075005",)),
    ("consciousness", LOINC, ("67775-7",)),
    ("consciousness", SNOMED, ("1104441000000107",)),
    ("mean_arterial", SNOMED, ("6797001",)),
    ("supplemental_oxygen", SNOMED, ("57485005", "371825009")),
    (OXYGEN_FLOW, LOINC, ("3151-8",)),
    (OXYGEN_FRACTION, LOINC, ("3150-6",)),
    (OXIMETER_STATUS, MDC, ("150604",)),
    # Korotkoff sounds, cuff, position, site, state of dress; MDC: supplemental types of the measurement.
    (NO_READING, SNOMED, ("85549003", "70665002", "424724000", "248159006")),
    (NO_READING, LOINC, ("8361-8", "41904-4", "8358-4", "8352-7", "8357-6")),
    (NO_READING, MDC, ("68193",)),
    (PANEL, SNOMED, ("366199006",)),
    (PANEL, LOINC, ("85353-1", "8716-3", "88331-4")),
    (CLOCK, MDC, ("67975",)),
)

_UNITS_OF: Mapping[tuple[str, str], tuple[str, ...]] = {
    (LOINC, "2339-0"): ("mg/dL",),
    (LOINC, "99504-3"): ("mg/dL",),
    **{(LOINC, code): ("mmol/L", "umol/L") for code in ("14743-9", "14770-2", "14760-3", "105272-9")},
}
"""Codes whose definition holds the unit: mass or amount of glucose."""


def _meanings() -> dict[tuple[str, str], frozenset[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for kind in KINDS:
        own = ((LOINC, kind.loinc), (SNOMED, kind.snomed), (MDC, kind.ieee), (OUR_KIND, (kind.name,)))
        for system, codes in own:
            for code in codes:
                found.setdefault((system, code), set()).add(kind.name)
    for meaning, system, codes in _ALSO:
        for code in codes:
            found.setdefault((system, code), set()).add(meaning)
    return {coding: frozenset(meanings) for coding, meanings in found.items()}


MEANINGS: Mapping[tuple[str, str], frozenset[str]] = MappingProxyType(_meanings())
"""What a code may stand for: one of our kinds, or one of the names above."""

CODEABLE = elements("coding", primitives=("text",))
CODING = elements(primitives=("system", "version", "code", "display", "userSelected"))


class Concept(NamedTuple):
    """What the codings of a CodeableConcept say together. `codings` are all that have a system and a code."""

    meanings: frozenset[str]
    codings: tuple[tuple[str, str], ...]

    @property
    def units(self) -> frozenset[str]:
        """The units that its codes ask for; none where they leave it open."""
        return frozenset(unit for coding in self.codings for unit in _UNITS_OF.get(coding, ()))


def read_codings(concept: Element, where: str, faults: list[Fault]) -> tuple[tuple[str, str], ...]:
    """System and code of each coding, systems by their URI; what names no system or no code says nothing."""
    refuse_others(concept, CODEABLE, where, faults)
    found: list[tuple[str, str]] = []
    for number, coding in enumerate(objects_in(concept, "coding", where, faults)):
        system, code = coding.get("system"), coding.get("code")
        if isinstance(system, str) and isinstance(code, str) and code and CODING.issuperset(coding):
            found.append((SYSTEMS.get(system, system), code))
            continue
        read = read_coding(coding, f"{where}.coding[{number}]", faults)
        if read is not None:
            found.append(read)
    return tuple(found)


def read_coding(coding: Element, where: str, faults: list[Fault]) -> tuple[str, str] | None:
    """System and code of one coding; None where it lacks one of them."""
    refuse_others(coding, CODING, where, faults)
    system, code = text_in(coding, "system", where, faults), text_in(coding, "code", where, faults)
    return None if system is None or code is None else (SYSTEMS.get(system, system), code)


def read_code(parent: Element, where: str, faults: list[Fault]) -> Concept | None:
    """What `code` of an Observation, or of a component, stands for; None where that cannot be said."""
    at = f"{where}.code"
    concept = object_in(parent, "code", where, faults)
    if concept is None:
        if "code" not in parent:
            faults.append(missing(at, "a code of LOINC, SNOMED CT or IEEE 11073 for what was measured"))
        return None
    codings = read_codings(concept, at, faults)
    return agreed(codings, at, faults)


def agreed(codings: Sequence[tuple[str, str]], at: str, faults: list[Fault]) -> Concept | None:
    """What all known codings agree on; unknown ones beside them do no harm."""
    if len(codings) == 1 and (only := MEANINGS.get(codings[0])) is not None:
        return Concept(only, tuple(codings))
    meanings: frozenset[str] | None = None
    first: tuple[str, str] | None = None
    for coding in codings:
        means = MEANINGS.get(coding)
        if means is None:
            if coding[0] == STATISTICS:
                expected = "one measurement: what was made of several is none"
                faults.append(Fault(at, expected, named(coding), Code.NOT_SUPPORTED))
            continue
        if meanings is None or first is None:
            meanings, first = means, coding
            continue
        both = meanings & means
        if not both:
            expected = f"codings that mean the same: {named(first)} is {either(meanings)}"
            faults.append(Fault(at, expected, f"{named(coding)}, {either(means)}", Code.RULE))
            return None
        meanings = both
    if meanings is None:
        expected = "a code of LOINC, SNOMED CT or IEEE 11073 that is known here"
        faults.append(Fault(at, expected, listed(codings), Code.UNKNOWN_CODE))
        return None
    return Concept(meanings, tuple(codings))


def named(coding: tuple[str, str]) -> str:
    """A coding as people write it."""
    system, code = coding
    return f"{shown(system)[1:-1]}|{shown(code)[1:-1]}"


def either(meanings: frozenset[str]) -> str:
    """The meanings of a code, in a sentence."""
    return " or ".join(sorted(meanings))


def listed(codings: Sequence[tuple[str, str]]) -> str:
    """Codings that were found, not all where they are many."""
    if not codings:
        return "no coding with system and code: texts do not say it"
    return ", ".join(named(coding) for coding in codings[:MAX_FOUND])
