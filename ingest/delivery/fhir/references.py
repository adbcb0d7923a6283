"""Whose reading it is and from which device: what references and identifiers name. Display names nobody.

A reference is looked up among the contained resources, then among those of the same Bundle; what it leads to
is used for its identifiers alone.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from ingest.delivery.content import Code, Fault, Named
from ingest.delivery.fhir.elements import (
    Element,
    elements,
    faulty,
    missing,
    object_in,
    objects_in,
    refuse_others,
    text_in,
)
from models.bsn import passes_eleven_test

OUR_DEVICE = "urn:thuiswacht:device"
OUR_PATIENT = "urn:thuiswacht:patient"
BSN = "http://fhir.nl/fhir/NamingSystem/bsn"
BSN_OID = "urn:oid:2.16.840.1.113883.2.4.6.3"
EUI_64 = "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680"
"""The system id of a personal health device, as its guide names it."""

Bundled = Mapping[str, Element]
"""Resources of the same Bundle, by everything that a reference to them may say."""

NOTHING_BUNDLED: Bundled = MappingProxyType({})
LONGEST_ID = 200
LONGEST_REFERENCE = 500

_REFERENCE = elements("identifier", primitives=("reference", "type", "display"))
_LOCAL = re.compile(
    r"(?:https?://[^\s?#]+/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})"
    r"(?:/_history/[A-Za-z0-9.-]{1,64})?",
    re.ASCII,
)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_SEPARATORS = str.maketrans("", "", "-: ")
_HEX_16 = re.compile(r"[0-9A-F]{16}", re.ASCII)
_EXPECTED_DEVICE = "a reference Device/<id>, or an identifier with a value"
_EXPECTED_PATIENT = (
    "Patient/<our id>, an identifier with a BSN or our id, or no subject: the device tells whose it is"
)


def read_device(
    resource: Element, name: str, bundled: Bundled, where: str, faults: list[Fault]
) -> str | None:
    """The device that measured; None where none is named."""
    reference = object_in(resource, name, where, faults)
    if reference is None:
        return None
    at = f"{where}.{name}"
    refuse_others(reference, _REFERENCE, at, faults)
    identifier = object_in(reference, "identifier", at, faults)
    if identifier is not None:
        return _device_id([identifier], f"{at}.identifier", faults)
    target = _target(reference, at, faults)
    if target is not None:
        return _device_behind(target, resource, bundled, at, faults)
    if "reference" not in reference:
        faults.append(missing(at, _EXPECTED_DEVICE))
    return None


def _device_behind(
    target: str, resource: Element, bundled: Bundled, at: str, faults: list[Fault]
) -> str | None:
    device = _followed(target, resource, bundled, at, faults)
    if device is not None:
        if device.get("resourceType") == "Device":
            return _device_id(objects_in(device, "identifier", at, faults), f"{at}.identifier", faults)
        faults.append(Fault(f"{at}.reference", "a Device", "another resource", Code.NOT_SUPPORTED))
        return None
    local = _LOCAL.fullmatch(target)
    if local is not None and local["type"] == "Device":
        return local["id"]
    code = Code.NOT_FOUND if local is None else Code.NOT_SUPPORTED
    faults.append(faulty(f"{at}.reference", _EXPECTED_DEVICE, target, code))
    return None


def device_of(resource: Element, reference: object, bundled: Bundled) -> Element | None:
    """The Device itself, where the message holds it; without a word about what is wrong."""
    if not isinstance(reference, str):
        return None
    return _followed(reference, resource, bundled, "", [])


def _device_id(identifiers: list[Element], at: str, faults: list[Fault]) -> str | None:
    by_system: dict[str | None, object] = {}
    for identifier in identifiers:
        system = text_in(identifier, "system", at, faults)
        by_system.setdefault(system, identifier.get("value"))
    for system in (OUR_DEVICE, EUI_64):
        if system in by_system:
            return _id(by_system[system], system, at, faults)
    if len(by_system) == 1:
        ((system, value),) = by_system.items()
        return _id(value, system, at, faults)
    found = "none" if not by_system else "several, of other systems"
    expected = f"one identifier, or one of {OUR_DEVICE} or {EUI_64}"
    faults.append(Fault(at, expected, found, Code.REQUIRED))
    return None


def _id(value: object, system: str | None, at: str, faults: list[Fault]) -> str | None:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= LONGEST_ID or not value.isprintable():
        faults.append(faulty(f"{at}.value", f"a text of at most {LONGEST_ID} characters", value))
        return None
    if system != EUI_64:
        return value.strip()
    # The guide writes it with and without separators: one device, one id.
    digits = value.translate(_SEPARATORS).upper()
    if _HEX_16.fullmatch(digits) is None:
        faults.append(faulty(f"{at}.value", "an EUI-64: 16 hexadecimal digits", value, Code.VALUE))
        return None
    return digits


def read_subject(
    resource: Element, name: str, bundled: Bundled, where: str, faults: list[Fault]
) -> Named | None:
    """The patient whom a resource names; None where it names none."""
    reference = object_in(resource, name, where, faults)
    if reference is None:
        return None
    at = f"{where}.{name}"
    refuse_others(reference, _REFERENCE, at, faults)
    identifier = object_in(reference, "identifier", at, faults)
    target = _target(reference, at, faults)
    identifiers = [] if identifier is None else [identifier]
    patient_id: UUID | None = None
    if target is not None:
        patient = _followed(target, resource, bundled, at, faults)
        if patient is not None:
            if patient.get("resourceType") != "Patient":
                faults.append(Fault(f"{at}.reference", "a Patient", "another resource", Code.NOT_SUPPORTED))
                return None
            identifiers += objects_in(patient, "identifier", at, faults)
        else:
            patient_id = _patient_id(target, f"{at}.reference", faults)
            if patient_id is None:
                return None
    if patient_id is None and not identifiers and target is None:
        return None
    return _named(patient_id, identifiers, at, faults)


def _patient_id(target: str, at: str, faults: list[Fault]) -> UUID | None:
    local = _LOCAL.fullmatch(target)
    if local is not None and local["type"] == "Patient" and _UUID.fullmatch(local["id"]):
        return UUID(int=int(local["id"].replace("-", ""), 16))
    # What was found is not repeated: it may be anything about a person.
    if local is not None and local["type"] != "Patient":
        found, code = f"a reference to {local['type']}", Code.NOT_SUPPORTED
    else:
        found, code = "a reference that names none of ours", Code.NOT_FOUND
    faults.append(Fault(at, _EXPECTED_PATIENT, found, code))
    return None


def _named(patient_id: UUID | None, identifiers: list[Element], at: str, faults: list[Fault]) -> Named | None:
    bsn: str | None = None
    for identifier in identifiers:
        system, value = identifier.get("system"), identifier.get("value")
        if not isinstance(value, str) or not isinstance(system, str):
            continue
        if system in {BSN, BSN_OID}:
            if len(value) != 9 or not (value.isascii() and value.isdigit() and passes_eleven_test(value)):
                expected = "a BSN: nine digits that pass the eleven-test"
                faults.append(Fault(f"{at}.identifier.value", expected, "another", Code.VALUE))
                return None
            bsn = value
        elif system == OUR_PATIENT and _UUID.fullmatch(value):
            if patient_id not in {None, UUID(value)}:
                faults.append(Fault(f"{at}.identifier", "the patient of the reference", "another", Code.RULE))
                return None
            patient_id = UUID(value)
    if patient_id is None and bsn is None:
        faults.append(Fault(at, _EXPECTED_PATIENT, "no identifier that is known here", Code.NOT_FOUND))
        return None
    return Named(patient_id, bsn)


def _target(reference: Element, at: str, faults: list[Fault]) -> str | None:
    target = text_in(reference, "reference", at, faults)
    if target is None or len(target) <= LONGEST_REFERENCE:
        return target
    expected = f"a reference of at most {LONGEST_REFERENCE} characters"
    faults.append(Fault(f"{at}.reference", expected, str(len(target)), Code.TOO_LONG))
    return None


def _followed(
    target: str, resource: Element, bundled: Bundled, at: str, faults: list[Fault]
) -> Element | None:
    """What a reference within the message leads to; None where it leads outside of it."""
    if target.startswith("#"):
        for inside in objects_in(resource, "contained", at, faults):
            if inside.get("id") == target[1:]:
                return inside
        return None
    return bundled.get(target)
