"""What a device shows of a true value: its unit and its steps; each patient's devices stay the same."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.kinds import KIND_BY_NAME
from models.units import UNIT_BY_SPELLING, from_canonical
from simulators.devices.uploads import NO_OFFSET, NO_UNIT, UNIT_TEXTS, Content, Lines
from simulators.patients.measurements import NO_CODE, Device, Measurements
from simulators.patients.population import Floats, Ints, Population
from simulators.patients.streams import Purpose, stream, uuid_texts, uuids4

VENDORS = ("vendor-a", "vendor-b", "vendor-c")
DEVICE_NAMES = {
    Device.SCALE: "scale",
    Device.CUFF: "cuff",
    Device.OXIMETER: "oximeter",
    Device.APP: "app",
    Device.THERMOMETER: "thermometer",
    Device.METER: "meter",
    Device.SPIROMETER: "spirometer",
    Device.SENSOR: "sensor",
    Device.WEARABLE: "wearable",
}
SPELLINGS: dict[str, tuple[tuple[str, float, float], ...]] = {
    # unit as the device spells it, steps per unit, share of the devices
    "body_weight": (("kg", 10, 0.88), ("g", 0.01, 0.07), ("[lb_av]", 5, 0.05)),
    "systolic": (("mm[Hg]", 1, 0.80), ("mmHg", 1, 0.17), ("kPa", 10, 0.03)),
    "pulse": (("/min", 1, 0.70), ("{beats}/min", 1, 0.20), ("bpm", 1, 0.10)),
    "spo2": (("%", 1, 0.96), ("1", 100, 0.04)),
    "battery": (("%", 1, 1.0),),
}
SAME_AS = {"diastolic": "systolic"}
SAYS_OFFSET_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Homes:
    """The devices of each patient, as columns, `device` being patient × len(Device) + Device.

    **Shape**: `unit` and `steps` are [kinds, n]: how this patient's device spells and rounds each kind.
    """

    device_text: list[str]
    source_text: list[str]
    unit: NDArray[np.int16]
    steps: Floats
    says_offset: NDArray[np.bool_]


def furnish(population: Population) -> Homes:
    """Give each patient a vendor and devices with their own units."""
    n = len(population)
    uniform = stream(population.seed, Purpose.DEVICES).random((n, 8))
    names = uuid_texts(uuids4(stream(population.seed, Purpose.DEVICE_NAMES), n))
    unit = np.full((len(KIND_BY_NAME), n), NO_UNIT, np.int16)
    steps = np.ones((len(KIND_BY_NAME), n))
    for column, name in enumerate(SPELLINGS):
        for kind in (name, *(same for same, other in SAME_AS.items() if other == name)):
            unit[KIND_BY_NAME[kind].number], steps[KIND_BY_NAME[kind].number] = _choose(
                SPELLINGS[name], uniform[:, column]
            )
    vendor = (uniform[:, 6] * len(VENDORS)).astype(np.int64)
    return Homes(
        device_text=[f"{DEVICE_NAMES[device]}-{name[:8]}" for name in names for device in Device],
        source_text=[VENDORS[v] for v in vendor],
        unit=unit,
        steps=steps,
        says_offset=uniform[:, 7] < SAYS_OFFSET_SHARE,
    )


def displayed(measured: Measurements, homes: Homes, offset_min: int) -> Lines:
    """Measurements as the patients' devices show them."""
    kind, patient = measured.kind, measured.patient
    answer = measured.code != NO_CODE
    unit = np.where(answer, NO_UNIT, homes.unit[kind, patient]).astype(np.int16)
    steps = homes.steps[kind, patient]
    own = from_canonical(measured.value, kind, _UNIT_NUMBERS[unit])
    # Steps below one come from a division by whole numbers, so that what is shown is an exact decimal.
    shown = np.where(steps < 1, np.rint(own * steps) * np.rint(1 / steps), np.rint(own * steps) / steps)
    return Lines(
        patient=patient,
        device=measured.device,
        kind=kind,
        taken_at_us=measured.taken_at_us.copy(),
        value=shown,
        unit=unit,
        code=measured.code.copy(),
        content=np.where(answer, Content.CODE, Content.VALUE).astype(np.int8),
        revision=np.zeros(len(measured), np.int32),
        session=measured.session,
        group=measured.group,
        offset_min=np.where(homes.says_offset[patient], offset_min, NO_OFFSET).astype(np.int16),
    )


def _choose(choices: tuple[tuple[str, float, float], ...], uniform: Floats) -> tuple[Ints, Floats]:
    edges = np.cumsum([share for _, _, share in choices])[:-1]
    picked = np.searchsorted(edges, uniform, side="right")
    units = np.array([UNIT_TEXTS.index(spelling) for spelling, _, _ in choices])
    return units[picked], np.array([float(steps) for _, steps, _ in choices])[picked]


_UNIT_NUMBERS = np.array([*(UNIT_BY_SPELLING[text] for text in UNIT_TEXTS), -1])
"""Number of each spelling's unit; its last entry is the one that NO_UNIT finds."""
