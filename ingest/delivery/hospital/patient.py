"""FHIR R4 Patient (nl-core zib2020): that somebody died, or is registered twice. Pure.

Of all else that a Patient holds nothing is taken: who somebody is, is known from their inclusion.
"""

import re
from datetime import date

from ingest.delivery.content import Code, Fault, Named
from ingest.delivery.hospital.elements import (
    ALONE,
    BSN,
    OURS,
    Bundled,
    Json,
    Reading,
    kind_of,
    shown,
    uuid_of,
)
from ingest.delivery.hospital.told import Double, PersonTold
from models.clock import DAY_US, to_datetime

_ELEMENTS = frozenset({
    "identifier", "active", "name", "telecom", "gender", "birthDate", "deceasedBoolean", "deceasedDateTime",
    "address", "maritalStatus", "multipleBirthBoolean", "multipleBirthInteger", "photo", "contact",
    "communication", "generalPractitioner", "managingOrganization", "link",
})  # fmt: skip
_DOUBLE, _STAYS = "replaced-by", "replaces"
_LINKS = (_DOUBLE, _STAYS, "refer", "seealso")
"""The last two are about records elsewhere that are not the same."""
_PART_OF_A_DATE = re.compile(r"(19|20)\d\d(-(0[1-9]|1[0-2]))?", re.ASCII)


def map_patient(
    resource: Json, now_us: int, *, where: str = "Patient", bundled: Bundled = ALONE
) -> PersonTold | tuple[Fault, ...]:
    """What a Patient says, or what is wrong with it. **Units**: `now_us` in microseconds since 1970 UTC."""
    reading = Reading(resource, "Patient", _ELEMENTS, where, bundled)
    whom = _whom(reading)
    birth_date = _day(reading, "birthDate")
    died = _died(reading)
    died_on = _died_on(reading, now_us)
    doubles = tuple(_doubles(reading))
    told_us = reading.last_updated(now_us)
    if reading.faults or whom is None:
        return tuple(reading.faults)
    return PersonTold(whom, birth_date, died, died_on, doubles, told_us)


def _whom(reading: Reading) -> Named | None:
    """By number or our id among the identifiers; only where there is neither, its id is taken for ours."""
    identifiers = reading.parts(reading.resource, "identifier", "identifier")
    telling = [(place, one) for place, one in identifiers if one.get("system") in (BSN, OURS)]
    own = uuid_of(reading.resource.get("id"))
    if not telling and own is not None:
        return Named(patient_id=own)
    return reading.named(telling, "identifier")


def _died(reading: Reading) -> bool | None:
    resource = reading.resource
    for name in ("deceasedBoolean", "deceasedDateTime"):
        if f"_{name}" in resource and resource.get(name) is None:
            reading.refuse(
                name, "a value; where the day is not known, deceasedBoolean", "none", Code.REQUIRED
            )
    said = reading.flag(resource, "deceasedBoolean", "deceasedBoolean")
    if resource.get("deceasedDateTime") is None:
        return said
    if resource.get("deceasedBoolean") is not None:
        reading.refuse("deceasedBoolean", "one of deceasedBoolean and deceasedDateTime", "both", Code.RULE)
    return True


def _day(reading: Reading, name: str) -> date | None:
    """A whole day; a year, or a month of one, tells nothing that is used here."""
    value = reading.resource.get(name)
    if isinstance(value, str) and _PART_OF_A_DATE.fullmatch(value):
        return None
    return reading.day(reading.resource, name, name)


def _died_on(reading: Reading, now_us: int) -> date | None:
    """The day, to see that it can be; the follow-up ends when we are told, whatever the day was."""
    day = _day(reading, "deceasedDateTime")
    # A day more: it may be tomorrow already where it was written down.
    if day is not None and day > to_datetime(now_us + DAY_US).date():
        reading.refuse("deceasedDateTime", "a day that has been", "one to come", Code.RULE)
    return day


def _doubles(reading: Reading) -> list[Double]:
    found: list[Double] = []
    for place, link in reading.parts(reading.resource, "link", "link"):
        kind = link.get("type")
        if kind not in _LINKS:
            given = "nothing" if kind is None else shown(kind)
            reading.refuse(f"{place}.type", f"one of {', '.join(_LINKS)}", given, Code.UNKNOWN_CODE)
            continue
        if kind not in (_DOUBLE, _STAYS):
            continue
        other = reading.part(link, "other", f"{place}.other")
        if other is None:
            reading.refuse(
                f"{place}.other", "the other registration", kind_of(link.get("other")), Code.REQUIRED
            )
            continue
        named = reading.referred(other, f"{place}.other")
        if named is not None:
            found.append(Double(f"{reading.where}.{place}.other", named, is_other=kind == _STAYS))
    return found
