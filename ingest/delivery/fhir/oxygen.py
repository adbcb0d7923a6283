"""How much oxygen is given (LOINC 3151-8, 3150-6) says whether any is, which is what NEWS2 asks."""

from ingest.delivery.content import Code, Fault
from ingest.delivery.fhir.codes import OXYGEN_FLOW, OXYGEN_FRACTION, Concept
from ingest.delivery.fhir.elements import Element, object_in, shown
from ingest.delivery.fhir.quantities import known_unit, read_quantity
from ingest.delivery.fhir.values import Content, value_of
from models.kinds import KIND_BY_NAME
from models.messages import WireReading

OXYGEN = KIND_BY_NAME["supplemental_oxygen"]
AMOUNTS = frozenset({OXYGEN_FLOW, OXYGEN_FRACTION})
OXYGEN_OF_AIR = 21.0
"""**Units**: per cent: what the air holds, rounded as devices are set."""


def read_amount(element: Element, concept: Concept, at: str, faults: list[Fault]) -> Content | None:
    """Whether extra oxygen is given, from how much is: how much is kept as it was received."""
    at_value = f"{at}.valueQuantity"
    is_flow = OXYGEN_FRACTION not in concept.meanings
    unit_asked, lowest = ("L/min", 0.0) if is_flow else ("%", OXYGEN_OF_AIR)
    expected = f"valueQuantity from {lowest:g} to 100 {unit_asked}"
    quantity = object_in(element, "valueQuantity", at, faults)
    if quantity is None or len(value_of(element)) > 1 or "dataAbsentReason" in element:
        faults.append(Fault(f"{at}.value", expected, "nothing, or another", Code.NOT_SUPPORTED))
        return None
    read = read_quantity(quantity, frozenset({unit_asked}), at_value, faults)
    if read is None:
        return None
    value, unit = read
    if unit is None or known_unit(unit) != unit_asked or not lowest <= value <= 100:
        faults.append(Fault(at_value, expected, f"{shown(value)} {shown(unit)}", Code.VALUE))
        return None
    reading: WireReading = {
        "kind": "supplemental_oxygen",
        "taken_at_us": 0,
        "code": "oxygen" if value > lowest else "air",
        "code_received": f"{value:.15g} {unit}",
    }
    return Content(reading, f"{at}.valueQuantity")


def says_amount(element: Element, concept: Concept) -> bool:
    """Whether how much oxygen is given is said, by its own code or in place of yes and no."""
    if OXYGEN.name in concept.meanings:
        return "valueQuantity" in element
    return concept.meanings <= AMOUNTS


def is_said_before(content: Content, found: list[Content]) -> bool:
    """Whether a content says of oxygen what one before it says: a flow and a fraction are one answer.

    How much is then kept of both. Where they disagree, they are two, and refused as such.
    """
    reading = content.reading
    before = [one.reading for one in found if one.reading["kind"] == reading["kind"] == OXYGEN.name]
    if not before or before[0].get("code") != reading.get("code"):
        return False
    if ";" in before[0].get("code_received", ""):
        # A flow and a fraction are two; what is more is said twice.
        return False
    received = [said for one in (before[0], reading) if (said := one.get("code_received")) is not None]
    if received:
        before[0]["code_received"] = "; ".join(received)
    return True
