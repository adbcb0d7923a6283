"""A comparison of what was seen with what would have been, as a page and as data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from alerting.explain.figures import number
from alerting.explain.moments import moment
from alerting.explain.vocabulary import SEVERITIES, SIGNALS, Both, Language
from alerting.insight.suppression import FEW
from alerting.shadow.comparison import Comparison, Count, Example
from alerting.shadow.seen import Compared
from alerting.shadow.told import Row, Told, table

SCHEMA = 1

_HEAD = Both(
    "Wat de verpleegkundigen zagen, naast wat zij van {candidates} gezien zouden hebben",
    "What the nurses saw, beside what they would have seen of {candidates}",
)
_STRETCH = Both(
    "Van {begins} tot {ends}: {days} dagen, {patients} patiënten, {patient_days} patiëntdagen.",
    "From {begins} until {ends}: {days} days, {patients} patients, {patient_days} patient-days.",
)
_VALID = Both(
    "De schaduw {group} volgt het log sinds {at}; wat ervoor is, is later berekend.",
    "The shadow {group} has followed the log since {at}; what is before was worked out afterwards.",
)
_BEGINNING = Both("het begin van het log", "the log's beginning")
_COLUMNS = (
    Both("in gebruik", "in use"),
    Both("kandidaat", "candidate"),
    Both("alleen in gebruik", "only in use"),
    Both("alleen kandidaat", "only candidate"),
)
_ALERTS = Both("Meldingen", "Alerts")
_MANUAL = Both("waarvan door mensen te doen", "of which people had to deal with")
_PER_100 = Both("per 100 patiëntdagen", "per 100 patient-days")
_MANUAL_A_DAY = Both("door mensen te doen per dag", "people had to deal with, per day")
_BY_RULE = Both(
    "Per regel (een melding telt bij elke regel die haar reden is)", "By rule (each that is a reason)"
)
_ONLY_LIVE = Both("Voorbeelden die alleen in gebruik gemeld zijn", "Examples that only what is in use raised")
_ONLY_CANDIDATE = Both("Voorbeelden die alleen de kandidaat meldt", "Examples that only the candidate raises")
_EXAMPLE = Both(
    "  {signal}, {severity}, {at}, patiënt {patient}: {rules}",
    "  {signal}, {severity}, {at}, patient {patient}: {rules}",
)
_UNFIT = Both(
    "Afgesproken met patiënten, maar niet in de kandidaat", "Agreed with patients, not in the candidate"
)
_UNFIT_ROW = Both("  {field}: {patients} patiënten", "  {field}: {patients} patients")
_FEWER = Both("minder dan {few}", "fewer than {few}")
_HIDDEN = Both(
    "—: over minder dan {few} patiënten, of daaruit af te leiden. Voorbeelden: met --as.",
    "—: about fewer than {few} patients, or would tell of them. Examples: with --as.",
)
_SAME = Both("Zij zouden hetzelfde gezien hebben.", "They would have seen the same.")


def page(compared: Compared, language: Language) -> Iterator[str]:
    """The lines of a page in one language."""
    comparison = compared.comparison
    is_small = _few(comparison.patients, compared) is None
    names = ", ".join(
        f"{one.programme} {one.version} ({one.hash[:8]}…)" for one in compared.candidates.programmes
    )
    yield _HEAD.said(language).format(candidates=names)
    yield _STRETCH.said(language).format(
        begins=moment(comparison.from_us, language),
        ends=moment(comparison.until_us, language),
        days=number(comparison.days, language, 1),
        patients=_patients(comparison.patients, compared, language),
        patient_days="—" if is_small else number(comparison.patient_days, language, 0),
    )
    valid_us = compared.valid_from_us
    valid = moment(valid_us, language) if valid_us else _BEGINNING.said(language)
    yield _VALID.said(language).format(group=compared.shadow.group, at=valid)
    yield ""
    told = table(comparison, tells_all=compared.tells_all)
    yield from _aligned(list(_all(told.all, comparison, language)))
    if comparison.live.only.alerts == comparison.candidate.only.alerts == 0:
        yield _SAME.said(language)
    if told.by_rule:
        yield ""
        rows = [(rule, *map(_number, _cells(row))) for rule, row in told.by_rule.items()]
        yield from _aligned([(_BY_RULE.said(language), *(c.said(language) for c in _COLUMNS)), *rows])
    yield from _unfit(compared, language)
    if compared.tells_all:
        yield from _examples(_ONLY_LIVE, comparison.live.examples, language)
        yield from _examples(_ONLY_CANDIDATE, comparison.candidate.examples, language)
    else:
        yield ""
        yield _HIDDEN.said(language).format(few=FEW)


def structure(compared: Compared) -> dict[str, object]:
    """The same as data; null: not told."""
    comparison = compared.comparison
    is_small = _few(comparison.patients, compared) is None
    told = table(comparison, tells_all=compared.tells_all)
    sides = {"live": comparison.live, "candidate": comparison.candidate}
    examples = {
        name: [asdict(example) for example in side.examples] if compared.tells_all else None
        for name, side in sides.items()
    }
    return {
        "schema": SCHEMA,
        "shadow": compared.shadow.group,
        "candidates": [
            {"programme": one.programme, "version": one.version, "hash": one.hash}
            for one in compared.candidates.programmes
        ],
        "valid_from_us": compared.valid_from_us,
        "from_us": comparison.from_us,
        "until_us": comparison.until_us,
        "patients": _few(comparison.patients, compared),
        "patient_days": None if is_small else comparison.patient_days,
        "alerts": _row(told.all, comparison),
        "by_rule": {rule: _row(row, comparison) for rule, row in told.by_rule.items()},
        "only": examples,
        "unfit": [
            {"field": field, "expected": expected, "patients": _few(patients, compared)}
            for field, expected, patients in compared.unfit
        ],
    }


def _row(row: Row, comparison: Comparison) -> dict[str, object]:
    names = ("live", "candidate", "only_live", "only_candidate")
    return {name: _count(told, comparison) for name, told in zip(names, _cells(row), strict=True)}


def _count(told: Told, comparison: Comparison) -> Mapping[str, object] | None:
    if told is None:
        return None
    return {
        "alerts": told.alerts,
        "manual": told.manual,
        "patients": told.patients,
        "per_100_patient_days": _rate(told, comparison),
        "manual_per_day": told.manual / comparison.days,
    }


def _cells(row: Row) -> tuple[Told, Told, Told, Told]:
    return row.live, row.candidate, row.only_live, row.only_candidate


def _all(row: Row, comparison: Comparison, language: Language) -> Iterator[Sequence[str]]:
    cells = _cells(row)
    yield "", *(column.said(language) for column in _COLUMNS)
    yield _ALERTS.said(language), *map(_number, cells)
    yield _MANUAL.said(language), *("—" if cell is None else str(cell.manual) for cell in cells)
    rates = ("—" if cell is None else number(_rate(cell, comparison), language, 2) for cell in cells)
    yield _PER_100.said(language), *rates
    daily = ("—" if cell is None else number(cell.manual / comparison.days, language, 2) for cell in cells)
    yield _MANUAL_A_DAY.said(language), *daily


def _rate(count: Count, comparison: Comparison) -> float:
    return 100 * count.alerts / comparison.patient_days if comparison.patient_days else 0.0


def _number(told: Told) -> str:
    return "—" if told is None else str(told.alerts)


def _patients(patients: int, compared: Compared, language: Language) -> str:
    told = _few(patients, compared)
    return _FEWER.said(language).format(few=FEW) if told is None else str(told)


def _few(patients: int, compared: Compared) -> int | None:
    return patients if compared.tells_all or patients >= FEW else None


def _unfit(compared: Compared, language: Language) -> Iterator[str]:
    if compared.unfit:
        yield ""
        yield _UNFIT.said(language)
    for field, _, patients in compared.unfit:
        said = _patients(patients, compared, language)
        yield _UNFIT_ROW.said(language).format(field=field, patients=said)


def _examples(head: Both, examples: Sequence[Example], language: Language) -> Iterator[str]:
    if examples:
        yield ""
        yield head.said(language)
    for example in examples:
        yield _EXAMPLE.said(language).format(
            signal=SIGNALS[example.signal].said(language),
            severity=SEVERITIES[example.severity].said(language),
            at=moment(example.opened_at_us, language),
            patient=example.patient,
            rules=", ".join(example.rules),
        )


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as columns: the first to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *numbers in rows:
        cells = (cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=True))
        yield "  ".join([first.ljust(widths[0]), *cells]).rstrip()
