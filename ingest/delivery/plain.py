"""Plain JSON of small hubs and vendors: uploads as on the wire, and with times that people write.

A reading that is no good does not take its upload with it: it goes to the log as it was sent, under a name
that no reader looks at, and from there into quarantine. An upload that is no good as a whole is not taken at
all, and does not take the others with it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import NamedTuple, TypeAlias, cast
from uuid import UUID

from ingest.delivery.content import Code, Correction, Delivered, Fault, Named
from ingest.delivery.strict import Unreadable, Unusable, parse
from ingest.salvage import shown
from models.clock import to_us
from models.messages import MAX_READINGS_PER_UPLOAD, SCHEMA, WireReading

MAX_UPLOADS = 1_000
MAX_READINGS = 10_000
"""So many in one request; more would keep others waiting."""

AS_SENT = "as_sent"
"""Under this name the log holds a reading that is no good, for who looks into quarantine."""

OWN = "x-"
"""Fields whose names begin so are the sender's own; nobody looks at them."""

_CORRECTIONS = frozenset(one.value for one in Correction)
_LATEST_US = 4_102_444_800_000_000
_OF_UPLOAD = (
    "device_id", "patient_id", "upload_id", "sent_at", "sent_at_us", "correction", "readings", "schema",
    "type",
)  # fmt: skip
_STAMPED = ("received_at_us", "received_at", "source")
_OF_READING = (*WireReading.__annotations__, "taken_at")
_ON_THE_WIRE = WireReading.__annotations__.keys()
_NO_VALUES = (Unusable, list, dict)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_A_MOMENT = "a time with its offset, as 2026-11-22T08:31:00+01:00, to the microsecond at most"

Object: TypeAlias = Mapping[str, object]


class Whole(NamedTuple):
    """An upload that is refused as a whole, and why."""

    faults: tuple[Fault, ...]


class Uploads(NamedTuple):
    """What a body holds; `is_several`: a list or lines, so that the answer is a list too."""

    uploads: tuple[Delivered | Whole, ...]
    is_several: bool


def read_uploads(raw: bytes, *, by_line: bool = False) -> Uploads:
    """One upload, a list of them, or one on each line.

    **Raises**: Unreadable where that cannot be told, or there are too many.
    """
    if by_line:
        lines = [(number, line) for number, line in enumerate(raw.split(b"\n"), 1) if line.strip()]
        _require_some(len(lines))
        found = tuple(_line(line, f"line {number}") for number, line in lines)
    else:
        content = parse(raw)
        if not isinstance(content, list):
            return Uploads((read_upload(content, ""),), is_several=False)
        items = cast("list[object]", content)
        _require_some(len(items))
        found = tuple(read_upload(item, f"[{number}]") for number, item in enumerate(items))
    readings = sum(len(one.readings) for one in found if isinstance(one, Delivered))
    if readings > MAX_READINGS:
        raise _too_many(f"at most {MAX_READINGS} readings in a request", f"{readings}")
    return Uploads(found, is_several=True)


def read_upload(content: object, where: str) -> Delivered | Whole:
    """One upload, or all that is wrong with it. `where`: its place in the body, empty when it is the body."""
    if not isinstance(content, dict):
        return Whole((_fault(where or "body", "an upload, which is an object", content),))
    sent = cast("Object", content)
    faults = _unknown(sent, _OF_UPLOAD, where)
    readings = _list_of_readings(sent, where, faults)
    device = _short_text(sent, "device_id", where, faults)
    patient = _uuid(sent, "patient_id", where, faults)
    upload_id = _uuid(sent, "upload_id", where, faults)
    sent_at_us = _sent_at_us(sent, where, faults)
    correction = _correction(sent, where, faults)
    if device is None and patient is None and not faults:
        expected = "the device that measured, as it is registered"
        faults.append(Fault(_in(where, "device_id"), expected, "nothing", Code.REQUIRED))
    if faults:
        return Whole(tuple(faults))
    places = tuple(f"{_in(where, 'readings')}[{number}]" for number in range(len(readings)))
    wire, bad = _wire_readings(readings, places)
    return Delivered(
        readings=wire,
        places=places,
        device_id=device,
        patient=None if patient is None else Named(patient_id=patient),
        sent_at_us=sent_at_us,
        upload_id=upload_id,
        correction=correction,
        faults=bad,
    )


