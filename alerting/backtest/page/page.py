"""The report as one page: everything in it, nothing from outside, both languages."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from alerting.backtest.content import Report
from alerting.backtest.counting import LEADS, OF_SHIFTS, Name
from alerting.backtest.examples import ShownAlert
from alerting.backtest.judged import Counted
from alerting.backtest.measures import RuleMeasures
from alerting.backtest.page.case_chart import case_chart, case_says, unit_of
from alerting.backtest.page.charts import LEAD_DAYS, hours, leads, point, told_by, trade
from alerting.backtest.page.drawing import Picture
from alerting.backtest.page.sentences import is_sure, short
from alerting.backtest.page.words import MINUS, Speaker
from alerting.explain.vocabulary import SEVERITIES, SIGNALS, Language, kind_name
from models.clock import to_datetime

HERE = Path(__file__).parent
FEW_PATIENTS = 30

_OF_EVENTS = (
    Name.SENSITIVITY, Name.SENSITIVITY_DETECTABLE, Name.SENSITIVITY_BEFORE_WORST, *LEADS,
    Name.FALSE_PER_YEAR, Name.PRECISION, Name.FALSE_WITH_CAUSE,
)  # fmt: skip
_OF_LOAD = (Name.ALERTS_PER_100_DAYS, *OF_SHIFTS.values(), Name.PEAK_HOUR)
_OF_RULES = (
    Name.SENSITIVITY, Name.LEAD_MEDIAN, Name.FALSE_PER_YEAR, Name.PRECISION, Name.ALERTS_PER_100_DAYS
)  # fmt: skip


class Teller:
    """What the template asks about a report, in one language."""

    def __init__(self, report: Report, language: Language) -> None:
        self.report = report
        self.t = Speaker(language)
        self.language = language
        self.measured = report.measured
        self.versions = report.measured.versions
        self.events = report.measured.events
        self.few = report.measured.patients < FEW_PATIENTS
        has_events = self.events is not None and self.events.counted > 0
        self.has_events = has_events
        self.names = (*(_OF_EVENTS if has_events else ()), *_OF_LOAD)
        self.rule_names = _OF_RULES if has_events else (Name.ALERTS_PER_100_DAYS,)
        self.sweep_names = _OF_RULES if has_events else (Name.ALERTS_PER_100_DAYS,)

    def day(self, at_us: int) -> str:
        """A date, as everybody writes it."""
        return to_datetime(at_us).strftime("%d-%m-%Y")

    def short(self) -> list[tuple[str, list[str]]]:
        """Each version with its sentences."""
        first = self.versions[0].name
        return [(version.name, short(version, first, self.measured, self.t)) for version in self.versions]

    def beyond(self) -> list[str]:
        """What the columns of differences are called."""
        first, others = self.versions[0].name, self.versions[1:]
        if len(others) == 1:
            return [self.t("beyond", first=first)]
        return [f"{version.name} {MINUS} {first}" for version in others]

    def sure(self, place: int, counted: Counted, name: Name) -> bool:
        """Whether a version differs from the first by more than chance."""
        figure = self.versions[place].beyond_first[counted].get(name)
        return figure is not None and is_sure(figure)

    def trade(self) -> Picture:
        """The chart of all versions."""
        points = [point(place, version.name, version) for place, version in enumerate(self.versions)]
        return trade(points, self.t)

    def sweep(self, number: int) -> Picture:
        """The chart of a limit that was varied."""
        sweep = self.report.sweeps[number]
        points = [
            point(0, f"{self.value(value)} {sweep.swept.unit}", measures)
            for value, measures in zip(sweep.swept.values, sweep.points, strict=True)
        ]
        if (now := self.now(number)) is not None:
            points[now] = replace(points[now], text=f"{points[now].text} ({self.t('sweep.now')})")
        return trade(points, self.t, joined=True, now=self.now(number))

    def now(self, number: int) -> int | None:
        """Which of the values is the one in force."""
        swept = self.report.sweeps[number].swept
        near = [place for place, value in enumerate(swept.values) if abs(value - swept.default) < 1e-9]
        return near[0] if near else None

    def value(self, value: float) -> str:
        """A value of a limit: all of its digits."""
        text = f"{value:g}"
        return text.replace(".", ",") if self.language is Language.NL else text

    def leads(self) -> Picture:
        """The chart of lead times."""
        return leads(self.versions, self.events.counted if self.events else 0, self.t)

    def told(self) -> list[tuple[int, list[str]]]:
        """The same as a table: of so many days before the worst, the share of each version."""
        events = self.events.counted if self.events else 0
        return [
            (days, [self.share(told_by(v.of[Counted.MANUAL].leads, events, days)) for v in self.versions])
            for days in LEAD_DAYS
        ]

    def share(self, value: float) -> str:
        """In per cent."""
        return self.t.in_unit(Name.SENSITIVITY, value)

    def hours(self) -> Picture:
        """The chart of the day."""
        return hours(self.versions, self.t)

    def peaks(self) -> str:
        """When each version is busiest."""
        by_hour = [(v.name, v.of[Counted.MANUAL].by_hour) for v in self.versions]
        return " ".join(
            self.t("load.peak", name=name, hour=max(range(24), key=lambda hour: of_day[hour]))
            for name, of_day in by_hour
            if any(of_day)
        )

    def signals(self) -> list[tuple[str, list[str]]]:
        """The load by signal, the largest first."""
        per_version = [version.of[Counted.MANUAL].by_signal for version in self.versions]
        known = {signal for by_signal in per_version for signal in by_signal}
        ordered = sorted(known, key=lambda s: (-max(b[s].value or 0 for b in per_version if s in b), s))
        return [
            (
                SIGNALS[signal].said(self.language),
                [self.t.figure(Name.ALERTS_PER_100_DAYS, by_signal.get(signal)) for by_signal in per_version],
            )
            for signal in ordered
        ]

    def rules(self, place: int) -> tuple[Sequence[RuleMeasures], str]:
        """The rules of a version that found something, and the names of those that did not."""
        rules = self.versions[place].rules
        silent = ", ".join(measures.rule.rule for measures in rules if not measures.findings)
        return [measures for measures in rules if measures.findings], silent

    def rule_text(self, place: int, programme: str, rule: str) -> str:
        """What a rule says to people."""
        for one in self.report.backtest.versions[place].programmes:
            if one.programme == programme and rule in one.rules:
                return getattr(one.rules[rule].text, self.language.value)
        return rule

    def case(self, number: int) -> Picture:
        """The chart of an example."""
        return case_chart(self.report.examples[number], self.case_title(number), self.report.names, self.t)

    def case_title(self, number: int) -> str:
        """What an example shows."""
        names = [*self.report.names, ""]
        return self.t(f"examples.{self.report.examples[number].about}", first=names[0], second=names[1])

    def case_says(self, number: int) -> list[str]:
        """What happened in it, who told of it, and by which rules."""
        example = self.report.examples[number]
        said = case_says(example, self.report.names, self.t)
        for place, alerts in enumerate(example.alerts):
            said += [self._told(place, alert) for alert in alerts if alert.manual]
        return said

    def _told(self, place: int, alert: ShownAlert) -> str:
        told = alert.opened if alert.told is None else alert.told
        return self.t(
            "examples.alert_says",
            name=self.report.names[place],
            severity=SEVERITIES[alert.severity].said(self.language),
            day=self.t.number(told, 1),
            rules=" ".join(self.rule_text(place, rule.programme, rule.rule) for rule in alert.rules),
        )

    def panels(self, number: int) -> list[tuple[str, Sequence[str]]]:
        """The readings of an example in few numbers: how many, first, lowest, highest, last."""
        rows: list[tuple[str, Sequence[str]]] = []
        for panel in self.report.examples[number].panels:
            title = self.t(
                "examples.series", kind=kind_name(panel.kind, self.language), unit=unit_of(panel, self.t)
            )
            ends = (panel.values[0], min(panel.values), max(panel.values), panel.values[-1])
            numbers = [self.t.number(value, 1) for value in ends]
            rows.append((title, [self.t.number(len(panel.values), 0), *numbers]))
        return rows


def page(report: Report, language: Language) -> str:
    """The page, with `language` shown first."""
    other = Language.EN if language is Language.NL else Language.NL
    style, script = (_file(name) for name in ("page.css", "page.js"))
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            tellers=[Teller(report, language), Teller(report, other)],
            style=style,
            script=script,
            allowed=_allowed(style, script),
            counted=list(Counted),
            name=Name,
            of_shifts=OF_SHIFTS,
            signals_said=SIGNALS,
        )
    )


def _allowed(style: str, script: str) -> str:
    """What a browser may take for this page: its own style and script, and nothing from anywhere."""
    hashes: Mapping[str, str] = {
        kind: b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for kind, text in (("style", style), ("script", script))
    }
    parts = [f"{kind}-src 'sha256-{value}'" for kind, value in hashes.items()]
    return "; ".join(["default-src 'none'", *parts, "base-uri 'none'", "form-action 'none'"])


@cache
def _file(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
