"""What a chart is drawn from: columns for the browser, the same as a table, and what it says; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from alerting.console.patient.gaps import stretches_without
from alerting.console.patient.levels import Level
from alerting.console.patient.usual import Band
from alerting.engine.local_days import AMSTERDAM, due_us
from alerting.explain import figures
from alerting.explain.amounts import unit_words
from alerting.explain.sentences import capital
from alerting.explain.vocabulary import Language, kind_name
from models.clock import DAY_US, HOUR_US, SECOND_US, to_datetime
from models.db.series import Series
from models.kinds import KIND_BY_NAME, KINDS

TOGETHER: Mapping[str, tuple[str, ...]] = {
    "blood_pressure": ("systolic", "diastolic"),
    "heart_rate": ("heart_rate", "pulse"),
}
"""Charts of more than one kind; every other chart goes by its kind."""

NO_CHART = frozenset({"battery"})
STRETCHES: Mapping[str, int] = {"day": 1, "days": 3, "week": 7, "month": 31, "quarter": 92, "year": 366}
"""For how many days one can look back."""

USUAL_STRETCH = 31
ROWS = 100
"""Of more readings the table has the days."""

SCALE = 1_000
"""Values go to the browser as whole thousandths."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: a reading (of several kinds at once), a missed one, or a day.

    `cells`: for each kind what stands there. `upload`: by which a person entered it. `key`: which reading it
    is, where it is one of one kind. **Units**: microseconds since 1970 UTC.
    """

    at_us: int
    cells: tuple[str, ...]
    device: str = ""
    upload: UUID | None = None
    revision: int = 0
    too_late: bool = False
    missed: bool = False
    keys: tuple[tuple[str, int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """The readings of a chart in words; `by_day` where there are too many to list."""

    kinds: tuple[str, ...]
    rows: tuple[Row, ...]
    by_day: bool = False
    count: int = 0


@dataclass(frozen=True, slots=True)
class Shade:
    """A stretch of time in which a finding held. **Units**: microseconds since 1970 UTC."""

    from_us: int
    to_us: int
    severity: str
    label: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment at which somebody did something. **Units**: microseconds since 1970 UTC."""

    at_us: int
    what: str
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All that is drawn in one chart. **Units**: microseconds since 1970 UTC."""

    name: str
    from_us: int
    to_us: int
    series: tuple[Series, ...]
    levels: Sequence[Level] = ()
    bands: Mapping[str, Sequence[Band]] = field(default_factory=dict[str, Sequence[Band]])
    missed: Sequence[int] = ()
    shades: Sequence[Shade] = ()
    marks: Sequence[Mark] = ()


def kinds_of_chart(name: str) -> tuple[str, ...]:
    """What is drawn in a chart; nothing for a name that is none.

    >>> kinds_of_chart("blood_pressure"), kinds_of_chart("spo2"), kinds_of_chart("symptom_cough")
    (('systolic', 'diastolic'), ('spo2',), ())
    """
    if name in TOGETHER:
        return TOGETHER[name]
    kind = KIND_BY_NAME.get(name)
    in_another = any(name in kinds for kinds in TOGETHER.values())
    return () if kind is None or kind.unit is None or in_another or name in NO_CHART else (name,)


def charts_of(measured: Iterable[str], first: Iterable[str] = ()) -> list[str]:
    """The charts of what is measured; those of some kinds first, then as kinds are numbered.

    >>> charts_of(["diastolic", "spo2", "systolic", "battery"], ["spo2"])
    ['spo2', 'blood_pressure']
    """
    names = [kind.name for kind in KINDS if kind.name in set(measured)]
    names.sort(key=lambda name: name not in set(first))
    of_kind = {kind: chart for chart, kinds in TOGETHER.items() for kind in kinds}
    charts = dict.fromkeys(of_kind.get(name, name) for name in names)
    return [chart for chart in charts if kinds_of_chart(chart)]


def cut(series: Series, from_us: int, to_us: int) -> Series:
    """The readings of a stretch of time alone."""
    first = int(np.searchsorted(series.taken_at_us, from_us, side="right"))
    last = int(np.searchsorted(series.taken_at_us, to_us, side="right"))
    return replace(
        series,
        taken_at_us=series.taken_at_us[first:last],
        value=series.value[first:last],
        device=series.device[first:last],
        revision=series.revision[first:last],
        too_late=series.too_late[first:last],
        entered={place - first: by for place, by in series.entered.items() if first <= place < last},
    )


def columns(chart: Chart, language: Language) -> dict[str, Any]:
    """A chart as the browser draws it: short, for a year of a dense sensor is a hundred thousand points.

    **Units**: seconds since 1970 UTC; values in thousandths. Both as differences from the one before.
    """
    return {
        "name": chart.name,
        "from": chart.from_us // SECOND_US,
        "to": chart.to_us // SECOND_US,
        "scale": SCALE,
        "series": [_columns_of(one, chart, language) for one in chart.series],
        "levels": [
            {"value": level.value, "upwards": level.upwards, "personal": level.personal,
             "until": None if level.until_us is None else level.until_us // SECOND_US}
            for level in chart.levels
        ],
        "missed": [at_us // SECOND_US for at_us in chart.missed],
        "shades": [
            {"from": one.from_us // SECOND_US, "to": one.to_us // SECOND_US, "severity": one.severity,
             "label": one.label}
            for one in chart.shades
        ],
        "marks": [
            {"at": one.at_us // SECOND_US, "what": one.what, "label": one.label} for one in chart.marks
        ],
    }  # fmt: skip


def _columns_of(series: Series, chart: Chart, language: Language) -> dict[str, Any]:
    bands = chart.bands.get(series.kind, ())
    return {
        "kind": series.kind,
        "label": capital(kind_name(series.kind, language)),
        "unit": unit_of(series.kind, language),
        "at": _differences(series.taken_at_us // SECOND_US),
        "value": _differences(np.rint(series.value * SCALE).astype(np.int64)),
        "gaps": [[a // SECOND_US, b // SECOND_US] for a, b in stretches_without(series.taken_at_us)],
        "entered": sorted(series.entered),
        "usual": [[one.at_us // SECOND_US, round(one.low, 3), round(one.high, 3)] for one in bands],
    }


def table_of(chart: Chart, language: Language) -> Table:
    """The readings of a chart, the newest first; of very many each day with its middle and its ends."""
    kinds = tuple(one.kind for one in chart.series)
    count = sum(len(one.value) for one in chart.series)
    if max((len(one.value) for one in chart.series), default=0) > ROWS:
        return Table(kinds, tuple(_days(chart, language)), by_day=True, count=count)
    found: dict[tuple[int, str], Row] = {}
    for place, series in enumerate(chart.series):
        for n, (at_us, value) in enumerate(
            zip(series.taken_at_us.tolist(), series.value.tolist(), strict=True)
        ):
            key = at_us, series.device[n]
            row = found.get(key) or Row(at_us, ("",) * len(kinds), series.device[n])
            cells = list(row.cells)
            cells[place] = amount(series.kind, value, language)
            found[key] = replace(
                row,
                cells=tuple(cells),
                upload=row.upload or series.entered.get(n),
                revision=max(row.revision, int(series.revision[n])),
                too_late=row.too_late or bool(series.too_late[n]),
                keys=(*row.keys, (series.kind, at_us, series.device[n])),
            )
    rows = [*found.values(), *(Row(at_us, ("",) * len(kinds), missed=True) for at_us in chart.missed)]
    rows.sort(key=lambda row: row.at_us, reverse=True)
    return Table(kinds, tuple(rows), count=count)


def amount(kind: str, value: float, language: Language) -> str:
    """A value as it is read at a glance, with its unit.

    >>> amount("body_weight", 84.1, Language.NL)
    '84,1 kg'
    """
    return f"{number(kind, value, language)} {unit_of(kind, language)}".rstrip()


def number(kind: str, value: float, language: Language) -> str:
    """A value without its unit."""
    unit = KIND_BY_NAME[kind].unit or ""
    return figures.number(value, language, min(figures.decimals_for(unit, value), 2))


def unit_of(kind: str, language: Language) -> str:
    """The unit of a kind as it is said, short."""
    words = unit_words(KIND_BY_NAME[kind].unit or "", "", 2, language)
    return "/min" if KIND_BY_NAME[kind].unit == "/min" else words


def _days(chart: Chart, language: Language) -> list[Row]:
    kinds = tuple(one.kind for one in chart.series)
    found: dict[int, list[str]] = {}
    for place, series in enumerate(chart.series):
        days = _local_days(series.taken_at_us)
        for day in np.unique(days).tolist():
            first, last = np.searchsorted(days, (day, day + 1))
            values = series.value[first:last]
            cells = found.setdefault(int(day), [""] * len(kinds))
            low, middle, high = (float(x) for x in (values.min(), np.median(values), values.max()))
            ends = f"{number(series.kind, low, language)} – {number(series.kind, high, language)}"
            cells[place] = f"{amount(series.kind, middle, language)} ({ends}; {len(values)})"
    return [Row(due_us(day, 0), tuple(found[day])) for day in sorted(found, reverse=True)]


def _local_days(taken_at_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each reading's day in Amsterdam, in days since 1970; clocks there change at 01:00 UTC."""
    days, places = np.unique(taken_at_us // DAY_US, return_inverse=True)
    before, after = (
        np.array([_offset_us(day * DAY_US + hours * HOUR_US) for day in days.tolist()], np.int64)
        for hours in (0, 1)
    )
    is_early = taken_at_us % DAY_US < HOUR_US
    return (taken_at_us + np.where(is_early, before[places], after[places])) // DAY_US


def _offset_us(at_us: int) -> int:
    offset = to_datetime(at_us).astimezone(AMSTERDAM).utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) * SECOND_US


def _differences(column: NDArray[np.int64]) -> list[int]:
    return np.diff(column, prepend=0).tolist()
