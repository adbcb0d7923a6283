"""Columns of a file as numpy arrays: texts parsed in C++, and told one by one where they cannot be.

Each function gives values for all rows, and a fault for each row whose value means nothing. Columns come from
pyarrow, which tells the type checker nothing: `Any`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alerting.offline.arrow import arrow as pa
from alerting.offline.arrow import compute as pc
from alerting.offline.moments import A_TIME, LATEST_US, TIME, WHOLE
from ingest.salvage import shown
from ingest.sent import NONE
from models.columns import Reason
from models.errors import BadInput
from models.messages import MAX_SIGNIFICANT_DIGITS

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^[+-]?(?i:nan|inf|infinity)$"
_UTC_US: Any = pa.timestamp("us", "UTC")


class Fault(NamedTuple):
    """What is wrong with one value; `place` is its place in the column."""

    place: int
    column: str
    expected: str
    found: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Parsed:
    """The values of a column, and what is wrong with those that mean nothing."""

    values: NDArray[Any]
    faults: Sequence[Fault] = ()


class WrongColumn(BadInput):
    """A whole column is of a type that is not read."""

    def __init__(self, column: str, expected: str, found: object) -> None:
        super().__init__(where=f"column {column}", expected=expected, found=str(found), reason="wrong_column")


def is_text(column: Any) -> bool:
    """Whether a column holds texts, be it by reference to a list of them."""
    of: Any = column.type
    of = of.value_type if pa.types.is_dictionary(of) else of
    return bool(
        pa.types.is_string(of)
        or pa.types.is_large_string(of)
        or pa.types.is_string_view(of)
        or pa.types.is_binary(of)
        or pa.types.is_large_binary(of)
    )


class Texts:
    """The distinct texts of a column, each with its number, in order of appearance.

    A batch brings its texts once each, most of them known: these are looked up in C++, as in the file.
    """

    def __init__(self, column: str) -> None:
        self.column = column
        self.numbers: dict[str, int] = {}
        self.all: list[str] = []
        self._known: Any = pa.array([], pa.large_binary())
        self._number_of_known = np.zeros(0, np.int32)

    def number(self, text: str) -> int:
        """The number of a text."""
        found = self.numbers.get(text)
        if found is None:
            found = self.numbers[text] = len(self.all)
            self.all.append(text)
        return found

    def take(self, column: Any) -> NDArray[np.int32]:
        """The numbers of a column's texts; NONE where there is nothing, or an empty one."""
        if pa.types.is_null(column.type):
            return np.full(len(column), NONE, np.int32)
        encoded: Any = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        if pa.types.is_integer(encoded.dictionary.type):
            encoded = pa.DictionaryArray.from_arrays(encoded.indices, encoded.dictionary.cast(pa.string()))
        if not is_text(encoded):
            raise WrongColumn(self.column, "text", column.type)
        numbers = self._numbers(encoded.dictionary.cast(pa.large_binary()))
        places: Any = encoded.indices.cast(pa.int32())
        if places.null_count:
            places = places.fill_null(len(numbers))
        at: NDArray[np.int32] = places.to_numpy(zero_copy_only=False)
        return np.append(numbers, np.int32(NONE))[at]

    def _numbers(self, texts: Any) -> NDArray[np.int32]:
        """The numbers of texts, those that are new included."""
        places: Any = pc.index_in(texts, self._known)
        new: Any = texts.filter(places.is_null())
        if len(new):
            numbers = [self.number(text) if text else NONE for text in _decoded(new)]
            self._known = pa.concat_arrays([self._known, new])
            self._number_of_known = np.append(self._number_of_known, np.array(numbers, np.int32))
            places = pc.index_in(texts, self._known)
        return self._number_of_known[places.to_numpy(zero_copy_only=False)]


def _decoded(column: Any) -> list[str]:
    raw: list[bytes | None] = column.cast(pa.binary()).to_pylist()
    # Bytes that are no UTF-8 stay visible in what is told of them; as a name they mean nothing.
    return ["" if one is None else one.decode("utf-8", "backslashreplace") for one in raw]


