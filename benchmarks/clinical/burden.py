"""What alerts cost and find: hypertension under fixed limits and as shipped; heart failure as shipped."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from alerting.backtest.bootstrap import Draws, Figure, Ratio, Sheet
from alerting.backtest.found import Found
from alerting.backtest.judged import Counted
from alerting.backtest.measures import SECONDS_A_DAY, Measures, Name
from alerting.backtest.versions import Version
from alerting.engine.programme_files import load_file
from benchmarks.clinical.published import DUTCH_ALERTS, DUTCH_MANUAL, DUTCH_MEASUREMENTS
from benchmarks.clinical.table import DRAWS, HERE, number, share
from benchmarks.clinical.trial import Lives, Tell, Trial, first_programmes, newest, try_on
from models.clock import DAY_US
from simulators.patients.parameters import GROUPS

PRESSURES = Lives("hypertension_fixed", patients=174, days=207)
HEARTS = Lives("heart_failure", patients=100, days=365)
FIXED, SHIPPED, BEFORE = "fixed", "shipped", "before tuning"
FACTORS = (0.7, 1.3)

AIMS = {"manual": 0.05, "with_signs": 0.70, "false": 1.0, "lead_days": 7.0}
"""Manual alerts per patient-day at most (hypertension); the rest of heart failure."""
WEEK_US = 7 * DAY_US


@dataclass(frozen=True, slots=True)
class Load:
    """A version's cost and yield. `manual` is what people had to deal with, `clinical` without measuring itself.

    **Units**: `manual`, `clinical` per patient-day; `false` per patient-year; `lead_days` before the worst.
    """

    version: str
    manual: Figure
    clinical: Figure
    sensitivity: Figure
    with_signs: Figure
    false: Figure
    lead_days: Figure
    week_before: Figure
    by_kind: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Reproduced:
    """The Dutch load under fixed limits. **Units**: per patient-day."""

    measurements: Figure
    alerts: Figure
    manual: Figure


@dataclass(frozen=True, slots=True)
class Varied:
    """The shipped programmes where one group of the simulator's numbers is another."""

    group: str
    factor: float
    hearts: Load
    pressures: Load
    fixed: Load


def try_pressures(lives: Lives, tell: Tell) -> Trial:
    """Fixed limits, what is shipped, and what was before tuning, on the Dutch cohort."""
    fixed = Version(FIXED, [load_file(HERE / "hypertension_fixed.yaml"), *newest("devices")])
    return try_on(lives, [*_versions("hypertension"), fixed], tell, counting="systolic")


def try_hearts(lives: Lives, tell: Tell) -> Trial:
    """What is shipped, and what was before tuning."""
    return try_on(lives, _versions("heart_failure"), tell)


def _versions(name: str) -> list[Version]:
    first = first_programmes()
    return [
        Version(SHIPPED, newest(name, "devices")),
        Version(BEFORE, [first[name], first["devices"]]),
    ]


def loads(trial: Trial, draws: int = DRAWS) -> dict[str, Load]:
    """Each version's."""
    measured = trial.measured(list(trial.found), draws)
    sheet = Sheet(Draws(len(trial.followed.patients), seed=measured.seed, draws=draws))
    return {
        version.name: _load(trial, version.name, version.of[Counted.MANUAL], sheet)
        for version in measured.versions
    }


