"""What an oximeter says of itself (MDC 150604, a set of bits) as one state of the device."""

from collections.abc import Mapping

from ingest.delivery.content import Code, Fault
from ingest.delivery.fhir.codes import MDC_BITS, read_codings
from ingest.delivery.fhir.elements import Element, faulty, missing, object_in, objects_in
from ingest.delivery.fhir.values import Content, void
from models.kinds import KIND_BY_NAME

_STATES: Mapping[str, str] = {
    "150604.14": "fault",
    "150604.1": "sensor_fault",
    "150604.3": "sensor_fault",
    "150604.0": "disconnected",
    "150604.4": "disconnected",
    "150604.2": "not_worn",
}
"""Bits of `PulseOxDevStatus` that are states here, the worst first; the others say how good the signal is.

**Source**: IEEE 11073-10404: 0 sensor disconnected, 1 malfunction, 2 displaced, 3 unsupported, 4 off, 14
equipment malfunction.
"""
_BITS = frozenset(f"150604.{bit}" for bit in range(16))


def read_oximeter(resource: Element, where: str, faults: list[Fault], *, in_error: bool) -> list[Content]:
    """The worst state of those that are set; all that are set are kept as received. None set: all is well."""
    kind = KIND_BY_NAME["device_state"]
    if in_error:
        return [void(kind, where)]
    parts = objects_in(resource, "component", where, faults)
    if len(parts) > len(_BITS):
        expected = f"one component for each of {len(_BITS)} bits"
        faults.append(Fault(f"{where}.component", expected, str(len(parts)), Code.TOO_LONG))
        return []
    if not parts:
        faults.append(missing(f"{where}.component", "a component for each bit that is known"))
        return []
    said: list[str] = []
    for number, component in enumerate(parts):
        at = f"{where}.component[{number}]"
        bit = _bit(component, at, faults)
        found = component.get("valueBoolean")
        if not isinstance(found, bool):
            faults.append(faulty(f"{at}.valueBoolean", "true or false", found))
        elif found and bit is not None:
            said.append(bit)
    state = next((state for bit, state in _STATES.items() if bit in said), None if said else "ok")
    if state is None and not faults:
        expected = f"one of the bits {', '.join(_STATES)}: how good a signal is has no place here"
        faults.append(Fault(f"{where}.component", expected, ", ".join(said), Code.NOT_SUPPORTED))
    if state is None or faults:
        return []
    reading = void(kind, where).reading
    del reading["void"]
    reading["code"] = state
    if said:
        reading["code_received"] = " ".join(dict.fromkeys(said))
    return [Content(reading, f"{where}.component")]


def _bit(component: Element, at: str, faults: list[Fault]) -> str | None:
    concept = object_in(component, "code", at, faults)
    codings = () if concept is None else read_codings(concept, f"{at}.code", faults)
    bit = next((code for system, code in codings if system == MDC_BITS and code in _BITS), None)
    if bit is None:
        faults.append(missing(f"{at}.code", f"a bit of 150604, in {MDC_BITS}"))
    return bit
