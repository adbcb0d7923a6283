"""Who the simulated patients are: everything about them that does not change from day to day, as columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from simulators.patients import region
from simulators.patients.condition import CHANNELS, Condition, Devices, Range, Trait
from simulators.patients.conditions import CONDITION_NUMBERS, CONDITIONS
from simulators.patients.parameters import PARAMETERS, Parameters
from simulators.patients.region import HOME, Mix
from simulators.patients.streams import Purpose, stream, uuid_texts, uuids4

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DEVICES = tuple(field.name for field in fields(Devices))
MEASURED_BY: dict[str, tuple[str, ...]] = {
    "body_weight": ("scale",),
    "systolic": ("cuff",),
    "diastolic": ("cuff",),
    "heart_rate": ("cuff", "oximeter", "wearable"),
    "spo2": ("oximeter", "wearable"),
    "respiratory_rate": ("thermometer", "wearable"),
    "temperature": ("thermometer", "wearable"),
    "glucose": ("meter", "sensor"),
    "lung_function": ("spirometer",),
}
"""Which devices tell of a channel; of the others questions. Breaths are counted when fever is looked for."""


@dataclass(frozen=True, slots=True)
class Population:
    """Patients as columns of equal length n.

    **Shape**: each array is [n], `patient_id` uint8[n, 16], `conditions` [n, conditions], `measures`
    [n, channels]. **Units**: kg, mmHg, beats and breaths per minute, %, °C, mmol/L, L/min, steps a day; times
    of day in minutes after midnight at home; `condition` is the number of what they are followed for first.
    """

    seed: int
    parameters: Parameters
    patient_id: NDArray[np.uint8]
    patient_text: list[str]
    conditions: Bools
    condition: Ints
    age: Ints
    municipality: list[str]
    wijk: list[str]
    language: list[str]
    weight: Floats
    systolic: Floats
    diastolic: Floats
    heart_rate: Floats
    spo2: Floats
    respiratory_rate: Floats
    temperature: Floats
    glucose: Floats
    meal_rise: Floats
    peak_flow: Floats
    steps: Floats
    weight_wander: Floats
    cuff_bias: Floats
    complains: Floats
    """How often this patient answers *mild* where others say *none*."""
    adherence: Floats
    morning_min: Floats
    evening_min: Floats
    has_scale: Bools
    has_cuff: Bools
    has_oximeter: Bools
    has_thermometer: Bools
    has_meter: Bools
    has_sensor: Bools
    has_spirometer: Bools
    has_wearable: Bools
    measures: Bools

    def __len__(self) -> int:
        return len(self.condition)

    def per_patient(self, of: Callable[[Condition], float]) -> Floats:
        """A quantity of the condition that each patient is followed for first, as a column."""
        return np.array([of(condition) for condition in self.parameters.conditions])[self.condition]


class _Draw:
    """Chance for traits, one row per patient: more patients change nothing about the first ones."""

    def __init__(self, seed: int, n: int, mix: Mix, parameters: Parameters) -> None:
        self.normal = stream(seed, Purpose.TRAITS).standard_normal((n, 16))
        self.uniform = stream(seed, Purpose.TRAITS, 0).random((n, 24 + len(CONDITIONS)))
        self.parameters = parameters
        self.first = _picked([mix.shares.get(c.name, 0.0) for c in CONDITIONS], self.uniform[:, 0])
        self.conditions = np.zeros((n, len(CONDITIONS)), np.bool_)
        self.conditions[np.arange(n), self.first] = True
        for (one, other), chance in mix.comorbidity.items():
            column = CONDITION_NUMBERS[other]
            has = (self.first == CONDITION_NUMBERS[one]) & (self.uniform[:, 24 + column] < chance)
            self.conditions[:, column] |= has

    def trait(self, of: Callable[[Condition], Trait], column: int, worst: str = "") -> Floats:
        """Of the first condition; or of all, the `highest` or `lowest` of what they bring."""
        spread = self.parameters.factors.spread
        table = np.array(
            [[t.mean, t.sd * spread, t.low, t.high] for t in map(of, self.parameters.conditions)]
        )
        normal = self.normal[:, column]

        def drawn(number: Ints | int) -> Floats:
            row = table[number]
            return np.clip(row[..., 0] + row[..., 1] * normal, row[..., 2], row[..., 3])

        value = drawn(self.first)
        for number in range(len(table)) if worst else ():
            other = drawn(number)
            taken = np.maximum(value, other) if worst == "highest" else np.minimum(value, other)
            value = np.where(self.conditions[:, number], taken, value)
        return value

    def range(self, of: Callable[[Condition], Range], column: int) -> Floats:
        return within([of(c) for c in self.parameters.conditions], self.first, self.uniform[:, column])

    def devices(self) -> dict[str, Bools]:
        """Who has what: for any of the conditions is enough."""
        shares = np.array([[getattr(c.devices, d) for d in DEVICES] for c in self.parameters.conditions])
        return {
            device: self.uniform[:, 4 + at] < (self.conditions * shares[:, at]).max(axis=1)
            for at, device in enumerate(DEVICES)
        }

    def adherence(self) -> Floats:
        regular_share = np.array([c.adherence.regular_share for c in self.parameters.conditions])[self.first]
        regular = self.range(lambda c: c.adherence.regular, 3)
        irregular = self.range(lambda c: c.adherence.irregular, 3)
        share = np.where(self.uniform[:, 1] < regular_share, regular, irregular)
        return np.minimum(share * self.parameters.factors.adherence, 1.0)

    def ages(self) -> Ints:
        bands = np.array([np.cumsum(region.age_shares(c.name))[:-1] for c in self.parameters.conditions])
        band = (bands[self.first] <= self.uniform[:, 12, None]).sum(axis=1)
        low, high = np.array(region.BANDS)[band].T
        return low + (self.uniform[:, 13] * (high + 1 - low)).astype(np.int64)


def draw_population(
    seed: int, patients: int, mix: Mix = HOME, parameters: Parameters = PARAMETERS
) -> Population:
    """The patients of a seed; the first ones are the same in a larger population of the same seed and mix."""
    draw = _Draw(seed, patients, mix, parameters)
    normal, uniform, factors = draw.normal, draw.uniform, parameters.factors
    wijk = _picked(region.wijk_people().tolist(), uniform[:, 14])
    english = uniform[:, 15] < region.ENGLISH_SHARE
    patient_id = uuids4(stream(seed, Purpose.IDENTITY), patients)
    has = draw.devices()
    return Population(
        seed=seed,
        parameters=parameters,
        patient_id=patient_id,
        patient_text=uuid_texts(patient_id),
        conditions=draw.conditions,
        condition=draw.first,
        age=draw.ages(),
        municipality=_texts(region.wijk_municipalities(), wijk),
        wijk=_texts(region.wijk_codes(), wijk),
        language=_texts(region.LANGUAGES, english.astype(np.int64)),
        weight=draw.trait(lambda c: c.weight, 0),
        systolic=draw.trait(lambda c: c.systolic, 1),
        diastolic=draw.trait(lambda c: c.diastolic, 2),
        heart_rate=draw.trait(lambda c: c.heart_rate, 3),
        spo2=draw.trait(lambda c: c.spo2, 4, "lowest"),
        respiratory_rate=draw.trait(lambda c: c.respiratory_rate, 8, "highest"),
        temperature=draw.trait(lambda c: c.temperature, 9),
        glucose=draw.trait(lambda c: c.glucose, 10, "highest"),
        meal_rise=draw.trait(lambda c: c.meal_rise, 11, "highest"),
        peak_flow=draw.trait(lambda c: c.peak_flow, 12, "lowest"),
        steps=draw.trait(lambda c: c.steps, 13, "lowest"),
        weight_wander=draw.range(lambda c: c.weight_wander, 2) * factors.wandering,
        cuff_bias=parameters.cuff_bias_sd * factors.bias * normal[:, 5],
        complains=0.6 * uniform[:, 16] * uniform[:, 16],
        adherence=draw.adherence(),
        # Before eleven, when a programme asks for a reading in the morning; most of the time.
        morning_min=np.clip(500 + 45 * normal[:, 6], 390, 615),
        evening_min=np.clip(1170 + 40 * normal[:, 7], 1080, 1240),
        **{f"has_{device}": there for device, there in has.items()},
        measures=_measures(has, draw.conditions, parameters.conditions),
    )


def within(ranges: Sequence[Range], index: Ints, uniform: Floats) -> Floats:
    """Amounts drawn from one range per row; small ones are more frequent where the range is skewed."""
    table = np.array([[r.low, r.high, float(r.skew)] for r in ranges])[index]
    amount = np.where(table[:, 2] > 0, uniform * uniform * np.sqrt(uniform), uniform)
    return table[:, 0] + (table[:, 1] - table[:, 0]) * amount


def _measures(has: dict[str, Bools], conditions: Bools, declared: Sequence[Condition]) -> Bools:
    """Of which channels anything is ever heard."""
    heard = np.zeros((len(conditions), len(CHANNELS)), np.bool_)
    steps, at_home = CHANNELS.index("steps"), CONDITION_NUMBERS["hospital_at_home"]
    heard[:, steps] = has["wearable"]
    # What others than these wear counts steps, no more.
    has = has | {"wearable": has["wearable"] & conditions[:, at_home]}
    for at, channel in enumerate(CHANNELS):
        for device in MEASURED_BY.get(channel, ()):
            heard[:, at] |= has[device]
        asks = np.array([channel in condition.questions for condition in declared])
        heard[:, at] |= (conditions & asks).any(axis=1)
    return heard


def _picked(weights: Sequence[float], uniform: Floats) -> Ints:
    """An index for each row, in proportion to the weights; those of weight 0 never."""
    edges = np.cumsum(weights)
    there = np.flatnonzero(np.array(weights) > 0)
    picked = np.searchsorted(edges[there] / edges[-1], uniform, side="right")
    return there[np.minimum(picked, len(there) - 1)]


def _texts(texts: Sequence[str], index: Ints) -> list[str]:
    return [texts[int(at)] for at in index]
