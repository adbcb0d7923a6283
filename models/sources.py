"""From where readings come: vendors and gateways, as far as it must be noticed that one is silent."""

from dataclasses import dataclass

HOURS_KEPT = 192
"""Eight days; what is kept of an hour makes room for that of the hour eight days later."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What came from a source in one hour of the log, in one partition.

    `patients` are different ones. **Units**: hours, and microseconds, since 1970 UTC.
    """

    source: str
    hour: int
    patients: int
    last_received_us: int