def numbers(column: Any, name: str) -> Parsed:
    """Numbers as floats; NaN where there is nothing. What is written with too many digits is a fault."""
    kind: Any = column.type
    if pa.types.is_null(kind):
        return Parsed(np.full(len(column), np.nan))
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        found: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return Parsed(found, _not_finite(found, column, name, np.isinf(found)))
    if pa.types.is_decimal(kind):
        column = column.cast(pa.string())
    if not is_text(column):
        raise WrongColumn(name, "numbers", kind)
    texts = _plain(column)
    cast, wrong = _cast(texts, pa.float64(), _NUMBER)
    found = cast.to_numpy(zero_copy_only=False)
    faults = [
        Fault(
            at, name, "a number, with a point where it has decimals", _shown(texts, at), Reason.INVALID_FIELD
        )
        for at in wrong
    ]
    given: NDArray[np.bool_] = texts.is_valid().to_numpy(zero_copy_only=False)
    given[wrong] = False
    faults += _not_finite(found, texts, name, given & ~np.isfinite(found))
    return Parsed(found, [*faults, *_too_many_digits(texts, name, found)])


def _not_finite(found: NDArray[np.float64], column: Any, name: str, wrong: NDArray[np.bool_]) -> list[Fault]:
    places = np.flatnonzero(wrong).tolist()
    faults = [Fault(at, name, "a finite number", _shown(column, at), Reason.NOT_FINITE) for at in places]
    if places and found.flags.writeable:
        found[places] = np.nan
    return faults


def _too_many_digits(texts: Any, name: str, found: NDArray[np.float64]) -> list[Fault]:
    """As many digits as a float does not keep: the text has more characters, so most need no look."""
    long: Any = pc.greater(pc.binary_length(texts), MAX_SIGNIFICANT_DIGITS)
    places: list[int] = pc.indices_nonzero(long.fill_null(False)).to_pylist()
    return [
        Fault(at, name, FEW_DIGITS, _shown(texts, at), Reason.TOO_MANY_DIGITS)
        for at in places
        if np.isfinite(found[at]) and significant_digits(texts[at].as_py()) > MAX_SIGNIFICANT_DIGITS
    ]


FEW_DIGITS = f"at most {MAX_SIGNIFICANT_DIGITS} significant digits"


def significant_digits(literal: str) -> int:
    """How many digits of a number as it is written carry something.

    >>> significant_digits("-0.00123e5")
    3
    """
    mantissa = literal.lower().partition("e")[0]
    return len(mantissa.lstrip("+-").replace(".", "").lstrip("0"))


def times(column: Any, name: str) -> Parsed:
    """Moments in microseconds since 1970 UTC; NONE where there is nothing, or what means nothing.

    **Raises**: WrongColumn for times without a zone: nobody could say which moment is meant.
    """
    kind: Any = column.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        cast, wrong = _cast(column, _UTC_US, None)
        return _moments(cast.cast(pa.int64()), column, name, wrong)
    if pa.types.is_integer(kind):
        return _moments(column.cast(pa.int64(), safe=False), column, name, [])
    if pa.types.is_null(kind):
        return Parsed(np.full(len(column), NONE, np.int64))
    if not is_text(column):
        raise WrongColumn(name, A_TIME, kind)
    texts = _plain(column)
    whole: Any = pc.match_substring_regex(texts, WHOLE).fill_null(False)
    if pc.all(whole).as_py():
        return _moments(texts.cast(pa.int64()), texts, name, [])
    none: Any = pa.scalar(None, texts.type)
    cast, wrong = _cast(pc.if_else(whole, none, texts), _UTC_US, TIME)
    moments: Any = cast.cast(pa.int64())
    if pc.any(whole).as_py():
        moments = pc.coalesce(moments, pc.if_else(whole, texts, none).cast(pa.int64()))
    return _moments(moments, texts, name, wrong)


def _moments(moments: Any, column: Any, name: str, wrong: Sequence[int]) -> Parsed:
    """Checks that they lie within what we count with."""
    faults = [Fault(at, name, A_TIME, _shown(column, at), Reason.INVALID_FIELD) for at in wrong]
    at_us: NDArray[np.int64] = moments.fill_null(NONE).to_numpy(zero_copy_only=False)
    outside = (at_us < 0) | (at_us > LATEST_US)
    if outside.any():
        given: NDArray[np.bool_] = moments.is_valid().to_numpy(zero_copy_only=False)
        at_us = np.where(outside, np.int64(NONE), at_us)
        faults += [
            Fault(at, name, "a time from 2000 to 2100", _shown(column, at), Reason.INVALID_FIELD)
            for at in np.flatnonzero(outside & given).tolist()
        ]
    return Parsed(at_us, faults)


