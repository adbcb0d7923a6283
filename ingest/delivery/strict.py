"""Bytes → JSON values, or why not: what parsers let through and nobody can mean or keep is refused.

What is accepted is what `json.loads` makes of it. A number or a text that is no good stands as `Unusable` in
its place, so that it takes nothing else with it; all else that is wrong is wrong with the whole.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from ingest.decode import MAX_NESTING
from ingest.delivery.content import Code, Fault
from ingest.salvage import shown
from ingest.scan import as_bytes, nesting
from models.errors import BadInput
from models.messages import MAX_SIGNIFICANT_DIGITS

MAX_DIGITS_OF_COUNTS = 18
"""Whole numbers may be longer than values: times in microseconds are; so long they fit everywhere."""

MAX_OBJECTS, MAX_PARTS = 300_000, 1_000_000
"""More of them are no readings, but would take hundreds of megabytes: empty lists are three bytes each."""

_BOM = b"\xef\xbb\xbf"
# One sign or point at most beside the digits: so short it cannot be too long.
_SHORT = MAX_SIGNIFICANT_DIGITS + 1
_SMALLEST, _LARGEST = 2.2250738585072014e-308, 1.7976931348623157e308
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_BAD_LETTER = re.compile("[\x00\ud800-\udfff]")
_FEW_DIGITS = f"a number of at most {MAX_SIGNIFICANT_DIGITS} significant digits"
_SOUND_TEXT = "text without NUL and without half letters (lone surrogates)"


class Unreadable(BadInput):
    """A body that is refused as a whole, with the fault that says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(where=fault.where, expected=fault.expected, found=fault.found)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Unusable:
    """Stands where a number or a text stood that cannot be used."""

    expected: str
    found: str

    def at(self, where: str) -> Fault:
        """The same as a fault, by who knows where it stands."""
        return Fault(where, self.expected, self.found, Code.VALUE)


def parse(raw: bytes, *, where: str = "body") -> object:
    """What a JSON text says: dict, list, str, float, int, bool, None, or `Unusable` in place of one of those.

    **Raises**: Unreadable.
    """
    text = _text_of(raw, where)
    _require_bounded(raw, where)
    try:
        value: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _unreadable(where, "JSON", _broken(text, error)) from None
    except _SameTwice as error:
        expected, found = "each name once in an object", f"{shown(error.name)} twice"
        raise _unreadable(where, expected, found) from None
    # No hook sees texts, and nearly none has these.
    return _without_bad_texts(value, where) if _SUSPECT_ESCAPE.search(raw) else value


class _SameTwice(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


def _text_of(raw: bytes, where: str) -> str:
    if raw.startswith(_BOM):
        raise _unreadable(where, "UTF-8 without a byte-order mark", "one at its beginning")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        found = f"byte {raw[error.start]:#04x} at {error.start}"
        raise _unreadable(where, "UTF-8", found, Code.VALUE) from None


def _require_bounded(raw: bytes, where: str) -> None:
    opened = raw.count(b"{") + raw.count(b"[")
    if opened > MAX_NESTING and nesting(as_bytes(raw)) > MAX_NESTING:
        raise _unreadable(where, f"at most {MAX_NESTING} levels of brackets", "more", Code.TOO_LONG)
    if opened > MAX_OBJECTS or raw.count(b",") > MAX_PARTS:
        expected = f"at most {MAX_OBJECTS} brackets and {MAX_PARTS} commas"
        raise _unreadable(where, expected, "more", Code.TOO_LONG)


def _broken(text: str, error: json.JSONDecodeError) -> str:
    if not text.strip():
        return "nothing"
    if text.lstrip().startswith("<"):
        return "what looks like XML"
    return f"{error.msg} at character {error.pos}"


def _unreadable(where: str, expected: str, found: str, code: Code = Code.STRUCTURE) -> Unreadable:
    return Unreadable(Fault(where, expected, found, code))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen = set[str]()
        for name, _ in pairs:
            if name in seen:
                raise _SameTwice(name)
            seen.add(name)
    return made


def _float(literal: str) -> float | Unusable:
    value = float(literal)
    if len(literal) <= _SHORT and _SMALLEST <= abs(value) <= _LARGEST:
        return value
    if math.isinf(value):
        return Unusable("a finite number", shown(literal))
    mantissa = literal.lower().partition("e")[0].replace("-", "").replace(".", "").lstrip("0")
    if len(mantissa) > MAX_SIGNIFICANT_DIGITS:
        return Unusable(_FEW_DIGITS, shown(literal))
    if mantissa and abs(value) < _SMALLEST:
        return Unusable("a number that is not too small to be kept", shown(literal))
    return value


def _whole(literal: str) -> int | Unusable:
    if len(literal) - literal.startswith("-") <= MAX_DIGITS_OF_COUNTS:
        return int(literal)
    return Unusable(_FEW_DIGITS, shown(literal))


def _no_number(literal: str) -> Unusable:
    return Unusable("a finite number", literal)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=cast("Callable[[str], float]", _float),
    parse_int=cast("Callable[[str], int]", _whole),
    parse_constant=_no_number,
)


def _without_bad_texts(value: object, where: str) -> object:
    match value:
        case str():
            bad = _BAD_LETTER.search(value)
            return value if bad is None else Unusable(_SOUND_TEXT, f"U+{ord(bad[0]):04X}")
        case list():
            items = cast("list[object]", value)
            return [_without_bad_texts(item, where) for item in items]
        case dict():
            members = cast("dict[str, object]", value)
            for name in members:
                if _BAD_LETTER.search(name):
                    raise _unreadable(where, f"names that are {_SOUND_TEXT}", shown(name), Code.VALUE)
            return {name: _without_bad_texts(member, where) for name, member in members.items()}
        case _:
            return value
