"""The components of an Observation: readings that belong to it, and what is known to be none.

What is not known is refused: an Observation is taken whole, or its sender hears which part is not.
"""

from ingest.delivery.content import Code, Fault
from ingest.delivery.fhir.codes import (
    NO_READING,
    Concept,
    either,
    listed,
    read_code,
)
from ingest.delivery.fhir.elements import (
    Element,
    elements,
    objects_in,
    refuse_modifiers,
    refuse_others,
)
from ingest.delivery.fhir.oxygen import OXYGEN, is_said_before, read_amount, says_amount
from ingest.delivery.fhir.values import VALUES, Content, read_content, void
from models.kinds import KIND_BY_NAME

_COMPONENT = elements(
    "code", "dataAbsentReason", "interpretation", "referenceRange", "modifierExtension",
    *VALUES, *(f"_{name}" for name in VALUES),
)  # fmt: skip
MAX_COMPONENTS = 30
_HEART_OR_PULSE = frozenset({"heart_rate", "pulse"})


def read_components(
    resource: Element, about: str, where: str, faults: list[Fault], *, in_error: bool
) -> list[Content]:
    """What each component holds, in their order; those that are known to be no readings hold none."""
    found: list[Content] = []
    components = objects_in(resource, "component", where, faults)
    if len(components) > MAX_COMPONENTS:
        expected = f"at most {MAX_COMPONENTS} components"
        faults.append(Fault(f"{where}.component", expected, str(len(components)), Code.TOO_LONG))
        return found
    for number, component in enumerate(components):
        at = f"{where}.component[{number}]"
        refuse_others(component, _COMPONENT, at, faults)
        refuse_modifiers(component, at, faults)
        concept = read_code(component, at, faults)
        if concept is None or NO_READING in concept.meanings:
            continue
        content = _content(component, concept, about, at, faults, in_error=in_error)
        if content is not None and not is_said_before(content, found):
            found.append(content)
    return found


def _content(
    component: Element, concept: Concept, about: str, at: str, faults: list[Fault], *, in_error: bool
) -> Content | None:
    if says_amount(component, concept):
        return void(OXYGEN, at) if in_error else read_amount(component, concept, at, faults)
    meanings = concept.meanings
    if meanings == _HEART_OR_PULSE:
        # A rate beside a pressure or a saturation is counted in an artery.
        meanings = frozenset({"pulse"} if about in {"blood_pressure", "spo2"} else {"heart_rate"})
    (name,) = meanings if len(meanings) == 1 else (either(meanings),)
    kind = KIND_BY_NAME.get(name)
    if kind is None:
        expected = "the code of one measurement"
        faults.append(Fault(f"{at}.code", expected, f"{listed(concept.codings)}, {name}", Code.NOT_SUPPORTED))
        return None
    return void(kind, at) if in_error else read_content(component, kind, concept, at, faults)
