"""What an upload holds: planned uploads as columns of readings, and as the bytes that are sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from models.kinds import KIND_BY_NAME
from simulators.load.homes import Homes
from simulators.load.schedule import Ints, Planned, What
from simulators.patients.streams import uuid_texts, uuids7

SENT_BEFORE_US = 1
SOURCE = "load"
PULSE, WEIGHT, SYSTOLIC, DIASTOLIC = (
    KIND_BY_NAME[name].number for name in ("pulse", "body_weight", "systolic", "diastolic")
)
_UNITS = {"pulse": "/min", "body_weight": "kg", "systolic": "mm[Hg]", "diastolic": "mm[Hg]"}
_KINDS = np.array([[PULSE, WEIGHT], [SYSTOLIC, DIASTOLIC]], np.int16)
"""By condition, in turn."""
_USUAL = np.array([[68.0, 78.0], [126.0, 78.0]])
_ALARMING = np.array([[152.0, 152.0], [216.0, 126.0]])
_HEAD = {
    KIND_BY_NAME[name].number: (f'{{"kind":"{name}","value":', f',"unit":"{unit}","taken_at_us":')
    for name, unit in _UNITS.items()
}


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings in the order of their uploads.

    **Shape**: each array is [m]; `upload` is the row of the planned upload. **Units**: `taken_at_us` since
    1970, values as they are sent.
    """

    upload: NDArray[np.int32]
    patient: NDArray[np.int32]
    kind: NDArray[np.int16]
    taken_at_us: Ints
    value: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.upload)


def joined(parts: Sequence[Readings]) -> Readings:
    """One after the other; uploads keep the rows that they have in their own plan."""
    return Readings(
        **{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Readings)}
    )


def readings_in(planned: Planned) -> NDArray[np.int64]:
    """How many readings each upload holds: both pressures where they alarm."""
    both = (planned.what == What.ALARMING) & (planned.patient % 2 == 1)
    return planned.count.astype(np.int64) << both


def readings_of(planned: Planned, begin_us: int) -> Readings:
    """The readings of planned uploads."""
    held = readings_in(planned)
    upload = np.repeat(np.arange(len(planned), dtype=np.int32), held)
    within = np.arange(len(upload)) - np.repeat(np.cumsum(held) - held, held)
    patient, what = planned.patient[upload], planned.what[upload]
    condition, alarming = patient % 2, what == What.ALARMING
    pair = alarming & (condition == 1)
    measurement = within >> pair
    back = planned.count[upload] - 1 - measurement
    # Alarming pressures both at once, else in turn; a heart that races sends its pulse alone.
    turn = np.where(pair, within & 1, np.where(alarming, 0, (planned.turn[upload] + measurement) & 1))
    usual = _USUAL[condition, turn] + patient // 2 % 5 + (planned.turn[upload] % 3) * 0.5
    return Readings(
        upload=upload,
        patient=patient,
        kind=_KINDS[condition, turn],
        taken_at_us=begin_us + (planned.at_us - planned.age_us)[upload] - back * planned.step_us[upload],
        value=np.where(alarming, _ALARMING[condition, turn], usual),
    )


class Writing:
    """Writes planned uploads as they are sent: into the log, or to the gate as plain JSON.

    Written when they are due, some at a time: hours of load would not fit into memory as bytes.
    """

    def __init__(self, homes: Homes, planned: Planned, begin_us: int) -> None:
        self._homes = homes
        self._planned = planned
        self._begin_us = begin_us
        self._chance = np.random.Generator(np.random.Philox(key=np.array([homes.seed, begin_us], np.uint64)))

    def for_the_log(self, begin: int, end: int) -> list[bytes]:
        """The messages of these rows; each is received at its planned moment."""
        return self._written(begin, end, self._message)

    def for_the_gate(self, begin: int, end: int) -> list[bytes]:
        """The bodies of these rows; who receives them says when."""
        return self._written(begin, end, self._body)

    def _written(self, begin: int, end: int, write: Callable[[str, int, int, str], bytes]) -> list[bytes]:
        part = self._planned.take(slice(begin, end))
        sent_us = self._begin_us + part.at_us
        ids = uuid_texts(uuids7(self._chance, sent_us))
        lines = _lines(readings_of(part, self._begin_us))
        ends = np.cumsum(readings_in(part)).tolist()
        return [
            write(upload_id, patient, at_us, ",".join(lines[first:last]))
            for upload_id, patient, at_us, first, last in zip(
                ids, part.patient.tolist(), sent_us.tolist(), [0, *ends[:-1]], ends, strict=True
            )
        ]

    def _message(self, upload_id: str, patient: int, at_us: int, lines: str) -> bytes:
        return (
            f'{{"schema":1,"type":"upload","upload_id":"{upload_id}","patient_id":"'
            f'{self._homes.texts[patient]}","device_id":"{self._homes.devices[patient]}","source":"{SOURCE}",'
            f'"sent_at_us":{at_us - SENT_BEFORE_US},"received_at_us":{at_us},"readings":[{lines}]}}'
        ).encode()

    def _body(self, upload_id: str, patient: int, at_us: int, lines: str) -> bytes:
        return (
            f'{{"upload_id":"{upload_id}","patient_id":"{self._homes.texts[patient]}","device_id":"'
            f'{self._homes.devices[patient]}","sent_at_us":{at_us - SENT_BEFORE_US},"readings":[{lines}]}}'
        ).encode()


def _lines(readings: Readings) -> list[str]:
    return [
        f"{_HEAD[kind][0]}{value:.15g}{_HEAD[kind][1]}{taken_at_us}}}"
        for kind, value, taken_at_us in zip(
            readings.kind.tolist(), readings.value.tolist(), readings.taken_at_us.tolist(), strict=True
        )
    ]
