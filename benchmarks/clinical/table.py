"""The published table, in kind: rules on one simulated cohort, by the figures of each study and by ours."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from alerting.backtest.bootstrap import Draws, Figure
from alerting.backtest.counting import Name
from alerting.backtest.judged import Counted
from alerting.backtest.versions import Version
from alerting.engine.programme_files import load_file
from benchmarks.clinical import windows
from benchmarks.clinical.median_gain import median_gain
from benchmarks.clinical.published import ROWS
from benchmarks.clinical.trial import BEFORE, SHIPPED, Lives, Tell, Trial, shipped_and_first, try_on

HERE = Path(__file__).parent / "programmes"
MEDIAN = "median_gain"
OF_OURS = frozenset({SHIPPED, BEFORE, MEDIAN})
FULL = Lives("heart_failure", patients=100, days=365)
DRAWS = 1_000
OURS: Mapping[str, Name] = {
    "sensitivity": Name.SENSITIVITY,
    "sensitivity_with_signs": Name.SENSITIVITY_DETECTABLE,
    "false_alerts_per_patient_year": Name.FALSE_PER_YEAR,
    "precision": Name.PRECISION,
    "lead_days": Name.LEAD_MEDIAN,
}
"""Told to a person by a signal that fits, between onset and end; false: overlaps no event of the patient."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One rule. `before_events`, `event_free`: as Zhang counted, whatever the signal; the rest is ours."""

    version: str
    before_events: Figure
    event_free: Figure
    ours: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Ordering:
    """Something that several studies agree on, and whether it holds here."""

    claim: str
    holds: bool


def versions() -> list[Version]:
    """What is shipped, what people are enrolled in, and one for each rule."""
    names = dict.fromkeys(row.version for row in ROWS if row.version not in OF_OURS)
    compared = [Version(name, [load_file(HERE / f"{name}.yaml")]) for name in names]
    return [*shipped_and_first("heart_failure"), *compared]


def try_table(lives: Lives, tell: Tell) -> Trial:
    """All rules on the cohorts, with the one that the language has no words for."""
    return try_on(lives, versions(), tell, extra=(MEDIAN, median_gain))


def tried(trial: Trial, draws: int = DRAWS) -> list[Tried]:
    """The figures of each rule, in the order of the table."""
    names = list(dict.fromkeys(row.version for row in ROWS))
    measured = trial.measured(names, draws)
    drawn = Draws(len(trial.followed.patients), seed=measured.seed, draws=draws)
    rows: list[Tried] = []
    for version in measured.versions:
        alerts = trial.judged(version.name).alerts
        figures = version.of[Counted.MANUAL].figures
        rows.append(
            Tried(
                version.name,
                windows.share_before_events(alerts, trial.events, trial.followed, drawn),
                windows.share_of_event_free(alerts, trial.events, trial.followed, drawn),
                {name: figures[figure] for name, figure in OURS.items()},
            )
        )
    return rows


def orderings(rows: Sequence[Tried]) -> list[Ordering]:
    """What studies agree on."""
    by = {row.version: row for row in rows}

    def value(version: str, figure: str) -> float:
        row = by[version]
        found = getattr(row, figure) if figure in ("before_events", "event_free") else row.ours[figure]
        return found.value or 0.0

    def more(one: str, other: str, *figures: str) -> bool:
        return all(value(one, figure) > value(other, figure) for figure in figures)

    single = [row.version for row in rows if row.version not in ("combined", SHIPPED, BEFORE)]
    thumbs = ("gain_3lb_1d", "gain_5lb_3d")
    claims = {
        "rules of thumb are before more events than MACD": all(
            more(thumb, "weight_macd", "before_events") for thumb in thumbs
        ),
        "rules of thumb are in more event-free windows than MACD": all(
            more(thumb, "weight_macd", "event_free") for thumb in thumbs
        ),
        "own usual weight is before more events than rules of thumb": all(
            more("weight_personal", thumb, "before_events") for thumb in thumbs
        ),
        "own usual weight is more precise than 2 kg in 3 days": more(
            "weight_personal", "gain_2kg_3d", "precision"
        ),
        "MACD is more precise than 3 lb in a day": more("weight_macd", "gain_3lb_1d", "precision"),
        "own usual heart rate is more precise than own usual weight": more(
            "heart_rate_personal", "weight_personal", "precision"
        ),
        "own usual heart rate is more precise than its MACD": more(
            "heart_rate_personal", "heart_rate_macd", "precision"
        ),
        "several signals find more than any one signal": all(
            more("combined", other, "sensitivity") for other in single
        ),
        "several signals are more precise than any rule of weight": all(
            more("combined", other, "precision") for other in single if not other.startswith("heart_rate")
        ),
    }
    return [Ordering(claim, holds) for claim, holds in claims.items()]


def lines(rows: Sequence[Tried], held: Sequence[Ordering]) -> Iterator[str]:
    """The table as Markdown, and whether the orderings hold."""
    heads = ("before events", "event-free windows", "sensitivity", "with signs", "false a year", "precision")
    yield f"| rule | {' | '.join(heads)} | lead, days |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in rows:
        cells = [share(row.before_events), share(row.event_free)]
        cells += [share(row.ours["sensitivity"]), share(row.ours["sensitivity_with_signs"])]
        cells += [number(row.ours["false_alerts_per_patient_year"], 2), share(row.ours["precision"])]
        yield f"| {row.version} | {' | '.join([*cells, number(row.ours['lead_days'], 1)])} |"
    yield ""
    yield "published:"
    for said in ROWS:
        if said.source:
            counts = f" ({said.counts})" if said.counts else ""
            yield f"  {said.version}: {said.rule}: {said.published}; {said.source}{counts}"
    yield ""
    yield from (f"{'holds' if one.holds else 'does NOT hold'}: {one.claim}" for one in held)


def content(rows: Sequence[Tried], held: Sequence[Ordering]) -> dict[str, Any]:
    """The same for machines."""
    return {
        "rows": [asdict(row) for row in rows],
        "published": [asdict(row) for row in ROWS],
        "orderings": [asdict(one) for one in held],
    }


def share(figure: Figure) -> str:
    """A share in percent, with its interval.

    >>> share(Figure(0.5, 0.4, 0.6))
    '50 (40–60) %'
    """
    if figure.value is None:
        return "–"
    if figure.low is None or figure.high is None:
        return f"{100 * figure.value:.0f} %"
    return f"{100 * figure.value:.0f} ({100 * figure.low:.0f}–{100 * figure.high:.0f}) %"


def number(figure: Figure, digits: int) -> str:
    """A number with its interval.

    >>> number(Figure(1.234, 1.0, 1.5), 2)
    '1.23 (1.00–1.50)'
    """
    if figure.value is None:
        return "–"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.{digits}f}"
    return f"{figure.value:.{digits}f} ({figure.low:.{digits}f}–{figure.high:.{digits}f})"
