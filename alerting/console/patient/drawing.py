"""One chart of a patient with everything in it, loaded in one round trip for each kind."""

from collections.abc import Iterator
from typing import Any

from alerting.console.frame import Frame
from alerting.console.patient import charts
from alerting.console.patient.charts import Chart
from alerting.console.patient.gaps import missed
from alerting.console.patient.levels import change_wanted, levels, rules_about, usual_of
from alerting.console.patient.marks import kinds_touched, marks, shades, within
from alerting.console.patient.record import Record
from alerting.console.patient.sentences import LOOKS_BACK_US, sentence
from alerting.console.patient.usual import usual_band
from alerting.explain.vocabulary import Both, Language
from models.clock import DAY_US
from models.db.pool import Connection
from models.db.series import Series, load_series
from models.findings import Finding
from models.kinds import KIND_BY_NAME
from models.messages import Enrol


async def draw(
    connection: Connection, record: Record, name: str, days: int, frame: Frame
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the browser draws, and what stands beside it."""
    kinds, language, own = charts.kinds_of_chart(name), frame.language, record.own
    to_us, from_us = record.now_us, record.now_us - days * DAY_US
    loaded = [await _load(connection, record, kind, from_us) for kind in kinds]
    chart = Chart(
        name=name,
        from_us=from_us,
        to_us=to_us,
        series=tuple(charts.cut(series, from_us, to_us) for series in loaded),
        levels=levels(own, kinds),
        bands={series.kind: _band(record, series, from_us) for series in loaded},
        missed=_missed(record, loaded, from_us),
        shades=shades(_findings(record, language), kinds, from_us, to_us),
        marks=within(_marks(record, kinds, frame), from_us, to_us),
    )
    said = [
        sentence(
            series,
            chart.levels,
            change_wanted(own, series.kind, language),
            frame.t,
            frame.when(int(series.taken_at_us[-1])),
            from_us,
        )
        for series in loaded
        if len(series.value)
    ]
    beside = {
        "chart": chart,
        "patient_id": record.patient_id,
        "sentences": said,
        "table": charts.table_of(chart, language),
        "rules": rules_about(own, kinds, language),
        "entered": [one for one in record.entered if one.kind in kinds and one.taken_at_us >= from_us],
        "names": record.names,
        "by_upload": {one.upload_id: one for one in record.entered},
    }
    return charts.columns(chart, language), beside


async def _load(connection: Connection, record: Record, kind: str, from_us: int) -> Series:
    """From as far back as its sentence and what is usual look."""
    usual = usual_of(record.own, kind)
    back_us = 0 if usual is None else (usual.days + usual.gap_days + 1) * DAY_US
    after_us = min(from_us - DAY_US - back_us, record.now_us - LOOKS_BACK_US)
    return await load_series(connection, record.patient_id, kind, after_us, record.now_us)


def _band(record: Record, series: Series, from_us: int) -> list[Any]:
    usual = usual_of(record.own, series.kind)
    if usual is None:
        return []
    return usual_band(
        series.taken_at_us,
        series.value,
        usual,
        from_us,
        record.now_us,
        dense=KIND_BY_NAME[series.kind].dense,
    )


def _missed(record: Record, loaded: list[Series], from_us: int) -> list[int]:
    found: set[int] = set()
    for own in record.own:
        since_us = max(
            (
                one.valid_from_us
                for one in record.decisions
                if isinstance(one.change, Enrol) and one.change.programme == own.programme.programme
            ),
            default=from_us,
        )
        for series in loaded:
            agreed = [one for one in own.given.schedules.values() if one.kind == series.kind]
            found |= set(missed(series.taken_at_us, agreed, max(from_us, since_us), record.now_us))
    return sorted(found)


def _findings(record: Record, language: Language) -> Iterator[tuple[Finding, set[str], str]]:
    for finding in {one.finding_id: one for every in record.findings.values() for one in every}.values():
        programme = record.programmes.get((finding.programme, finding.version))
        rule = None if programme is None else programme.rules.get(finding.rule)
        label = finding.rule if rule is None else Both(rule.text.nl, rule.text.en).said(language).strip()
        yield finding, kinds_touched(finding, programme), label


def _marks(record: Record, kinds: tuple[str, ...], frame: Frame) -> list[charts.Mark]:
    about = [one for one in record.entered if one.kind in kinds]
    signals = {alert.alert_id: alert.signal for alert in record.alerts}
    return marks(record.happened, signals, record.calls, about, record.names, frame.t)
