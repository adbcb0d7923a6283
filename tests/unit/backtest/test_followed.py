"""How long patients were followed, and when their alerts are held back."""

from typing import Any

import pytest

from alerting.backtest.followed import HeldSpan, Span, followed, held
from alerting.backtest.found import NEVER_US
from models.messages import Admit, Discharge, End, Enrol, Pause, Resume, Withdraw

STRETCH = Span(100, 1_000)
IN, ALSO, OUT = (
    Enrol(programme="weights", version=1),
    Enrol(programme="other", version=1),
    Withdraw(programme="weights"),
)
ENDED = End(reason="finished")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([(200, IN)], (200, 1_000)),
        ([(50, IN)], (100, 1_000)),
        ([(200, IN), (700, ENDED)], (200, 700)),
        ([(200, IN), (700, OUT)], (200, 700)),
        ([(200, IN), (300, ALSO), (700, OUT)], (200, 1_000)),
        ([(200, IN), (300, OUT), (700, IN)], (200, 1_000)),
        ([(200, Enrol(programme="nobodys", version=1))], (1_000, 1_000)),
        ([(2_000, IN)], (1_000, 1_000)),
        ([(200, IN), (300, OUT), (2_000, IN)], (200, 300)),
        ([(20, IN), (50, ENDED), (300, IN)], (300, 1_000)),
        ([(20, IN), (50, ENDED)], (100, 100)),
        ([], (1_000, 1_000)),
    ],
)
def test_from_the_first_enrolment_to_the_end_of_the_last(
    changes: list[tuple[int, Any]], expected: tuple[int, int]
) -> None:
    assert followed(changes, {"weights", "other"}, STRETCH) == expected


def test_alerts_are_held_back_in_hospital_and_in_pauses() -> None:
    changes = [
        (10, Pause(until_us=50)),
        (20, Admit()),
        (60, Discharge()),
        (70, Pause()),
        (80, Resume()),
        (90, Admit()),
    ]
    assert list(held(changes)) == [
        HeldSpan(admission=False, from_us=10, until_us=50),
        HeldSpan(admission=True, from_us=20, until_us=60),
        HeldSpan(admission=False, from_us=70, until_us=80),
        HeldSpan(admission=True, from_us=90, until_us=NEVER_US),
    ]
