"""A Bundle of FHIR taken apart: what each of its entries asks for, or why it is refused. Pure.

One bad entry does not take the others with it; what a transaction makes of that is for who carries it out.
**Source**: FHIR R4, Bundle (bdl-3, bdl-7, bdl-8), and RESTful API, batch and transaction.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qsl

from ingest.delivery.content import Code
from ingest.delivery.fhir.capability import SYSTEM_INTERACTIONS, TAKEN, Interaction
from ingest.delivery.fhir.elements import Element, shown
from ingest.delivery.fhir.interaction import (
    Asked,
    Conditions,
    Refused,
    check_resource,
    object_of,
    refuse,
    with_conditions,
)
from ingest.delivery.fhir.references import OUR_PATIENT, Bundled

MAX_ENTRIES = 1_000
"""So many in one request; more would keep others waiting."""

_OF_BUNDLE = frozenset(
    {
        "resourceType",
        "id",
        "meta",
        "language",
        "identifier",
        "type",
        "timestamp",
        "total",
        "link",
        "entry",
        "signature",
    }
)
_OF_ENTRY = frozenset({"id", "extension", "link", "fullUrl", "resource", "request"})
_OF_REQUEST = frozenset({"id", "extension", "method", "url", "ifMatch", "ifNoneExist"})
_METHODS: Mapping[str, Interaction] = {"POST": Interaction.CREATE, "PUT": Interaction.UPDATE}
_OTHER_METHODS = frozenset({"GET", "HEAD", "DELETE", "PATCH"})
_SUPPORTING = frozenset({"Device", "Patient"})
_TELLING = ("deceasedBoolean", "deceasedDateTime", "link")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_LOCAL = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
"""FHIR wants absolute addresses; senders write these as well, and what is meant is plain."""
_ABSOLUTE = ("urn:uuid:", "urn:oid:", "http://", "https://")


@dataclass(frozen=True, slots=True)
class Supporting:
    """A Device or Patient that others refer to: taken for its identifiers, kept nowhere."""

    place: str
    type: str


Entry = Asked | Supporting | Refused


@dataclass(frozen=True, slots=True)
class Bundle:
    """What the entries ask for, in their order. `together`: all of it or nothing (a transaction)."""

    together: bool
    entries: tuple[Entry, ...]


def read_bundle(body: object) -> Bundle | Refused:
    """What a Bundle asks for; refused as a whole where it is none, or none that is taken."""
    bundle = object_of(body)
    type_ = None if bundle is None else bundle.get("resourceType")
    if bundle is None or type_ != "Bundle":
        hint = "a Bundle; a resource by itself goes to its own address, such as /fhir/Observation"
        return refuse(400, "Bundle", hint, _found(type_), Code.STRUCTURE)
    if refused := _unknown(bundle, _OF_BUNDLE, "Bundle"):
        return refused
    type_ = bundle.get("type")
    if type_ not in SYSTEM_INTERACTIONS:
        code = Code.REQUIRED if type_ is None else Code.NOT_SUPPORTED
        return refuse(422, "Bundle.type", " or ".join(SYSTEM_INTERACTIONS), _found(type_), code)
    entries = bundle.get("entry")
    if not isinstance(entries, list) or not entries:
        return refuse(422, "Bundle.entry", "an array of entries", "none", Code.REQUIRED)
    many = cast("list[object]", entries)
    if len(many) > MAX_ENTRIES:
        return refuse(413, "Bundle.entry", f"at most {MAX_ENTRIES} entries", str(len(many)), Code.TOO_LONG)
    return Bundle(type_ == "transaction", _read_entries(many))


def _read_entries(entries: Sequence[object]) -> tuple[Entry, ...]:
    known = [object_of(entry) or {} for entry in entries]
    urls = Counter(url for entry in known if isinstance(url := entry.get("fullUrl"), str))
    twice = frozenset(url for url, times in urls.items() if times > 1)
    bundled = {reference: resource for entry in known for reference, resource in _references(entry)}
    return tuple(
        _read_entry(entry, f"Bundle.entry[{at}]", bundled, twice) for at, entry in enumerate(entries)
    )


def _references(entry: Element) -> Iterator[tuple[str, Element]]:
    """What other entries may call the resource of an entry, and what it calls others by their identifiers.

    Beside `https://…/Observation/1`, `Device/2` means `https://…/Device/2`.
    """
    resource = object_of(entry.get("resource"))
    if resource is None:
        return
    type_, id_, url = resource.get("resourceType"), resource.get("id"), entry.get("fullUrl")
    if isinstance(type_, str) and type_ in _SUPPORTING:
        local = f"{type_}/{id_}"
        if local.startswith("Patient/") and (object_of(entry.get("request")) or {}).get("url") == local:
            # Put to an id: that is how we know them.
            resource = {**resource, "identifier": [{"system": OUR_PATIENT, "value": id_}]}
        if isinstance(url, str):
            yield url, resource
        if isinstance(id_, str) and not (isinstance(url, str) and url.startswith("urn:")):
            yield local, resource
        return
    for name in ("device", "subject"):
        reference = (object_of(resource.get(name)) or {}).get("reference")
        if isinstance(reference, str) and "?" in reference and (found := _searched(reference)):
            yield reference, found


def _searched(reference: str) -> Element | None:
    """What a conditional reference means, such as `Device?identifier=system|value`."""
    type_, _, query = reference.partition("?")
    pairs = parse_qsl(query)
    if type_ not in _SUPPORTING or len(pairs) != 1 or pairs[0][0] != "identifier" or "," in pairs[0][1]:
        return None
    system, _, value = pairs[0][1].rpartition("|")
    return {"resourceType": type_, "identifier": [{"system": system, "value": value}]}


def _read_entry(entry: object, place: str, bundled: Bundled, twice: frozenset[str]) -> Entry:
    known = object_of(entry)
    if known is None:
        return refuse(400, place, "an object with resource and request", _found(entry), Code.STRUCTURE)
    if refused := _unknown(known, _OF_ENTRY, place):
        return refused
    request = object_of(known.get("request"))
    if request is None:
        found = _found(known.get("request"))
        return refuse(400, f"{place}.request", "an object with method and url", found, Code.REQUIRED)
    if refused := _unknown(request, _OF_REQUEST, f"{place}.request") or _refuse_full_url(known, place, twice):
        return refused
    return _read_request(known.get("resource"), request, place, bundled)


def _refuse_full_url(entry: Element, place: str, twice: frozenset[str]) -> Refused | None:
    if "fullUrl" not in entry:
        return None
    where = f"{place}.fullUrl"
    url = entry["fullUrl"]
    if not isinstance(url, str) or not (url.startswith(_ABSOLUTE) or _LOCAL.fullmatch(url)):
        return refuse(400, where, "an absolute address, such as urn:uuid:…", _found(url), Code.STRUCTURE)
    if url in twice:
        return refuse(400, where, "an address that no other entry has", shown(url), Code.RULE)
    id_ = (object_of(entry.get("resource")) or {}).get("id")
    if url.startswith("http") and id_ is not None and url.rsplit("/", 1)[-1] != id_:
        return refuse(400, where, "an address that ends with the id of the resource", shown(url), Code.RULE)
    return None


def _read_request(resource: object, request: Element, place: str, bundled: Bundled) -> Entry:
    interaction = _read_method(request.get("method"), f"{place}.request.method")
    if isinstance(interaction, Refused):
        return interaction
    address = _read_url(request.get("url"), interaction, f"{place}.request.url")
    if isinstance(address, Refused):
        return address
    type_, to = address
    where = f"{place}.resource"
    if _is_supporting(type_, resource):
        return Supporting(where, type_)
    if refused := check_resource(where, type_, resource, to):
        return refused
    asked = Asked(where, interaction, type_, cast("Element", resource), to, bundled=bundled)
    return _on_conditions(asked, request, place)


def _read_method(method: object, where: str) -> Interaction | Refused:
    found = _METHODS.get(method) if isinstance(method, str) else None
    if found is not None:
        return found
    status = 405 if isinstance(method, str) and method in _OTHER_METHODS else 400
    return refuse(status, where, "POST or PUT", _found(method), Code.NOT_SUPPORTED)


def _read_url(url: object, interaction: Interaction, where: str) -> tuple[str, str | None] | Refused:
    """The type and the id of a relative address."""
    type_, slash, id_ = (url if isinstance(url, str) else "").removeprefix("/").partition("/")
    if type_.isalnum() and type_.isascii():
        if interaction is Interaction.CREATE and not slash:
            return type_, None
        if interaction is Interaction.UPDATE and _ID.fullmatch(id_):
            return type_, id_
    expected = "Observation" if interaction is Interaction.CREATE else "Observation/and-its-id"
    code = Code.NOT_SUPPORTED if "?" in type_ else Code.STRUCTURE
    return refuse(400, where, f"a relative address, such as {expected}", _found(url), code)


def _is_supporting(type_: str, resource: object) -> bool:
    """Whether it is there for its identifiers: a Device, or a Patient that tells nothing of our concern."""
    known = object_of(resource)
    if type_ not in _SUPPORTING or known is None or known.get("resourceType") != type_:
        return False
    return type_ not in TAKEN or not any(name in known for name in _TELLING)


def _on_conditions(asked: Asked, request: Element, place: str) -> Entry:
    if "ifMatch" not in request and "ifNoneExist" not in request:
        return asked
    found: dict[str, str | None] = {}
    for name in ("ifMatch", "ifNoneExist"):
        value = request.get(name)
        if value is not None and not isinstance(value, str):
            return refuse(400, f"{place}.request.{name}", "a text", "something else", Code.STRUCTURE)
        found[name] = value
    at = f"{place}.request.ifMatch", f"{place}.request.ifNoneExist"
    return with_conditions(asked, Conditions(found["ifMatch"], found["ifNoneExist"], *at))


def _unknown(element: Element, known: frozenset[str], place: str) -> Refused | None:
    """A refusal for the first thing that FHIR does not have there, or that would change what is meant."""
    if known.issuperset(element):
        return None
    for name in element:
        if name not in known and not (name.startswith("_") and name[1:] in known):
            return refuse(400, place, f"one of {', '.join(sorted(known))}", shown(name), Code.STRUCTURE)
    return None


def _found(value: object) -> str:
    return "nothing" if value is None else shown(value)
