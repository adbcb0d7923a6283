"""When a silent vendor or gateway is an incident, and how long it may hold back what follows from it; pure.

It affects what people see, nothing else: findings stay what they are. An incident explains the alerts about
missing data that opened since, of patients whose newest reading is of that source. Those that somebody has
claimed stay with them, and none is held back twice: nobody, and no vendor that comes and goes, can silence an
alert for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from models.clock import HOUR_US

DAYS_COMPARED = 7
HOURS_LOOKED_AT = 24


@dataclass(frozen=True, slots=True)
class Limits:
    """What makes silence an incident, and what ends it. **Units**: microseconds.

    `patients`: of at least so many readings were to be expected, in the busiest hour of the silence.
    """

    patients: int
    silent_us: int
    longest_us: int
    grace_us: int


class Release(StrEnum):
    """Why an alert is not held back any longer."""

    INCIDENT_OVER = "incident_over"
    LONGEST_TIME = "longest_time"
    LET_THROUGH = "let_through"
    """Somebody who knows better let them through."""


def expected_patients(patients_by_hour: Mapping[int, int], last_us: int, now_us: int) -> float:
    """Of how many patients something was to be expected since `last_us`, in the busiest hour since.

    By the mean of the same hour on the days before, as far back as the source is known, seven at most; of an
    hour that lies only partly in the silence that part. So a quiet night is no silence, and a source that is
    new today has nothing to be compared with. **Units**: microseconds since 1970 UTC; hours since 1970.

    >>> mornings = {24 * day + 8: 60 for day in range(7)}
    >>> expected_patients(mornings, (24 * 7 + 7) * HOUR_US, (24 * 7 + 8) * HOUR_US + HOUR_US // 2)
    30.0
    >>> expected_patients(mornings, (24 * 7 + 9) * HOUR_US, (24 * 7 + 20) * HOUR_US)
    0.0
    """
    if not patients_by_hour:
        return 0.0
    known_from = min(patients_by_hour)
    busiest = 0.0
    end = now_us // HOUR_US
    for hour in range(max(last_us // HOUR_US, end - HOURS_LOOKED_AT), end + 1):
        before = [hour - 24 * day for day in range(1, DAYS_COMPARED + 1) if hour - 24 * day >= known_from]
        if not before:
            continue
        mean = sum(patients_by_hour.get(earlier, 0) for earlier in before) / len(before)
        inside_us = min(now_us, (hour + 1) * HOUR_US) - max(last_us, hour * HOUR_US)
        busiest = max(busiest, mean * inside_us / HOUR_US)
    return busiest


def is_incident(patients_by_hour: Mapping[int, int], last_us: int, now_us: int, limits: Limits) -> bool:
    """Whether nothing came for so long, from so many, that it is not the patients."""
    return (
        now_us - last_us > limits.silent_us
        and expected_patients(patients_by_hour, last_us, now_us) >= limits.patients
    )


def release(
    ended_us: int | None, held_us: int, now_us: int, limits: Limits, *, let_through: bool = False
) -> Release | None:
    """Why an alert is to be released, None while it may be held back.

    The end of an incident is not at once that of its alerts: what piled up has yet to come in.
    **Units**: `held_us`, for how long it is held back; the others in microseconds since 1970 UTC.
    """
    if let_through:
        return Release.LET_THROUGH
    if ended_us is not None and now_us - ended_us >= limits.grace_us:
        return Release.INCIDENT_OVER
    return Release.LONGEST_TIME if held_us >= limits.longest_us else None
