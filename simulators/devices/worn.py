"""What people wear, measured and displayed: glucose each five minutes, vital signs each minute."""

import numpy as np

from models.labels import Label
from simulators.devices.artefacts import nothing_of
from simulators.devices.display import Homes, displayed
from simulators.devices.glucose_sensors import GlucoseSensors
from simulators.devices.traces import Bools
from simulators.devices.trouble import Rates
from simulators.devices.uploads import Lines
from simulators.devices.wearables import Wearables
from simulators.patients.bodies import Bodies
from simulators.patients.conditions import CONDITION_NUMBERS
from simulators.patients.population import Population


class Worn:
    """The readings of all who wear something; advances one day at a time.

    Whoever is not in hospital at home wears a watch that counts steps, and tells them by the day: that is no
    matter of this, but of `sessions`.
    """

    def __init__(self, population: Population, bodies: Bodies, homes: Homes, rates: Rates) -> None:
        self.homes = homes
        self.with_sensor = population.has_sensor
        self.with_wearable = (
            population.has_wearable & population.conditions[:, CONDITION_NUMBERS["hospital_at_home"]]
        )
        self.sensors = GlucoseSensors(population, bodies, rates)
        self.wearables = Wearables(population, bodies, rates)

    def lines(self, day: int, midnight_us: int, until_us: int, able: Bools, offset_min: int) -> list[Lines]:
        """A day's readings as they are shown."""
        shown: list[Lines] = []
        if len(rows := np.flatnonzero(self.with_sensor & able)):
            glucose = self.sensors.measure(day, midnight_us, until_us, rows)
            shown.append(displayed(glucose, self.homes, offset_min))
        if len(rows := np.flatnonzero(self.with_wearable & able)):
            vital, by_loose_probe = self.wearables.measure(day, midnight_us, until_us, rows)
            lines = displayed(vital, self.homes, offset_min)
            loose = np.flatnonzero(by_loose_probe)
            lines.value[loose] = nothing_of(lines.kind[loose])
            shown.append(lines)
        return shown

    def labels_until(self, end_us: int) -> list[Label]:
        """What began before the end."""
        return [*self.sensors.labels_until(end_us), *self.wearables.labels_until(end_us)]
