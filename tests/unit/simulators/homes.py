"""A few homes with every sort of device, lived in for some days with the troubles that a test asks for."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.labels import About, Label
from models.units import to_canonical
from simulators.devices.display import unit_numbers
from simulators.devices.trouble import NO_TROUBLE, Rates
from simulators.devices.uploads import Lines, Uploads, joined_uploads
from simulators.patients.measurements import Device
from simulators.scenarios.description import Description
from simulators.scenarios.scenario import Day, Scenario
from simulators.simulate import newest_programmes
from simulators.wire import Encoder, Message

PROGRAMMES = newest_programmes(None)
EVERYBODY = Description(
    about="Every condition, so every device.",
    conditions={
        "heart_failure": 0.35, "copd": 0.15, "diabetes": 0.35, "frail_elderly": 0.05, "hospital_at_home": 0.1,
    },
)  # fmt: skip
BEFORE_THE_CLOCKS_CHANGE = date(2026, 3, 27)


@dataclass(frozen=True)
class Homes:
    """What came of some days."""

    scenario: Scenario
    days: list[Day]

    @cached_property
    def uploads(self) -> Uploads:
        return joined_uploads([day.uploads for day in self.days])

    @cached_property
    def lines(self) -> Lines:
        return self.uploads.lines

    @cached_property
    def received_us(self) -> NDArray[np.int64]:
        """When each line was received."""
        return np.repeat(self.uploads.received_at_us, self.uploads.count)

    @cached_property
    def canonical(self) -> NDArray[np.float64]:
        lines = self.lines
        return to_canonical(lines.value, lines.kind, unit_numbers(lines.unit))

    @cached_property
    def messages(self) -> list[Message]:
        encoder = Encoder(self.scenario, 3_600_000_000)
        return [message for day in self.days for message in encoder.day(day)]

    def labels(self, kind: str) -> list[Label]:
        return [label for label in self.scenario.labels() if label.kind == kind]

    @property
    def technical(self) -> set[str]:
        """Kinds of labels that are about no patient and come from trouble."""
        always = {"sensor_change", "lapse", "journey", "pause", "late_weighing"}
        labels = self.scenario.labels()
        return {label.kind for label in labels if label.about is not About.PATIENT} - always

    def of(self, device: Device, kind: int | None = None) -> NDArray[np.bool_]:
        """Which lines a device sent."""
        mine = self.lines.device == device
        return mine if kind is None else mine & (self.lines.kind == kind)


def lived(
    rates: Rates = NO_TROUBLE,
    *,
    patients: int = 24,
    days: int = 5,
    seed: int = 3,
    start: date = BEFORE_THE_CLOCKS_CHANGE,
) -> Homes:
    """The same homes for the same arguments, but for the troubles."""
    scenario = Scenario(
        seed=seed,
        patients=patients,
        days=days,
        start=start,
        programmes=PROGRAMMES,
        rates=rates,
        said=EVERYBODY,
    )
    return Homes(scenario, list(scenario))


def only(**rates: float) -> Rates:
    """Nothing goes wrong but this."""
    return NO_TROUBLE.changed(tuple(f"{name}={rate}" for name, rate in rates.items()))
