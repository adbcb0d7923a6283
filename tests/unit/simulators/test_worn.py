"""What people wear: as many values as a day has, along what bodies go through, odd only where labelled."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.clock import HOUR_US, MINUTE_US
from models.kinds import KIND_BY_NAME
from models.labels import Label
from models.units import to_canonical
from simulators.devices.display import unit_numbers
from simulators.devices.trouble import NO_TROUBLE, Rates
from simulators.devices.uploads import Lines, joined_lines
from simulators.patients.calendar import midnight_us, offset_min
from simulators.patients.measurements import Device
from simulators.scenarios.description import Description
from simulators.scenarios.scenario import Scenario
from tests.unit.simulators.homes import PROGRAMMES, only

RECORDINGS = Path(__file__).parents[3].parent / "shared" / "data" / "cgm" / "example_data_5_subject.csv"
SLOT_US = 5 * MINUTE_US
A_DAY = 24 * 60 // 5
MG_DL = 18.01559
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WornDays:
    """Some days of everybody who wears something."""

    scenario: Scenario
    lines: Lines
    canonical: Floats
    begin_us: int
    days: int

    def of(self, kind: str, device: Device) -> NDArray[np.bool_]:
        return (self.lines.kind == KIND_BY_NAME[kind].number) & (self.lines.device == device)

    def recordings(self, kind: str, device: Device, step_us: int) -> Iterator[tuple[int, Floats]]:
        """Each patient's values, one a step, NaN where there is none."""
        steps = self.days * 24 * HOUR_US // step_us
        mine = self.of(kind, device)
        for patient in np.unique(self.lines.patient[mine]).tolist():
            rows = np.flatnonzero(mine & (self.lines.patient == patient))
            found = np.full(steps, np.nan)
            found[(self.lines.taken_at_us[rows] - self.begin_us) // step_us] = self.canonical[rows]
            yield patient, found

    def labels(self, patient: int, *kinds: str) -> list[Label]:
        text = self.scenario.population.patient_text[patient]
        return [
            label
            for label in (*self.scenario.labels(), *self.scenario.worn.labels_until(2**62))
            if label.patient_id == text and label.kind in kinds
        ]


def wear(
    condition: str, rates: Rates = NO_TROUBLE, *, patients: int, days: int, start: date = date(2026, 3, 2),
    seed: int = 5, deteriorations: float = 1.0,
) -> WornDays:  # fmt: skip
    said = Description(about="One condition.", conditions={condition: 1.0})
    scenario = Scenario(
        seed=seed, patients=patients, days=days, start=start, programmes=PROGRAMMES, rates=rates, said=said,
        deteriorations=deteriorations,
    )  # fmt: skip
    everybody, found = np.ones(patients, np.bool_), list[Lines]()
    for day in range(days):
        begin_us, until_us = midnight_us(start, day), midnight_us(start, day + 1)
        scenario.courses.begin_day(day, begin_us, everybody)
        scenario.bodies.next_day(day, begin_us)
        found += scenario.worn.lines(day, begin_us, until_us, everybody, offset_min(start, day))
    lines = joined_lines(found)
    canonical = to_canonical(lines.value, lines.kind, unit_numbers(lines.unit))
    return WornDays(scenario, lines, canonical, midnight_us(start, 0), days)


@pytest.fixture(scope="module")
def sensors() -> WornDays:
    return wear("diabetes", patients=100, days=14)


@pytest.mark.parametrize(
    ("start", "hours"), [(date(2026, 3, 28), (24, 23, 24)), (date(2026, 10, 24), (24, 25, 24))]
)
def test_a_day_has_as_many_values_as_it_has_minutes(start: date, hours: tuple[int, ...]) -> None:
    at_home = wear("hospital_at_home", patients=12, days=3, start=start)
    for patient in np.unique(at_home.lines.patient):
        mine = (at_home.lines.patient == patient) & at_home.of("heart_rate", Device.WEARABLE)
        for day, length in enumerate(hours):
            begin_us, until_us = midnight_us(start, day), midnight_us(start, day + 1)
            taken = at_home.lines.taken_at_us
            count = int((mine & (begin_us <= taken) & (taken < until_us)).sum())
            # An hour to charge; on the first day it is put on at two.
            assert count == 60 * (length - 1 - 2 * (day == 0))
    sensors = wear("diabetes", patients=12, days=3, start=start)
    for patient in np.unique(sensors.lines.patient):
        warms_up = {label.onset_us for label in sensors.labels(patient, "sensor_change")}
        mine = sensors.lines.patient == patient
        for day, length in enumerate(hours):
            begin_us, until_us = midnight_us(start, day), midnight_us(start, day + 1)
            taken = sensors.lines.taken_at_us
            changed = any(begin_us <= at_us < until_us for at_us in warms_up)
            count = int((mine & (begin_us <= taken) & (taken < until_us)).sum())
            assert count == 12 * (length - changed - 2 * (day == 0))


def test_each_identity_is_measured_once() -> None:
    for condition in ("diabetes", "hospital_at_home"):
        lines = wear(condition, Rates().times(5), patients=30, days=4).lines
        keys = zip(lines.patient.tolist(), lines.kind.tolist(), lines.taken_at_us.tolist(), strict=True)
        assert len(set(keys)) == len(lines) > 10_000


def test_nothing_jumps_at_midnight(sensors: WornDays) -> None:
    steps: list[float] = []
    others: list[float] = []
    for _, found in sensors.recordings("glucose_cgm", Device.SENSOR, SLOT_US):
        change = np.abs(np.diff(found))
        midnight = np.zeros(len(change), np.bool_)
        midnight[A_DAY - 1 :: A_DAY] = True
        steps += change[midnight & ~np.isnan(change)].tolist()
        others += change[~midnight & ~np.isnan(change)].tolist()
    assert np.mean(steps) < 1.2 * np.mean(others)


def test_by_itself_a_sensor_falls_below_70_only_in_a_planted_hypo(sensors: WornDays) -> None:
    low = unexplained = 0
    for patient, found in sensors.recordings("glucose_cgm", Device.SENSOR, SLOT_US):
        spans = [
            (label.onset_us, label.end_us + HOUR_US) for label in sensors.labels(patient, "hypoglycaemia")
        ]
        # A sensor that is off by a tenth calls 4.2 mmol/L 3.8.
        for slot in np.flatnonzero(found < 0.85 * 70 / MG_DL).tolist():
            at_us = sensors.begin_us + slot * SLOT_US
            low += 1
            unexplained += not any(begin <= at_us <= end for begin, end in spans)
    assert low > 50
    assert unexplained == 0


def test_a_sensor_follows_the_blood_ten_minutes_later() -> None:
    start, everybody = date(2026, 3, 2), np.ones(60, np.bool_)
    said = Description(about="One condition.", conditions={"diabetes": 1.0})
    scenario = Scenario(
        seed=2, patients=60, days=1, start=start, programmes=PROGRAMMES, rates=NO_TROUBLE, said=said
    )
    begin_us, until_us = midnight_us(start, 0), midnight_us(start, 1)
    scenario.bodies.next_day(0, begin_us)
    (lines,) = scenario.worn.lines(0, begin_us, until_us, everybody, offset_min(start, 0))
    shown = to_canonical(lines.value, lines.kind, unit_numbers(lines.unit))
    patient = lines.patient.astype(np.int64)
    # From one value to the next of the same sensor: its own error and its slow wander fall out.
    goes_on = (np.diff(patient) == 0) & (np.diff(lines.taken_at_us) == SLOT_US)

    def likeness(lag_min: int) -> float:
        at = scenario.bodies.at(patient, lines.taken_at_us - lag_min * MINUTE_US)
        blood = np.diff(scenario.bodies.level("glucose", at))[goes_on]
        return float(np.corrcoef(blood, np.diff(shown)[goes_on])[0, 1])

    best = max(range(-20, 45, 5), key=likeness)
    assert best in {10, 15}


def test_lying_on_a_sensor_makes_it_fall_at_night_for_as_long_as_the_label_says() -> None:
    lain, clean = (
        wear("diabetes", rates, patients=30, days=3) for rates in (only(compression_low=1.0), NO_TROUBLE)
    )
    usual = dict(clean.recordings("glucose_cgm", Device.SENSOR, SLOT_US))
    labelled = 0
    for patient, found in lain.recordings("glucose_cgm", Device.SENSOR, SLOT_US):
        minute = 5 * np.arange(len(found)) + (patient * 37 % 300) / 60
        inside = np.zeros(len(found), np.bool_)
        for label in lain.labels(patient, "compression_low"):
            begin, end = ((at_us - lain.begin_us) / MINUTE_US for at_us in (label.onset_us, label.end_us))
            assert begin % (24 * 60) < 5 * 60
            assert 20 <= end - begin <= 70
            inside |= (minute > begin - 5) & (minute < end + 5)
            labelled += 1
        fell = found < 0.9 * usual[patient]
        assert not (fell & ~inside).any()
        assert (fell & inside).any()
    assert labelled > 30


def test_who_takes_it_off_says_so_and_sends_nothing_until_it_is_back() -> None:
    off = wear("hospital_at_home", only(not_worn=1.0), patients=20, days=3)
    lines, codes = off.lines, KIND_BY_NAME["device_state"].code_numbers
    for patient in np.unique(lines.patient).tolist():
        mine = lines.patient == patient
        for label in off.labels(patient, "not_worn"):
            during = mine & (label.onset_us <= lines.taken_at_us) & (lines.taken_at_us < label.end_us)
            assert set(lines.kind[during].tolist()) <= {KIND_BY_NAME["device_state"].number}
        states = np.flatnonzero(mine & (lines.kind == KIND_BY_NAME["device_state"].number))
        told = lines.code[states[np.argsort(lines.taken_at_us[states])]].tolist()
        # Put on anew, then off and on again.
        assert told[:2] == [codes["ok"], codes["not_worn"]]
        assert all(one != other for one, other in pairwise(told))
        assert told[-1] == codes["ok"]


def test_wearables_follow_what_a_body_goes_through() -> None:
    ill = wear("hospital_at_home", patients=60, days=10, deteriorations=12.0)
    away: dict[str, list[float]] = {"respiratory_failure": [], "arrhythmia": []}
    moved = {"respiratory_failure": "respiratory_rate", "arrhythmia": "heart_rate"}
    for event, kind in moved.items():
        for patient, found in ill.recordings(kind, Device.WEARABLE, MINUTE_US):
            for label in ill.labels(patient, event):
                worst = (label.worst_us - ill.begin_us) // MINUTE_US
                before = (label.onset_us - ill.begin_us) // MINUTE_US
                if before > 24 * 60 and worst + 60 < len(found):
                    usual = np.nanmedian(found[before - 24 * 60 : before])
                    away[event].append(float(np.nanmedian(found[worst - 10 : worst + 50]) - usual))
    assert len(away["respiratory_failure"]) > 4
    assert np.median(away["respiratory_failure"]) > 4
    assert np.median(away["arrhythmia"]) > 30


def test_steps_are_told_once_a_day_and_are_those_of_the_day() -> None:
    at_home = wear("hospital_at_home", patients=12, days=3)
    rows = at_home.of("steps", Device.WEARABLE)
    days = (at_home.lines.taken_at_us[rows] - at_home.begin_us) // (24 * HOUR_US)
    wearers = np.unique(at_home.lines.patient)
    assert sorted(zip(at_home.lines.patient[rows].tolist(), days.tolist(), strict=True)) == [
        (patient, day) for patient in wearers.tolist() for day in range(3)
    ]
    assert (at_home.canonical[rows] > 50).all()


# What real sensors look like: five people with type 2 diabetes, a value each five minutes.


@dataclass(frozen=True)
class Shape:
    """How one person's glucose varies. **Units**: mg/dL."""

    mean: float
    variation: float
    from_one_to_the_next: float
    after_an_hour: float

    @classmethod
    def of(cls, mg_dl: Floats) -> "Shape":
        mean, sd = float(np.nanmean(mg_dl)), float(np.nanstd(mg_dl))
        away = mg_dl - mean
        return cls(
            mean,
            sd / mean,
            float(np.nanstd(np.diff(mg_dl))),
            float(np.nanmean(away[12:] * away[:-12])) / sd**2,
        )


REAL = {
    "mean": (124, 218), "variation": (0.22, 0.34), "from_one_to_the_next": (3.6, 5.9),
    "after_an_hour": (0.64, 0.83),
}  # fmt: skip
"""The least and the most of five recordings, rounded."""


@pytest.fixture
def is_there(request: pytest.FixtureRequest) -> bool:
    """Whether the recordings are on this machine; who clones the project alone is told that they are not."""
    if not RECORDINGS.exists():
        reporter: Any = request.config.pluginmanager.get_plugin("terminalreporter")
        reporter.write_line(f"{request.node.name}: nothing to compare with, there is no {RECORDINGS.name}")
    return RECORDINGS.exists()


def real_shapes() -> list[Shape]:
    with RECORDINGS.open(encoding="utf-8", newline="") as opened:
        rows = [(row["id"], row["time"], float(row["gl"])) for row in csv.DictReader(opened)]
    shapes: list[Shape] = []
    for _, of in groupby(sorted(rows), key=lambda row: row[0]):
        readings = [
            (datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp(), mg_dl) for _, at, mg_dl in of
        ]
        slots = np.array([round((at - readings[0][0]) / 300) for at, _ in readings])
        found = np.full(slots.max() + 1, np.nan)
        found[slots] = [mg_dl for _, mg_dl in readings]
        shapes.append(Shape.of(found))
    return shapes


def test_what_we_say_of_real_sensors_is_so(*, is_there: bool) -> None:
    if not is_there:
        return
    shapes = real_shapes()
    for name, (least, most) in REAL.items():
        found = [getattr(shape, name) for shape in shapes]
        assert min(found) == pytest.approx(least, rel=0.02)
        assert max(found) == pytest.approx(most, rel=0.02)


def test_simulated_sensors_vary_as_real_ones(sensors: WornDays) -> None:
    shapes = [
        Shape.of(found * MG_DL) for _, found in sensors.recordings("glucose_cgm", Device.SENSOR, SLOT_US)
    ]
    assert len(shapes) > 30
    for name, (least, most) in REAL.items():
        found = np.array([getattr(shape, name) for shape in shapes])
        # Five people say little about the edges: the middle half is to lie within them, widened by a tenth.
        low, high = np.quantile(found, [0.25, 0.75])
        assert 0.9 * least <= low <= high <= 1.1 * most, name


def test_about_half_of_them_meet_the_targets_of_the_consensus(sensors: WornDays) -> None:
    """**Source**: Battelino 2023: 70–180 mg/dL >70 % of time, <70 <4 %, <54 <1 %, >180 <25 %, >250 <5 %."""
    met: list[list[bool]] = []
    for _, found in sensors.recordings("glucose_cgm", Device.SENSOR, SLOT_US):
        mg_dl = found[~np.isnan(found)] * MG_DL
        in_range = ((mg_dl >= 70) & (mg_dl <= 180)).mean() > 0.70
        low = (mg_dl < 70).mean() < 0.04, (mg_dl < 54).mean() < 0.01
        high = (mg_dl > 180).mean() < 0.25, (mg_dl > 250).mean() < 0.05
        met.append([bool(one) for one in (in_range, *low, *high)])
    # Goals of treatment: nearly nobody is low for too long, some half are high for too long; two of the five
    # real ones are.
    in_range, low, very_low, high, very_high = np.mean(met, axis=0)
    assert min(low, very_low) > 0.9
    assert all(0.35 < share < 0.75 for share in (in_range, high, very_high))
