"""Labels from files: what happened to whom, as somebody knows it; every mistake named by file and line."""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from alerting.offline.moments import A_TIME, moment_us
from ingest.salvage import shown
from models.errors import BadInput
from models.findings import Signal
from models.labels import About, Label

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

MOST_TOLD = 10
FORMATS = ".ndjson, .jsonl, .json or .csv"
REQUIRED = ("patient_id", "kind", "onset", "end")
_DETECTABLE = frozenset({"detectable_at", "detectable_at_us"})
"""Without either it was to be seen from the onset on; null (in CSV: nothing) says that it never was."""
_SIGNALS = frozenset(signal.value for signal in Signal)
_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})

Row = Mapping[str, object]


class BadLabels(BadInput):
    """A file of labels has mistakes; `told` are the first of them."""

    def __init__(self, told: Sequence[BadInput], n_bad: int) -> None:
        first = told[0]
        super().__init__(where=first.where, expected=first.expected, found=first.found, reason="bad_label")
        rest = [f"… and {n_bad - len(told)} more"] if n_bad > len(told) else []
        advice = "To go on without the labels that do not count: --on-error skip."
        self.args = ("\n".join([*map(str, told), *rest, advice]),)
        self.told = tuple(told)


@dataclass(slots=True)
class LabelFile:
    """The labels of a file, and what was wrong with others: the first of them, and how many there are."""

    labels: list[Label] = field(default_factory=list[Label])
    bad: list[BadInput] = field(default_factory=list[BadInput])
    n_bad: int = 0

    @property
    def told(self) -> list[str]:
        """The first mistakes as lines."""
        return [str(error) for error in self.bad]


class _Wrong(Exception):
    """One field of a row is not what it has to be."""

    def __init__(self, name: str, expected: str, found: object) -> None:
        super().__init__()
        self.name, self.expected = name, expected
        self.found = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def read_labels(path: Path, *, skip: bool = False) -> LabelFile:
    """The labels of a file. `skip`: leave out what is wrong rather than stop.

    **Raises**: BadLabels with the first ten mistakes; BadInput for a file that is none of ours.
    """
    read, events = LabelFile(), dict[Label, str]()
    for where, row in _rows(path):
        try:
            if isinstance(row, BadInput):
                raise row
            label = _label(where, row)
            _require_once(label, where, events)
            read.labels.append(label)
        except BadInput as error:
            read.n_bad += 1
            if len(read.bad) < MOST_TOLD:
                read.bad.append(error)
    if read.bad and not skip:
        raise BadLabels(read.bad, read.n_bad)
    return read


def _require_once(label: Label, where: str, events: dict[Label, str]) -> None:
    """**Raises**: BadInput for an event that is there already: it would be found or missed twice."""
    if label.about is About.PATIENT and (before := events.setdefault(label, where)) != where:
        raise BadInput(where=where, expected="each event once", found=f"that of {before}")


def _rows(path: Path) -> Iterator[tuple[str, Row | BadInput]]:
    """Each row of a file with where it stands, or what is wrong with it as a whole."""
    suffix = path.suffix.lower()
    if suffix not in {".ndjson", ".jsonl", ".json", ".csv"}:
        raise BadInput(where=path.name, expected=f"a file of labels: {FORMATS}", found=shown(path.name))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte {error.start} that is not"
        raise BadInput(where=path.name, expected="UTF-8", found=found) from error
    except OSError as error:
        raise BadInput(
            where=path.name, expected="a file that can be read", found=error.strerror or "none"
        ) from error
    if suffix == ".csv":
        yield from _csv_rows(path.name, text)
    elif suffix == ".json":
        yield from _json_rows(path.name, text)
    else:
        # Not splitlines(): JSON may hold other line ends than this inside a text.
        lines = enumerate(text.split("\n"), 1)
        yield from (_json_row(f"{path.name}, line {n}", line) for n, line in lines if line.strip())


def _csv_rows(name: str, text: str) -> Iterator[tuple[str, Row | BadInput]]:
    lines = csv.reader(text.splitlines(keepends=True))
    try:
        yield from _below_head(name, lines)
    except csv.Error as error:
        where = f"{name}, line {lines.line_num}"
        raise BadInput(where=where, expected="a row of CSV", found=shown(str(error))) from error


def _below_head(name: str, lines: "CsvReader") -> Iterator[tuple[str, Row | BadInput]]:
    head = [column.strip() for column in next(lines, list[str]())]
    if not head:
        return
    if twice := [column for column, times in Counter(head).items() if times > 1]:
        raise BadInput(where=f"{name}, line 1", expected="each column once", found=shown(twice[0]))
    if lacking := [column for column in REQUIRED if column not in head and f"{column}_us" not in head]:
        where = f"{name}, line 1"
        raise BadInput(where=where, expected=f"a column {lacking[0]}", found=shown(", ".join(head)))
    for line in lines:
        where = f"{name}, line {lines.line_num}"
        if not any(line):
            continue
        if len(line) != len(head):
            yield where, BadInput(where=where, expected=f"{len(head)} columns", found=str(len(line)))
            continue
        yield where, {column: given or None for column, given in zip(head, line, strict=True)}