def _load(trial: Trial, name: str, measures: Measures, sheet: Sheet) -> Load:
    judged = trial.judged(name)
    patients, events = len(trial.followed.patients), trial.events
    seconds = sheet.add((trial.followed.until_us - trial.followed.from_us) // 1_000_000)
    clinical = np.bincount(
        judged.alerts.patient[judged.alerts.manual & judged.alerts.clinical], minlength=patients
    )
    early = events.counts & (judged.first_us[Counted.MANUAL] <= events.worst_us - WEEK_US)
    counted = sheet.add(np.bincount(events.patient[events.counts], minlength=patients).astype(np.int64))
    figures = measures.figures
    per_100 = figures[Name.ALERTS_PER_100_DAYS]
    return Load(
        version=name,
        manual=Figure(*(None if v is None else v / 100 for v in (per_100.value, per_100.low, per_100.high))),
        clinical=sheet.drawn(Ratio(sheet.add(clinical.astype(np.int64)), seconds, SECONDS_A_DAY)).figure(),
        sensitivity=figures[Name.SENSITIVITY],
        with_signs=figures[Name.SENSITIVITY_DETECTABLE],
        false=figures[Name.FALSE_PER_YEAR],
        lead_days=figures[Name.LEAD_MEDIAN],
        week_before=sheet.drawn(
            Ratio(sheet.add(np.bincount(events.patient[early], minlength=patients).astype(np.int64)), counted)
        ).figure(),
        by_kind=measures.by_kind,
    )


def reproduced(trial: Trial, draws: int = DRAWS) -> Reproduced:
    """The load of fixed limits: measurements from those that the engine looked at, alerts from their findings."""
    followed, found = trial.followed, trial.found[FIXED]
    sheet = Sheet(Draws(len(followed.patients), seed=1, draws=draws))
    seconds = sheet.add((followed.until_us - followed.from_us) // 1_000_000)

    def per_day(counts: np.ndarray) -> Figure:
        return sheet.drawn(Ratio(sheet.add(counts.astype(np.int64)), seconds, SECONDS_A_DAY)).figure()

    alerts = trial.judged(FIXED).alerts
    manual = alerts.manual & alerts.clinical
    return Reproduced(
        measurements=per_day(trial.readings_of),
        alerts=per_day(_findings(found, "over_limit", len(followed.patients))),
        manual=per_day(np.bincount(alerts.patient[manual], minlength=len(followed.patients))),
    )


def _findings(found: Found, rule: str, patients: int) -> np.ndarray:
    place = next(place for place, one in enumerate(found.rules) if one.rule == rule)
    return np.bincount(found.patient[found.rule == place], minlength=patients)


def varied(hearts: Lives, pressures: Lives, tell: Tell, draws: int, groups: Sequence[str] = GROUPS) -> Iterator[Varied]:
    """Each group of numbers 30 % smaller and larger, one after the other."""
    for group in groups:
        for factor in FACTORS:
            tell(f"{group} × {factor}")
            vary = {group: factor}
            of_hearts = loads(try_hearts(replace(hearts, vary=vary), tell), draws)
            of_pressures = loads(try_pressures(replace(pressures, vary=vary), tell), draws)
            yield Varied(group, factor, of_hearts[SHIPPED], of_pressures[SHIPPED], of_pressures[FIXED])


def lines(load: Load) -> Iterator[str]:
    """One version as text."""
    yield f"{load.version}:"
    yield f"  manual alerts per patient-day            {number(load.manual, 4)}"
    yield f"  of these about the patient               {number(load.clinical, 4)}"
    yield f"  false alerts per patient-year            {number(load.false, 2)}"
    yield f"  events found                             {share(load.sensitivity)}"
    yield f"  events with signs found                  {share(load.with_signs)}"
    yield f"  events found a week before the worst     {share(load.week_before)}"
    yield f"  median lead before the worst, days       {number(load.lead_days, 1)}"
    for kind, figure in load.by_kind.items():
        yield f"  found of {kind:<32}{share(figure)}"


def lines_of_reproduced(found: Reproduced) -> Iterator[str]:
    """The Dutch load beside the simulated one."""
    yield f"measurements per patient-day  {number(found.measurements, 3)}  published {DUTCH_MEASUREMENTS}"
    yield f"alerts                        {number(found.alerts, 3)}  published {DUTCH_ALERTS}"
    yield f"manual alerts                 {number(found.manual, 3)}  published {DUTCH_MANUAL:.2f}"


VARIED_HEAD = """
| numbers | heart failure: with signs found | false a year | lead, days | hypertension: manual a day | found | fixed limits |
|---|---|---|---|---|---|---|"""


def line_of_varied(one: Varied) -> str:
    """One variation as a row: hearts (signs, false, lead), pressures (manual, found, found by fixed limits)."""
    hearts, pressures = one.hearts, one.pressures
    return (
        f"| {one.group} × {one.factor} | {share(hearts.with_signs)} | {number(hearts.false, 2)} "
        f"| {number(hearts.lead_days, 1)} | {number(pressures.clinical, 4)} | {share(pressures.sensitivity)} "
        f"| {share(one.fixed.sensitivity)} |"
    )
