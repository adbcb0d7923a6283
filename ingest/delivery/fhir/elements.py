"""Looks into JSON that may be anything: an element of the type that it must have, or a fault."""

from collections.abc import Mapping
from typing import cast

from ingest.delivery.content import Code, Fault
from ingest.delivery.strict import Unusable

Element = Mapping[str, object]

LONGEST_SHOWN = 60
_FAR_OUT = 1e300
MAX_FOUND = 5
"""Codings that a message names; who sends more knows what it sent."""
MAX_FAULTS = 50
"""Faults that are told of one resource: as many as somebody mends before trying again."""


def shown(found: object) -> str:
    """What stands in a message about a value: short, and never what objects and lists hold.

    >>> shown("kilo"), shown(81.4), shown(True), shown({"value": 1}), shown(None)
    ("'kilo'", '81.4', 'true', 'an object', 'null')
    """
    match found:
        case str():
            text = "".join(sign if sign.isprintable() else "?" for sign in found[: LONGEST_SHOWN + 1])
            words = f"'{text}'" if len(text) <= LONGEST_SHOWN else f"'{text[:LONGEST_SHOWN]}…'"
        case bool():
            words = "true" if found else "false"
        case int() | float():
            words = f"{found:.15g}" if abs(found) < _FAR_OUT else "a number far out of every range"
        case dict():
            words = "an object"
        case list():
            words = "a list"
        case Unusable():
            words = found.found
        case _:
            words = "null"
    return words


def faulty(where: str, expected: str, found: object, code: Code = Code.STRUCTURE) -> Fault:
    """A fault about a value that was found; of one that could not be read, what was wrong with it."""
    if isinstance(found, Unusable):
        return found.at(where)
    return Fault(where, expected, shown(found), code)


def missing(where: str, expected: str) -> Fault:
    """A fault about something that is not there."""
    return Fault(where, expected, "nothing", Code.REQUIRED)


def object_in(parent: Element, name: str, where: str, faults: list[Fault]) -> Element | None:
    """The object under a name; None where there is none, or something else, which is a fault."""
    found = parent.get(name)
    if isinstance(found, dict):
        return cast("Element", found)
    if name in parent:
        faults.append(faulty(f"{where}.{name}", "an object", found))
    return None


def objects_in(parent: Element, name: str, where: str, faults: list[Fault]) -> list[Element]:
    """The objects of the list under a name; what is none is a fault, and left out."""
    found = parent.get(name)
    if not isinstance(found, list):
        if name in parent:
            faults.append(faulty(f"{where}.{name}", "a list of objects", found))
        return []
    things = cast("list[object]", found)
    for number, thing in enumerate(things):
        if not isinstance(thing, dict):
            faults.append(faulty(f"{where}.{name}[{number}]", "an object", thing))
            return [cast("Element", kept) for kept in things if isinstance(kept, dict)]
    return cast("list[Element]", things)


def text_in(parent: Element, name: str, where: str, faults: list[Fault]) -> str | None:
    """The text under a name; None where there is none, or something else or nothing in it: a fault."""
    found = parent.get(name)
    if isinstance(found, str) and found:
        return found
    if name in parent:
        faults.append(faulty(f"{where}.{name}", "a text", found))
    return None


def refuse_others(element: Element, known: frozenset[str], where: str, faults: list[Fault]) -> None:
    """Refuses elements that FHIR does not have here: a misspelt one must not be passed over."""
    if known.issuperset(element):
        return
    expected = "elements that FHIR R4 has here"
    unknown = [name for name in element if name not in known]
    faults.extend(
        Fault(where, expected, f"an unknown one, {shown(name)}", Code.STRUCTURE) for name in unknown
    )


def refuse_modifiers(element: Element, where: str, faults: list[Fault]) -> None:
    """Refuses what changes the meaning of all else and is not understood here."""
    if "modifierExtension" not in element and "implicitRules" not in element:
        return
    expected = "none: it would change what the rest means"
    found = [name for name in ("modifierExtension", "implicitRules") if name in element]
    faults.extend(Fault(f"{where}.{name}", expected, "one", Code.NOT_SUPPORTED) for name in found)


def elements(*names: str, primitives: tuple[str, ...] = ()) -> frozenset[str]:
    """The names of elements; a primitive one may have a companion with an underscore."""
    return frozenset((*names, *primitives, *(f"_{name}" for name in primitives), "id", "extension"))
