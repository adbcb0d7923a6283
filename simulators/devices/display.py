"""What a device shows of a true value: its error, unit and steps; a patient's devices stay the same."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.kinds import KIND_BY_NAME, KINDS
from models.units import UNIT_BY_SPELLING, from_canonical
from simulators.devices.trouble import Rates
from simulators.devices.uploads import NO_OFFSET, NO_UNIT, UNIT_TEXTS, Content, Lines
from simulators.patients.measurements import NO_CODE, Device, Measurements
from simulators.patients.population import Floats, Ints, Population
from simulators.patients.streams import Purpose, stream, uuid_texts, uuids4

VENDORS: Final = ("vendor-a", "vendor-b", "vendor-c")
DEVICE_NAMES: Final = {device: device.name.lower() for device in Device}
_Spelling = tuple[str, float, float]
"""Unit as the device spells it, steps per unit, share of the devices."""
SPELLINGS: Final[dict[str, tuple[_Spelling, ...]]] = {
    "body_weight": (("kg", 10, 0.88), ("g", 0.01, 0.07), ("[lb_av]", 5, 0.05)),
    "systolic": (("mm[Hg]", 1, 0.80), ("mmHg", 1, 0.17), ("kPa", 10, 0.03)),
    "pulse": (("/min", 1, 0.70), ("{beats}/min", 1, 0.20), ("bpm", 1, 0.10)),
    "spo2": (("%", 1, 0.96), ("1", 100, 0.04)),
    "battery": (("%", 1, 1.0),),
    "temperature": (("Cel", 10, 0.97), ("[degF]", 10, 0.03)),
    "glucose": (("mmol/L", 10, 0.95), ("mg/dL", 1, 0.05)),
    "glucose_cgm": (("mmol/L", 10, 0.85), ("mg/dL", 1, 0.15)),
    "respiratory_rate": (("/min", 1, 0.80), ("{breaths}/min", 1, 0.20)),
    "peak_flow": (("L/min", 0.2, 1.0),),
    "fev1": (("L", 100, 1.0),),
    "steps": (("{steps}", 1, 1.0),),
}
SAME_AS: Final = {"diastolic": "systolic", "mean_arterial": "systolic", "heart_rate": "pulse", "fvc": "fev1"}
SAYS_OFFSET_SHARE: Final = 0.3
BIAS_SD: Final = {"body_weight": 0.3, "spo2": 0.5, "temperature": 0.1}
"""How far a home's device is off, always the same way. **Source**: our own proposal; the cuff's error is the
population's (`cuff_bias`), as it was published."""
METER_FACTOR_SD: Final = 0.05
"""A glucose meter that is off is so by a share: 95 % within 10 %, better than ISO 15197 asks (M)."""
TENS, FIVES = 0.1, 0.2
"""Steps per mmHg of who rounds."""
_PRESSURES = tuple(KIND_BY_NAME[name].number for name in ("systolic", "diastolic"))
_SPO2, _GLUCOSE = KIND_BY_NAME["spo2"].number, KIND_BY_NAME["glucose"].number
_MOST_SPO2 = 100.0


@dataclass(frozen=True, slots=True)
class Homes:
    """The devices of each patient, as columns.

    **Shape**: `unit`, `steps`, `bias` and `factor` are [kinds, n]: how this patient's device spells and
    rounds each kind, and how far it is off in the canonical unit; `has` is [n, devices].
    """

    has: NDArray[np.bool_]
    home_text: list[str]
    vendor: NDArray[np.int8]
    unit: NDArray[np.int16]
    steps: Floats
    bias: Floats
    factor: Floats
    says_offset: NDArray[np.bool_]

    def device_text(self, patient: int, device: Device) -> str:
        """With which id a device sends."""
        return f"{DEVICE_NAMES[device]}-{self.home_text[patient]}"

    def devices_of(self, patient: int) -> list[Device]:
        """What a patient has at home."""
        return [device for device in Device if self.has[patient, device]]

    def source_text(self, patient: int) -> str:
        """Which vendor delivers for a patient."""
        return VENDORS[int(self.vendor[patient])]


