"""Conditions on which something is created or updated: If-None-Exist, If-Match. Pure.

What is asked for by If-None-Exist has to be what the resource itself says: then it asks whether this very
resource is here, which its id answers. Whatever else it could ask is refused, never taken for granted.
**Source**: FHIR R4, RESTful API, conditional create and managing resource contention.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import cast
from urllib.parse import parse_qsl

from ingest.delivery.content import Code, Fault
from ingest.delivery.fhir.elements import Element, shown
from ingest.delivery.fhir.references import NOTHING_BUNDLED, Bundled, device_of

_ETAG = re.compile(r'(?:W/)?"(0|[1-9][0-9]{0,9})"')
_IDENTIFIER = "identifier"
_DEVICE = ("device.identifier", "device:identifier")
_PATIENT = ("patient", "subject")
_TAKEN = (_IDENTIFIER, *_DEVICE, "date", "code", *_PATIENT)


def read_if_match(value: str, where: str) -> int | Fault:
    """The revision that is meant to be the one stored."""
    found = _ETAG.fullmatch(value.strip())
    if found is None:
        return Fault(where, 'one version, as in an ETag: W/"0"', shown(value), Code.STRUCTURE)
    return int(found[1])


def read_if_none_exist(
    value: str, resource: Element, where: str, bundled: Bundled = NOTHING_BUNDLED
) -> Fault | None:
    """What is wrong with the condition; none where it asks for what the resource is.

    `bundled` has the resources of the same bundle, one of which may be the device. A fault with the code
    RULE means that another resource could be meant as well.
    """
    try:
        pairs = parse_qsl(
            value.removeprefix("?"), keep_blank_values=True, strict_parsing=True, max_num_fields=8
        )
    except ValueError:
        return Fault(where, "a search such as identifier=system|value", shown(value), Code.STRUCTURE)
    asked = dict(pairs)
    if len(asked) < len(pairs):
        return Fault(where, "each parameter once", _names(pairs), Code.NOT_SUPPORTED)
    if unknown := [pair for pair in pairs if pair[0] not in _TAKEN]:
        return Fault(where, f"one of {', '.join(_TAKEN)}", _names(unknown), Code.NOT_SUPPORTED)
    for name, wanted in pairs:
        if not _stands(name, wanted, resource, bundled):
            return Fault(where, f"{name} as it stands in the resource", "another", Code.RULE)
    if _IDENTIFIER not in asked and not ("date" in asked and any(name in asked for name in _DEVICE)):
        return Fault(where, "identifier, or device.identifier with date", _names(pairs), Code.RULE)
    return None


def _stands(name: str, wanted: str, resource: Element, bundled: Bundled) -> bool:
    """Whether the resource says of itself what is asked for."""
    if name == _IDENTIFIER:
        return any(_is_token(wanted, one, "value") for one in _many(resource.get("identifier")))
    if name in _DEVICE:
        device = _only(resource.get("device"))
        sent = device_of(resource, device.get("reference"), bundled) or {}
        inside = [*_many(device.get("identifier")), *_many(sent.get("identifier"))]
        return any(_is_token(wanted, one, "value") for one in inside)
    if name == "code":
        codings = _many(_only(resource.get("code")).get("coding"))
        return any(_is_token(wanted, one, "code") for one in codings)
    if name == "date":
        return _is_date(wanted, resource)
    return _is_patient(wanted, _only(resource.get("subject")))


def _is_token(wanted: str, found: Element, key: str) -> bool:
    """Whether `system|code`, `|code` or `code` is what is found; a comma would mean one or the other."""
    parts = re.split(r"(?<!\\)\|", wanted)
    if len(parts) > 2 or re.search(r"(?<!\\),", wanted):
        return False
    *system, value = (re.sub(r"\\([\\|,$])", r"\1", part) for part in parts)
    # A plus that was not escaped arrives as a space, here and in dates.
    if not value or found.get(key) not in (value, value.replace(" ", "+")):
        return False
    return not system or found.get("system", "") == system[0]


def _is_date(wanted: str, resource: Element) -> bool:
    found = [
        resource.get("effectiveDateTime"),
        resource.get("effectiveInstant"),
        resource.get("authored"),
        _only(resource.get("effectivePeriod")).get("start"),
    ]
    # A plus that was not escaped arrives as a space.
    asked = wanted.removeprefix("eq").replace(" ", "+")
    at = _moment(asked)
    return any(
        one == asked or (at is not None and _moment(one) == at) for one in found if isinstance(one, str)
    )


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _is_patient(wanted: str, subject: Element) -> bool:
    reference = subject.get("reference")
    return reference in {wanted, f"Patient/{wanted}"} if isinstance(reference, str) else False


def _only(value: object) -> Element:
    return cast("Element", value) if isinstance(value, dict) else {}


def _many(value: object) -> list[Element]:
    """Each object of an array; an object by itself is an array of one (QuestionnaireResponse.identifier)."""
    found = cast("list[object]", value) if isinstance(value, list) else [value]
    return [cast("Element", one) for one in found if isinstance(one, dict)]


def _names(pairs: Sequence[tuple[str, str]]) -> str:
    """Names of parameters without their values, which may be a patient's."""
    return shown(", ".join(name for name, _ in pairs)) if pairs else "nothing"
