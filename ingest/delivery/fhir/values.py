"""The one content of an Observation or component: a value with its unit, an answer, or why there is none."""

from typing import NamedTuple

from ingest.delivery.content import Code, Fault
from ingest.delivery.fhir.answers import (
    answer_of_boolean,
    answer_of_concept,
    answer_of_text,
    entries,
    read_absent,
)
from ingest.delivery.fhir.codes import Concept
from ingest.delivery.fhir.elements import Element, faulty, missing, object_in
from ingest.delivery.fhir.quantities import read_quantity
from models.kinds import Kind
from models.messages import WireReading

VALUES = frozenset(
    f"value{name}"
    for name in (
        "Quantity", "CodeableConcept", "String", "Boolean", "Integer", "Range", "Ratio", "SampledData",
        "Time", "DateTime", "Period",
    )
)  # fmt: skip
"""All that `value[x]` of an Observation may be in R4."""

COUNTED = frozenset({"steps", "score_news2"})
"""Kinds whose unit is the thing counted: a whole number says it all."""


class Content(NamedTuple):
    """What stands in a reading, and under which element: `Observation.valueQuantity`."""

    reading: WireReading
    place: str


def value_of(element: Element) -> frozenset[str]:
    """Which of the `value[x]` are there."""
    return VALUES.intersection(element)


def void(kind: Kind, place: str) -> Content:
    """What takes a reading back."""
    return Content({"kind": kind.name, "taken_at_us": 0, "void": True}, place)


def has_content(element: Element) -> bool:
    """Whether an element has a value, or says why it has none."""
    return "dataAbsentReason" in element or not VALUES.isdisjoint(element)


def read_content(
    element: Element, kind: Kind, concept: Concept, where: str, faults: list[Fault]
) -> Content | None:
    """The content for a reading of this kind; None, and a fault, where there is none that can be kept."""
    values = value_of(element)
    is_absent = "dataAbsentReason" in element
    if len(values) + is_absent != 1:
        said = [*sorted(values), *(["dataAbsentReason"] if is_absent else [])]
        if said:
            faults.append(Fault(where, "one value, or dataAbsentReason", " and ".join(said), Code.RULE))
        else:
            faults.append(missing(f"{where}.value", f"{_expected(kind)}, or dataAbsentReason"))
        return None
    (name,) = values or ("dataAbsentReason",)
    if is_absent:
        reading = read_absent(element, where, faults)
    elif kind.codes:
        reading = _answer(element, name, kind, where, faults)
    else:
        reading = _measured(element, name, kind, concept, where, faults)
    if reading is None:
        return None
    reading["kind"] = kind.name
    return Content(reading, f"{where}.{name}")


def _measured(
    element: Element, name: str, kind: Kind, concept: Concept, where: str, faults: list[Fault]
) -> WireReading | None:
    at = f"{where}.{name}"
    if name == "valueQuantity":
        quantity = object_in(element, name, where, faults)
        read = None if quantity is None else read_quantity(quantity, concept.units, at, faults)
        if read is None:
            return None
        value, unit = read
        content: WireReading = {"kind": kind.name, "taken_at_us": 0, "value": value}
        if unit is not None:
            content["unit"] = unit
        return content
    if name == "valueInteger" and kind.name in COUNTED and kind.unit is not None:
        value = element[name]
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31:
            return {"kind": kind.name, "taken_at_us": 0, "value": value, "unit": kind.unit}
        faults.append(faulty(at, "a whole number", value))
        return None
    faults.append(Fault(at, _expected(kind), name, Code.NOT_SUPPORTED))
    return None


def _answer(element: Element, name: str, kind: Kind, where: str, faults: list[Fault]) -> WireReading | None:
    at = f"{where}.{name}"
    match name:
        case "valueCodeableConcept":
            return answer_of_concept(kind, element, where, faults)
        case "valueBoolean":
            return answer_of_boolean(kind, element[name], at, faults)
        case "valueString":
            return answer_of_text(kind, element[name], at, faults)
        case _:
            faults.append(Fault(at, f"valueCodeableConcept: {entries(kind)}", name, Code.NOT_SUPPORTED))
            return None


def _expected(kind: Kind) -> str:
    if kind.is_coded:
        return f"valueCodeableConcept: {entries(kind)}"
    return f"valueQuantity of {kind.name.replace('_', ' ')}, in {kind.unit} or another unit of it"
