"""Scales and cuffs with a SIM card: one flat message for each measurement, in grams and pascal.

The header `X-Hub-Event` says what a message is about. `ts` is in milliseconds, the battery in millivolt,
`tare` how far the zero point of a scale has moved.
"""

from collections.abc import Mapping

from ingest.delivery.adapter import (
    Adapter,
    Event,
    LeftOut,
    Unfit,
    fields_of,
    moment_of,
    number_of,
    text_of,
    whole_of,
)
from ingest.delivery.clients.signatures import BODY
from ingest.delivery.content import Code, Delivered
from models.messages import WireReading

_EVENT = "x-hub-event"
_MEASUREMENT = "measurement"
_OTHER_EVENTS = {
    "ping": "a test message",
    "heartbeat": "a sign of life",
    "activated": "a device was activated",
}
_MILLISECOND_US = 1_000
_EMPTY_MV = 4_700
_MOST_TARE_G = 100
_VALUES = {
    # name: kind, unit, power of ten to the unit
    "weight": ("body_weight", "g", 0),
    "systolic": ("systolic", "kPa", -3),
    "diastolic": ("diastolic", "kPa", -3),
    "pulse": ("pulse", "/min", 0),
}
_NOT_FOLLOWED = {
    "unit": "what the display was set to",
    "tare": "how far the zero point has moved",
    "irregular": "whether the pulse was irregular",
    "movement": "whether the arm moved",
}


def read(payload: object, headers: Mapping[str, str]) -> Event:
    """The values of a message, and what it says of its device."""
    event = Event()
    with event.noting():
        about = text_of(headers, _EVENT, "header")
        if about in _OTHER_EVENTS:
            event.left_out.append(LeftOut(f"header.{_EVENT}", _OTHER_EVENTS[about]))
            return event
        if about != _MEASUREMENT:
            expected = "one of " + ", ".join([_MEASUREMENT, *_OTHER_EVENTS])
            raise Unfit(f"header.{_EVENT}", expected, about, Code.UNKNOWN_CODE)
        fields = fields_of(payload, "body")
        device_id, taken_at_us = text_of(fields, "deviceId", ""), moment_of(fields, "ts", "", _MILLISECOND_US)
        readings: list[WireReading] = []
        places: list[str] = []
        with event.noting():
            _read_values(event, fields_of(fields.get("values"), "values"), taken_at_us, readings, places)
        with event.noting():
            says_battery = fields.get("batteryVoltage") is not None
            if says_battery and whole_of(fields, "batteryVoltage", "") < _EMPTY_MV:
                readings.append({"kind": "device_state", "taken_at_us": taken_at_us, "code": "battery_low"})
                places.append("batteryVoltage")
        if readings:
            event.delivered.append(Delivered(tuple(readings), tuple(places), device_id))
    return event


def _read_values(
    event: Event,
    values: Mapping[str, object],
    taken_at_us: int,
    readings: list[WireReading],
    places: list[str],
) -> None:
    has_moved = values.get("tare") is not None and abs(whole_of(values, "tare", "values")) > _MOST_TARE_G
    for name in values:
        place = f"values.{name}"
        with event.noting():
            if name in _NOT_FOLLOWED:
                event.left_out.append(LeftOut(place, _NOT_FOLLOWED[name]))
                continue
            if name not in _VALUES:
                raise Unfit("values", "one of " + ", ".join(_VALUES), name, Code.UNKNOWN_CODE)
            kind, unit, power = _VALUES[name]
            if has_moved and name == "weight":
                readings.append({"kind": "device_state", "taken_at_us": taken_at_us, "code": "sensor_fault"})
                places.append("values.tare")
                expected = f"a zero point that has moved by at most {_MOST_TARE_G} g"
                raise Unfit("values.tare", expected, values["tare"], Code.RULE)
            value = number_of(values, name, "values", power)
            readings.append({"kind": kind, "taken_at_us": taken_at_us, "value": value, "unit": unit})
            places.append(place)


ADAPTER = Adapter(BODY, read)
