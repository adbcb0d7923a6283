"""A stretch at live speed: ordinary readings, and some that must open an alert, each at its moment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from models.findings import Signal
from simulators.devices.uploads import NO_OFFSET, UNIT_TEXTS, Content, Lines, Uploads
from simulators.patients.conditions import CONDITIONS
from simulators.patients.measurements import NO_CODE, Device
from simulators.patients.population import Floats, Ints
from simulators.patients.sessions import DIASTOLIC, PULSE, SYSTOLIC
from simulators.patients.streams import Purpose, stream, uuids7
from simulators.scenarios.scenario import Day, Scenario
from simulators.wire import TICK, Encoder, Message, clock_message

SECOND_US = 1_000_000
MEASURED_BEFORE_US = (90 * SECOND_US, 20 * SECOND_US)
"""Each alarming value is measured twice before it is sent: one odd value alone must not alarm."""
SENT_BEFORE_US = 400_000
ALARMING: Mapping[str, tuple[Signal, tuple[tuple[int, float, str], ...]]] = {
    "heart_failure": (Signal.HEART_RATE, ((PULSE, 152.0, "/min"),)),
    "hypertension": (Signal.PRESSURE, ((SYSTOLIC, 216.0, "mm[Hg]"), (DIASTOLIC, 126.0, "mm[Hg]"))),
}


@dataclass(frozen=True, slots=True)
class Planned:
    """A message with its moment; `alarms` is the signal that it must raise an alert about, if any."""

    at_us: int
    message: Message
    alarms: Signal | None = None


def signal_of(scenario: Scenario, patient: int) -> Signal:
    """What an alarming reading of this patient is about."""
    return ALARMING[CONDITIONS[int(scenario.population.condition[patient])].programme][0]


def plan(
    scenario: Scenario,
    encoder: Encoder,
    day: Day,
    *,
    begin_us: int,
    seconds: int,
    uploads_per_s: int,
    alarming: list[int],
    skip: int = 0,
) -> list[Planned]:
    """Everything of the stretch in order: a tick each second, a day's uploads moved to now, alarms between.

    `day` must be the one after the last that was sent, without its first `skip` uploads; `alarming` are rows
    of patients at home without an open alert about what theirs would be.
    """
    length_us = seconds * SECOND_US
    planned = [
        Planned(at_us, Message(at_us, TICK, clock_message(at_us), 0))
        for at_us in range(begin_us, begin_us + length_us + 1, SECOND_US)
    ]
    background = _background(scenario, day, alarming, skip, seconds * uploads_per_s)
    at_us = begin_us + ((np.arange(len(background)) + 0.5) * (length_us / max(len(background), 1))).astype(
        np.int64
    )
    planned += _planned(encoder, _moved(background, at_us), at_us)
    at_us = begin_us + ((np.arange(len(alarming)) + 0.25) * (length_us / max(len(alarming), 1))).astype(
        np.int64
    )
    for message in _planned(encoder, _alarms(scenario, alarming, at_us), at_us):
        planned.append(replace(message, alarms=signal_of(scenario, message.message.patient)))
    return sorted(planned, key=lambda one: one.at_us)


def _planned(encoder: Encoder, uploads: Uploads, at_us: Ints) -> list[Planned]:
    return [
        Planned(at, Message(at, patient, value, count))
        for at, patient, value, count in zip(
            at_us.tolist(),
            uploads.patient.tolist(),
            encoder.uploads(uploads),
            uploads.count.tolist(),
            strict=True,
        )
    ]


def _background(scenario: Scenario, day: Day, alarming: list[int], skip: int, count: int) -> Uploads:
    able = scenario.follow_up.able(day.midnight_us)
    able[alarming] = False
    known = day.uploads.patient < len(scenario.population)
    known[known] = able[day.uploads.patient[known]]
    return day.uploads.take(np.flatnonzero(known)[skip : skip + count])


def _moved(uploads: Uploads, at_us: Ints) -> Uploads:
    """The same uploads received at other moments, and all their times with them."""
    by_us = at_us - uploads.received_at_us
    lines = replace(
        uploads.lines, taken_at_us=np.maximum(uploads.lines.taken_at_us + np.repeat(by_us, uploads.count), 0)
    )
    return replace(uploads, received_at_us=at_us, sent_at_us=uploads.sent_at_us + by_us, lines=lines)


def _alarms(scenario: Scenario, patients: list[int], at_us: Ints) -> Uploads:
    rows: list[tuple[float, ...]] = []
    counts: list[int] = []
    for patient, at in zip(patients, at_us.tolist(), strict=True):
        _, values = ALARMING[CONDITIONS[int(scenario.population.condition[patient])].programme]
        measured = [
            (patient, kind, value, UNIT_TEXTS.index(unit), (at - before_us) // SECOND_US * SECOND_US, group)
            for group, before_us in enumerate(MEASURED_BEFORE_US)
            for kind, value, unit in values
        ]
        rows += measured
        counts.append(len(measured))
    ids = uuids7(stream(scenario.seed, Purpose.MESSAGES), at_us)
    return Uploads(
        patient=np.array(patients, np.int32),
        device=np.full(len(patients), Device.CUFF, np.int8),
        upload_id=ids,
        sent_at_us=at_us - SENT_BEFORE_US,
        received_at_us=at_us,
        count=np.array(counts, np.int64),
        broken=np.zeros(len(patients), np.bool_),
        lines=_lines(np.array(rows, np.float64).reshape(-1, 6)),
    )


def _lines(table: Floats) -> Lines:
    """Lines from a table of patient, kind, value, unit, moment, group; microseconds fit a float exactly."""
    n = len(table)
    return Lines(
        patient=table[:, 0].astype(np.int32),
        device=np.full(n, Device.CUFF, np.int8),
        kind=table[:, 1].astype(np.int16),
        taken_at_us=table[:, 4].astype(np.int64),
        value=table[:, 2],
        unit=table[:, 3].astype(np.int16),
        code=np.full(n, NO_CODE, np.int16),
        content=np.full(n, Content.VALUE, np.int8),
        revision=np.zeros(n, np.int32),
        session=np.zeros(n, np.int16),
        group=table[:, 5].astype(np.int8),
        offset_min=np.full(n, NO_OFFSET, np.int16),
    )