def _json_rows(name: str, text: str) -> Iterator[tuple[str, Row | BadInput]]:
    try:
        content: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _not_json(name, error) from error
    if isinstance(content, dict) and "labels" in content:
        content = cast("dict[str, object]", content)["labels"]
    if not isinstance(content, list):
        expected = 'a list of labels, or {"labels": […]}'
        raise BadInput(where=name, expected=expected, found=shown(json.dumps(content)))
    for number, row in enumerate(cast("list[object]", content), 1):
        where = f"{name}, label {number}"
        yield where, cast("Row", row) if isinstance(row, dict) else _no_object(where, row)


def _json_row(where: str, line: str) -> tuple[str, Row | BadInput]:
    try:
        row: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        return where, _not_json(where, error)
    return where, cast("Row", row) if isinstance(row, dict) else _no_object(where, row)


def _not_json(where: str, error: Exception) -> BadInput:
    return BadInput(where=where, expected="JSON", found=shown(str(error)))


def _no_object(where: str, row: object) -> BadInput:
    return BadInput(
        where=where, expected="an object with patient_id, kind, onset, end", found=shown(repr(row))
    )


def _label(where: str, row: Row) -> Label:
    """**Raises**: BadInput for the first field that is wrong."""
    try:
        return _checked(row)
    except _Wrong as wrong:
        at = f"{where}, {wrong.name}"
        raise BadInput(
            where=at, expected=wrong.expected, found=shown(wrong.found), reason="bad_label"
        ) from wrong


def _checked(row: Row) -> Label:
    onset_us, end_us = _time(row, "onset"), _time(row, "end")
    if onset_us is None or end_us is None:
        lacking = "onset" if onset_us is None else "end"
        raise _Wrong(lacking, A_TIME, "nothing")
    if end_us < onset_us:
        raise _Wrong("end", "not before onset", row.get("end", row.get("end_us")))
    worst_us, detectable_us = _time(row, "worst"), _time(row, "detectable_at")
    for name, at_us in (("worst", worst_us), ("detectable_at", detectable_us)):
        if at_us is not None and not onset_us <= at_us <= end_us:
            raise _Wrong(name, "between onset and end", row.get(name, row.get(f"{name}_us")))
    return Label(
        patient_id=_text(row, "patient_id"),
        kind=_text(row, "kind"),
        signals=_signals(row.get("signals")),
        onset_us=onset_us,
        detectable_at_us=detectable_us if row.keys() & _DETECTABLE else onset_us,
        worst_us=end_us if worst_us is None else worst_us,
        end_us=end_us,
        admitted=_flag(row, "admitted"),
        cut_off=_flag(row, "cut_off"),
        about=_about(row),
    )


def _text(row: Row, name: str) -> str:
    given = row.get(name)
    if not isinstance(given, str) or not given.strip():
        raise _Wrong(name, "a text", "nothing" if given is None else given)
    # JSON can write halves of characters, which no file can hold.
    if any("\ud800" <= character <= "\udfff" for character in given):
        raise _Wrong(name, "a text of whole characters", ascii(given))
    return given.strip()


def _time(row: Row, name: str) -> int | None:
    """A moment, written `onset` (ISO with an offset, or microseconds) or `onset_us`."""
    given = row.get(name, row.get(f"{name}_us"))
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise _Wrong(name, A_TIME, given)
    try:
        return moment_us(str(given).strip(), name)
    except BadInput as error:
        raise _Wrong(name, error.expected, str(given)) from error


def _signals(given: object) -> tuple[str, ...]:
    """A list, or in CSV words between blanks; none: whatever is about the patient."""
    words = given.replace(";", " ").split() if isinstance(given, str) else given
    if words is None:
        return ()
    if not isinstance(words, list):
        raise _Wrong("signals", "a list of signals", given)
    for word in cast("list[object]", words):
        if word not in _SIGNALS:
            raise _Wrong("signals", f"some of {', '.join(sorted(_SIGNALS))}", word)
    return tuple(cast("list[str]", words))


def _flag(row: Row, name: str) -> bool:
    given = row.get(name)
    if given is None or isinstance(given, bool):
        return bool(given)
    word = str(given).strip().lower()
    if word not in _TRUE | _FALSE:
        raise _Wrong(name, "true or false", given)
    return word in _TRUE


def _about(row: Row) -> About:
    given = row.get("about")
    try:
        return About.PATIENT if given is None else About(str(given))
    except ValueError as error:
        raise _Wrong("about", f"one of {', '.join(About)}", given) from error