def _line(raw: bytes, where: str) -> Delivered | Whole:
    try:
        return read_upload(parse(raw, where=where), where)
    except Unreadable as error:
        return Whole((error.fault,))


def _wire_readings(
    readings: Sequence[object], places: Sequence[str]
) -> tuple[tuple[WireReading, ...], dict[int, Fault]]:
    wire: list[WireReading] = []
    bad: dict[int, Fault] = {}
    for number, (reading, place) in enumerate(zip(readings, places, strict=True)):
        found = _wire_reading(reading, place)
        if isinstance(found, Fault):
            bad[number] = found
            found = _kept(reading)
        wire.append(found)
    return tuple(wire), bad


def _wire_reading(content: object, where: str) -> WireReading | Fault:
    if not isinstance(content, dict):
        return _fault(where, "a reading, which is an object", content, kept=True)
    sent = cast("dict[str, object]", content)
    if sent.keys() <= _ON_THE_WIRE and not any(isinstance(value, _NO_VALUES) for value in sent.values()):
        # As nearly all are. Whether its fields fit together and mean something is judged as everywhere
        # else: by who stores it.
        return cast("WireReading", sent)
    return _translated(sent, where)


def _translated(sent: Mapping[str, object], where: str) -> WireReading | Fault:
    made = dict[str, object]()
    for name, value in sent.items():
        if name not in _OF_READING:
            if name.startswith(OWN):
                continue
            return _unknown({name: None}, _OF_READING, where, kept=True)[0]
        if isinstance(value, _NO_VALUES):
            return _fault(_in(where, name), "one value", cast("object", value), kept=True)
        made[name] = value
    written = made.pop("taken_at", None)
    if written is not None:
        place = _in(where, "taken_at")
        if "taken_at_us" in made:
            return Fault(place, "taken_at or taken_at_us", "both", Code.RULE, kept=True)
        moment = _moment(written)
        if moment is None:
            return _fault(place, _A_MOMENT, written, Code.VALUE, kept=True)
        made["taken_at_us"] = to_us(moment)
        if "utc_offset_min" not in made and not str(written).endswith("Z"):
            made["utc_offset_min"] = cast("timedelta", moment.utcoffset()) // timedelta(minutes=1)
    return cast("WireReading", made)


def _kept(content: object) -> WireReading:
    """A reading that will be refused for having nothing in it, with all that was sent beside that."""
    wire = dict[str, object]()
    if isinstance(content, dict):
        sent = cast("dict[str, object]", content)
        wire = {name: sent[name] for name in ("kind", "taken_at_us") if isinstance(sent.get(name), str | int)}
        moment = _moment(sent.get("taken_at"))
        if moment is not None:
            wire.setdefault("taken_at_us", to_us(moment))
    # As text: one level, whatever was sent.
    return cast("WireReading", wire | {AS_SENT: json.dumps(content, default=_literal)})


def _literal(unusable: Unusable) -> str:
    return unusable.found


def _list_of_readings(sent: Object, where: str, faults: list[Fault]) -> list[object]:
    place = _in(where, "readings")
    readings: object = sent.get("readings")
    if "readings" not in sent:
        faults.append(Fault(place, "a list of readings", "nothing", Code.REQUIRED))
        return []
    items = cast("list[object]", readings) if isinstance(readings, list) else []
    if not items:
        faults.append(_fault(place, "a list of at least one reading", cast("object", readings)))
        return []
    if len(items) > MAX_READINGS_PER_UPLOAD:
        expected = f"at most {MAX_READINGS_PER_UPLOAD} readings in an upload"
        faults.append(Fault(place, expected, str(len(items)), Code.TOO_LONG))
        return []
    return items


