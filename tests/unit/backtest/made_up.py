"""A backtest of two versions on patients who do not exist, small enough to be looked at by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from alerting.backtest.found import Followed, Found, FoundRule
from alerting.backtest.result import Backtest, Held, Series, Swept, Tried
from alerting.engine.programme import Programme
from alerting.engine.programme_files import PACKAGED, load_file
from models.clock import DAY_US, HOUR_US
from models.labels import About, Label

START_US = 20_514 * DAY_US
"""2 March 2026."""
PATIENTS, DAYS = 40, 120
PROGRAMME = load_file(PACKAGED / "heart_failure.yaml")
RULES = ("heart_rate_high", "no_weight", "spo2_low", "weight_gain_3d")


def found_rules(programme: Programme = PROGRAMME) -> list[FoundRule]:
    return [FoundRule(programme.programme, 1, rule, programme.rules[rule].signal) for rule in RULES]


def found(seed: int, sharper: float) -> Found:
    """Findings at random, and one after the onset of most events: of more of them where `sharper`."""
    chance = np.random.Generator(np.random.Philox(key=seed))
    rows: list[tuple[int, int, int, int, int, bool]] = []
    for patient in range(PATIENTS):
        for day in chance.choice(DAYS - 10, size=4, replace=False).tolist():
            rule = int(chance.integers(0, 4))
            rows.append((patient, rule, int(chance.integers(0, 3)), day * 24 + 9, day * 24 + 40, False))
        if patient % 2 and chance.random() < sharper:
            rows.append((patient, 3, 1, (50 + patient % 9) * 24 + 8, 70 * 24, bool(patient % 10 == 9)))
    rows.sort(key=lambda row: (row[0], row[3], row[1]))
    columns = np.array(rows, np.int64).T
    return Found(
        rules=found_rules(),
        patient=columns[0].astype(np.int32),
        rule=columns[1].astype(np.int16),
        severity=columns[2].astype(np.int8),
        opened_at_us=START_US + columns[3] * HOUR_US,
        cleared_at_us=START_US + columns[4] * HOUR_US,
        quiet=columns[5].astype(np.bool_),
    )


def labels() -> list[Label]:
    """Every other patient is ill from day 45 on and worst on day 60; some devices are odd."""

    def at(day: int) -> int:
        return START_US + day * DAY_US

    ill = [
        Label(
            name(p), "fluid_overload", ("fluid",), at(45), at(52), at(60), at(70), p % 4 == 1, cut_off=False
        )
        for p in range(1, PATIENTS, 2)
    ]
    odd = Label(name(2), "clock_off", (), at(10), at(10), at(40), at(40), False, False, About.DEVICE)
    return [*ill, odd]


def name(patient: int) -> str:
    return f"11111111-0000-4000-8000-{patient:012d}"


def series(patients: Sequence[int]) -> Mapping[int, Series]:
    days = np.arange(DAYS)
    return {
        patient: Series(
            kind=["body_weight", "spo2"] * DAYS,
            taken_at_us=np.repeat(START_US + days * DAY_US + 8 * HOUR_US, 2),
            value=np.array(
                [
                    level
                    for day in range(DAYS)
                    for level in (80 + patient + max(0, day - 50) % 12 * 0.3, 95 - day % 4)
                ]
            ),
            unit=["kg", "%"] * DAYS,
            code=[None] * (2 * DAYS),
        )
        for patient in patients
    }


def backtest(*, known: bool = True, real: bool = False, one: bool = False) -> Backtest:
    """`known`: there are labels; `real`: as if the patients existed; `one`: a single version, no sweep."""
    versions = [
        Tried(label, [PROGRAMME], label * 8, found(seed, sharper))
        for label, seed, sharper in (("shipped", 1, 0.6), ("sharper", 2, 0.9))
    ]
    values = (1.0, 1.5, 2.0)
    varied = [replace(versions[0], found=found(3 + place, 1 - 0.2 * place)) for place in range(3)]
    sweep = Swept("heart_failure", "weight_gain_3d", "gain_3d", "kg", 0, 2.0, values, varied)
    return Backtest(
        versions=versions[:1] if one else versions,
        sweeps=[] if one else [sweep],
        followed=Followed(
            [name(patient) for patient in range(PATIENTS)],
            np.full(PATIENTS, START_US),
            np.full(PATIENTS, START_US + DAYS * DAY_US),
            np.full(PATIENTS, 2 * DAYS),
        ),
        held=Held(np.zeros(0, np.int32), np.zeros(0, np.bool_), np.zeros(0, np.int64), np.zeros(0, np.int64)),
        from_us=START_US,
        until_us=START_US + DAYS * DAY_US,
        readings="readings.parquet",
        rows=PATIENTS * DAYS * 2,
        refused=3,
        real=real,
        labels=labels() if known else None,
        labels_from="labels.ndjson" if known else "",
        series=series,
    )
