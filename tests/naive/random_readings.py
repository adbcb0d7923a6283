"""Random uploads, made so that things coincide: values at limits, times at deadlines, ends of bins and days.

Longer series come from one drawn seed: drawing each value would cost more than evaluating it.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from random import Random
from typing import Any

from hypothesis import strategies as st

from models.kinds import KIND_BY_NAME
from tests.naive.changes import Message
from tests.naive.looking import NEWS2_PARTS
from tests.naive.random_programmes import CODED, pick

MINUTE_US = 60_000_000
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
DEVICES = ("scale", "cuff", "other")
UNITS_SENT = {
    "body_weight": ("kg", "kg", "g", "[lb_av]", "lb"),
    "systolic": ("mmHg", "mmHg", "kPa"),
    "diastolic": ("mmHg",),
    "heart_rate": ("bpm",),
    "pulse": ("/min",),
    "steps": ("steps",),
    "spo2": ("%", "1"),
    "glucose": ("mmol/L", "mg/dL"),
    "glucose_cgm": ("mmol/L", "mg/dL"),
    "respiratory_rate": ("/min",),
    "temperature": ("Cel", "[degF]"),
}
POUNDS = (176.0, 176.5, 178.0, 179.0, 179.000001, 181.0)
MMOLS = (3.8, 3.9, 3.89, 3.899999, 3.9000004, 5.0, 10.0, 33.3, 33.300001, 33.4, 40.0, 2.5)
MILLIGRAMS = (69.9, 70.0, 70.000001, 45.0, 180.0, 600.0, 720.0)
SATURATIONS = (83.0, 91.0, 91.5, 92.0, 93.0, 94.0, 96.0, 97.0, 91.999999)
RATES = (90.0, 100.0, 101.0, 95.0)
VALUES: dict[str, dict[str, tuple[float, ...]]] = {
    "body_weight": {
        "kg": (80.0, 80.1, 81.0, 82.0, 82.000001, 81.999999, 83.0, 85.0, 88.0, 88.1, 72.0, 71.9),
        "g": (80_000.0, 81_000.0, 82_000.0, 85_000.0, 79_999.0, 88_000.0, 88_001.0),
        "[lb_av]": POUNDS,
        "lb": POUNDS,
    },
    "systolic": {"mmHg": (130.0, 134.9, 135.0, 140.0, 90.0, 110.0, 220.0), "kPa": (17.3, 18.0, 18.1)},
    "diastolic": {"mmHg": (80.0, 85.0)},
    "heart_rate": {"bpm": RATES},
    "pulse": {"/min": RATES},
    "steps": {"steps": (0.0, 4_000.0, 3_999.0, 6_000.0)},
    "spo2": {"%": SATURATIONS, "1": (0.92, 0.915, 0.97)},
    "glucose": {"mmol/L": MMOLS, "mg/dL": MILLIGRAMS},
    "glucose_cgm": {"mmol/L": MMOLS, "mg/dL": MILLIGRAMS},
    "respiratory_rate": {"/min": (8.0, 8.5, 11.0, 12.0, 20.4999999, 21.0, 24.0, 25.0)},
    "temperature": {"Cel": (35.0, 35.05, 36.0, 38.0, 38.05, 39.1), "[degF]": (98.6, 102.4)},
}
"""What is sent of each kind, by unit: at the limits, a millionth beside them, and beyond the gates."""

HIGHEST = {"%": 100.0, "1": 1.0}
ANY_KIND = (
    "body_weight",
    "systolic",
    "heart_rate",
    "pulse",
    CODED,
    "steps",
    "spo2",
    "glucose",
    "glucose_cgm",
)


@cache
def times(start_us: int) -> st.SearchStrategy[int]:
    """Days, hours and quarters of a few weeks, some of them a microsecond beside."""
    nudge = pick((0, 0, 0, 1, -1, 30_000_000))
    hours = st.one_of(
        st.integers(0, 16).map(lambda x: x * 6.0),
        st.integers(0, 18 * 24).map(float),
        st.integers(0, 4 * 24 * 4).map(lambda x: x / 4),
    )
    return st.tuples(hours, nudge).map(lambda x: start_us + int(x[0] * HOUR_US) + x[1])


def upload(patient_id: str, device_id: str, readings: Sequence[Message], late_us: int = 0) -> Message:
    newest_us = max(reading["taken_at_us"] for reading in readings)
    return {
        "schema": 1, "type": "upload", "upload_id": "u", "source": "s", "patient_id": patient_id,
        "device_id": device_id, "sent_at_us": newest_us, "received_at_us": newest_us + late_us,
        "readings": list(readings),
    }  # fmt: skip


@st.composite
def a_reading(draw: st.DrawFn, taken_at_us: int, kinds: tuple[str, ...]) -> dict[str, Any]:
    kind = draw(pick(kinds))
    reading: dict[str, Any] = {"taken_at_us": taken_at_us, "kind": kind}
    if revision := draw(pick((0, 0, 0, 0, 1, 2))):
        reading["revision"] = revision
    content = draw(st.integers(0, 15))
    if content > 13:
        return {**reading, "void": True} if content == 15 else {**reading, "absent": "error"}
    if codes := KIND_BY_NAME[kind].codes:
        return {**reading, "code": draw(pick(codes))}
    unit = draw(pick(UNITS_SENT[kind]))
    return {**reading, "value": draw(pick(VALUES[kind][unit])), "unit": unit}


LATE_US = (0, 0, 1_000_000, DAY_US, 7 * DAY_US, 7 * DAY_US + 1, 3 * DAY_US)


@st.composite
def an_upload(draw: st.DrawFn, start_us: int, patients: tuple[str, ...], kinds: tuple[str, ...]) -> Message:
    taken = draw(st.lists(times(start_us), min_size=1, max_size=4))
    readings = [draw(a_reading(t, kinds)) for t in taken]
    return upload(draw(pick(patients)), draw(pick(DEVICES)), readings, draw(pick(LATE_US)))


@st.composite
def a_copy(draw: st.DrawFn, uploads: Sequence[Message]) -> Message:
    """An upload once more, received at another time, perhaps with another value or revision."""
    copied = draw(st.sampled_from(uploads))
    shift_us = draw(pick((0, -9 * DAY_US, -7 * DAY_US, 7 * DAY_US, 9 * DAY_US, 20 * DAY_US)))
    readings = [dict(reading) for reading in copied["readings"]]
    for reading in readings[:4]:
        if "unit" in reading and draw(st.booleans()):
            reading["value"] = draw(pick(VALUES[reading["kind"]][reading["unit"]]))
        if not draw(st.integers(0, 3)):
            reading["revision"] = draw(pick((0, 1, 2)))
    newest_us = max(reading["taken_at_us"] for reading in readings)
    received_at_us = max(newest_us, copied["received_at_us"] + shift_us)
    return {**copied, "received_at_us": received_at_us, "readings": readings}


# --- drawn as one seed


@st.composite
def long_series(draw: st.DrawFn, start_us: int, patient_id: str, kind: str) -> list[Message]:
    """Daily values of up to a year: up to the last day of the other readings, and counted back from it.

    The newest is drawn first, so that a shorter one has the same newest values.
    """
    days = draw(pick((20, 10, 40, 60, 120, 250)))
    random = Random(draw(st.integers(0, 1_000)))
    end_us = start_us + draw(pick((16, 3, 9))) * DAY_US
    unit = UNITS_SENT[kind][random.randrange(len(UNITS_SENT[kind]))]
    readings = list(_back(random, kind, unit, end_us, days))
    late = (0, 0, 1, 7 * DAY_US, 3 * DAY_US)
    size = random.choice((1, 3, 7))
    parts = [readings[i : i + size] for i in range(0, len(readings), size)]
    return [upload(patient_id, DEVICES[0], part, random.choice(late)) for part in reversed(parts)]


def _back(random: Random, kind: str, unit: str, end_us: int, days: int) -> Iterator[Message]:
    values = sorted(VALUES[kind][unit])
    middle = values[len(values) // 2]
    share = random.choice((0.0, 0.002, 0.01, 0.05))
    often = random.choice((1, 1, 1, 3))
    for number in range(days * often):
        if random.random() < 0.1:
            continue
        t = end_us - number * DAY_US // often - random.choice((0, 0, 0, 1, MINUTE_US, 2 * HOUR_US))
        value = middle * (1 + share * random.gauss(0, 1)) if share else random.choice(values)
        value = min(round(value, random.choice((1, 1, 6))), HIGHEST.get(unit, value))
        reading = {"taken_at_us": t, "kind": kind, "unit": unit, "value": value}
        yield reading
        if random.random() < 0.05:
            yield from _beside(random, reading)


def _beside(random: Random, reading: Message) -> Iterator[Message]:
    """A void, a revision, or a jump with a repeat within the wait, at its end, or beyond it."""
    t, value = reading["taken_at_us"], reading["value"]
    what = random.choice(("void", "revision", "jump", "jump", "jump"))
    if what == "jump" and reading["kind"] not in DOUBTS:
        return
    if what == "void":
        yield {"taken_at_us": t, "kind": reading["kind"], "void": True}
    elif what == "revision":
        yield {**reading, "revision": 1, "value": value * 0.99}
    else:
        jump = value * random.choice((1.1, 1.11, 0.89, 0.9, 1.2))
        yield {**reading, "taken_at_us": t + HOUR_US, "value": round(jump, 6)}
        after = random.choice((HOUR_US, 4 * HOUR_US, 4 * HOUR_US + 1, 5 * HOUR_US))
        yield {**reading, "taken_at_us": t + HOUR_US + after, "value": random.choice((value, round(jump, 6)))}


@st.composite
def a_burst(draw: st.DrawFn, start_us: int, patient_id: str, kind: str) -> list[Message]:
    """Readings of every few minutes for hours or days, in stretches beyond limits and back."""
    step_us = draw(pick((15, 1, 5, 60, 180))) * MINUTE_US
    n = draw(st.integers(3, 120))
    random = Random(draw(st.integers(0, 1_000)))
    t = start_us + draw(st.integers(0, 96)) * HOUR_US + draw(pick((0, 0, -1, 7 * MINUTE_US)))
    unit = UNITS_SENT[kind][random.randrange(len(UNITS_SENT[kind]))]
    values = VALUES[kind][unit]
    readings: list[Message] = []
    value = random.choice(values)
    for _ in range(n):
        value = value if random.random() < 0.7 else random.choice(values)
        readings.append({"taken_at_us": t, "kind": kind, "unit": unit, "value": value})
        t += step_us * random.choice((1, 1, 1, 1, 1, 1, 2, 3))
    size = random.choice((10, 40, 120))
    return [upload(patient_id, DEVICES[1], readings[i : i + size]) for i in range(0, n, size)]


@st.composite
def rounds(draw: st.DrawFn, start_us: int, patient_id: str) -> list[Message]:
    """The parts of NEWS2, together or within about half an hour, some of them missing."""
    random = Random(draw(st.integers(0, 1_000)))
    made: list[Message] = []
    for _ in range(draw(st.integers(1, 4))):
        at_us = start_us + random.randrange(16 * 24) * HOUR_US
        parts = random.sample(NEWS2_PARTS, random.choice((7, 7, 6, 4, 1)))
        made.append(upload(patient_id, DEVICES[2], [_part(random, part, at_us) for part in parts]))
    return made


def _part(random: Random, kind: str, at_us: int) -> Message:
    t = at_us + random.choice((0, 0, 0, MINUTE_US, 30 * MINUTE_US, 30 * MINUTE_US - 1, 31 * MINUTE_US))
    if codes := KIND_BY_NAME[kind].codes:
        return {"taken_at_us": t, "kind": kind, "code": random.choice((codes[0], *codes))}
    unit = random.choice(UNITS_SENT[kind])
    return {"taken_at_us": t, "kind": kind, "unit": unit, "value": random.choice(VALUES[kind][unit])}


DOUBTS: dict[str, tuple[str, tuple[float, ...], int]] = {
    "body_weight": ("kg", (80.0, 88.1, 88.0, 71.9, 84.0), 4 * HOUR_US),
    "glucose": ("mmol/L", (10.0, 33.300001, 33.3, 34.0, 3.5), 30 * MINUTE_US),
}
"""By kind with a gate: unit, values, and how long a repeat is waited for."""


@st.composite
def a_doubt(draw: st.DrawFn, newest_us: int, patient_id: str, kind: str) -> list[Message]:
    """After all else: a value, one that may be implausible, perhaps a repeat at the edge of its time."""
    unit, values, wait_us = DOUBTS[kind]
    first_us = newest_us + draw(pick((1, HOUR_US, DAY_US)))
    second_us = first_us + draw(pick((HOUR_US, HOUR_US, MINUTE_US, 14 * DAY_US, 14 * DAY_US + 1)))
    taken = [first_us, second_us]
    if draw(pick((False, False, True))):
        taken.append(second_us + draw(pick((MINUTE_US, wait_us, wait_us + 1))))
    sent = [values[0], *(draw(pick(values[1:])) for _ in taken[1:])]
    readings = [
        {"taken_at_us": t, "kind": kind, "unit": unit, "value": v} for t, v in zip(taken, sent, strict=True)
    ]
    return [upload(patient_id, draw(pick(DEVICES)), [reading]) for reading in readings]
