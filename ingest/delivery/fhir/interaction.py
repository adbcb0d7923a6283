"""What is asked for with one resource, whether by a request of its own or by an entry of a bundle. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, cast

from ingest.delivery.content import Code, Fault
from ingest.delivery.fhir.capability import READINGS, TAKEN, Interaction
from ingest.delivery.fhir.conditional import read_if_match, read_if_none_exist
from ingest.delivery.fhir.elements import Element, shown
from ingest.delivery.fhir.references import NOTHING_BUNDLED, Bundled

STATUSES: Mapping[Code, int] = {
    Code.STRUCTURE: 422,
    Code.REQUIRED: 422,
    Code.VALUE: 422,
    Code.UNKNOWN_CODE: 422,
    Code.NOT_SUPPORTED: 422,
    Code.NOT_FOUND: 404,
    Code.FORBIDDEN: 403,
    Code.CONFLICT: 409,
    Code.RULE: 422,
    Code.TOO_LONG: 413,
}
"""With which status something is refused, where nothing says otherwise."""


class Asked(NamedTuple):
    """One interaction with one resource.

    `place` is where the resource stands in what was sent, `to` the id that it is put to. `if_match`: the
    revision that must be the one stored; `once`: only where it is not here yet. `bundled` has what stands
    beside it in the same bundle.
    """

    place: str
    interaction: Interaction
    type: str
    resource: Element
    to: str | None = None
    if_match: int | None = None
    once: bool = False
    bundled: Bundled = NOTHING_BUNDLED


@dataclass(frozen=True, slots=True)
class Refused:
    """An interaction that is not carried out: the status of HTTP that says so, and why."""

    status: int
    faults: tuple[Fault, ...]


def refuse(status: int, where: str, expected: str, found: str, code: Code) -> Refused:
    """A refusal for one reason."""
    return Refused(status, (Fault(where, expected, found, code),))


def refused_for(faults: tuple[Fault, ...]) -> Refused:
    """A refusal with the status that goes with the first fault."""
    return Refused(STATUSES[faults[0].code], faults)


def object_of(value: object) -> Element | None:
    """A JSON object; None for anything else."""
    return cast("Element", value) if isinstance(value, dict) else None


def check_resource(place: str, type_: str, resource: object, to: str | None) -> Refused | None:
    """Whether it is the resource that the address says. `to`: the id in the address of an update."""
    if type_ not in TAKEN:
        return refuse(404, place, f"one of {', '.join(TAKEN)}", shown(type_), Code.NOT_SUPPORTED)
    known = object_of(resource)
    if known is None:
        return refuse(400, place, f"a resource {type_}", _found(resource), Code.STRUCTURE)
    found, id_ = known.get("resourceType"), known.get("id")
    if found != type_:
        return refuse(400, f"{place}.resourceType", type_, _found(found), Code.STRUCTURE)
    if to is not None and id_ != to:
        return refuse(400, f"{place}.id", f"{shown(to)}, as in the address", _found(id_), Code.STRUCTURE)
    return None


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditions as they were sent, and where they stand."""

    if_match: str | None = None
    if_none_exist: str | None = None
    if_match_at: str = "http.If-Match"
    if_none_exist_at: str = "http.If-None-Exist"


def with_conditions(asked: Asked, conditions: Conditions) -> Asked | Refused:
    """The same, on the conditions that were sent; refused where one cannot be understood or kept."""
    match, none_exist = conditions.if_match, conditions.if_none_exist
    if asked.type not in READINGS and (match is not None or none_exist is not None):
        at = conditions.if_match_at if none_exist is None else conditions.if_none_exist_at
        return refuse(412, at, f"no condition on {asked.type}", "one", Code.NOT_SUPPORTED)
    if match is not None:
        found = _revision(asked, match, conditions.if_match_at)
        if isinstance(found, Refused):
            return found
        asked = asked._replace(if_match=found)
    if none_exist is not None:
        refused = _refuse_once(asked, none_exist, conditions.if_none_exist_at)
        return asked._replace(once=True) if refused is None else refused
    return asked


def _revision(asked: Asked, condition: str, at: str) -> int | Refused:
    if asked.interaction is not Interaction.UPDATE:
        return refuse(400, at, "an update (PUT)", asked.interaction, Code.NOT_SUPPORTED)
    found = read_if_match(condition, at)
    return Refused(400, (found,)) if isinstance(found, Fault) else found


def _refuse_once(asked: Asked, condition: str, at: str) -> Refused | None:
    if asked.interaction is not Interaction.CREATE:
        return refuse(400, at, "a create (POST)", asked.interaction, Code.NOT_SUPPORTED)
    fault = read_if_none_exist(condition, asked.resource, at, asked.bundled)
    if fault is None:
        return None
    return Refused(412 if fault.code is Code.RULE else 400, (fault,))


def _found(value: object) -> str:
    return "nothing" if value is None else shown(value)
