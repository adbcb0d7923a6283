"""Takes apart a message that did not validate as it stands: what in it is good, and what exactly is wrong.

The slow way, for the few: every reading by itself, so that a bad one does not take its upload with it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar, cast
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from models.columns import Reason, Refusal
from models.messages import (
    MAX_READINGS_PER_UPLOAD,
    MAX_SIGNIFICANT_DIGITS,
    Change,
    Clock,
    WireReading,
    WireUpload,
)

WHOLE_MESSAGE = -1
"""The position of a refusal that concerns a message, not one of its readings."""

Model = TypeVar("Model", Change, Clock)

_UPLOAD = TypeAdapter(WireUpload)
_READING = TypeAdapter(WireReading)
_SOUND_READING = {"kind": "steps", "taken_at_us": 0, "value": 0, "unit": "{steps}"}
_LONGEST_SHOWN = 120
_TOO_LARGE_TO_COUNT = 4_300
_FEW_DIGITS = f"at most {MAX_SIGNIFICANT_DIGITS} significant digits"


@dataclass(slots=True)
class Salvaged:
    """What one message was. `upload` holds the sound readings alone, `positions` where they stood in it."""

    upload: WireUpload | None = None
    positions: list[int] = field(default_factory=list[int])
    change: Change | None = None
    clock: Clock | None = None
    refusals: list[Refusal] = field(default_factory=list[Refusal])


class _Float(float):
    """A number of JSON that remembers how it was written."""

    literal: str

    def __new__(cls, literal: str) -> Self:
        number = super().__new__(cls, literal)
        number.literal = literal
        return number


class _Int(int):
    """A whole number of JSON that remembers how it was written."""

    literal: str

    def __new__(cls, literal: str) -> Self:
        number = super().__new__(cls, literal)
        number.literal = literal
        return number


def shown(found: object) -> str:
    """What was found, as short and harmless text. Not for logs: it may hold patient data."""
    text = found if isinstance(found, str) and found else json.dumps(found, default=repr)
    safe = text.encode("ascii", "backslashreplace").decode("ascii").replace("\x00", "\\x00")
    return safe if len(safe) <= _LONGEST_SHOWN else safe[: _LONGEST_SHOWN - 1] + "~"


def readings_in(raw: bytes) -> int:
    """How many readings a message holds that cannot be parsed: as many as have a time.

    Exact for whole JSON, where this key with its quotation marks cannot stand inside a text.
    """
    return raw.count(b'"taken_at_us"')


def known_id(text: object) -> str | None:
    """The id in its canonical spelling, None where it is none."""
    if not isinstance(text, str):
        return None
    try:
        return str(UUID(text))
    except ValueError:
        return None


def salvage(raw: bytes, *, partition: int, offset: int) -> Salvaged:
    """What can be kept of a message, and a refusal for everything else. Never raises for what was sent.

    `decode` refuses what is nested too deeply to be taken apart.
    """
    found = Salvaged()
    refuse = _Refuser(partition, offset, found.refusals, readings_in(raw))
    message = _parse(raw, refuse)
    if message is not None:
        _take(message, found, refuse)
    return found


def _take(message: dict[str, Any], found: Salvaged, refuse: "_Refuser") -> None:
    readings: object = message.get("readings")
    refuse.readings = len(cast("list[object]", readings)) if isinstance(readings, list) else 0
    refuse.patient_id = known_id(message.get("patient_id"))
    schema, kind = message.get("schema"), message.get("type")
    if isinstance(schema, bool) or schema != 1:
        refuse(Reason.UNKNOWN_SCHEMA, "schema", "1", schema)
    elif kind == "upload":
        _take_upload(message, found, refuse)
    elif kind == "change":
        found.change = _take_object(Change, message, refuse)
    elif kind == "clock":
        found.clock = _take_object(Clock, message, refuse)
    else:
        refuse(Reason.UNKNOWN_TYPE, "type", "upload, change or clock", kind)


@dataclass(slots=True)
class _Refuser:
    partition: int
    offset: int
    refusals: list[Refusal]
    readings: int
    patient_id: str | None = None

    def __call__(
        self,
        reason: Reason,
        where: str,
        expected: str,
        found: object,
        *,
        position: int = WHOLE_MESSAGE,
    ) -> None:
        self.refusals.append(
            Refusal(
                partition=self.partition,
                offset=self.offset,
                position=position,
                reason=reason,
                field=shown(where) if where else "",
                expected=expected,
                found=shown(found),
                readings=self.readings if position == WHOLE_MESSAGE else 1,
                patient_id=self.patient_id,
            )
        )


def _parse(raw: bytes, refuse: _Refuser) -> dict[str, Any] | None:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        refuse(Reason.INVALID_TEXT, "", "UTF-8", f"byte {raw[error.start]:#04x} at {error.start}")
        return None
    if "\x00" in text:
        refuse(Reason.INVALID_TEXT, "", "no NUL", f"NUL at {text.index(chr(0))}")
        return None
    try:
        message: object = json.loads(text, parse_float=_Float, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        refuse(Reason.INVALID_JSON, "", "JSON", f"{error.msg} at {error.pos}")
        return None
    if not isinstance(message, dict):
        refuse(Reason.INVALID_JSON, "", "a JSON object", type(message).__name__)
        return None
    return cast("dict[str, Any]", message)


def _whole_number(literal: str) -> "_Int | _Float":
    # Python refuses to read longer ones; as a float it is infinite, and refused as that.
    return _Int(literal) if len(literal) < _TOO_LARGE_TO_COUNT else _Float(literal)


def _take_object(model: type[Model], message: dict[str, Any], refuse: _Refuser) -> Model | None:
    if _refuse_bad_text(message, refuse, "", WHOLE_MESSAGE):
        return None
    for where, literal in _limits(message.get("change")):
        if _digits(literal) > MAX_SIGNIFICANT_DIGITS:
            refuse(Reason.TOO_MANY_DIGITS, where, _FEW_DIGITS, literal)
            return None
    try:
        return model.model_validate_json(json.dumps(message))
    except ValidationError as error:
        reason, where, expected, found = _first_fault(error)
        if where == "change" and reason is Reason.INVALID_FIELD:
            reason = Reason.UNKNOWN_CHANGE
        refuse(reason, where, expected, found)
        return None


def _limits(change: object) -> Iterator[tuple[str, str]]:
    """The values of the personal limits in a change, as they were written, each with its field."""
    for what, content in _fields(change):
        for name, limit in _fields(dict(_fields(content)).get("limits")):
            value = dict(_fields(limit)).get("value")
            if isinstance(value, _Float | _Int):
                yield f"change.{what}.limits.{name}.value", value.literal


def _fields(value: object) -> Iterable[tuple[str, object]]:
    return cast("dict[str, object]", value).items() if isinstance(value, dict) else ()


def _take_upload(message: dict[str, Any], found: Salvaged, refuse: _Refuser) -> None:
    readings = cast("list[object]", message.get("readings"))
    if "readings" not in message:
        return refuse(Reason.MISSING_FIELD, "readings", "a list of readings", "nothing")
    if not isinstance(readings, list):  # pyright: ignore[reportUnnecessaryIsInstance] (it is what was sent)
        return refuse(Reason.INVALID_FIELD, "readings", "a list of readings", readings)
    if not readings:
        return refuse(Reason.NO_READINGS, "readings", "at least one reading", "none")
    if len(readings) > MAX_READINGS_PER_UPLOAD:
        found_many = f"{len(readings)} readings"
        return refuse(Reason.TOO_MANY_READINGS, "readings", f"at most {MAX_READINGS_PER_UPLOAD}", found_many)
    envelope = _envelope(message, refuse)
    if envelope is None:
        return None
    sound = [
        (position, reading)
        for position, sent in enumerate(readings)
        if (reading := _reading(sent, position, refuse)) is not None
    ]
    if sound:
        envelope["readings"] = [reading for _, reading in sound]
        found.upload = envelope
        found.positions = [position for position, _ in sound]
    return None


def _envelope(message: dict[str, Any], refuse: _Refuser) -> WireUpload | None:
    envelope = {key: message[key] for key in WireUpload.__annotations__ if key in message}
    envelope["readings"] = [_SOUND_READING]
    if _refuse_bad_text(envelope, refuse, "", WHOLE_MESSAGE):
        return None
    try:
        return _UPLOAD.validate_json(json.dumps(envelope), strict=True)
    except ValidationError as error:
        reason, where, expected, found = _first_fault(error)
        if where == "received_at_us" and reason is Reason.INVALID_FIELD:
            reason = Reason.RECEIVED_AT_IMPOSSIBLE
        refuse(reason, where, expected, found)
    return None


def _reading(sent: object, position: int, refuse: _Refuser) -> WireReading | None:
    if not isinstance(sent, dict):
        return refuse(Reason.INVALID_FIELD, "", "a reading", sent, position=position)
    fields = cast("dict[str, Any]", sent)
    known = {key: fields[key] for key in WireReading.__annotations__ if key in fields}
    if _refuse_bad_text(known, refuse, "", position):
        return None
    value: object = known.get("value")
    if isinstance(value, _Float | _Int) and _digits(value.literal) > MAX_SIGNIFICANT_DIGITS:
        return refuse(Reason.TOO_MANY_DIGITS, "value", _FEW_DIGITS, value.literal, position=position)
    try:
        return _READING.validate_json(json.dumps(known), strict=True)
    except ValidationError as error:
        reason, where, expected, found = _first_fault(error)
        if where == "taken_at_us":
            reason = _wrong_time(reason, found)
        refuse(reason, where, expected, found, position=position)
    return None


def _wrong_time(reason: Reason, found: object) -> Reason:
    if reason is Reason.MISSING_FIELD or found is None:
        return Reason.MISSING_TIME
    if isinstance(found, int) and not isinstance(found, bool):
        return Reason.TAKEN_LONG_AGO if found < 0 else Reason.TAKEN_IN_FUTURE
    return reason


def _digits(literal: str) -> int:
    mantissa = literal.lower().partition("e")[0]
    return len(mantissa.replace("-", "").replace(".", "").lstrip("0"))


def _first_fault(error: ValidationError) -> tuple[Reason, str, str, object]:
    """The first thing that pydantic found wrong: reason, field, what was expected, what was found."""
    fault: ErrorDetails = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    match fault["type"]:
        case "missing":
            return Reason.MISSING_FIELD, where, "this field", "nothing"
        case "finite_number":
            return Reason.NOT_FINITE, where, "a finite number", str(fault["input"])
        case "json_invalid":
            return Reason.INVALID_JSON, where, "JSON", "not JSON"
        case _:
            return Reason.INVALID_FIELD, where, fault["msg"], fault["input"]


def _refuse_bad_text(value: object, refuse: _Refuser, where: str, position: int) -> bool:
    """Whether a text holds what Postgres cannot keep: NUL, or half of a surrogate pair."""
    for path, text in _texts(value, where):
        bad = next((letter for letter in text if letter == "\x00" or "\ud800" <= letter <= "\udfff"), None)
        if bad is not None:
            expected = "text without NUL or lone surrogates"
            refuse(Reason.INVALID_TEXT, path, expected, f"U+{ord(bad):04X}", position=position)
            return True
    return False


def _texts(value: object, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, inner in cast("dict[str, object]", value).items():
            path = f"{where}.{key}".lstrip(".")
            yield f"{where} (name of a field)".strip(), key
            yield from _texts(inner, path)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _texts(inner, where)
