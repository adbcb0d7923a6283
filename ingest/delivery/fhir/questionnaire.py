"""One QuestionnaireResponse becomes the symptoms that it tells, or what is wrong with it. Pure."""

from collections.abc import Iterator

from ingest.delivery.content import Code, Correction, Delivered, Fault
from ingest.delivery.fhir.answers import answer_of_boolean, answer_of_codings, answer_of_text, entries
from ingest.delivery.fhir.codes import read_coding
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
    shown,
    text_in,
)
from ingest.delivery.fhir.observation import Mapped
from ingest.delivery.fhir.questionnaires import ASKED, CANONICAL, VERSION
from ingest.delivery.fhir.references import NOTHING_BUNDLED, Bundled, read_device, read_subject
from ingest.delivery.fhir.standing import read_answered, read_revision, refuse_test_data
from ingest.delivery.fhir.times import moment_of
from ingest.delivery.fhir.values import Content, void
from models.kinds import KIND_BY_NAME, Kind
from models.messages import WireReading

_RESPONSE = elements(
    "resourceType", "meta", "text", "contained", "modifierExtension", "identifier", "basedOn", "partOf",
    "subject", "encounter", "author", "source", "item",
    primitives=("id", "implicitRules", "language", "questionnaire", "status", "authored"),
)  # fmt: skip
_ITEM = elements("answer", "item", "modifierExtension", primitives=("linkId", "definition", "text"))
_ANSWERS = (
    "Boolean",
    "Decimal",
    "Integer",
    "Date",
    "DateTime",
    "Time",
    "String",
    "Uri",
    "Attachment",
    "Coding",
)
_VALUES = frozenset(f"value{name}" for name in (*_ANSWERS, "Quantity", "Reference"))
_ANSWER = elements("item", "modifierExtension", *_VALUES, *(f"_{name}" for name in _VALUES))
LONGEST_GROUP = 200


def map_questionnaire_response(
    resource: Element,
    *,
    where: str = "QuestionnaireResponse",
    bundled: Bundled = NOTHING_BUNDLED,
    trial: bool = False,
) -> Mapped | tuple[Fault, ...]:
    """The answers of a questionnaire, as readings that belong together, or all that is wrong with it.

    A question without an answer is no reading. The device is the author, where a Device is that.
    """
    if resource.get("resourceType") != "QuestionnaireResponse":
        return (faulty(f"{where}.resourceType", "QuestionnaireResponse", resource.get("resourceType")),)
    faults: list[Fault] = []
    refuse_others(resource, _RESPONSE, where, faults)
    refuse_modifiers(resource, where, faults)
    if not trial:
        refuse_test_data(resource, where, faults)
    correction = read_answered(resource, where, faults)
    name = _questionnaire(resource, where, faults)
    patient = read_subject(resource, "subject", bundled, where, faults)
    device_id = read_device(resource, "author", bundled, where, faults) if _is_by_device(resource) else None
    at = f"{where}.authored"
    authored = text_in(resource, "authored", where, faults)
    if "authored" not in resource:
        faults.append(missing(at, "when it was answered, with seconds and zone"))
    moment = None if authored is None else moment_of(authored, "what somebody feels", at, faults)
    contents = [] if name is None else _contents(resource, name, where, faults, correction)
    if faults or moment is None or name is None:
        return tuple(faults[:MAX_FAULTS])
    revision = None if correction is Correction.NONE else read_revision(resource, where, faults)
    group = _group(resource, name)
    for content in contents:
        content.reading["group"] = group
        moment.stamp(content.reading, revision)
    delivered = Delivered(
        readings=tuple([content.reading for content in contents]),
        places=tuple([content.place for content in contents]),
        device_id=device_id,
        patient=patient,
        correction=correction,
    )
    return tuple(faults) or Mapped(delivered, f"questionnaire_{name}", moment.at_us)


def _questionnaire(resource: Element, where: str, faults: list[Fault]) -> str | None:
    at = f"{where}.questionnaire"
    canonical = text_in(resource, "questionnaire", where, faults)
    known = ", ".join(f"{CANONICAL}{name}" for name in ASKED)
    if canonical is None:
        if "questionnaire" not in resource:
            faults.append(missing(at, f"one of {known}"))
        return None
    url, _, version = canonical.partition("|")
    name = url.removeprefix(CANONICAL)
    if not url.startswith(CANONICAL) or name not in ASKED:
        faults.append(faulty(at, f"one of {known}", canonical, Code.UNKNOWN_CODE))
        return None
    if version not in {"", VERSION}:
        faults.append(faulty(at, f"version {VERSION}", canonical, Code.NOT_SUPPORTED))
        return None
    return name


