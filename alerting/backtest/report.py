"""The report of a backtest: `report.html` for people, `report.json` for machines, with the same figures."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from alerting.backtest.bootstrap import Figure
from alerting.backtest.cases import cases
from alerting.backtest.comparing import compare
from alerting.backtest.content import Report, SweepMeasures, as_json
from alerting.backtest.counting import Name
from alerting.backtest.events import Events, events_of
from alerting.backtest.examples import Example, example
from alerting.backtest.judged import Counted, Judged, judge
from alerting.backtest.measures import EventCounts, Measured, measure
from alerting.backtest.page.page import page
from alerting.backtest.page.words import Speaker
from alerting.backtest.result import Backtest, Series, Tried
from alerting.escalation.policy import Policies
from alerting.escalation.policy_files import load_policies
from alerting.explain.vocabulary import Language
from alerting.offline.output import write_whole

HTML, JSON = "report.html", "report.json"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a command says of a report: a few lines, and all figures for scripts."""

    lines: Sequence[str]
    figures: Mapping[str, object]

    def __str__(self) -> str:
        return "\n".join(self.lines)


def write_report(
    backtest: Backtest,
    out: Path,
    *,
    language: Literal["nl", "en"] = "nl",
    resamples: int = 2_000,
    policies: Policies | None = None,
    tell: Tell | None = None,
) -> Summary:
    """Measures a backtest and writes its report into a folder; `language` is the one that is shown first.

    **Raises**: BadInput where it cannot be written.
    """
    report = report_of(backtest, resamples=resamples, policies=policies, tell=tell)
    figures = as_json(report)
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / JSON, f"{json.dumps(figures, ensure_ascii=False, indent=1)}\n".encode())
    write_whole(out / HTML, page(report, Language(language)).encode())
    return Summary(_lines(report.measured, out), figures)


def report_of(
    backtest: Backtest, *, resamples: int = 2_000, policies: Policies | None = None, tell: Tell | None = None
) -> Report:
    """Everything that is reported of a backtest, all of it measured on the same draws of patients."""
    policies = load_policies() if policies is None else policies
    events = None if backtest.labels is None else events_of(backtest.labels, backtest.followed)

    def judged(tried: Tried) -> Judged:
        return judge(tried.name, tried.found, events, policies, backtest.held)

    versions = [judged(tried) for tried in backtest.versions]
    varied = [[judged(tried) for tried in swept.tried] for swept in backtest.sweeps]
    measured = measure(
        [*versions, *(one for points in varied for one in points)],
        backtest.followed,
        events,
        policies=policies,
        held=backtest.held,
        with_rules=len(versions),
        draws=resamples,
        tell=tell,
    )
    rest = iter(measured.versions[len(versions) :])
    return Report(
        backtest=backtest,
        measured=replace(measured, versions=measured.versions[: len(versions)]),
        sweeps=[SweepMeasures(swept, [next(rest) for _ in swept.values]) for swept in backtest.sweeps],
        comparisons=[compare(versions[0], other, events) for other in versions[1:]],
        examples=_examples(backtest, versions, events),
    )


def _examples(backtest: Backtest, versions: Sequence[Judged], events: Events | None) -> list[Example]:
    chosen = cases(versions, events, backtest.followed)
    patients = sorted({case.patient for case in chosen})
    series: Mapping[int, Series] = backtest.series(patients) if patients else {}
    programmes = {one.hash: one for tried in backtest.versions for one in tried.programmes}
    return [
        example(number, case, versions, events, series.get(case.patient), list(programmes.values()))
        for number, case in enumerate(chosen, 1)
    ]


def _lines(measured: Measured, out: Path) -> list[str]:
    """The headline of each version, in English as all commands speak."""
    t = Speaker(Language.EN)
    lines: list[str] = []
    for version in measured.versions:
        manual = version.of[Counted.MANUAL]

        def said(name: Name, figures: Mapping[Name, Figure] = manual.figures) -> str:
            return t.figure(name, figures.get(name))

        line = f"{version.name}: {said(Name.ALERTS_PER_100_DAYS)} alerts for a person per 100 patient-days"
        if measured.events is not None and measured.events.counted:
            line += (
                f", {said(Name.SENSITIVITY)} of {measured.events.counted} events found, "
                f"{said(Name.FALSE_PER_YEAR)} false alerts per patient-year, "
                f"median lead {said(Name.LEAD_MEDIAN)} days"
            )
        lines.append(line.replace("\u00a0", " "))
    if measured.events is None:
        lines.append("What really happened is not known: this speaks of load only, not of sensitivity.")
    elif not measured.events.counted:
        lines.append(_no_events(measured.events))
    lines.append(f"report: {out / HTML}")
    return lines


def _no_events(events: EventCounts) -> str:
    """Said in place of figures about events, which would look as if nothing had been found."""
    line = "No label is an event of somebody who was followed from its onset to its worst"
    if events.strangers:
        line += f"; {events.strangers:,} are of patients who are not in the readings"
    return f"{line}: this speaks of load only, not of sensitivity."
