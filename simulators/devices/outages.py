"""When nothing gets through: a vendor that is away, a telephone that is not near; then all of it at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.clock import DAY_US, HOUR_US, SECOND_US
from models.labels import About, Label
from simulators.devices.display import VENDORS, Homes
from simulators.devices.spells import technical_labels
from simulators.devices.trouble import Rates
from simulators.devices.uploads import Uploads
from simulators.patients.measurements import WORN
from simulators.patients.population import Ints, Population
from simulators.patients.streams import Purpose, stream

AWAY_HOURS: Final = (0.5, 2.5)
DISCONNECTED_HOURS: Final = (0.5, 8.0)
HERD_S: Final = 120
"""Within so many seconds after it is back a vendor delivers what waited; a telephone does so too."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A vendor takes nothing in for a while. **Units**: microseconds since 1970 UTC."""

    vendor: str
    from_us: int
    until_us: int


class Outages:
    """Which uploads have to wait, and until when; advances one day at a time.

    **Shape**: `_from_us`, `_until_us` are [n]: since when and until when a patient's telephone is not near.
    """

    def __init__(
        self, population: Population, homes: Homes, rates: Rates, given: Sequence[Outage] = ()
    ) -> None:
        self.population = population
        self.homes = homes
        self.rates = rates
        self.given = given
        self._open: dict[Outage, set[int]] = {}
        self._from_us = np.zeros(len(population), np.int64)
        self._until_us = np.zeros(len(population), np.int64)
        self._labels: list[Label] = []

    def begin_day(self, day: int, midnight_us: int, until_us: int, wearers: Ints) -> None:
        """What is away today, beside what still is from yesterday."""
        chance = stream(self.population.seed, Purpose.OUTAGES, day)
        uniform = chance.random((len(VENDORS), 3))
        self._open = {outage: told for outage, told in self._open.items() if outage.until_us > midnight_us}
        new = [outage for outage in self.given if midnight_us <= outage.from_us < until_us]
        for vendor, (which, when, length) in zip(VENDORS, uniform.tolist(), strict=True):
            if which < self.rates.vendor_away:
                from_us = midnight_us + int(when * DAY_US) // SECOND_US * SECOND_US
                hours = AWAY_HOURS[0] + (AWAY_HOURS[1] - AWAY_HOURS[0]) * length
                new.append(Outage(vendor, from_us, from_us + int(hours * 3600) * SECOND_US))
        self._open.update((outage, set[int]()) for outage in new)
        if len(wearers):
            self._disconnect(wearers, chance.random((len(wearers), 3)), midnight_us)

    def hold(self, uploads: Uploads, day: int) -> Uploads:
        """The same uploads; those that come when nothing gets through are received when it is over."""
        chance = stream(self.population.seed, Purpose.HERDS, day)
        received_us, patient = uploads.received_at_us.copy(), uploads.patient % max(len(self.population), 1)
        worn = np.flatnonzero(np.isin(uploads.device, WORN))
        out = worn[self._until_us[patient[worn]] > received_us[worn]]
        out = out[self._from_us[patient[out]] <= received_us[out]]
        received_us[out] = self._until_us[patient[out]] + _spread(chance, len(out))
        for outage, told in self._open.items():
            inside = (received_us >= outage.from_us) & (received_us < outage.until_us)
            waits = np.flatnonzero(inside & (self.homes.vendor[patient] == VENDORS.index(outage.vendor)))
            received_us[waits] = outage.until_us + _spread(chance, len(waits))
            known = uploads.patient[waits] < len(self.population)
            self._tell(outage, told, uploads.patient[waits[known]])
        return replace(uploads, received_at_us=received_us)

    def labels_until(self, end_us: int) -> list[Label]:
        """What began before the end, for each patient whose uploads had to wait."""
        return [label for label in self._labels if label.onset_us < end_us]

    def _disconnect(self, wearers: Ints, uniform: NDArray[np.float64], midnight_us: int) -> None:
        begins = (uniform[:, 0] < self.rates.disconnected) & (self._until_us[wearers] <= midnight_us)
        low, high = DISCONNECTED_HOURS
        rows = wearers[begins]
        from_us = midnight_us + (uniform[begins, 1] * DAY_US).astype(np.int64) // SECOND_US * SECOND_US
        hours = low + (high - low) * uniform[begins, 2] * uniform[begins, 2]
        self._from_us[rows] = from_us
        self._until_us[rows] = from_us + (hours * HOUR_US).astype(np.int64) // SECOND_US * SECOND_US
        self._labels += technical_labels(
            self.population, rows, "disconnected", About.DEVICE, self._from_us[rows], self._until_us[rows]
        )

    def _tell(self, outage: Outage, told: set[int], patient: NDArray[np.int32]) -> None:
        new = set(patient.tolist()) - told
        told |= new
        rows = np.array(sorted(new), np.int64)
        from_us, until_us = np.full(len(rows), outage.from_us), np.full(len(rows), outage.until_us)
        self._labels += technical_labels(
            self.population, rows, "vendor_away", About.DEVICE, from_us, until_us
        )


def _spread(chance: np.random.Generator, n: int) -> Ints:
    return (chance.random(n) * HERD_S * 1000).astype(np.int64) * 1000
