"""How fast a simulation goes: as fast as it can, so many times real time, or so many readings a second."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """What bounds a simulation's speed; None for no bound.

    **Units**: `speed` in simulated seconds per second, `rate` in readings per second.
    """

    speed: float | None = None
    rate: float | None = None

    def wait_s(self, simulated_us: int, readings: int, elapsed_s: float) -> float:
        """How long to wait before what comes next, given how far everything is since the start.

        >>> Pace(speed=3600.0).wait_s(7_200_000_000, 100, 0.5)
        1.5
        >>> Pace(rate=1000.0).wait_s(0, 5000, 1.0)
        4.0
        >>> Pace().wait_s(7_200_000_000, 100, 0.0)
        0.0
        """
        due_s = [0.0]
        if self.speed is not None:
            due_s.append(simulated_us / 1e6 / self.speed)
        if self.rate is not None:
            due_s.append(readings / self.rate)
        return max(0.0, max(due_s) - elapsed_s)
