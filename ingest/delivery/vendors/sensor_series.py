"""A cloud of sensors worn all day: records of one type, each with its own time, value, unit and transmitter.

`systemTime` is UTC, with or without saying so; `displayTime` is what the wearer saw. Beside a value stands a
`status`: a value under or over what the sensor measures has the end of its range, and says `low` or `high`.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from ingest.delivery.adapter import (
    Adapter,
    Event,
    LeftOut,
    Unfit,
    fields_of,
    items_of,
    number_of,
    text_of,
)
from ingest.delivery.clients.signatures import STANDARD
from ingest.delivery.content import Code, Delivered
from models.clock import to_us
from models.messages import Absent, WireReading

_KINDS = {"egv": "glucose_cgm", "spo2": "spo2", "pulse": "pulse"}
_OTHER_RECORDS = {
    "alert": "an alert that the sensor gave",
    "calibration": "a calibration",
    "device": "settings of a device",
    "event": "what the wearer noted",
    "test": "a test message",
}
_STATUS = ("ok", "low", "high", "unknown")
_NO_VALUE = ("ok", "unknown")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_FARTHEST = timedelta(hours=14)


def read(payload: object, _headers: Mapping[str, str]) -> Event:
    """The records of a message, one `Delivered` for each transmitter, in their order."""
    event = Event()
    by_device: dict[str, tuple[list[WireReading], list[str]]] = {}
    with event.noting():
        fields = fields_of(payload, "body")
        record_type = text_of(fields, "recordType", "")
        if record_type in _OTHER_RECORDS:
            event.left_out.append(LeftOut("recordType", _OTHER_RECORDS[record_type]))
            return event
        if record_type not in _KINDS:
            expected = "one of " + ", ".join([*_KINDS, *_OTHER_RECORDS])
            raise Unfit("recordType", expected, record_type, Code.UNKNOWN_CODE)
        for number, one in enumerate(items_of(fields, "records", "")):
            where = f"records[{number}]"
            with event.noting():
                record = fields_of(one, where)
                reading = _reading(record, where, _KINDS[record_type])
                readings, places = by_device.setdefault(text_of(record, "transmitterId", where), ([], []))
                readings.append(reading)
                places.append(where)
    for device_id, (readings, places) in by_device.items():
        event.delivered.append(Delivered(tuple(readings), tuple(places), device_id))
    return event


def _reading(record: Mapping[str, object], where: str, kind: str) -> WireReading:
    at = _moment(record, "systemTime", where)
    reading: WireReading = {"kind": kind, "taken_at_us": to_us(at)}
    if record.get("displayTime") is not None:
        seen = _moment(record, "displayTime", where)
        # Without an offset it is what a clock on a wall showed: its distance from UTC is the offset.
        offset = seen.utcoffset() or seen - at
        if abs(offset) > _FARTHEST:
            raise Unfit(f"{where}.displayTime", "at most 14 hours from systemTime", record["displayTime"])
        reading["utc_offset_min"] = round(offset / timedelta(minutes=1))
    status = text_of(record, "status", where) if record.get("status") is not None else "ok"
    if status not in _STATUS:
        raise Unfit(f"{where}.status", "one of " + ", ".join(_STATUS), status, Code.UNKNOWN_CODE)
    if record.get("value") is not None:
        reading["value"] = number_of(record, "value", where)
        reading["unit"] = text_of(record, "unit", where)
    elif status in _NO_VALUE:
        reading["absent"] = Absent.UNKNOWN
    else:
        raise Unfit(f"{where}.value", f"a number beside the status {status}", "nothing", Code.REQUIRED)
    return reading


def _moment(record: Mapping[str, object], name: str, where: str) -> datetime:
    text = text_of(record, name, where)
    expected = "a time such as 2026-03-02T07:12:00Z, from 1970 to 2100"
    if not _TIME.fullmatch(text):
        raise Unfit(f"{where}.{name}", expected, text)
    try:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        is_possible = _EARLIEST <= at <= _LATEST
    except (ValueError, OverflowError):
        is_possible = False
        at = _EARLIEST
    if not is_possible:
        raise Unfit(f"{where}.{name}", expected, text)
    return at


ADAPTER = Adapter(STANDARD, read)
