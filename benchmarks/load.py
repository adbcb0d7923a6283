"""The log that the benchmarks drain: everybody sends once a round, then the clock ticks."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from models.clock import HOUR_US, MINUTE_US, SECOND_US
from simulators.devices.uploads import NO_OFFSET, UNIT_TEXTS, Content, Lines, Uploads, joined_uploads
from simulators.patients.measurements import NO_CODE, NO_GROUP, Device
from simulators.patients.population import Floats, Ints
from simulators.patients.sessions import DIASTOLIC, PULSE, SYSTOLIC, WEIGHT
from simulators.patients.streams import Purpose, stream, uuids7
from simulators.scenarios.scenario import Scenario
from simulators.simulate import newest_programmes
from simulators.wire import TICK, Encoder, Message, change_messages, clock_message

START = date(2026, 3, 2)
SEED = 7
KG, MMHG, PER_MIN = (UNIT_TEXTS.index(text) for text in ("kg", "mm[Hg]", "/min"))
GAP_US = 6 * HOUR_US


@dataclass(frozen=True, slots=True)
class Shape:
    """What a log is like. `duplicates` is the share of uploads that arrive a second time."""

    readings: int
    per_upload: int
    duplicates: float
    patients: int

    @property
    def rounds(self) -> int:
        """So many times everybody sends."""
        return max(1, round(self.readings / (self.patients * self.per_upload)))

    @property
    def name(self) -> str:
        """For tables."""
        return f"{self.per_upload} per upload, {self.duplicates:.0%} duplicates"


def one_each(readings: int, patients: int, duplicates: float = 0.0) -> Shape:
    """Devices that send each reading at once."""
    return Shape(readings, 1, duplicates, patients)


def sixty_each(readings: int, patients: int, duplicates: float = 0.0) -> Shape:
    """Devices that send an hour at once: more readings, of fewer patients, so that there are rounds too."""
    return Shape(4 * readings, 60, duplicates, max(1, patients // 10))


class Load:
    """Messages of a shape: registrations first, then rounds, each with a clock tick at its end.

    One reading per upload: patients with heart failure send weight and pulse in turn, those with high blood
    pressure both pressures in turn. Sixty: patients with heart failure send an hour of pulse from a wearable.
    Every reading is of a kind that the rules of its patient look at.
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.scenario = Scenario(
            seed=SEED,
            # Half of them have heart failure.
            patients=shape.patients if shape.per_upload == 1 else 3 * shape.patients,
            days=1,
            start=START,
            programmes=newest_programmes(None),
        )
        self._encoder = Encoder(self.scenario, HOUR_US)
        self._chance = stream(SEED, Purpose.MESSAGES)
        self._heart = self.scenario.population.condition == 0
        everybody = np.arange(len(self._heart))
        self._senders = (everybody if shape.per_upload == 1 else everybody[self._heart])[: shape.patients]

    def registrations(self) -> list[Message]:
        """Everybody who will send is registered and enrolled; then the clock ticks."""
        scenario, senders = self.scenario, set(self._senders.tolist())
        planned = scenario.follow_up.begin_day(0, scenario.begin_us, scenario.end_us)
        changes = [change for change in planned if change.patient in senders]
        values = change_messages(SEED, 0, changes, scenario.population.patient_text)
        messages = [
            Message(change.at_us, change.patient, value, 0)
            for change, value in zip(changes, values, strict=True)
        ]
        return [*messages, _tick(scenario.begin_us + HOUR_US)]

    def round(self, number: int) -> list[Message]:
        """One round: an upload of everybody, a few of them twice, and a tick."""
        begin_us = self.scenario.begin_us + (number + 1) * GAP_US
        uploads = self._uploads(begin_us, number)
        again = np.flatnonzero(self._chance.random(len(uploads)) < self.shape.duplicates)
        everything = joined_uploads([uploads, uploads.take(again)])
        messages = [
            Message(at_us, patient, value, count)
            for at_us, patient, value, count in zip(
                everything.received_at_us.tolist(),
                everything.patient.tolist(),
                self._encoder.uploads(everything),
                everything.count.tolist(),
                strict=True,
            )
        ]
        return [*messages, _tick(begin_us + MINUTE_US)]

    def _uploads(self, begin_us: int, number: int) -> Uploads:
        n, per_upload = len(self._senders), self.shape.per_upload
        patient = np.repeat(self._senders, per_upload)
        # Sent within a minute, measured in the minutes before, one a minute.
        received_us = begin_us + np.linspace(0, 50 * SECOND_US, n).astype(np.int64)
        back = np.tile(np.arange(per_upload, 0, -1), n)
        taken_us = (np.repeat(received_us, per_upload) - back * MINUTE_US) // SECOND_US * SECOND_US
        kind, unit, value = self._values(patient, number)
        return Uploads(
            patient=self._senders.astype(np.int32),
            device=np.full(n, Device.CUFF, np.int8),
            upload_id=uuids7(self._chance, received_us),
            sent_at_us=received_us - SECOND_US,
            received_at_us=received_us,
            count=np.full(n, per_upload, np.int64),
            broken=np.zeros(n, np.bool_),
            lines=_lines(patient, kind, taken_us, value, unit),
        )

    def _values(self, patient: Ints, number: int) -> tuple[Ints, Ints, Floats]:
        """Kinds, units and ordinary values, with the steps that devices have."""
        people, heart = self.scenario.population, self._heart[patient]
        weighs = self.shape.per_upload == 1 and number % 2 == 1
        which = np.where(heart, 0 if weighs else 1, 2 if weighs else 3)
        level = np.choose(
            which,
            [getattr(people, name)[patient] for name in ("weight", "heart_rate", "systolic", "diastolic")],
        )
        sd = np.array([0.3, 7.3, 7.6, 7.1])[which]
        value = np.rint((level + sd * self._chance.standard_normal(len(patient))) * 10) / 10
        kind = np.array([WEIGHT, PULSE, SYSTOLIC, DIASTOLIC])[which]
        return kind, np.array([KG, PER_MIN, MMHG, MMHG])[which], value


def without_duplicates(shape: Shape) -> Shape:
    """The same shape, everything once."""
    return replace(shape, duplicates=0.0)


def _tick(at_us: int) -> Message:
    return Message(at_us, TICK, clock_message(at_us), 0)


def _lines(patient: Ints, kind: Ints, taken_us: Ints, value: Floats, unit: Ints) -> Lines:
    n = len(patient)
    return Lines(
        patient=patient.astype(np.int32),
        device=np.full(n, Device.CUFF, np.int8),
        kind=kind.astype(np.int16),
        taken_at_us=taken_us,
        value=value,
        unit=unit.astype(np.int16),
        code=np.full(n, NO_CODE, np.int16),
        content=np.full(n, Content.VALUE, np.int8),
        revision=np.zeros(n, np.int32),
        session=np.zeros(n, np.int16),
        group=np.full(n, NO_GROUP, np.int8),
        offset_min=np.full(n, NO_OFFSET, np.int16),
    )
