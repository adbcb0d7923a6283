"""Small histories of many patients, and programmes that find something in them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from alerting.backtest.files import Given
from alerting.engine.programme import Programme
from tests.unit.offline.files import NOON_US, weight, weights, write


def many(folder: Path, patients: int, form: str = "parquet") -> Given:
    """Two weights each, in more than one piece where there are more than a thousand patients."""
    rows = [
        weight(95.0 + (patient * 7 + at) % 13, after_h=24 * at, patient=f"p{patient:05}", device_id="scale")
        for at in range(2)
        for patient in range(patients)
    ]
    return Given(write(folder, form, rows))


def changes(folder: Path, told: Sequence[Mapping[str, Any]]) -> Path:
    """A file of registrations."""
    file = folder / "registrations.ndjson"
    file.write_text("".join(json.dumps(change) + "\n" for change in told), encoding="utf-8")
    return file


def enrol(patient: str, programme: str = "weights", **fields: Any) -> dict[str, Any]:
    return {"patient_id": patient, "valid_from": NOON_US - 1, "enrol": {"programme": programme, **fields}}


def heavy(default: float, version: int = 1, name: str = "weights") -> Programme:
    """The programme with another limit of what is heavy, and answers within their lists."""
    made = weights(name, version)
    other = {"heavy": {"default": float(default)}, "severe": {"high": 3.0}, "state": {"high": 8.0}}
    limits = {each: limit.model_copy(update=other.get(each, {})) for each, limit in made.limits.items()}
    return made.model_copy(update={"limits": limits})


def write_programme(file: Path, programme: Programme) -> Path:
    """As a file that people could have written."""
    content = programme.model_dump(mode="json", by_alias=True, exclude_none=True)
    with file.open("w", encoding="utf-8") as opened:
        YAML().dump(content, opened)
    return file
