"""What became of interactions, in FHIR's words: a response by itself, or those of a bundle. Pure.

What is accepted is in the log, and not stored yet: its address tells what became of it. A resource may be
accepted while one of its components is refused; the answer says so whatever was asked to be in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple, cast
from uuid import UUID

from ingest.delivery.content import Fault
from ingest.delivery.fhir.elements import Element
from ingest.delivery.fhir.interaction import Refused, object_of
from ingest.delivery.fhir.negotiation import Return
from ingest.delivery.fhir.outcome import information, issue_of
from ingest.delivery.strict import Unusable
from models.clock import to_datetime

SUPPORTING = "Taken for its identifiers, which other entries refer to; it is not kept."
ACCEPTED = "It is in the log."
DUPLICATE = "It is stored already, the same."
FATE = "What became of it:"
UNDONE = 424
"""Of what was fine, in a transaction of which something else was refused."""


class Version(NamedTuple):
    """A resource as it now is here. **Units**: `at_us` in microseconds since 1970 UTC: when it was taken."""

    type: str
    id: UUID
    revision: int
    at_us: int | None
    resource: Element
    """As it was sent."""

    @property
    def location(self) -> str:
        """Its address, relative to that of the service."""
        return f"{self.type}/{self.id}/_history/{self.revision}"

    @property
    def etag(self) -> str:
        """By which If-Match names it."""
        return f'W/"{self.revision}"'


class Response(NamedTuple):
    """What became of one interaction. `address` (a path) tells what became of what is in the log."""

    status: int
    said: str | None = None
    faults: tuple[Fault, ...] = ()
    version: Version | None = None
    address: str | None = None

    @property
    def is_refused(self) -> bool:
        """Whether nothing of it counts."""
        return self.status >= HTTPStatus.BAD_REQUEST


def response_of(refused: Refused) -> Response:
    """What is answered to an interaction that is not carried out."""
    return Response(refused.status, faults=refused.faults)


def refusal(status: int, *faults: Fault) -> Response:
    """What is answered where it is known already that nothing of it counts."""
    return Response(status, faults=faults)


@dataclass(frozen=True, slots=True)
class Http:
    """A response by itself; without a body where none was wanted."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, object] | None


def http_of(response: Response, wanted: Return | None, url: str) -> Http:
    """The response to a request of its own. `url`: the FHIR address of the service."""
    headers: dict[str, str] = {}
    if response.address is not None:
        headers["content-location"] = response.address
    version = response.version
    if version is not None and not response.is_refused:
        headers |= {"location": f"{url}/{version.location}", "etag": version.etag}
        if version.at_us is not None:
            headers["last-modified"] = format_datetime(
                _moment(version.at_us).replace(microsecond=0), usegmt=True
            )
    body: Mapping[str, object] | None = outcome_of(response)
    if not response.faults:
        if wanted is Return.MINIMAL:
            body = None
        elif wanted is Return.REPRESENTATION and version is not None:
            body = representation(version)
    return Http(response.status, headers, body)


def bundle_of(responses: Sequence[Response], wanted: Return | None, *, together: bool) -> dict[str, object]:
    """The Bundle that answers a Bundle: an entry for each entry, in the same order."""
    return {
        "resourceType": "Bundle",
        "type": "transaction-response" if together else "batch-response",
        "entry": [_entry(one, wanted) for one in responses],
    }


def _entry(response: Response, wanted: Return | None) -> dict[str, object]:
    told: dict[str, object] = {"status": _STATUS_LINES[response.status]}
    version = response.version
    entry: dict[str, object] = {}
    if version is not None and not response.is_refused:
        told |= {"location": version.location, "etag": version.etag}
        if version.at_us is not None:
            told["lastModified"] = _written(version.at_us)
        if wanted is Return.REPRESENTATION:
            entry["resource"] = representation(version)
    # Also where little is wanted: it says where to look for what became of it.
    told["outcome"] = outcome_of(response)
    entry["response"] = told
    return entry


_STATUS_LINES = {one.value: f"{one.value} {one.phrase}" for one in HTTPStatus}


def whole_refused(responses: Sequence[Response]) -> Response:
    """A transaction of which something was refused, and so everything: with the status of the first."""
    refused = [one for one in responses if one.is_refused and one.status != UNDONE]
    return Response(refused[0].status, faults=tuple(fault for one in refused for fault in one.faults))


def outcome_of(response: Response) -> dict[str, object]:
    """All that is wrong, and what else is to be said, as an OperationOutcome."""
    issues = [issue_of(fault) for fault in response.faults]
    if not response.is_refused:
        # What counts did not fail: these are about a part of it.
        issues = [issue | {"severity": "warning"} for issue in issues]
    if response.said is not None:
        issues.append(information(response.said))
    if response.address is not None:
        issues.append(information(f"{FATE} {response.address}"))
    return {"resourceType": "OperationOutcome", "issue": issues or [information("Done.")]}


def representation(version: Version) -> dict[str, object]:
    """The resource as it was sent, with the id and the version that it has here.

    What could not be used, and was in nothing that is kept, is left out.
    """
    resource = cast("Element", _usable(version.resource))
    meta = object_of(resource.get("meta")) or {}
    known: dict[str, object] = {"versionId": str(version.revision)}
    if version.at_us is not None:
        known["lastUpdated"] = _written(version.at_us)
    return {**resource, "id": str(version.id), "meta": {**meta, **known}}


def _usable(value: object) -> object:
    match value:
        case dict():
            known = cast("dict[str, object]", value)
            return {name: _usable(one) for name, one in known.items() if not isinstance(one, Unusable)}
        case list():
            return [_usable(one) for one in cast("list[object]", value) if not isinstance(one, Unusable)]
        case _:
            return value


def _moment(at_us: int) -> datetime:
    return to_datetime(at_us)


@lru_cache(maxsize=16)
def _written(at_us: int) -> str:
    """The moment as FHIR writes it; all entries of a bundle have the same one."""
    return _moment(at_us).isoformat()