def wholes(column: Any, name: str, highest: int) -> Parsed:
    """Whole numbers from 0; 0 where there is nothing."""
    kind: Any = column.type
    if pa.types.is_null(kind):
        return Parsed(np.zeros(len(column), np.int32))
    if not pa.types.is_integer(kind) and not is_text(column):
        raise WrongColumn(name, "whole numbers", kind)
    texts = _plain(column) if is_text(column) else column
    cast, wrong = _cast(texts, pa.int64(), WHOLE if is_text(column) else None)
    found: NDArray[np.int64] = cast.fill_null(0).to_numpy(zero_copy_only=False)
    bad = [*wrong, *np.flatnonzero((found < 0) | (found > highest)).tolist()]
    expected = f"a whole number from 0 to {highest}"
    faults = [Fault(at, name, expected, _shown(texts, at), Reason.INVALID_FIELD) for at in bad]
    return Parsed(np.clip(found, 0, highest).astype(np.int32), faults)


def flags(column: Any, name: str) -> Parsed:
    """Yes or no; no where there is nothing."""
    kind: Any = column.type
    if pa.types.is_null(kind):
        return Parsed(np.zeros(len(column), np.bool_))
    if pa.types.is_integer(kind):
        column = column.cast(pa.string())
    if not pa.types.is_boolean(kind) and not is_text(column):
        raise WrongColumn(name, "true or false", kind)
    texts = column if pa.types.is_boolean(kind) else _plain(column)
    cast, wrong = _cast(texts, pa.bool_(), "^(?i:true|false|0|1)$")
    faults = [Fault(at, name, "true or false", _shown(texts, at), Reason.INVALID_FIELD) for at in wrong]
    return Parsed(cast.fill_null(False).to_numpy(zero_copy_only=False), faults)


def _plain(column: Any) -> Any:
    """Texts as they are, null where they are empty."""
    texts: Any = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
    if pa.types.is_binary(texts.type) or pa.types.is_large_binary(texts.type):
        texts = texts.cast(pa.large_string(), safe=False)
    empty: Any = pc.equal(pc.binary_length(texts), 0)
    if pc.any(empty).as_py():
        texts = pc.if_else(empty, pa.scalar(None, texts.type), texts)
    return texts


def _cast(column: Any, to: Any, pattern: str | None) -> tuple[Any, list[int]]:
    """A column in another type, null where that is not possible; and the places of these.

    All at once where all is well; else what does not even look right is taken out; else one by one.
    """
    try:
        return pc.cast(column, to), []
    except pa.ArrowInvalid:
        pass
    wrong: list[int] = []
    if pattern is not None:
        looks: Any = pc.match_substring_regex(column, pattern).fill_null(True)
        wrong = pc.indices_nonzero(pc.invert(looks)).to_pylist()
        column = pc.if_else(looks, column, pa.scalar(None, column.type))
    parts: list[Any] = []
    hopeless = list(_cast_in_halves(lambda part: pc.cast(part, to), column, 0, parts, to))
    return pa.concat_arrays(parts), sorted([*wrong, *hopeless])


def _cast_in_halves(
    cast: Callable[[Any], Any], column: Any, first: int, parts: list[Any], to: Any
) -> Iterable[int]:
    """Appends the parts that can be cast, a null for each value that cannot; gives the places of those."""
    try:
        parts.append(cast(column))
    except pa.ArrowInvalid:
        if len(column) == 1:
            parts.append(pa.nulls(1, to))
            yield first
            return
        half = len(column) // 2
        yield from _cast_in_halves(cast, column.slice(0, half), first, parts, to)
        yield from _cast_in_halves(cast, column.slice(half), first + half, parts, to)


def _shown(column: Any, at: int) -> str:
    if is_text(column):
        return shown(_decoded(column.slice(at, 1))[0])
    value: Any = column[at]
    # Python has no nanoseconds.
    finest = pa.types.is_timestamp(column.type)
    return shown(f"{value.value} {column.type.unit}" if finest else str(value.as_py()))
