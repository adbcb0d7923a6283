"""What an adapter is: it reads the messages of one vendor's cloud, and says what in them are readings."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import cast

from ingest.delivery import vendors
from ingest.delivery.clients.signatures import Form
from ingest.delivery.content import Code, Delivered, Fault
from ingest.delivery.strict import Unusable
from ingest.salvage import shown
from models.clock import SECOND_US
from models.messages import MAX_READINGS_PER_UPLOAD, MAX_SIGNIFICANT_DIGITS

_LATEST_US = 4_102_444_800 * SECOND_US
_SMALLEST, _LARGEST = -12, 12
"""Powers of ten that a value of a body or a device may have; beyond them a number is no measurement."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something in a message that is no reading and does not have to be one: where it stands, what it is."""

    where: str
    what: str


@dataclass(slots=True)
class Event:
    """What a message of a vendor comes to: readings, what is wrong with others, and what was left out.

    A message that is about no measurement at all has nothing but something left out.
    """

    delivered: list[Delivered] = field(default_factory=list[Delivered])
    faults: list[Fault] = field(default_factory=list[Fault])
    left_out: list[LeftOut] = field(default_factory=list[LeftOut])

    @contextmanager
    def noting(self) -> Generator[None]:
        """Within the block something is read that may be unfit; it is noted, and the rest goes on."""
        try:
            yield
        except Unfit as unfit:
            self.faults.append(unfit.fault)


class Unfit(Exception):
    """A part of a message cannot be read; for the inside of adapters, which note it and go on."""

    def __init__(self, where: str, expected: str, found: object, code: Code = Code.VALUE) -> None:
        super().__init__(where)
        is_usable = not isinstance(found, Unusable)
        self.fault = Fault(where, expected, shown(found), code) if is_usable else found.at(where)


Read = Callable[[object, Mapping[str, str]], Event]
"""Reads a parsed message and its headers, in lower case. Pure, and never raises, whatever it is given."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """One vendor's way of telling: how it signs, and how its messages are read."""

    signature: Form
    read: Read


def _found() -> Mapping[str, Adapter]:
    names = sorted(module.name for module in iter_modules(vendors.__path__))
    return MappingProxyType({name: import_module(f"{vendors.__name__}.{name}").ADAPTER for name in names})


class _Adapters:
    """All adapters by name, imported when the first is asked for."""

    def __init__(self) -> None:
        self._found: Mapping[str, Adapter] = {}

    def __call__(self) -> Mapping[str, Adapter]:
        if not self._found:
            self._found = _found()
        return self._found


adapters = _Adapters()
"""The adapters there are: each file in `vendors/`, by its name."""


def fields_of(found: object, where: str) -> Mapping[str, object]:
    """A JSON object. **Raises**: Unfit."""
    if not isinstance(found, dict):
        raise Unfit(where, "an object", found, Code.STRUCTURE)
    # The keys of JSON are texts.
    return cast("dict[str, object]", found)


def items_of(fields: Mapping[str, object], name: str, where: str) -> Sequence[object]:
    """An array of a message, not empty and not endless. **Raises**: Unfit."""
    found = _present(fields, name, where)
    if not isinstance(found, list):
        raise Unfit(_path(where, name), "an array", found, Code.STRUCTURE)
    items = cast("list[object]", found)
    if not 1 <= len(items) <= MAX_READINGS_PER_UPLOAD:
        raise Unfit(
            _path(where, name),
            f"1 to {MAX_READINGS_PER_UPLOAD:,} entries",
            len(items),
            Code.TOO_LONG,
        )
    return items


def text_of(fields: Mapping[str, object], name: str, where: str) -> str:
    """A short text that is not empty. **Raises**: Unfit."""
    found = _present(fields, name, where)
    if not isinstance(found, str) or not 1 <= len(found) <= 200:
        raise Unfit(_path(where, name), "a text of 1 to 200 characters", found)
    return found


def whole_of(fields: Mapping[str, object], name: str, where: str) -> int:
    """A whole number. **Raises**: Unfit."""
    found = _present(fields, name, where)
    if isinstance(found, bool) or not isinstance(found, int):
        raise Unfit(_path(where, name), "a whole number", found)
    return found


def number_of(fields: Mapping[str, object], name: str, where: str, power: int = 0) -> float:
    """A number times a power of ten, exactly as its decimals say. **Raises**: Unfit.

    >>> number_of({"value": 81437}, "value", "measure", -3)
    81.437
    """
    found = _present(fields, name, where)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise Unfit(_path(where, name), "a number", found)
    if not _SMALLEST <= power <= _LARGEST:
        raise Unfit(where, f"a power of ten from {_SMALLEST} to {_LARGEST}", power)
    exact = Decimal(repr(found))
    if not exact.is_finite() or len(exact.as_tuple().digits) > MAX_SIGNIFICANT_DIGITS:
        raise Unfit(_path(where, name), f"a number of at most {MAX_SIGNIFICANT_DIGITS} digits", found)
    return float(exact.scaleb(power))


def moment_of(fields: Mapping[str, object], name: str, where: str, unit_us: int) -> int:
    """A moment as a whole number of some unit since 1970 UTC, in microseconds. **Raises**: Unfit."""
    at_us = whole_of(fields, name, where) * unit_us
    if not 0 <= at_us <= _LATEST_US:
        raise Unfit(_path(where, name), "a time from 1970 to 2100", fields[name])
    return at_us


def _present(fields: Mapping[str, object], name: str, where: str) -> object:
    found = fields.get(name)
    if found is None:
        raise Unfit(_path(where, name), "a value", "nothing", Code.REQUIRED)
    return found


def _path(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
