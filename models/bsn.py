"""The Dutch national number (burgerservicenummer), checked; nothing here ever repeats it in an error."""

from typing import NewType

from models.errors import BadInput

Bsn = NewType("Bsn", str)
"""Nine digits that pass the eleven-test."""

_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)
_SEPARATORS = str.maketrans("", "", " .-")


def bsn_of(text: str, where: str = "bsn") -> Bsn:
    """The number that somebody wrote, with or without dots and spaces; eight digits get their leading zero.

    **Source**: the eleven-test (*11-proef*) of the Logisch Ontwerp BSN: nine digits, weighted 9, 8, … 2
    and −1, add up to a multiple of eleven.
    **Raises**: BadInput, which says what is wrong and never what was written.

    >>> bsn_of("1112.22.333")
    '111222333'
    >>> bsn_of("123456789")
    Traceback (most recent call last):
        ...
    models.errors.BadInput: bsn: expected a BSN that passes the eleven-test, found one that does not
    """
    digits = text.translate(_SEPARATORS)
    if not (digits.isascii() and digits.isdigit()):
        raise BadInput(
            where=where, expected="a BSN of nine digits", found="other characters", reason="bad_bsn"
        )
    if len(digits) not in {8, 9}:
        raise BadInput(
            where=where, expected="a BSN of nine digits", found=f"{len(digits)} digits", reason="bad_bsn"
        )
    digits = digits.zfill(9)
    if not passes_eleven_test(digits):
        raise BadInput(
            where=where,
            expected="a BSN that passes the eleven-test",
            found="one that does not",
            reason="bad_bsn",
        )
    return Bsn(digits)


def passes_eleven_test(digits: str) -> bool:
    """Whether nine digits can be a BSN; any single wrong digit, and any two swapped, are noticed.

    >>> passes_eleven_test("111222333"), passes_eleven_test("111222334"), passes_eleven_test("000000000")
    (True, False, False)
    """
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True))
    return total % 11 == 0 and digits.strip("0") != ""
