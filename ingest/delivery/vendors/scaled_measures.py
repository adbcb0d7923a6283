"""A cloud of scales, cuffs and thermometers that sends groups of whole numbers, each with a power of ten.

A measure is `value` × 10^`unit` in the unit of its `type`; a group is what one device measured together.
"""

from collections.abc import Mapping

from ingest.delivery.adapter import (
    Adapter,
    Event,
    LeftOut,
    Unfit,
    fields_of,
    items_of,
    moment_of,
    number_of,
    text_of,
    whole_of,
)
from ingest.delivery.clients.signatures import STAMPED
from ingest.delivery.content import Code, Delivered
from models.clock import SECOND_US
from models.messages import WireReading

_MEASURES = "measures.created"
_OTHER_EVENTS = {
    "ping": "a test message",
    "device.connected": "a device was connected",
    "device.disconnected": "a device was disconnected",
    "user.unlinked": "somebody no longer shares what they measure",
}
_TYPES = {
    1: ("body_weight", "kg"),
    9: ("diastolic", "mm[Hg]"),
    10: ("systolic", "mm[Hg]"),
    11: ("pulse", "/min"),
    12: ("temperature", "Cel"),
    54: ("spo2", "%"),
    71: ("temperature", "Cel"),
}
_NOT_FOLLOWED = {
    4: "height",
    5: "fat-free mass",
    6: "share of fat",
    8: "mass of fat",
    73: "temperature of the skin",
    76: "mass of muscle",
    77: "water",
    88: "mass of bone",
    91: "pulse wave velocity",
}
_MEASURED, _GOAL = 1, 2
_CERTAIN = (0, 5, 7, 8)
"""By a device, of this user: of itself, the mean of several, confirmed by them, or the same once more.

1 may be of somebody else in the house; 2 and 4 were typed in by hand.
"""


def read(payload: object, _headers: Mapping[str, str]) -> Event:
    """The groups of a message; what is about users and devices is left out."""
    event = Event()
    with event.noting():
        fields = fields_of(payload, "body")
        name = text_of(fields, "event", "")
        if name in _OTHER_EVENTS:
            event.left_out.append(LeftOut("event", _OTHER_EVENTS[name]))
            return event
        if name != _MEASURES:
            expected = ", ".join([_MEASURES, *_OTHER_EVENTS])
            raise Unfit("event", f"one of {expected}", name, Code.UNKNOWN_CODE)
        for number, group in enumerate(items_of(fields, "measuregrps", "")):
            with event.noting():
                _read_group(event, fields_of(group, f"measuregrps[{number}]"), f"measuregrps[{number}]")
    return event


def _read_group(event: Event, group: Mapping[str, object], where: str) -> None:
    category = whole_of(group, "category", where)
    if category == _GOAL:
        event.left_out.append(LeftOut(where, "a goal, nothing measured"))
        return
    if category != _MEASURED:
        raise Unfit(f"{where}.category", f"{_MEASURED} or {_GOAL}", category, Code.UNKNOWN_CODE)
    attribution = whole_of(group, "attrib", where)
    if attribution not in _CERTAIN:
        expected = "measured by a device and certainly of this user: " + ", ".join(map(str, _CERTAIN))
        raise Unfit(f"{where}.attrib", expected, attribution, Code.RULE)
    taken_at_us = moment_of(group, "date", where, SECOND_US)
    device_id, together = text_of(group, "deviceid", where), str(whole_of(group, "grpid", where))
    readings: list[WireReading] = []
    places: list[str] = []
    for number, one in enumerate(items_of(group, "measures", where)):
        place = f"{where}.measures[{number}]"
        with event.noting():
            measure = fields_of(one, place)
            kind = whole_of(measure, "type", place)
            if kind in _NOT_FOLLOWED:
                event.left_out.append(LeftOut(place, _NOT_FOLLOWED[kind]))
                continue
            if kind not in _TYPES:
                expected = "one of " + ", ".join(map(str, sorted(_TYPES)))
                raise Unfit(f"{place}.type", expected, kind, Code.UNKNOWN_CODE)
            name, unit = _TYPES[kind]
            value = number_of(measure, "value", place, whole_of(measure, "unit", place))
            readings.append(
                {"kind": name, "taken_at_us": taken_at_us, "value": value, "unit": unit, "group": together}
            )
            places.append(place)
    if readings:
        event.delivered.append(Delivered(tuple(readings), tuple(places), device_id))


ADAPTER = Adapter(STAMPED, read)
