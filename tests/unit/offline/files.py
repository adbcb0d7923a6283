"""Small files of readings in every format, and what `evaluate` makes of them."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alerting.engine.programme import Programme
from alerting.offline.arrow import arrow, parquet
from alerting.offline.run import Done, Wishes, evaluate

Row = Mapping[str, Any]
Findings = list[dict[str, Any]]

NOON_US = 1_772_362_800_000_000
"""2026-03-01, 12:00 in Amsterdam."""

TEXT = {"nl": "tekst", "en": "text"}


def limit(default: float, unit: str) -> dict[str, Any]:
    given = {"default": default, "unit": unit, "low": 0.0, "high": 1_000.0}
    return {**given, "mark": "P", "source": "test", "text": TEXT}


def rule(when: str, clear: str, signal: str = "fluid") -> dict[str, Any]:
    given = {"signal": signal, "severity": "low", "when": when, "clear": clear, "max_age": {"days": 30}}
    return {**given, "text": TEXT, "source": "test", "mark": "P"}


def weights(name: str = "weights", version: int = 1) -> Programme:
    """A programme that finds heavy people, high pressure, headaches, and devices that send nonsense."""
    return Programme.model_validate(
        {
            "programme": name,
            "version": version,
            "title": TEXT,
            "source": "test",
            "limits": {
                "heavy": limit(100.0, "kg"),
                "pressure": limit(140.0, "mm[Hg]"),
                "severe": limit(3.0, "{code}"),
                "state": limit(5.0, "{code}"),
            },
            "rules": {
                "heavy": rule("last(body_weight) > heavy", "last(body_weight) <= heavy"),
                "pressure": rule("last(systolic) > pressure", "last(systolic) <= pressure"),
                "headache": rule("last(symptom_headache) >= severe", "last(symptom_headache) < severe"),
                "device": rule("last(device_state) >= state", "last(device_state) < state", "device"),
            },
        }
    )


def weight(
    value: object = 101.5, *, after_h: float = 0, patient: object = "p", **fields: Any
) -> dict[str, Any]:
    """A weight taken so long after noon."""
    taken_at = int(NOON_US + after_h * 3_600_000_000)
    row = {"patient_id": patient, "kind": "body_weight", "value": value, "unit": "kg", "taken_at": taken_at}
    return row | fields


def write(folder: Path, form: str, rows: Sequence[Row]) -> Path:
    """The rows as a file."""
    file = folder / f"readings.{form}"
    names = list(dict.fromkeys(name for row in rows for name in row))
    if form == "csv":
        with file.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.DictWriter(opened, names)
            writer.writeheader()
            writer.writerows(rows)
    elif form == "ndjson":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        parquet.write_table(arrow.table({name: [row.get(name) for row in rows] for name in names}), file)
    return file


def lines(file: Path) -> Findings:
    """The objects of a file of one a line."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def evaluated(file: Path, programmes: Sequence[Programme] = (), **wishes: Any) -> tuple[Findings, Done]:
    """The findings of a file, and the closing figures."""
    out = file.with_name("findings.ndjson")
    done = evaluate(Wishes(programmes or [weights()], file, out, threads=2, **wishes), print)
    return lines(out), done