def _contents(
    resource: Element, name: str, where: str, faults: list[Fault], correction: Correction
) -> list[Content]:
    found: dict[str, Content] = {}
    for item, at in _items(resource, where, faults):
        link = text_in(item, "linkId", at, faults)
        answers = objects_in(item, "answer", at, faults)
        if "linkId" not in item:
            faults.append(missing(f"{at}.linkId", "the question that is answered"))
        if link is None or not answers:
            continue
        if link not in ASKED[name]:
            expected = f"a question of {CANONICAL}{name}: {', '.join(ASKED[name])}"
            faults.append(faulty(f"{at}.linkId", expected, link, Code.UNKNOWN_CODE))
        elif link in found or len(answers) > 1:
            faults.append(Fault(f"{at}.answer", f"one answer to {link}", "several", Code.RULE))
        else:
            kind = KIND_BY_NAME[link]
            is_void = correction is Correction.IN_ERROR
            content = void(kind, f"{at}.answer[0]") if is_void else _content(answers[0], kind, at, faults)
            if content is not None:
                found[link] = content
    if not found and not faults:
        faults.append(missing(f"{where}.item", "at least one answer"))
    return list(found.values())


def _items(resource: Element, where: str, faults: list[Fault]) -> Iterator[tuple[Element, str]]:
    """All items, those within items and answers too, in their order. Not by recursion: depth is theirs."""
    waiting = [(resource, where)]
    while waiting:
        parent, at = waiting.pop()
        inside: list[tuple[Element, str]] = []
        for number, item in enumerate(objects_in(parent, "item", at, faults)):
            place = f"{at}.item[{number}]"
            refuse_others(item, _ITEM, place, faults)
            refuse_modifiers(item, place, faults)
            yield item, place
            inside.append((item, place))
            nested = objects_in(item, "answer", place, [])
            inside += [(answer, f"{place}.answer[{each}]") for each, answer in enumerate(nested)]
        waiting += reversed(inside)


def _content(answer: Element, kind: Kind, where: str, faults: list[Fault]) -> Content | None:
    at = f"{where}.answer[0]"
    refuse_others(answer, _ANSWER, at, faults)
    refuse_modifiers(answer, at, faults)
    values = sorted(_VALUES.intersection(answer))
    if len(values) != 1:
        faults.append(Fault(at, "one value", " and ".join(values) or "nothing", Code.STRUCTURE))
        return None
    (name,) = values
    place = f"{at}.{name}"
    reading = (
        _scored(answer, name, kind, place, faults) if kind.unit else _chosen(answer, name, kind, at, faults)
    )
    if reading is None:
        return None
    reading["kind"] = kind.name
    return Content(reading, place)


def _scored(answer: Element, name: str, kind: Kind, place: str, faults: list[Fault]) -> WireReading | None:
    value = answer[name]
    if (
        name == "valueInteger"
        and isinstance(value, int)
        and not isinstance(value, bool)
        and abs(value) < 2**31
    ):
        return {"kind": kind.name, "taken_at_us": 0, "value": value, "unit": kind.unit or ""}
    found = shown(value) if name == "valueInteger" else name
    faults.append(Fault(place, "valueInteger: a whole number", found, Code.NOT_SUPPORTED))
    return None


def _chosen(answer: Element, name: str, kind: Kind, at: str, faults: list[Fault]) -> WireReading | None:
    place = f"{at}.{name}"
    match name:
        case "valueBoolean":
            return answer_of_boolean(kind, answer[name], place, faults)
        case "valueString":
            return answer_of_text(kind, answer[name], place, faults)
        case "valueCoding":
            coding = object_in(answer, name, at, faults)
            read = None if coding is None else read_coding(coding, place, faults)
            if coding is None:
                return None
            return answer_of_codings(kind, () if read is None else (read,), place, faults)
        case _:
            faults.append(Fault(place, f"valueCoding: {entries(kind)}", name, Code.NOT_SUPPORTED))
            return None


def _is_by_device(resource: Element) -> bool:
    author = object_in(resource, "author", "", [])
    if author is None:
        return False
    target = author.get("reference")
    return author.get("type") == "Device" or (isinstance(target, str) and "Device/" in target)


def _group(resource: Element, name: str) -> str:
    """What tells that the answers belong together: the id that the sender gave, else which were asked."""
    identifier = object_in(resource, "identifier", "", []) or {}
    for given in (resource.get("id"), identifier.get("value")):
        if isinstance(given, str) and 0 < len(given) <= LONGEST_GROUP and given.isprintable():
            return given
    return name
