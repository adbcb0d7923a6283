"""FHIR R4 Encounter (nl-core zib2020): when somebody is in hospital. Pure.

**Source**: FHIR R4 Encounter, its state machine, and `v3-ActCode`, whose classes nl-core-Encounter takes.
"""

from collections.abc import Mapping

from ingest.delivery.content import Code, Fault
from ingest.delivery.hospital.elements import ALONE, Bundled, Json, Reading, shown
from ingest.delivery.hospital.told import StayTold
from models.hospital import Said

_ELEMENTS = frozenset({
    "identifier", "status", "statusHistory", "class", "classHistory", "type", "serviceType", "priority",
    "subject", "episodeOfCare", "basedOn", "participant", "appointment", "period", "length", "reasonCode",
    "reasonReference", "diagnosis", "account", "hospitalization", "location", "serviceProvider", "partOf",
})  # fmt: skip
_CLASSES = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_DISPOSITIONS = "http://terminology.hl7.org/CodeSystem/discharge-disposition"

ADMITTED = frozenset({"IMP", "ACUTE", "NONAC", "SS", "OBSENC"})
"""A bed in hospital."""
IN_HOSPITAL = ADMITTED | {"EMER"}
"""There, whether admitted or not: what is measured at home meanwhile is not how they are."""
_ELSEWHERE = frozenset({"AMB", "FLD", "HH", "PRENC", "VR"})
_NOT_HOME = frozenset({"other-hcf", "hosp", "long", "exp", "psy", "rehab", "snf"})

_STATES: Mapping[str, Said] = {
    "planned": Said.PLANNED,
    "arrived": Said.IN_HOSPITAL,
    "triaged": Said.IN_HOSPITAL,
    "in-progress": Said.IN_HOSPITAL,
    "onleave": Said.AWAY,
    "finished": Said.OVER,
    "cancelled": Said.TAKEN_BACK,
    "entered-in-error": Said.TAKEN_BACK,
}
_IS_TOLD_OF_ITS_PERIOD = {Said.IN_HOSPITAL: "start", Said.OVER: "end"}


def map_encounter(
    resource: Json, now_us: int, *, where: str = "Encounter", bundled: Bundled = ALONE
) -> StayTold | tuple[Fault, ...]:
    """What an Encounter says, or what is wrong with it. **Units**: microseconds since 1970 UTC."""
    reading = Reading(resource, "Encounter", _ELEMENTS, where, bundled)
    keys, whom = reading.keys(), reading.whom("subject")
    state = reading.choice("status", _STATES)
    kind = _class(reading)
    told_us = reading.last_updated(now_us)
    said = None if state is None or kind is None else _said(_STATES[state], kind)
    began_us, ended_us = _period(reading, said, now_us)
    turned_us = _turned(reading, now_us)
    disposition = _disposition(reading)
    if reading.faults or whom is None or said is None:
        return tuple(reading.faults)
    over = said is Said.OVER
    return StayTold(
        whom=whom,
        keys=keys,
        said=said,
        in_hospital=kind in IN_HOSPITAL,
        began_us=began_us,
        ended_us=ended_us if over or kind in _ELSEWHERE else None,
        turned_us=turned_us,
        told_us=told_us,
        by_death=over and disposition == "exp",
        goes_home=over and kind in ADMITTED and disposition not in _NOT_HOME,
    )


def _said(state: Said, kind: str) -> Said:
    """What counts for us: at home by its class is not in hospital, whatever goes on there."""
    elsewhere = kind in _ELSEWHERE and state in {Said.IN_HOSPITAL, Said.OVER}
    return Said.AWAY if elsewhere else state


def _class(reading: Reading) -> str | None:
    coding = reading.part(reading.resource, "class", "class")
    if coding is None:
        if reading.resource.get("class") is None:
            reading.refuse("class", f"a code of {_CLASSES}", "nothing", Code.REQUIRED)
        return None
    if coding.get("system") != _CLASSES:
        found = "nothing" if coding.get("system") is None else "another"
        reading.refuse("class.system", _CLASSES, found, Code.UNKNOWN_CODE)
        return None
    code = coding.get("code")
    if isinstance(code, str) and code in IN_HOSPITAL | _ELSEWHERE:
        return code
    expected = f"one of {', '.join(sorted(IN_HOSPITAL | _ELSEWHERE))}"
    reading.refuse("class.code", expected, shown(code), Code.UNKNOWN_CODE)
    return None


def _period(reading: Reading, said: Said | None, now_us: int) -> tuple[int | None, int | None]:
    period = reading.part(reading.resource, "period", "period") or {}
    needed = None if said is None else _IS_TOLD_OF_ITS_PERIOD.get(said)
    if needed is not None and period.get(needed) is None:
        expected = f"when it {'began' if needed == 'start' else 'ended'}: nobody can say it later"
        reading.refuse(f"period.{needed}", expected, "nothing", Code.REQUIRED)
    # What is planned, or was taken back, may say anything about times; so may a stay about its end to come.
    if said not in {Said.IN_HOSPITAL, Said.OVER, Said.AWAY}:
        return None, None
    began_us = reading.past(period, "start", "period.start", now_us)
    if said is Said.IN_HOSPITAL or (said is Said.AWAY and reading.resource.get("status") != "finished"):
        return began_us, None
    ended_us = reading.past(period, "end", "period.end", now_us)
    if began_us is not None and ended_us is not None and ended_us < began_us:
        reading.refuse("period.end", "an end after the start", "one before", Code.RULE)
    return began_us, ended_us


def _turned(reading: Reading, now_us: int) -> int | None:
    ends: list[int] = []
    for place, one in reading.parts(reading.resource, "statusHistory", "statusHistory"):
        period = reading.part(one, "period", f"{place}.period") or {}
        end_us = reading.past(period, "end", f"{place}.period.end", now_us)
        if end_us is not None:
            ends.append(end_us)
    return max(ends, default=None)


def _disposition(reading: Reading) -> str | None:
    """The code of where the patient went, of HL7's own list; others say nothing that we know."""
    stay = reading.part(reading.resource, "hospitalization", "hospitalization") or {}
    path = "hospitalization.dischargeDisposition"
    concept = reading.part(stay, "dischargeDisposition", path) or {}
    codes = {
        code
        for _, coding in reading.parts(concept, "coding", f"{path}.coding")
        if coding.get("system") == _DISPOSITIONS and isinstance(code := coding.get("code"), str)
    }
    if len(codes) > 1:
        reading.refuse(path, "one code of HL7's list", f"{len(codes)}", Code.RULE)
    return next(iter(codes), None)
