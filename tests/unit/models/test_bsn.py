"""The eleven-test notices what people get wrong, and no refusal repeats what was written."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.bsn import bsn_of, passes_eleven_test
from models.errors import BadInput

digits = st.text("0123456789", min_size=9, max_size=9)


def valid(start: str) -> str:
    """A number that passes and begins like this; empty where there is none."""
    return next((start + last for last in "0123456789" if passes_eleven_test(start + last)), "")


numbers = st.text("0123456789", min_size=8, max_size=8).map(valid).filter(bool)


@given(numbers, st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(number: str, place: int, more: int) -> None:
    wrong = number[:place] + str((int(number[place]) + more) % 10) + number[place + 1 :]
    assert not passes_eleven_test(wrong)


@given(numbers, st.integers(0, 7))
def test_two_digits_swapped_are_noticed(number: str, place: int) -> None:
    assume(number[place] != number[place + 1])
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert not passes_eleven_test(swapped)


@given(numbers)
def test_however_it_is_written_it_is_the_same(number: str) -> None:
    for written in (f"{number[:4]}.{number[4:6]}.{number[6:]}", f" {number} ", number.removeprefix("0")):
        assert bsn_of(written) == number


@given(numbers, st.integers(1, 9))
def test_a_refusal_does_not_say_what_was_written(number: str, more: int) -> None:
    wrong = number[:8] + str((int(number[8]) + more) % 10)
    for written in (wrong, wrong + "7", wrong[:5], wrong[:8] + "X"):
        with pytest.raises(BadInput) as refused:
            bsn_of(written)
        assert written not in str(refused.value)
        assert written[:5] not in str(refused.value)


@pytest.mark.parametrize("text", ["", "12345", "1234567890", "000000000", "11122233³"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(BadInput):
        bsn_of(text)
