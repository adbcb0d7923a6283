"""One FHIR R4 Observation becomes the readings that it holds, or what is wrong with it: never both. Pure.

HL7's vital signs, the Dutch zibs (nl-core, 2020) and personal health devices (PHD) share one way through
here. Values, units and times travel as sent; converting and judging is the log's reader's.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ingest.delivery.content import Code, Correction, Delivered, Fault
from ingest.delivery.fhir.codes import (
    BLOOD_PRESSURE,
    CLOCK,
    MDC,
    NO_READING,
    OXIMETER_STATUS,
    OXYGEN_FLOW,
    OXYGEN_FRACTION,
    PANEL,
    SNOMED,
    Concept,
    listed,
    read_code,
    read_codings,
)
from ingest.delivery.fhir.components import read_components
from ingest.delivery.fhir.elements import (
    MAX_FAULTS,
    Element,
    elements,
    faulty,
    missing,
    object_in,
    objects_in,
    refuse_modifiers,
    refuse_others,
)
from ingest.delivery.fhir.frames import Frame, Frames, key_of
from ingest.delivery.fhir.oximeter import read_oximeter
from ingest.delivery.fhir.oxygen import OXYGEN, read_amount, says_amount
from ingest.delivery.fhir.references import NOTHING_BUNDLED, Bundled, device_of, read_device, read_subject
from ingest.delivery.fhir.standing import read_revision, read_status, refuse_doubtful, refuse_test_data
from ingest.delivery.fhir.times import read_effective
from ingest.delivery.fhir.values import VALUES, Content, has_content, read_content, value_of, void
from models.kinds import KIND_BY_NAME

_OBSERVATION = elements(
    "resourceType", "meta", "text", "contained", "modifierExtension", "identifier", "basedOn", "partOf",
    "category", "code", "subject", "focus", "encounter", "effectivePeriod", "effectiveTiming", "performer",
    "dataAbsentReason", "interpretation", "note", "bodySite", "method", "specimen", "device",
    "referenceRange", "hasMember", "derivedFrom", "component", *VALUES, *(f"_{name}" for name in VALUES),
    primitives=(
        "id", "implicitRules", "language", "status", "effectiveDateTime", "effectiveInstant", "issued",
    ),
)  # fmt: skip


class Mapped(NamedTuple):
    """What a resource delivers, and its identity but for patient and device: what it is about, and when.

    **Units**: microseconds since 1970 UTC.
    """

    delivered: Delivered
    about: str
    taken_at_us: int


def map_observation(
    resource: Element,
    *,
    where: str = "Observation",
    bundled: Bundled = NOTHING_BUNDLED,
    trial: bool = False,
    frames: Frames | None = None,
) -> Mapped | tuple[Fault, ...]:
    """The readings of an Observation, or all that is wrong with it.

    `bundled` are the other resources of its Bundle, by fullUrl and by relative reference, for their
    identifiers. `trial`: nobody in this database exists, so what is marked as test data may be theirs.
    `frames`: of the same Bundle, so that what most of its Observations share is read once.
    Nothing that JSON can hold makes it raise.
    """
    if resource.get("resourceType") != "Observation":
        return (faulty(f"{where}.resourceType", "Observation", resource.get("resourceType")),)
    faults: list[Fault] = []
    frame = _frame(resource, {} if frames is None else frames, bundled, where, faults, trial=trial)
    if frame is None:
        return tuple(faults[:MAX_FAULTS])
    correction, about = frame.correction, frame.about
    moment = read_effective(resource, about, where, faults)
    contents = _contents(resource, frame.concept, about, where, faults, correction)
    if faults or moment is None:
        return tuple(faults[:MAX_FAULTS])
    revision = None if correction is Correction.NONE else read_revision(resource, where, faults)
    for content in contents:
        moment.stamp(content.reading, revision)
    delivered = Delivered(
        readings=tuple([content.reading for content in contents]),
        places=tuple([content.place for content in contents]),
        device_id=frame.device_id,
        patient=frame.patient,
        correction=correction,
    )
    return tuple(faults) or Mapped(delivered, about, moment.at_us)


def _frame(
    resource: Element, known: Frames, bundled: Bundled, where: str, faults: list[Fault], *, trial: bool
) -> Frame | None:
    """The frame, read only where it is not known; then none of it is at fault."""
    key = key_of(resource)
    if key is not None and key in known:
        return known[key]
    frame = _read_frame(resource, bundled, where, faults, trial=trial)
    if key is not None and frame is not None and not faults:
        known[key] = frame
    return frame


def _read_frame(
    resource: Element, bundled: Bundled, where: str, faults: list[Fault], *, trial: bool
) -> Frame | None:
    """All but time and values; None where it cannot be said what it is about."""
    _refuse(resource, where, faults)
    if not trial:
        refuse_test_data(resource, where, faults)
    correction = read_status(resource, where, faults)
    concept = read_code(resource, where, faults)
    device_id = read_device(resource, "device", bundled, where, faults)
    patient = read_subject(resource, "subject", bundled, where, faults)
    if concept is None:
        return None
    return Frame(concept, _about(concept, resource, bundled), device_id, patient, correction)


def holds_no_reading(resource: Element) -> str | None:
    """Why an Observation holds no reading and needs none, where that is so: a panel, a clock's word.

    Such ones are refused by themselves; who sends several at once may send them along, and loses nothing.
    """
    faults: list[Fault] = []
    concept = read_code(resource, "Observation", faults)
    if (
        concept is None
        or resource.get("resourceType") != "Observation"
        or value_of(resource) - {"valueDateTime"}
    ):
        return None
    if CLOCK in concept.meanings:
        return "the clocks of a device and its gateway: times are taken as the gateway says them"
    if "hasMember" in resource and "component" not in resource and "dataAbsentReason" not in resource:
        return "a panel: its members are Observations of their own"
    return None


def _refuse(resource: Element, where: str, faults: list[Fault]) -> None:
    refuse_others(resource, _OBSERVATION, where, faults)
    refuse_modifiers(resource, where, faults)
    refuse_doubtful(resource, where, faults)
    if "focus" in resource:
        expected = "none: what is not about the patient themself is no reading of theirs"
        faults.append(Fault(f"{where}.focus", expected, "one", Code.NOT_SUPPORTED))


def _about(concept: Concept, resource: Element, bundled: Bundled) -> str:
    """The one thing that an Observation is about; a rate that may be either is a pulse where it was felt."""
    meanings = concept.meanings
    if len(meanings) > 1:
        return "pulse" if _was_felt(resource, bundled) else "heart_rate"
    (meaning,) = meanings
    return _ABOUT.get(meaning, meaning)


_ABOUT: Mapping[str, str] = {
    OXIMETER_STATUS: "device_state",
    OXYGEN_FLOW: OXYGEN.name,
    OXYGEN_FRACTION: OXYGEN.name,
}
"""What says the same as one of our kinds, in another way."""


def _was_felt(resource: Element, bundled: Bundled) -> bool:
    nobody: list[Fault] = []
    method = object_in(resource, "method", "", nobody)
    if method is not None and _FELT.intersection(read_codings(method, "", nobody)):
        return True
    reference = object_in(resource, "device", "", nobody) or {}
    device = device_of(resource, reference.get("reference"), bundled)
    if device is None:
        return False
    types = [
        object_in(one, "systemType", "", nobody) for one in objects_in(device, "specialization", "", nobody)
    ]
    types.append(object_in(device, "type", "", nobody))
    return any(_FELT.intersection(read_codings(one, "", nobody)) for one in types if one is not None)


_FELT = frozenset({(SNOMED, "113011001"), (MDC, "528388"), (MDC, "528391")})
"""Palpation; a pulse oximeter; a blood pressure meter."""


def _contents(
    resource: Element, concept: Concept, about: str, where: str, faults: list[Fault], correction: Correction
) -> list[Content]:
    in_error = correction is Correction.IN_ERROR
    if OXIMETER_STATUS in concept.meanings:
        return read_oximeter(resource, where, faults, in_error=in_error)
    parts = (
        read_components(resource, about, where, faults, in_error=in_error) if "component" in resource else []
    )
    if about == BLOOD_PRESSURE:
        found = _pressures(resource, parts, where, faults, in_error=in_error)
    else:
        found = parts
        # Some devices put the value of their only component under the code of the whole.
        if has_content(resource) or not any(part.reading["kind"] == about for part in parts):
            found = [*_own(resource, concept, about, where, faults, in_error=in_error), *parts]
    kinds = [content.reading["kind"] for content in found]
    for number, kind in enumerate(kinds):
        if kind in kinds[:number]:
            expected = f"{kind} once, for it has one value at one time"
            faults.append(Fault(found[number].place, expected, "another one", Code.RULE))
    return found


def _pressures(
    resource: Element, parts: list[Content], where: str, faults: list[Fault], *, in_error: bool
) -> list[Content]:
    """The parts of a blood pressure; where it could not be measured at all, neither could its two parts."""
    if in_error:
        return parts or [
            void(KIND_BY_NAME[name], where) for name in ("systolic", "diastolic", "mean_arterial")
        ]
    values = value_of(resource)
    if values:
        expected = "the values in components, of LOINC 8480-6 and 8462-4"
        faults.append(Fault(f"{where}.value", expected, " and ".join(sorted(values)), Code.NOT_SUPPORTED))
    elif not parts and "dataAbsentReason" in resource:
        kinds = [KIND_BY_NAME[name] for name in ("systolic", "diastolic")]
        found = [read_content(resource, kind, _NO_CODE, where, faults) for kind in kinds]
        return [content for content in found if content is not None]
    elif "dataAbsentReason" in resource:
        expected = "dataAbsentReason in the component that has no value"
        faults.append(Fault(f"{where}.dataAbsentReason", expected, "one beside components", Code.RULE))
    elif not parts and not faults:
        expected = "components of LOINC 8480-6 (systolic) and 8462-4 (diastolic)"
        faults.append(_no_reading(resource, where, "component", expected))
    return parts


_NO_CODE = Concept(frozenset(), ())


def _own(
    resource: Element, concept: Concept, about: str, where: str, faults: list[Fault], *, in_error: bool
) -> list[Content]:
    """The reading that an Observation is itself, without its components."""
    kind = KIND_BY_NAME.get(about)
    if kind is None:
        faults.append(_unwanted(resource, concept, about, where))
        return []
    if in_error:
        return [void(kind, where)]
    if says_amount(resource, concept):
        content = read_amount(resource, concept, where, faults)
        return [] if content is None else [content]
    if not has_content(resource) and "hasMember" in resource:
        faults.append(_no_reading(resource, where, "value", f"the value of {kind.name.replace('_', ' ')}"))
        return []
    content = read_content(resource, kind, concept, where, faults)
    return [] if content is None else [content]


def _unwanted(resource: Element, concept: Concept, about: str, where: str) -> Fault:
    if about == PANEL:
        return _no_reading(resource, where, "hasMember", "the Observation of a measurement")
    found = f"{listed(concept.codings)}, {_NO_MEASUREMENTS[about]}: no reading by itself"
    return Fault(f"{where}.code", "the code of a measurement", found, Code.NOT_SUPPORTED)


_NO_MEASUREMENTS: Mapping[str, str] = {
    NO_READING: "how something was measured",
    CLOCK: "what a device's clock said",
}


def _no_reading(resource: Element, where: str, name: str, expected: str) -> Fault:
    if "hasMember" not in resource:
        return missing(f"{where}.{name}", expected)
    told = f"{expected}; send each member as an Observation of its own, without this one"
    return Fault(f"{where}.hasMember", told, "a panel that only refers to others", Code.NOT_SUPPORTED)
