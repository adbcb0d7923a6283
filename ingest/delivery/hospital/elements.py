"""Elements of FHIR's JSON, read one by one: what is wrong is kept as a fault, and nothing raises. Pure.

Only codes and the names of types are ever repeated in a fault: no number, name or date of a patient.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import cast
from uuid import UUID

from ingest.delivery.content import Code, Fault, Named
from ingest.delivery.strict import Unusable
from models.bsn import bsn_of
from models.clock import MINUTE_US, to_us
from models.errors import BadInput

Json = Mapping[str, object]
Bundled = Mapping[str, Json]
"""The other resources of a bundle, by what they may be referred to: full URL, or type and id."""
ALONE: Bundled = {}

BSN = "http://fhir.nl/fhir/NamingSystem/bsn"
OURS = "urn:thuiswacht:patient"
TOLERANCE_US = 5 * MINUTE_US
"""So far a sender's clock may be ahead of ours."""
LONGEST = 400

_OF_EVERY_RESOURCE = frozenset({
    "resourceType", "id", "meta", "language", "text", "contained", "extension",
})  # fmt: skip
_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"), (int, "a number"), (float, "a number"), (str, "another text"),
    (dict, "an object"), (list, "a list"),
)  # fmt: skip
_MODIFIES = ("modifierExtension", "implicitRules")
_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/\-]{0,60}")
_MOMENT = re.compile(
    r"(19\d\d|20\d\d)-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-](0\d|1[0-4]):[0-5]\d)", re.ASCII
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Reading:
    """A resource while it is read. Faults gather in `faults`; what could not be read is None."""

    def __init__(
        self, resource: Json, kind: str, elements: Collection[str], where: str, bundled: Bundled = ALONE
    ) -> None:
        self.resource = resource
        self.where = where
        self.bundled = bundled
        self.faults: list[Fault] = []
        if resource.get("resourceType") != kind:
            self.refuse("resourceType", kind, "another", Code.STRUCTURE)
        known = _OF_EVERY_RESOURCE | frozenset(elements)
        for name in resource:
            if name in _MODIFIES:
                self.refuse(
                    name, "nothing that changes the meaning of what is told", "it", Code.NOT_SUPPORTED
                )
            elif name.removeprefix("_") not in known:
                self.refuse("", f"elements of a {kind} (FHIR R4)", shown(name), Code.STRUCTURE)

    def refuse(self, path: str, expected: str, found: str, code: Code = Code.VALUE) -> None:
        """Keeps a fault at a place within the resource."""
        self.faults.append(Fault(f"{self.where}.{path}" if path else self.where, expected, found, code))

    def wrong(self, path: str, expected: str, value: object, code: Code = Code.STRUCTURE) -> None:
        """Keeps a fault about a value that is of another kind, or cannot be used at all."""
        if isinstance(value, Unusable):
            self.faults.append(value.at(f"{self.where}.{path}"))
        else:
            self.refuse(path, expected, kind_of(value), code)

    def part(self, parent: Json, name: str, path: str) -> Json | None:
        """An object within another; None where it is not there."""
        value = parent.get(name)
        if value is None or isinstance(value, dict):
            return cast("Json | None", value)
        self.wrong(path, "an object", value)
        return None

    def parts(self, parent: Json, name: str, path: str) -> list[tuple[str, Json]]:
        """The objects of a list within another, each with its place."""
        value = parent.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong(path, "a list", value)
            return []
        found: list[tuple[str, Json]] = []
        for number, one in enumerate(cast("list[object]", value)):
            place = f"{path}[{number}]"
            if isinstance(one, dict):
                found.append((place, cast("Json", one)))
            else:
                self.wrong(place, "an object", one)
        return found

    def text(self, parent: Json, name: str, path: str) -> str | None:
        """A text, not empty and not too long."""
        value = parent.get(name)
        if value is None:
            return None
        if isinstance(value, str) and 0 < len(value) <= LONGEST:
            return value
        expected = f"a text of 1 to {LONGEST} characters"
        if isinstance(value, str):
            self.refuse(path, expected, f"one of {len(value)}", Code.STRUCTURE)
        else:
            self.wrong(path, expected, value)
        return None

    def flag(self, parent: Json, name: str, path: str) -> bool | None:
        """True or false."""
        value = parent.get(name)
        if value is None or isinstance(value, bool):
            return value
        self.wrong(path, "true or false", value)
        return None

    def choice(self, name: str, among: Collection[str]) -> str | None:
        """One of some codes, which must be there."""
        value = self.resource.get(name)
        if isinstance(value, str) and value in among:
            return value
        expected = f"one of {', '.join(among)}"
        if value is None or isinstance(value, str):
            code = Code.REQUIRED if value is None else Code.UNKNOWN_CODE
            self.refuse(name, expected, "nothing" if value is None else shown(value), code)
        else:
            self.wrong(name, expected, value, Code.UNKNOWN_CODE)
        return None

    def moment(self, parent: Json, name: str, path: str) -> int | None:
        """A date with time and zone; what is finer than a microsecond is cut off. **Units**: microseconds."""
        value = parent.get(name)
        if value is None:
            return None
        expected = "a date with time and zone, as 2026-11-30T09:15:00+01:00"
        if isinstance(value, str):
            at_us = _moment_us(value)
            if at_us is None:
                found = "a day without a time" if _DAY.fullmatch(value) else "another text"
                self.refuse(path, expected, found)
            return at_us
        self.wrong(path, expected, value, Code.VALUE)
        return None

    def past(self, parent: Json, name: str, path: str, now_us: int) -> int | None:
        """A moment that has been. **Units**: microseconds."""
        at_us = self.moment(parent, name, path)
        if at_us is not None and at_us > now_us + TOLERANCE_US:
            self.refuse(path, "a moment that has been", "one to come", Code.RULE)
            return None
        return at_us

    def day(self, parent: Json, name: str, path: str) -> date | None:
        """A whole date; of one with a time the day as it is written."""
        value = parent.get(name)
        if value is None:
            return None
        if isinstance(value, str) and (_DAY.fullmatch(value) or _moment_us(value) is not None):
            try:
                return date.fromisoformat(value[:10])
            except ValueError:
                pass
        self.wrong(path, "a whole date, as 1948-03-02", value, Code.VALUE)
        return None

    def last_updated(self, now_us: int) -> int | None:
        """When the sender last changed it. **Units**: microseconds."""
        meta = self.part(self.resource, "meta", "meta") or {}
        return self.past(meta, "lastUpdated", "meta.lastUpdated", now_us)

    def keys(self) -> tuple[str, ...]:
        """By what the resource is known again: its identifiers, or else its id."""
        found: list[str] = []
        before = len(self.faults)
        for place, one in self.parts(self.resource, "identifier", "identifier"):
            system = self.text(one, "system", f"{place}.system")
            value = self.text(one, "value", f"{place}.value")
            if system is not None and value is not None:
                found.append(f"{system}|{value}")
        if found or len(self.faults) > before:
            return tuple(sorted(set(found)))
        own = self.text(self.resource, "id", "id")
        if own is None:
            expected = "an identifier with system and value, or an id: by it, it is known again"
            self.refuse("identifier", expected, "neither", Code.REQUIRED)
            return ()
        return (f"id|{own}",)

    def whom(self, name: str) -> Named | None:
        """The patient that a reference names: by our id, or by national number; both must be of one."""
        found = self.part(self.resource, name, name)
        if found is None:
            if self.resource.get(name) is None:
                self.refuse(name, "a reference to a patient", "nothing", Code.REQUIRED)
            return None
        return self.referred(found, name)

    def referred(self, reference: Json, path: str) -> Named | None:
        """The patient of one Reference."""
        target = self.text(reference, "reference", f"{path}.reference")
        identifiers: list[tuple[str, Json]] = []
        one = self.part(reference, "identifier", f"{path}.identifier")
        if one is not None:
            identifiers.append((f"{path}.identifier", one))
        patient_id: UUID | None = None
        if target is not None and target.startswith("#"):
            identifiers += self._contained(target[1:])
        elif target is not None and target in self.bundled:
            beside = self.bundled[target]
            if beside.get("resourceType") == "Patient":
                identifiers += self.parts(beside, "identifier", f"{path}.reference.identifier")
        elif target is not None:
            patient_id = _our_id(target)
        return self.named(identifiers, path, patient_id)

    def named(
        self, identifiers: Sequence[tuple[str, Json]], path: str, patient_id: UUID | None = None
    ) -> Named | None:
        """The patient of these identifiers. Never by name."""
        ids = set[UUID]() if patient_id is None else {patient_id}
        numbers: set[str] = set()
        before = len(self.faults)
        for place, one in identifiers:
            value = self.text(one, "value", f"{place}.value")
            if value is None or one.get("use") == "old":
                continue
            if one.get("system") == BSN:
                self._add_number(numbers, value, f"{place}.value")
            elif one.get("system") == OURS:
                ours = uuid_of(value)
                if ours is None:
                    self.refuse(f"{place}.value", "an id of ours", "another text")
                else:
                    ids.add(ours)
        if len(self.faults) > before:
            return None
        if len(ids) > 1 or len(numbers) > 1:
            self.refuse(path, "one patient", "several", Code.RULE)
            return None
        if not ids and not numbers:
            expected = f"Patient/ID by our id, or an identifier of {BSN} or {OURS}"
            self.refuse(path, expected, "none of them", Code.REQUIRED)
            return None
        return Named(next(iter(ids), None), next(iter(numbers), None))

    def _add_number(self, numbers: set[str], value: str, path: str) -> None:
        try:
            numbers.add(bsn_of(value))
        except BadInput as error:
            self.refuse(path, error.expected, error.found)

    def _contained(self, wanted: str) -> list[tuple[str, Json]]:
        for place, one in self.parts(self.resource, "contained", "contained"):
            if one.get("id") == wanted and one.get("resourceType") == "Patient":
                return self.parts(one, "identifier", f"{place}.identifier")
        return []


def shown(value: object) -> str:
    """A code as it may be repeated in a fault; of anything else only what kind of thing it is."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else kind_of(value)


def kind_of(value: object) -> str:
    """What kind of JSON a value is.

    >>> kind_of({}), kind_of(True), kind_of(1.5), kind_of(None)
    ('an object', 'true or false', 'a number', 'null')
    """
    if value is None:
        return "null"
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "a value that cannot be read")


def is_id(value: object) -> bool:
    """Whether it can be the id of a resource."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _moment_us(text: str) -> int | None:
    if not _MOMENT.fullmatch(text):
        return None
    try:
        at = datetime.fromisoformat(_to_microseconds(text))
    except ValueError:
        return None
    return to_us(at) if at.year >= 1971 else None


def _to_microseconds(text: str) -> str:
    head, point, rest = text.partition(".")
    if not point:
        return text
    digits = re.match(r"\d+", rest, re.ASCII)
    fraction = "" if digits is None else digits[0]
    return f"{head}.{fraction[:6].ljust(6, '0')}{rest[len(fraction) :]}"


def _our_id(target: str) -> UUID | None:
    """The id of a patient that a reference within our own addresses names."""
    kind, _, rest = target.partition("/")
    return uuid_of(rest.partition("/_history/")[0]) if kind == "Patient" else None


def uuid_of(value: object) -> UUID | None:
    """The id that a text is, written in full."""
    return UUID(value) if isinstance(value, str) and _UUID.fullmatch(value) else None
