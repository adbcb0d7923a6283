"""What alerts cost and find: hypertension under fixed limits and as shipped; heart failure as shipped."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from alerting.backtest.bootstrap import Draws, Figure, Ratio, Sheet
from alerting.backtest.counting import SECONDS_A_DAY, Name
from alerting.backtest.found import Found
from alerting.backtest.judged import Counted, lead_days
from alerting.backtest.measures import VersionMeasures
from alerting.backtest.versions import Version
from alerting.engine.programme_files import load_file
from benchmarks.clinical.published import DUTCH_ALERTS, DUTCH_MANUAL, DUTCH_MEASUREMENTS
from benchmarks.clinical.table import DRAWS, HERE, number, share
from benchmarks.clinical.trial import SHIPPED, Lives, Tell, Trial, newest, shipped_and_first, try_on
from models.clock import DAY_US
from simulators.patients.parameters import GROUPS

PRESSURES = Lives("hypertension_fixed", patients=174, days=207)
HEARTS = Lives("heart_failure", patients=100, days=365)
FIXED = "fixed"
FACTORS = (0.7, 1.3)
Counts = NDArray[np.int64]

AIMS = {"manual": 0.05, "with_signs": 0.70, "false": 1.0, "lead_days": 7.0}
"""Manual alerts per patient-day at most (hypertension); the rest of heart failure."""
WEEK_US = 7 * DAY_US


@dataclass(frozen=True, slots=True)
class Load:
    """What a version costs and finds. `manual` people had to deal with; `clinical`: without measuring itself.

    `lead_days` is before the worst, of all that were found; `lead_if_in_time` of those found before it.
    `week_before`: share of all events. `beyond_shipped`: so much more of the events than the shipped one.

    **Units**: `manual`, `clinical` per patient-day; `false` per patient-year.
    """

    version: str
    manual: Figure
    clinical: Figure
    sensitivity: Figure
    with_signs: Figure
    false: Figure
    lead_days: Figure
    lead_if_in_time: Figure
    week_before: Figure
    beyond_shipped: Figure
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
    return try_on(lives, [*shipped_and_first("hypertension"), fixed], tell, counting="systolic")


def try_hearts(lives: Lives, tell: Tell) -> Trial:
    """What is shipped, and what was before tuning."""
    return try_on(lives, shipped_and_first("heart_failure"), tell)


def loads(trial: Trial, draws: int = DRAWS) -> dict[str, Load]:
    """Each version's."""
    measured = trial.measured(list(trial.found), draws)
    drawn = Draws(len(trial.followed.patients), seed=measured.seed, draws=draws)
    return {version.name: _load(trial, version, drawn) for version in measured.versions}


def _load(trial: Trial, version: VersionMeasures, draws: Draws) -> Load:
    judged, sheet = trial.judged(version.name), Sheet(draws)
    measures = version.of[Counted.MANUAL]
    patients, events = len(trial.followed.patients), trial.events
    seconds = sheet.add((trial.followed.until_us - trial.followed.from_us) // 1_000_000)
    clinical = np.bincount(
        judged.alerts.patient[judged.alerts.manual & judged.alerts.clinical], minlength=patients
    )
    early = events.counts & (judged.first_us[Counted.MANUAL] <= events.worst_us - WEEK_US)
    counted = sheet.add(np.bincount(events.patient[events.counts], minlength=patients).astype(np.int64))
    days = lead_days(judged.first_us[Counted.MANUAL], events)
    in_time = events.counts & (days > 0)
    figures = measures.figures
    per_100 = figures[Name.ALERTS_PER_100_DAYS]
    return Load(
        version=version.name,
        manual=Figure(*(None if v is None else v / 100 for v in (per_100.value, per_100.low, per_100.high))),
        clinical=sheet.drawn(Ratio(sheet.add(clinical.astype(np.int64)), seconds, SECONDS_A_DAY)).figure(),
        sensitivity=figures[Name.SENSITIVITY],
        with_signs=figures[Name.SENSITIVITY_DETECTABLE],
        false=figures[Name.FALSE_PER_YEAR],
        lead_days=figures[Name.LEAD_MEDIAN],
        lead_if_in_time=draws.quantiles(days[in_time], events.patient[in_time].astype(np.int64), [0.5])[
            0
        ].figure(),
        week_before=sheet.drawn(
            Ratio(sheet.add(np.bincount(events.patient[early], minlength=patients).astype(np.int64)), counted)
        ).figure(),
        beyond_shipped=version.beyond_first[Counted.MANUAL][Name.SENSITIVITY],
        by_kind=measures.by_kind,
    )


def reproduced(trial: Trial, draws: int = DRAWS) -> Reproduced:
    """The load of fixed limits: alerts are the findings of one measurement each."""
    followed, found = trial.followed, trial.found[FIXED]
    sheet = Sheet(Draws(len(followed.patients), seed=1, draws=draws))
    seconds = sheet.add((followed.until_us - followed.from_us) // 1_000_000)

    def per_day(counts: Counts) -> Figure:
        return sheet.drawn(Ratio(sheet.add(counts), seconds, SECONDS_A_DAY)).figure()

    alerts = trial.judged(FIXED).alerts
    manual = alerts.manual & alerts.clinical
    return Reproduced(
        measurements=per_day(trial.readings_of),
        alerts=per_day(_findings(found, "over_limit", len(followed.patients))),
        manual=per_day(np.bincount(alerts.patient[manual], minlength=len(followed.patients))),
    )


def _findings(found: Found, rule: str, patients: int) -> Counts:
    place = next(place for place, one in enumerate(found.rules) if one.rule == rule)
    return np.bincount(found.patient[found.rule == place], minlength=patients)


def varied(
    hearts: Lives, pressures: Lives, tell: Tell, draws: int, groups: Sequence[str] = GROUPS
) -> Iterator[Varied]:
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
    yield f"  events found beyond what shipped finds   {share(load.beyond_shipped)}"
    yield f"  events with signs found                  {share(load.with_signs)}"
    yield f"  events found a week before the worst     {share(load.week_before)}"
    yield f"  median lead before the worst, days       {number(load.lead_days, 1)}"
    yield f"  the same of those found before it        {number(load.lead_if_in_time, 1)}"
    for kind, figure in load.by_kind.items():
        yield f"  found of {kind:<32}{share(figure)}"


def lines_of_reproduced(found: Reproduced) -> Iterator[str]:
    """The Dutch load beside the simulated one."""
    yield f"measurements per patient-day  {number(found.measurements, 3)}  published {DUTCH_MEASUREMENTS}"
    yield f"alerts                        {number(found.alerts, 3)}  published {DUTCH_ALERTS}"
    yield f"manual alerts                 {number(found.manual, 3)}  published {DUTCH_MANUAL:.2f}"


VARIED_HEAD = """
| numbers | hearts: with signs | false a year | lead, days | pressures: manual a day | found | by fixed |
|---|---|---|---|---|---|---|"""


def line_of_varied(one: Varied) -> str:
    """One variation as a row."""
    hearts, pressures = one.hearts, one.pressures
    return (
        f"| {one.group} × {one.factor} | {share(hearts.with_signs)} | {number(hearts.false, 2)} "
        f"| {number(hearts.lead_days, 1)} | {number(pressures.clinical, 4)} | {share(pressures.sensitivity)} "
        f"| {share(one.fixed.sensitivity)} |"
    )
