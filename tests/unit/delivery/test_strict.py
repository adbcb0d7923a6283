"""What is accepted is what `json.loads` makes of it; what is refused is so for the reason that is given."""

import json
import math
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.delivery.content import Code
from ingest.delivery.strict import MAX_OBJECTS, MAX_PARTS, Unreadable, Unusable, parse

SOUND_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
FLOATS = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**11), max_value=10**11)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | FLOATS.map(float) | SOUND_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(SOUND_TEXT, inner),
    max_leaves=30,
)


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_what_is_accepted_is_what_json_says(value: Any, ascii_only: bool, indent: int | None) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert same(parse(raw), json.loads(raw))


def same(ours: Any, theirs: Any) -> bool:
    """Equal, and of the same types: 1 is not 1.0, and True is not 1."""
    return repr(ours) == repr(theirs)


@given(
    st.binary() | st.text().map(str.encode) | st.from_regex(r'[\[\]{}":,0-9eE.+\- \\ua-f]*').map(str.encode)
)
def test_whatever_comes_is_read_as_json_reads_it_or_refused(raw: bytes) -> None:
    try:
        ours = parse(raw)
    except Unreadable:
        return
    assert same(ours, json.loads(raw)) or "Unusable" in repr(ours)


@given(st.integers(1, 40), st.integers(0, 40), st.booleans())
def test_numbers_are_kept_to_the_last_digit_or_not_at_all(before: int, after: int, is_negative: bool) -> None:
    literal = "-" * is_negative + "7" * before + ("." + "3" * after if after else "")
    found = parse(literal.encode())
    if after == 0 and before <= 18:
        assert found == int(literal)
    elif after and before + after <= 15:
        assert isinstance(found, float)
        assert float(literal) == found
        assert f"{found:.{after}f}" == literal
    else:
        assert isinstance(found, Unusable)
        assert "15 significant digits" in found.expected


@pytest.mark.parametrize("literal", ["1e999", "-1e400", "NaN", "Infinity", "-Infinity"])
def test_what_is_not_finite_is_unusable(literal: str) -> None:
    found = parse(f'{{"value":{literal},"unit":"kg"}}'.encode())
    assert found == {"value": Unusable("a finite number", literal), "unit": "kg"}


@pytest.mark.parametrize("literal", ["1e-999", "-0.1e-320", "4e-310"])
def test_what_is_too_small_to_be_kept_is_unusable(literal: str) -> None:
    found = parse(literal.encode())
    assert isinstance(found, Unusable)
    assert "too small" in found.expected


@pytest.mark.parametrize(
    ("literal", "value"), [("0.0", 0.0), ("-0.0", -0.0), ("0e0", 0.0), ("0.000", 0.0), ("1E2", 100.0)]
)
def test_zero_and_exponents_are_numbers(literal: str, value: float) -> None:
    found = parse(literal.encode())
    assert isinstance(found, float)
    assert found == value
    assert math.copysign(1, found) == math.copysign(1, value)


@pytest.mark.parametrize(
    ("raw", "expected", "found"),
    [
        (b"\xef\xbb\xbf{}", "UTF-8 without a byte-order mark", "one at its beginning"),
        ("{}".encode("utf-16"), "UTF-8", "byte 0xff at 0"),
        (b'{"a":"\xc3"}', "UTF-8", "byte 0xc3 at 6"),
        (b"", "JSON", "nothing"),
        (b" \n", "JSON", "nothing"),
        (b"<Observation/>", "JSON", "what looks like XML"),
        (b'{"a":1', "JSON", "Expecting ',' delimiter at character 6"),
        (b"[1] [2]", "JSON", "Extra data at character 4"),
        (b'"a\x00b"', "JSON", "Invalid control character at at character 2"),
        (b'{"unit":"kg","unit":"g"}', "each name once in an object", "unit twice"),
        (b'{"\\u0000":1}', "names that are text without NUL", "\\x00"),
        (b"[" * 10_000 + b"]" * 10_000, "at most 100 levels of brackets", "more"),
        (b'{"a":' * 10_000, "at most 100 levels of brackets", "more"),
        (b"[" + b"{}," * MAX_OBJECTS + b"1]", "at most 300000 brackets", "more"),
        (b"[" + b"1," * (MAX_PARTS + 1) + b"1]", "at most 300000 brackets and 1000000 commas", "more"),
    ],
)
def test_what_nobody_can_mean_is_refused_with_its_reason(raw: bytes, expected: str, found: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parse(raw, where="line 3")
    assert caught.value.fault.where == "line 3"
    assert caught.value.fault.expected.startswith(expected)
    assert caught.value.fault.found == found


def test_a_hundred_levels_are_read() -> None:
    assert parse(b"[" * 100 + b"]" * 100) != []


@pytest.mark.parametrize(
    ("raw", "found"),
    [(rb'["a\ud800b"]', "U+D800"), (rb'["\uDFff"]', "U+DFFF"), (rb'["a\u0000"]', "U+0000")],
)
def test_a_text_that_cannot_be_kept_takes_nothing_else_with_it(raw: bytes, found: str) -> None:
    (text,) = cast("list[object]", parse(raw))
    assert isinstance(text, Unusable)
    assert text.at("readings[0].text").where == "readings[0].text"
    assert text.at("").code is Code.VALUE
    assert text.found == found


def test_whole_letters_of_two_halves_are_text() -> None:
    assert parse(rb'"\ud83d\ude00"') == "\N{GRINNING FACE}"
