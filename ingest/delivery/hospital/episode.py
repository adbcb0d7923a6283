"""FHIR R4 EpisodeOfCare: that somebody joins or leaves one of our programmes. Pure."""

from collections.abc import Mapping

from ingest.delivery.content import Code, Fault
from ingest.delivery.hospital.elements import ALONE, Bundled, Json, Reading
from ingest.delivery.hospital.told import EpisodeTold
from models.hospital import Said

PROGRAMME = "urn:thuiswacht:programme"
_ELEMENTS = frozenset({
    "identifier", "status", "statusHistory", "type", "diagnosis", "patient", "managingOrganization", "period",
    "referralRequest", "careManager", "team", "account",
})  # fmt: skip
_STATES: Mapping[str, Said] = {
    "planned": Said.PLANNED,
    "waitlist": Said.PLANNED,
    "active": Said.ACTIVE,
    "onhold": Said.AWAY,
    "finished": Said.OVER,
    "cancelled": Said.OVER,
    "entered-in-error": Said.TAKEN_BACK,
}


def map_episode(
    resource: Json, now_us: int, *, where: str = "EpisodeOfCare", bundled: Bundled = ALONE
) -> EpisodeTold | tuple[Fault, ...]:
    """What an EpisodeOfCare says, or what is wrong with it. **Units**: microseconds since 1970 UTC."""
    reading = Reading(resource, "EpisodeOfCare", _ELEMENTS, where, bundled)
    keys, whom = reading.keys(), reading.whom("patient")
    state = reading.choice("status", _STATES)
    programme = _programme(reading)
    told_us = reading.last_updated(now_us)
    if reading.faults or whom is None or state is None or programme is None:
        return tuple(reading.faults)
    return EpisodeTold(whom, keys, _STATES[state], programme, told_us)


def _programme(reading: Reading) -> str | None:
    """The programme that one of the codings of its types names."""
    found: set[str] = set()
    for place, concept in reading.parts(reading.resource, "type", "type"):
        for at, coding in reading.parts(concept, "coding", f"{place}.coding"):
            if coding.get("system") == PROGRAMME:
                code = reading.text(coding, "code", f"{at}.code")
                found |= set() if code is None else {code}
    if len(found) == 1:
        return next(iter(found))
    expected = f"one coding of {PROGRAMME}: the programme that it is about"
    reading.refuse(
        "type", expected, "none" if not found else "several", Code.REQUIRED if not found else Code.RULE
    )
    return None