def furnish(population: Population, rates: Rates) -> Homes:
    """Give each patient a vendor and devices with their own units and errors."""
    n = len(population)
    first = stream(population.seed, Purpose.DEVICES).random((n, 8))
    # What came to be simulated later draws for itself, so that the older choices of a seed stay.
    uniform = stream(population.seed, Purpose.SPELLS).random((n, len(SPELLINGS) + 2))
    uniform[:, :5] = first[:, :5]
    normal = stream(population.seed, Purpose.SPELLS, 0).standard_normal((n, len(BIAS_SD) + 1))
    names = uuid_texts(uuids4(stream(population.seed, Purpose.DEVICE_NAMES), n))
    unit = np.full((len(KINDS), n), NO_UNIT, np.int16)
    steps, bias, factor = np.ones((len(KINDS), n)), np.zeros((len(KINDS), n)), np.ones((len(KINDS), n))
    for column, name in enumerate(SPELLINGS):
        for kind in (name, *(same for same, other in SAME_AS.items() if other == name)):
            unit[KIND_BY_NAME[kind].number], steps[KIND_BY_NAME[kind].number] = _choose(
                SPELLINGS[name], uniform[:, column]
            )
    for column, (name, sd) in enumerate(BIAS_SD.items()):
        bias[KIND_BY_NAME[name].number] = sd * normal[:, column]
    factor[_GLUCOSE] = 1 + METER_FACTOR_SD * normal[:, -1]
    _round_off(steps, unit, rates, uniform[:, -1])
    return Homes(
        has=_devices(population),
        home_text=[name[:8] for name in names],
        vendor=(first[:, 6] * len(VENDORS)).astype(np.int8),
        unit=unit,
        steps=steps,
        bias=bias,
        factor=factor,
        says_offset=first[:, 7] < SAYS_OFFSET_SHARE,
    )


def displayed(measured: Measurements, homes: Homes, offset_min: int) -> Lines:
    """Measurements as the patients' devices show them."""
    kind, patient = measured.kind, measured.patient
    answer = measured.code != NO_CODE
    unit = np.where(answer, NO_UNIT, homes.unit[kind, patient]).astype(np.int16)
    steps = homes.steps[kind, patient]
    read = measured.value * homes.factor[kind, patient] + homes.bias[kind, patient]
    read = np.where(kind == _SPO2, np.minimum(read, _MOST_SPO2), read)
    own = from_canonical(read, kind, _UNIT_NUMBERS[unit])
    return Lines(
        patient=patient,
        device=measured.device,
        kind=kind,
        taken_at_us=measured.taken_at_us.copy(),
        value=in_steps(own, steps),
        unit=unit,
        code=measured.code.copy(),
        content=np.where(answer, Content.CODE, Content.VALUE).astype(np.int8),
        revision=np.zeros(len(measured), np.int32),
        session=measured.session,
        group=measured.group,
        offset_min=np.where(homes.says_offset[patient], offset_min, NO_OFFSET).astype(np.int16),
    )


def in_steps(value: Floats, steps: Floats) -> Floats:
    """Values as exact decimals of so many steps per unit.

    >>> in_steps(np.array([81.234, 123.0]), np.array([10.0, 0.2]))
    array([ 81.2, 125. ])
    """
    # Steps below one come from a division by whole numbers, so that what is shown is an exact decimal.
    return np.where(steps < 1, np.rint(value * steps) * np.rint(1 / steps), np.rint(value * steps) / steps)


def unit_numbers(unit: NDArray[np.int16]) -> Ints:
    """The number in `models.units` of each spelling; −1 for none."""
    return _UNIT_NUMBERS[unit]


def _devices(population: Population) -> NDArray[np.bool_]:
    """Everybody has the app in which questions are answered."""
    own = {
        Device.SCALE: population.has_scale,
        Device.CUFF: population.has_cuff,
        Device.OXIMETER: population.has_oximeter,
        Device.APP: np.ones(len(population), np.bool_),
        Device.THERMOMETER: population.has_thermometer,
        Device.METER: population.has_meter,
        Device.SPIROMETER: population.has_spirometer,
        Device.SENSOR: population.has_sensor,
        Device.WEARABLE: population.has_wearable,
    }
    return np.stack([own[device] for device in Device], axis=1)


def _round_off(steps: Floats, unit: NDArray[np.int16], rates: Rates, uniform: Floats) -> None:
    """Who prefers round digits: half of them write tens, half write fives."""
    prefers = uniform < rates.digit_preference
    rough = np.where(uniform < rates.digit_preference / 2, TENS, FIVES)
    for kind in _PRESSURES:
        in_mmhg = unit[kind] != UNIT_TEXTS.index("kPa")
        steps[kind] = np.where(prefers & in_mmhg, rough, steps[kind])


def _choose(choices: tuple[_Spelling, ...], uniform: Floats) -> tuple[Ints, Floats]:
    edges = np.cumsum([share for _, _, share in choices])[:-1]
    picked = np.searchsorted(edges, uniform, side="right")
    units = np.array([UNIT_TEXTS.index(spelling) for spelling, _, _ in choices])
    return units[picked], np.array([float(steps) for _, steps, _ in choices])[picked]


_UNIT_NUMBERS = np.array([*(UNIT_BY_SPELLING[text] for text in UNIT_TEXTS), -1])
"""Number of each spelling's unit; its last entry is the one that NO_UNIT finds."""
