"""A small log, the same for each seed: patients who get worse, measure late, twice, wrongly, not at all."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from models.clock import DAY_US, HOUR_US, MINUTE_US

START_US = 1_788_220_800_000_000
"""2026-09-01, midnight UTC."""

TICK_US = 30 * MINUTE_US
ORGANISATION = UUID(int=77)


@dataclass(frozen=True, slots=True, order=True)
class Message:
    """What is written to the log, when, and of whom; a clock message is for every partition."""

    at_us: int
    place: int
    patient_id: UUID | None = field(compare=False)
    value: bytes = field(compare=False)


@dataclass(slots=True)
class SmallLog:
    """Collects messages; `messages` gives them in the order of the log."""

    seed: int
    patients: int
    days: int
    draw: random.Random = field(init=False)
    written: list[Message] = field(default_factory=list[Message])

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)

    def messages(self) -> list[Message]:
        patients: list[UUID] = []
        for number in range(self.patients):
            patients.append(UUID(int=self.draw.getrandbits(128), version=4))
            self._patient(patients[-1], number)
        for number, patient_id in enumerate(patients):
            self._remarks(patient_id, number)
        for tick in range(self.days * DAY_US // TICK_US + 1):
            self.tick(START_US + tick * TICK_US)
        return sorted(self.written)

    def tick(self, at_us: int) -> None:
        self._write(at_us, None, {"schema": 1, "type": "clock", "now_us": at_us})

    def _write(self, at_us: int, patient_id: UUID | None, content: dict[str, object]) -> None:
        self.written.append(Message(at_us, len(self.written), patient_id, json.dumps(content).encode()))

    def _id(self) -> str:
        return str(UUID(int=self.draw.getrandbits(128), version=4))

    def change(self, at_us: int, patient_id: UUID, change: dict[str, object]) -> None:
        content = {"schema": 1, "type": "change", "change_id": self._id(), "patient_id": str(patient_id)}
        self._write(at_us, patient_id, {**content, "valid_from_us": at_us, "change": change})

    def upload(self, at_us: int, patient_id: UUID, *readings: dict[str, object]) -> None:
        content = {
            "schema": 1,
            "type": "upload",
            "upload_id": self._id(),
            "patient_id": str(patient_id),
            "device_id": "hub-1",
            "source": "small-log",
            "sent_at_us": at_us,
            "received_at_us": at_us,
        }
        self._write(at_us, patient_id, {**content, "readings": list(readings)})

    def _patient(self, patient_id: UUID, number: int) -> None:
        origin = {"origin": "simulated", "organisation_id": str(ORGANISATION)}
        self.change(START_US, patient_id, {"register": origin})
        self.change(START_US, patient_id, {"enrol": {"programme": "heart_failure", "version": 1}})
        if number % 2:
            self.change(START_US, patient_id, {"enrol": {"programme": "hypertension", "version": 1}})
        self._life(patient_id, number)
        for day in range(self.days):
            if self.draw.random() < 0.2:
                continue
            self._morning(patient_id, number, day)

    def _life(self, patient_id: UUID, number: int) -> None:
        middle_us = START_US + self.days * DAY_US // 2
        match number % 6:
            case 1:
                limit = {"value": 1.0, "unit": "kg", "set_by": "nurse"}
                change = {"programme": "heart_failure", "limits": {"gain_3d": limit}}
                self.change(middle_us, patient_id, {"limits": change})
            case 2:
                self.change(middle_us, patient_id, {"pause": {"until_us": middle_us + 3 * DAY_US}})
            case 3:
                self.change(middle_us, patient_id, {"admit": {}})
                self.change(middle_us + 2 * DAY_US, patient_id, {"discharge": {}})
            case 4:
                self.change(middle_us, patient_id, {"end": {"reason": "finished"}})
            case 5:
                change = {"programme": "heart_failure", "version": 99}
                self.change(middle_us, patient_id, {"version": change})
            case _:
                pass

    def _remarks(self, patient_id: UUID, number: int) -> None:
        """What patients write, in order, twice, late and too late; some after their end."""
        for day in range(number % 3, self.days, 5):
            taken_us = START_US + day * DAY_US + 11 * HOUR_US + 7 * MINUTE_US
            received_us = taken_us + self.draw.choice([MINUTE_US, 3 * HOUR_US, 2 * DAY_US, 8 * DAY_US])
            remark: dict[str, object] = {
                "kind": "symptom_dyspnoea",
                "text": f"Day {day}: short of breath",
                "taken_at_us": taken_us,
            }
            self.upload(received_us, patient_id, remark)
            if self.draw.random() < 0.5:
                self.upload(received_us + self.draw.choice([0, HOUR_US, DAY_US]), patient_id, remark)

    def _morning(self, patient_id: UUID, number: int, day: int) -> None:
        taken_us = START_US + day * DAY_US + 7 * HOUR_US + self.draw.randrange(0, 2 * HOUR_US, 1000)
        received_us = taken_us + self.draw.randrange(MINUTE_US)
        if self.draw.random() < 0.1:
            received_us += self.draw.randrange(HOUR_US, 9 * DAY_US)
        readings = list(self._readings(number, day, taken_us))
        self.upload(received_us, patient_id, *readings)
        if self.draw.random() < 0.05:
            self.upload(received_us + HOUR_US, patient_id, *readings)
        if self.draw.random() < 0.05:
            conflict = {**readings[0], "value": 90.25, "unit": "kg"}
            self.upload(received_us + HOUR_US, patient_id, conflict)
        if self.draw.random() < 0.05:
            void: dict[str, object] = {"kind": "body_weight", "taken_at_us": taken_us, "void": True}
            self.upload(received_us + 2 * HOUR_US, patient_id, void)
        if self.draw.random() < 0.05:
            corrected = {**readings[0], "value": 80.0, "unit": "kg", "revision": 1}
            self.upload(received_us + 3 * HOUR_US, patient_id, corrected)
        if self.draw.random() < 0.03:
            self._write(received_us, patient_id, {"schema": 1, "type": "upload", "readings": "none"})

    def _readings(self, number: int, day: int, taken_us: int) -> Iterator[dict[str, object]]:
        worse = max(0, (day + 3 * number) % 20 - 14)
        weight = round(80 + number + 0.8 * worse + self.draw.randrange(-50, 50) / 100, 2)
        grams = self.draw.random() < 0.1
        value = {"value": round(weight * 1000), "unit": "g"} if grams else {"value": weight, "unit": "kg"}
        yield {"kind": "body_weight", "taken_at_us": taken_us, **value}
        systolic = self.draw.randrange(115, 150) + 12 * worse
        pressure = {"taken_at_us": taken_us + MINUTE_US, "unit": "mm[Hg]"}
        yield {"kind": "systolic", "value": systolic, **pressure}
        yield {"kind": "diastolic", "value": 80 + worse, **pressure}
        pulse = {"taken_at_us": taken_us + MINUTE_US, "unit": "/min"}
        yield {"kind": "pulse", "value": self.draw.randrange(60, 118), **pulse}
        yield {"kind": "spo2", "value": self.draw.randrange(86, 99), "unit": "%", "taken_at_us": taken_us}
