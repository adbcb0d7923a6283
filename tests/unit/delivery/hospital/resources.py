"""Encounters, episodes and patients as a hospital's system sends them, and the times about them."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, cast
from uuid import UUID

from models.clock import DAY_US, HOUR_US, to_datetime

NOW_US = 1_795_332_680_000_000
PATIENT, OTHER = UUID(int=11, version=4), UUID(int=12, version=4)
BSN, ANOTHER_BSN = "111222333", "123456782"
BSN_SYSTEM = "http://fhir.nl/fhir/NamingSystem/bsn"
CLASSES = "http://terminology.hl7.org/CodeSystem/v3-ActCode"

Resource = dict[str, Any]


def at(us: int) -> str:
    return to_datetime(us).isoformat()


def by_id(patient_id: UUID = PATIENT) -> Resource:
    return {"reference": f"Patient/{patient_id}"}


def by_number(number: str = BSN) -> Resource:
    return {"identifier": {"system": BSN_SYSTEM, "value": number}}


def encounter(
    status: str = "in-progress",
    kind: str = "IMP",
    *,
    number: str = "O-1",
    subject: Resource | None = None,
    start_us: int | None = NOW_US - 5 * HOUR_US,
    end_us: int | None = None,
    updated_us: int | None = None,
    **more: Any,
) -> Resource:
    """An encounter of nl-core, as far as it matters here."""
    ends = {"start": start_us, "end": end_us}
    period = {name: at(us) for name, us in ends.items() if us is not None}
    return {
        "resourceType": "Encounter",
        "identifier": [{"system": "https://hospital.example/encounters", "value": number}],
        "status": status,
        "class": {"system": CLASSES, "code": kind, "display": "?"},
        "subject": by_id() if subject is None else subject,
        **({"period": period} if period else {}),
        **meta(updated_us),
        **more,
    }


def episode(
    status: str = "active", programme: str = "copd", *, updated_us: int | None = None, **more: Any
) -> Resource:
    return {
        "resourceType": "EpisodeOfCare",
        "id": "E-1",
        "status": status,
        "type": [{"coding": [{"system": "urn:thuiswacht:programme", "code": programme}]}],
        "patient": by_id(),
        **meta(updated_us),
        **more,
    }


def patient(*, updated_us: int | None = None, **more: Any) -> Resource:
    return {
        "resourceType": "Patient",
        "id": "P-1",
        "identifier": [{"system": BSN_SYSTEM, "value": BSN}],
        "name": [{"family": "Jansen"}],
        **meta(updated_us),
        **more,
    }


def meta(updated_us: int | None) -> Mapping[str, Any]:
    return {} if updated_us is None else {"meta": {"lastUpdated": at(updated_us)}}


def without(resource: Resource, *names: str) -> Resource:
    return {name: value for name, value in resource.items() if name not in names}


YESTERDAY_US = NOW_US - DAY_US


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a resource, itself first."""
    inner: Any = ()
    if isinstance(value, dict):
        inner = cast("Any", value).items()
    elif isinstance(value, list):
        inner = enumerate(cast("Any", value))
    return [path, *(found for key, one in inner for found in paths(one, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    """The resource with something else at a place."""
    if not path:
        return by
    copy: Any = deepcopy(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], by)
    return copy
