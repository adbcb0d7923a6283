"""Numbers read as they are: on their own side of the limit, in lengths that a person would say."""

import re

from hypothesis import given
from hypothesis import strategies as st

from alerting.explain import figures
from alerting.explain.moments import iso, moment, short_moment
from alerting.explain.vocabulary import Language
from models.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US

UNITS = {"dag": DAY_US, "dagen": DAY_US, "uur": HOUR_US, "minuut": MINUTE_US, "minuten": MINUTE_US}
LENGTHS = st.integers(0, 400 * DAY_US) | st.integers(0, 90 * SECOND_US) | st.just(2 * DAY_US)


def in_us(text: str) -> int:
    """A length of time as it is read."""
    parts = re.findall(r"([0-9,]+) ([a-z]+)", text)
    return sum(round(float(n.replace(",", ".")) * UNITS.get(unit, SECOND_US)) for n, unit in parts)


@given(us=LENGTHS, beside_us=LENGTHS | st.none(), near=st.integers(-3, 3) | st.none())
def test_lengths_of_time_read_as_they_are(us: int, beside_us: int | None, near: int | None) -> None:
    if near is not None:
        beside_us = us + near
    shown = in_us(figures.length(us, Language.NL, beside_us))
    assert abs(shown - us) <= 12 * HOUR_US
    if us >= DAY_US:
        assert abs(shown - us) <= HOUR_US // 2
    if beside_us is not None:
        assert (shown > beside_us) - (shown < beside_us) == (us > beside_us) - (us < beside_us)


def test_lengths_as_they_are_said() -> None:
    assert figures.length(0, Language.NL) == "0 seconden"
    assert figures.length(2 * HOUR_US + 10 * MINUTE_US + 3 * SECOND_US, Language.NL) == "2 uur en 10 minuten"
    assert figures.length(5 * DAY_US + 1, Language.NL) == "5 dagen"
    assert figures.length(5 * DAY_US + 1, Language.NL, 5 * DAY_US) == "5 dagen en 0,000001 seconden"
    assert figures.length(23 * HOUR_US + 59 * MINUTE_US + 59 * SECOND_US, Language.EN) == "1 day"
    assert figures.window(36 * HOUR_US, Language.EN) == "36 hours"
    assert figures.window(DAY_US, Language.EN) == "1 day"


@given(
    limit=st.integers(-4000, 4000).map(lambda n: n / 20),
    by=st.floats(-3, 3) | st.sampled_from([1e-6, -1e-6, 4e-7, 0.049, -0.051, 0.0]),
    unit=st.sampled_from(["kg", "mm[Hg]", "%", "1", "mmol/L", "kg/d"]),
)
def test_a_value_is_shown_on_its_own_side_of_the_limit(limit: float, by: float, unit: str) -> None:
    value = limit + by
    decimals = figures.decimals_for(unit, value, limit)
    shown = float(figures.number(value, Language.EN, decimals).replace("−", "-").replace(",", ""))
    beside = figures.number(limit, Language.EN, figures.decimals_of(unit, limit))
    assert float(beside.replace("−", "-").replace(",", "")) == limit
    assert figures.order(shown, limit) == figures.order(value, limit)
    assert abs(shown - value) <= 0.5 * 10**-decimals + 1e-9


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_what_was_received_keeps_every_digit(value: float) -> None:
    text = figures.exact(value, Language.NL).replace(".", "").replace(",", ".").replace("−", "-")
    assert float(text) == value


def test_moments_are_those_of_amsterdam() -> None:
    winter, summer = 1_795_332_660_000_000, 1_784_000_000_000_000
    assert moment(winter, Language.EN) == "Sunday 22 November 2026 at 08:31"
    assert moment(summer, Language.NL) == "dinsdag 14 juli 2026 om 05:33 uur"
    assert iso(winter) == "2026-11-22T07:31:00Z"
    assert short_moment(summer, Language.EN) == "Tue 14-07-2026 05:33"


def test_the_hour_that_comes_twice_says_which_it_is() -> None:
    first = 1_792_888_200_000_000  # 2026-10-25, 02:30 summer time
    assert moment(first, Language.NL) == "zondag 25 oktober 2026 om 02:30 uur (zomertijd)"
    assert moment(first + HOUR_US, Language.NL) == "zondag 25 oktober 2026 om 02:30 uur (wintertijd)"
    assert "(" not in moment(first + 2 * HOUR_US, Language.NL)
