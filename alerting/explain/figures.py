"""Numbers, amounts and lengths of time, as they are written in Dutch and in English.

A value is rounded to what a reader can use, but never across the limit beside it: where 2.004 kg would read
as 2.0 kg, and so as the limit itself, it keeps as many decimals (up to six) as tell them apart.
"""

import math
from decimal import ROUND_HALF_UP, Context, Decimal

from alerting.engine.programme import TIME_UNITS_US
from alerting.explain.vocabulary import AND, Both, Language, listed
from models.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US

MILLIONTHS = 6

_EVERY_DIGIT = Context(prec=400)
_USUAL_DECIMALS = {"kg": 2, "[lb_av]": 2, "mmol/L": 2, "L": 2, "L/s": 2, "1": 2, "Cel": 2, "kPa": 2}
_LEAST_DECIMALS = {"kg": 1, "mmol/L": 1, "Cel": 1}

_LENGTHS: tuple[tuple[int, Both, Both], ...] = (
    (DAY_US, Both("dag", "day"), Both("dagen", "days")),
    (HOUR_US, Both("uur", "hour"), Both("uur", "hours")),
    (MINUTE_US, Both("minuut", "minute"), Both("minuten", "minutes")),
    (SECOND_US, Both("seconde", "second"), Both("seconden", "seconds")),
)


def number(value: float, language: Language, decimals: int, *, signed: bool = False) -> str:
    """A number with so many decimals; thousands apart from ten thousand on.

    >>> number(12345.678, Language.NL, 1), number(-0.5, Language.EN, 1, signed=True)
    ('12.345,7', '−0.5')
    """
    text = format(abs(_rounded(value, decimals)), "f")
    whole, _, rest = text.partition(".")
    comma, point = (",", ".") if language is Language.NL else (".", ",")
    if len(whole) > 4:
        whole = f"{int(whole):,}".replace(",", point)
    nothing = not text.strip("0.")
    sign = "" if nothing else "−" if value < 0 else "+" if signed else ""
    return f"{sign}{whole}{comma}{rest}" if rest else f"{sign}{whole}"


def exact(value: float, language: Language) -> str:
    """A number as it was received: with every digit that it came with.

    >>> exact(79.0, Language.NL), exact(0.97, Language.NL)
    ('79', '0,97')
    """
    digits = format(Decimal(repr(value)), "f")
    return number(value, language, len(digits.partition(".")[2].rstrip("0")))


def decimals_for(unit: str, value: float, limit: float | None = None) -> int:
    """With how many decimals to write a value, so that it lies as it does to the limit beside it.

    >>> decimals_for("kg", 2.4, 2.0), decimals_for("kg", 2.0004, 2.0), decimals_for("/min", 130.0, 110.0)
    (1, 4, 0)
    """
    base = unit.removesuffix("/d")
    usual = max(_USUAL_DECIMALS.get(base, 1), 0 if limit is None else _decimals(limit, MILLIONTHS))
    decimals = max(_LEAST_DECIMALS.get(base, 0), _decimals(value, usual))
    while limit is not None and decimals < MILLIONTHS and _misleads(value, limit, decimals):
        decimals += 1
    return decimals


def decimals_of(unit: str, limit: float) -> int:
    """With how many decimals to write a limit: all that it has.

    >>> decimals_of("kg", 2.0), decimals_of("1", 2.962)
    (1, 3)
    """
    return max(_LEAST_DECIMALS.get(unit.removesuffix("/d"), 0), _decimals(limit, MILLIONTHS))


def order(value: float, limit: float) -> int:
    """Whether a value lies below (−1), at (0) or above (1) a limit: in whole millionths, as in the engine.

    >>> order(0.1 + 0.2, 0.3)
    0
    """
    first, second = (math.floor(x * 1e6 + 0.5) for x in (value, limit))
    return (first > second) - (first < second)


def length(us: int, language: Language, beside_us: int | None = None) -> str:
    """A length of time in its largest units: two, or as many as tell it apart from the one beside it.

    **Units**: microseconds.

    >>> length(7_800_000_000, Language.NL), length(86_400_000_000, Language.EN)
    ('2 uur en 10 minuten', '1 day')
    """
    if us < 0:
        return f"−{length(-us, language)}"
    for step_us in _steps(us):
        rounded = _to_steps(us, step_us)
        if beside_us is None or (us > beside_us) - (us < beside_us) == (rounded > beside_us) - (
            rounded < beside_us
        ):
            return _in_words(rounded, language)
    return _in_words(us, language)


def window(us: int, language: Language) -> str:
    """A window as one speaks of it: in the largest unit that divides it, 36 hours rather than 1½ days."""
    for unit_us, one, several in _LENGTHS:
        if us % unit_us == 0:
            return f"{us // unit_us} {(one if us == unit_us else several).said(language)}"
    return length(us, language)


def in_us(value: float, unit: str) -> int:
    """A length of time in microseconds."""
    return round(value * TIME_UNITS_US[unit])


def _decimals(value: float, most: int) -> int:
    return len(format(_rounded(value, most), "f").partition(".")[2].rstrip("0"))


def _misleads(value: float, limit: float, decimals: int) -> bool:
    shown, beside = _rounded(value, decimals), _rounded(limit, MILLIONTHS)
    return (shown > beside) - (shown < beside) != order(value, limit)


def _rounded(value: float, decimals: int) -> Decimal:
    """Half away from zero, of the number as it is written."""
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _EVERY_DIGIT)


def _steps(us: int) -> list[int]:
    """What to round to, coarser first: the second largest unit that it has, and all smaller ones."""
    units = [unit_us for unit_us, _, _ in _LENGTHS]
    largest = next((place for place, unit_us in enumerate(units) if us >= unit_us), len(units) - 1)
    return [*units[min(largest + 1, len(units) - 1) :], 1_000]


def _to_steps(us: int, step_us: int) -> int:
    return (us + step_us // 2) // step_us * step_us


def _in_words(us: int, language: Language) -> str:
    parts: list[str] = []
    left = us
    for unit_us, one, several in _LENGTHS[:-1]:
        count, left = divmod(left, unit_us)
        if count:
            parts.append(f"{count} {(one if count == 1 else several).said(language)}")
    if left or not parts:
        unit_us, one, several = _LENGTHS[-1]
        seconds = left / unit_us
        word = one if left == unit_us else several
        parts.append(f"{number(seconds, language, _decimals(seconds, MILLIONTHS))} {word.said(language)}")
    return listed(parts, AND, language)
