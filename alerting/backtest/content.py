"""What a report says, for people and for machines: the same figures, each with its definition."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import cast

from alerting.backtest.bootstrap import Figure
from alerting.backtest.comparing import Comparison
from alerting.backtest.counting import Name
from alerting.backtest.examples import Example
from alerting.backtest.judged import Counted
from alerting.backtest.measures import Measured, Measures, RuleMeasures, VersionMeasures
from alerting.backtest.page.charts import LEAD_DAYS, told_by
from alerting.backtest.page.words import SHARES, texts
from alerting.backtest.result import Backtest, Swept, Tried
from models.clock import to_datetime
from models.findings import Signal

SCHEMA = 1
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class SweepMeasures:
    """A limit varied, measured at each of its values."""

    swept: Swept
    points: Sequence[VersionMeasures]


@dataclass(frozen=True, slots=True)
class Report:
    """All that is reported. `measured` has the versions only; comparisons are with the first of them."""

    backtest: Backtest
    measured: Measured
    sweeps: Sequence[SweepMeasures]
    comparisons: Sequence[Comparison]
    examples: Sequence[Example]

    @property
    def names(self) -> list[str]:
        """What the versions are called."""
        return [version.name for version in self.measured.versions]


def as_json(report: Report) -> dict[str, object]:
    """The report for machines. Shares are 0 to 1; what is not known is null."""
    backtest, measured = report.backtest, report.measured
    content = {
        "schema": SCHEMA,
        "what": "thuiswacht backtest",
        "source": {
            "readings": backtest.readings,
            "rows": backtest.rows,
            "refused": backtest.refused,
            "labels": backtest.labels_from or None,
            "patients_exist": backtest.real,
            "from": to_datetime(backtest.from_us).isoformat(),
            "until": to_datetime(backtest.until_us).isoformat(),
            "patients": measured.patients,
            "patient_days": measured.patient_days,
        },
        "intervals": {
            "confidence": 0.95,
            "draws": measured.draws,
            "seed": measured.seed,
            "drawn": "patients",
        },
        "events": None if measured.events is None else asdict(measured.events),
        "versions": [
            _version(version, tried, measured)
            for version, tried in zip(measured.versions, backtest.versions, strict=True)
        ],
        "comparisons": [asdict(compared) for compared in report.comparisons],
        "sweeps": [_sweep(sweep) for sweep in report.sweeps],
        "examples": [_example(example, report) for example in report.examples],
        "definitions": definitions(),
    }
    return cast("dict[str, object]", _rounded(content))


def definitions() -> dict[str, object]:
    """What each figure means, in both languages, and its unit."""
    known = texts()
    return {
        name.value: {
            "unit": "share" if name in SHARES else "days" if name.startswith("lead") else "number",
            **{language.value: said for language, said in known[f"definitions.{name}"].items()},
        }
        for name in Name
    }


def _version(version: VersionMeasures, tried: Tried, measured: Measured) -> dict[str, object]:
    return {
        "name": version.name,
        "hash": tried.hash,
        "programmes": [
            {"programme": one.programme, "version": one.version, "hash": one.hash} for one in tried.programmes
        ],
        **{counted.value: _measures(version.of[counted], measured) for counted in Counted},
        "beyond_first": {
            counted.value: _figures(figures) for counted, figures in version.beyond_first.items()
        },
        "rules": [_rule(rule) for rule in version.rules],
    }


def _measures(measures: Measures, measured: Measured) -> dict[str, object]:
    events = measured.events
    told = None
    if events is not None:
        told = {str(days): told_by(measures.leads, events.counted, days) for days in LEAD_DAYS}
    return {
        "alerts": measures.alerts,
        "false_alerts": measures.false_alerts,
        "events_found": measures.found,
        "figures": _figures(measures.figures),
        "events_told_by_days_before_worst": told,
        "alerts_by_hour_of_day": list(measures.by_hour),
        "most_alerts_in_one_hour": measures.busiest_hour,
        "alerts_per_100_patient_days_by_signal": _figures(measures.by_signal),
        "sensitivity_by_kind": _figures(measures.by_kind),
    }


def _rule(measures: RuleMeasures) -> dict[str, object]:
    return {
        **asdict(measures.rule),
        "findings": measures.findings,
        **{counted.value: _figures(figures) for counted, figures in measures.figures.items()},
    }


def _sweep(sweep: SweepMeasures) -> dict[str, object]:
    swept = sweep.swept
    return {
        "programme": swept.programme,
        "rule": swept.rule,
        "limit": swept.limit,
        "unit": swept.unit,
        "base": swept.base,
        "default": swept.default,
        "points": [
            {
                "value": value,
                **{counted.value: _figures(point.of[counted].figures) for counted in Counted},
            }
            for value, point in zip(swept.values, sweep.points, strict=True)
        ],
    }


def _example(example: Example, report: Report) -> dict[str, object]:
    """Days since the event's onset or the alert's opening; whose it is only where they do not exist."""
    told: dict[str, object] = {
        "example": example.number,
        "about": example.about.value,
        "signals": [signal.value for signal in example.case.signals],
        "from_day": example.begin,
        "until_day": example.end,
        "events": [asdict(event) | {"why": event.why.name.lower()} for event in example.events],
        "alerts": {
            name: [asdict(alert) for alert in alerts]
            for name, alerts in zip(report.names, example.alerts, strict=True)
        },
    }
    if not report.backtest.real:
        told["patient_id"] = report.backtest.followed.patients[example.case.patient]
        told["day_0"] = to_datetime(example.case.zero_us).isoformat()
    return told


def _figures(
    figures: Mapping[Name, Figure] | Mapping[Signal, Figure] | Mapping[str, Figure],
) -> dict[str, object]:
    return {str(name): asdict(figure) for name, figure in figures.items()}


def _rounded(content: object) -> object:
    """Numbers to six digits, keys as texts: more would not be the same on every machine."""
    match content:
        case float():
            return float(f"{content:.{_DIGITS}g}")
        case dict():
            return {str(key): _rounded(value) for key, value in cast("dict[object, object]", content).items()}
        case list() | tuple():
            return [_rounded(value) for value in cast("Sequence[object]", content)]
        case _:
            return content
