"""Values with their units, as sent: UCUM's code decides, and the label for people must not contradict it."""

from collections.abc import Mapping
from types import MappingProxyType

from ingest.delivery.content import Code, Fault
from ingest.delivery.fhir.elements import (
    Element,
    elements,
    faulty,
    missing,
    refuse_others,
    shown,
    text_in,
)
from models.units import UNIT_BY_SPELLING, UNITS

UCUM = "http://unitsofmeasure.org"
LONGEST_UNIT = 200
_TOO_LARGE = 1e15
_QUANTITY = elements(primitives=("value", "comparator", "unit", "system", "code"))
_LABELS: Mapping[str, str] = MappingProxyType(
    {spelling.casefold(): UNITS[number] for spelling, number in UNIT_BY_SPELLING.items()}
    | dict.fromkeys(("c", "celsius", "degrees celsius", "degrees c", "deg c", "graden celsius"), "Cel")
    | dict.fromkeys(
        ("f", "fahrenheit", "degrees fahrenheit", "degrees f", "deg f", "graden fahrenheit"), "[degF]"
    )
    | dict.fromkeys(("kgs", "kilograms", "kilo"), "kg")
    | dict.fromkeys(("grams",), "g")
    | dict.fromkeys(("pound", "pounds", "pond"), "[lb_av]")
    | dict.fromkeys(("kilopascal",), "kPa")
    | dict.fromkeys(("percent", "procent"), "%")
    | dict.fromkeys(("liter", "litre", "liters"), "L")
    | dict.fromkeys(
        ("beats/minute", "breaths/minute", "per minute", "/minute", "slagen/min", "/minuut"), "/min"
    )
)
"""What people write for units, without regard to case: only to notice that a label says another unit."""


def read_quantity(
    quantity: Element, asked: frozenset[str], where: str, faults: list[Fault]
) -> tuple[float, str | None] | None:
    """Value and unit as sent; no unit where none was, which the judge of readings refuses.

    `asked` are the units that the code of what was measured asks for, where it does.
    """
    before = len(faults)
    refuse_others(quantity, _QUANTITY, where, faults)
    if "comparator" in quantity:
        expected = "a value: less or more than something is none"
        faults.append(faulty(f"{where}.comparator", expected, quantity["comparator"], Code.NOT_SUPPORTED))
    value = _number(quantity, where, faults)
    unit = _unit(quantity, where, faults)
    if unit is not None and asked and known_unit(unit) not in {None, *asked}:
        expected = f"{' or '.join(sorted(asked))}: the code of what was measured says so"
        faults.append(faulty(f"{where}.code", expected, unit, Code.RULE))
    if value is None or len(faults) > before:
        return None
    return value, unit


def _number(quantity: Element, where: str, faults: list[Fault]) -> float | None:
    value = quantity.get("value")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if abs(value) < _TOO_LARGE:
            return value
        faults.append(faulty(f"{where}.value", "a number of at most 15 digits", value, Code.VALUE))
    elif "value" in quantity:
        faults.append(faulty(f"{where}.value", "a number", value))
    else:
        faults.append(missing(f"{where}.value", "a number, or dataAbsentReason that says why there is none"))
    return None


def _unit(quantity: Element, where: str, faults: list[Fault]) -> str | None:
    label = text_in(quantity, "unit", where, faults)
    system, code = text_in(quantity, "system", where, faults), text_in(quantity, "code", where, faults)
    if code is None:
        unit = label
    elif system is None:
        faults.append(missing(f"{where}.system", f"{UCUM}, beside a code"))
        return None
    elif system != UCUM:
        faults.append(faulty(f"{where}.system", UCUM, system, Code.UNKNOWN_CODE))
        return None
    else:
        unit = code
        if label is not None and label != code and UNIT_BY_SPELLING.get(label) != UNIT_BY_SPELLING.get(code):
            _compare(label, code, where, faults)
    if unit is not None and (len(unit) > LONGEST_UNIT or not unit.isprintable()):
        faults.append(
            faulty(f"{where}.{'unit' if code is None else 'code'}", "a unit of UCUM", unit, Code.VALUE)
        )
        return None
    return unit


def _compare(label: str, code: str, where: str, faults: list[Fault]) -> None:
    meant, says = known_unit(code), _LABELS.get(label.strip().casefold())
    if meant is not None and says is not None and meant != says:
        expected = f"a unit that says what the code says, {code}"
        faults.append(Fault(f"{where}.unit", expected, f"{shown(label)}, which is {says}", Code.RULE))


def known_unit(unit: str) -> str | None:
    """The canonical spelling of a unit; None for one that is not known.

    >>> known_unit("l/min"), known_unit("stone")
    ('L/min', None)
    """
    number = UNIT_BY_SPELLING.get(unit)
    return None if number is None else UNITS[number]
