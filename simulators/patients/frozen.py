"""What simulated bodies were like when programmes were tuned on them: two sums, which any change breaks.

Tuning programmes on patients and patients on programmes in turn proves nothing. So the numbers come first,
held by what was published, and then they stay; whoever changes one has to tune the programmes again.
"""

import hashlib
from datetime import date

import numpy as np

from models.clock import HOUR_US
from models.labels import labels_digest
from simulators.patients import bodies, labelling, machine, region, rhythm
from simulators.patients.bodies import Bodies
from simulators.patients.calendar import midnight_us
from simulators.patients.condition import CHANNELS
from simulators.patients.conditions import CONDITIONS
from simulators.patients.courses import Courses
from simulators.patients.labelling import YES_OR_NO
from simulators.patients.parameters import PARAMETERS
from simulators.patients.population import draw_population
from simulators.patients.region import COMORBIDITY, Mix
from simulators.patients.streams import Purpose, stream

START = date(2026, 3, 2)
HOURS = (3, 8, 19)
LEVELS = (
    "body_weight", "systolic", "diastolic", "heart_rate", "spo2", "respiratory_rate", "temperature",
    "glucose", "peak_flow", "fev1", "fvc", "steps",
)  # fmt: skip
ELSEWHERE = {"CHANNELS", "YES_OR_NO", "KIND_BY_NAME", "DAY_US", "MINUTE_US"}
"""What those modules take from others; the first two are summed up by themselves."""
QUESTIONS = tuple(name for name in CHANNELS if name.startswith("symptom_") or name == "consciousness")


def parameters_digest() -> str:
    """The sum of every number that decides what bodies do."""
    constants = [
        (module.__name__, name, vars(module)[name])
        for module in (bodies, labelling, machine, region, rhythm)
        for name in sorted(vars(module))
        if name.isupper() and name not in ELSEWHERE
    ]
    told = repr((PARAMETERS, constants, CHANNELS, sorted(YES_OR_NO)))
    return hashlib.sha256(told.encode()).hexdigest()


def cohort_digest(patients: int = 210, days: int = 45, seed: int = 1) -> str:
    """The sum of what a small population of all conditions goes through: values thrice a day, and labels.

    Rounded to a millionth, so that it says nothing about how a machine adds.
    """
    everything = Mix({condition.name: 1.0 for condition in CONDITIONS}, COMORBIDITY)
    population = draw_population(seed, patients, everything)
    courses = Courses(population)
    lives = Bodies(population, courses)
    rows, everybody = np.arange(patients), np.ones(patients, np.bool_)
    total = hashlib.sha256("".join(population.wijk + population.language).encode())
    for day in range(days):
        begin_us = midnight_us(START, day)
        courses.begin_day(day, begin_us, everybody)
        lives.next_day(day, begin_us)
        chance = stream(seed, Purpose.CALIBRATION, day)
        for hour in HOURS:
            at = lives.at(rows, np.full(patients, begin_us + hour * HOUR_US))
            for kind in LEVELS:
                read = lives.reading(kind, at, chance) * 1e6
                total.update(np.rint(read).astype(np.int64).tobytes())
            for pressure in lives.pressures(at, chance):
                total.update(np.rint(pressure * 1e6).astype(np.int64).tobytes())
            for question in QUESTIONS:
                total.update(lives.answer(question, at, chance).astype(np.int8).tobytes())
    total.update(labels_digest(courses.labels).encode())
    return total.hexdigest()