def _unknown(sent: Object, known: Sequence[str], where: str, *, kept: bool = False) -> list[Fault]:
    faults: list[Fault] = []
    for name in sent:
        if name in known or name.startswith(OWN):
            continue
        if name in _STAMPED and known is _OF_UPLOAD:
            expected, code = "no such field: this service says from whom it came, and when", Code.RULE
        else:
            close = get_close_matches(name, known, 1)
            meant = f"did you mean {close[0]}?" if close else f"one of {', '.join(known)}"
            expected, code = (
                f"a field that is known here ({meant}), or one of your own: {OWN}…",
                Code.STRUCTURE,
            )
        faults.append(Fault(_in(where, shown(name)), expected, "a field of this name", code, kept))
    return faults


def _short_text(sent: Object, name: str, where: str, faults: list[Fault]) -> str | None:
    value = sent.get(name)
    if value is None and name not in sent:
        return None
    if isinstance(value, str) and 1 <= len(value) <= 200:
        return value
    faults.append(_fault(_in(where, name), "a text of 1 to 200 characters", value))
    return None


def _uuid(sent: Object, name: str, where: str, faults: list[Fault]) -> UUID | None:
    value = sent.get(name)
    if value is None and name not in sent:
        return None
    if isinstance(value, str) and len(value) == 36:
        try:
            return UUID(value)
        except ValueError:
            pass
    faults.append(_fault(_in(where, name), "a UUID of 36 characters", value, Code.VALUE))
    return None


def _sent_at_us(sent: Object, where: str, faults: list[Fault]) -> int | None:
    if "sent_at" in sent and "sent_at_us" in sent:
        faults.append(Fault(_in(where, "sent_at"), "sent_at or sent_at_us", "both", Code.RULE))
    elif "sent_at" in sent:
        moment = _moment(sent["sent_at"])
        if moment is not None and 0 <= to_us(moment) <= _LATEST_US:
            return to_us(moment)
        faults.append(_fault(_in(where, "sent_at"), _A_MOMENT, sent["sent_at"], Code.VALUE))
    elif "sent_at_us" in sent:
        value = sent["sent_at_us"]
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LATEST_US:
            return value
        expected = "whole microseconds since 1970, before the year 2100"
        faults.append(_fault(_in(where, "sent_at_us"), expected, value, Code.VALUE))
    return None


def _correction(sent: Object, where: str, faults: list[Fault]) -> Correction:
    for name, only in (("schema", SCHEMA), ("type", "upload")):
        value = sent.get(name, only)
        if value != only or isinstance(value, bool):
            faults.append(_fault(_in(where, name), f"{only}, or nothing", value, Code.VALUE))
    value = sent.get("correction", Correction.NONE.value)
    if isinstance(value, str) and value in _CORRECTIONS:
        return Correction(value)
    faults.append(
        _fault(_in(where, "correction"), f"one of {', '.join(Correction)}", value, Code.UNKNOWN_CODE)
    )
    return Correction.NONE


def _moment(written: object) -> datetime | None:
    # Not what fromisoformat reads beside that: weeks, no zone, digits that it drops.
    if not isinstance(written, str) or not _MOMENT.fullmatch(written):
        return None
    try:
        moment = datetime.fromisoformat(written)
        to_us(moment)
    except (ValueError, OverflowError):
        return None
    return moment


def _require_some(count: int) -> None:
    if count > MAX_UPLOADS:
        raise _too_many(f"at most {MAX_UPLOADS} uploads in a request", f"{count}")
    if not count:
        raise Unreadable(Fault("body", "at least one upload", "none", Code.REQUIRED))


def _too_many(expected: str, found: str) -> Unreadable:
    return Unreadable(Fault("body", expected, found, Code.TOO_LONG))


def _in(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _fault(
    where: str, expected: str, found: object, code: Code = Code.STRUCTURE, *, kept: bool = False
) -> Fault:
    if isinstance(found, Unusable):
        return replace(found.at(where), kept=kept)
    return Fault(where, expected, _described(found), code, kept)


def _described(found: object) -> str:
    """What was found; of a list or an object only that it is one."""
    match found:
        case dict():
            return "an object"
        case list():
            return "a list" if found else "an empty list"
        case None:
            return "null"
        case _:
            return shown(found)
