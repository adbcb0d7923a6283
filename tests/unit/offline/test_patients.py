"""Patients may be called anything; whoever has the same id is the same patient."""

import json
from datetime import UTC, datetime
from hashlib import sha1
from pathlib import Path
from random import Random
from uuid import UUID, uuid5

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.offline.patients import NAMESPACE, Patients, patient_uuid
from alerting.offline.sha1 import digest
from models.clock import to_us
from models.findings import finding_id
from tests.exported_log import iso
from tests.unit.offline.files import NOON_US, evaluated, weight, write

NAMES = ["Subject 1", "4711", "  ", "é\n", "0b4e7f0e-5a4e-4a53-9d3b-0a3a3e2ad1ff", "j\u0308 '\"\\"]


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_findings_keep_the_text_and_rest_on_its_id(tmp_path: Path, form: str) -> None:
    names = [name for name in NAMES if form != "csv" or "\n" not in name]
    findings, _ = evaluated(write(tmp_path, form, [weight(patient=name) for name in names]))
    assert [f["patient_id"] for f in findings] == sorted(names)
    for finding in findings:
        name = finding["patient_id"]
        patient_id = UUID(name) if name == NAMES[4] else uuid5(NAMESPACE, name)
        assert finding["id"] == str(finding_id(patient_id, "weights", "heavy", NOON_US))


def test_spellings_of_one_uuid_are_one_patient(tmp_path: Path) -> None:
    spellings = [NAMES[4].upper(), NAMES[4], f"{{{NAMES[4]}}}", NAMES[4].replace("-", "")]
    rows = [weight(101.5, patient=name, after_h=hour) for hour, name in enumerate(spellings)]
    [finding], done = evaluated(write(tmp_path, "csv", rows))
    assert finding["patient_id"] == spellings[0]
    assert done.patients == 1


def test_the_namespace_never_changes() -> None:
    assert patient_uuid("Subject 1") == UUID("6eb96cc1-b1b5-5b80-a303-5ce2add01629")
    patients = Patients(["a", "b", "a"])
    assert [patients.number(name) for name in ("b", "a", "c")] == [1, 0, 2]
    assert [patients.is_known(number) for number in range(3)] == [True, True, False]


def test_ids_and_moments_are_what_python_makes_of_them(tmp_path: Path) -> None:
    draw = Random(9)
    first_us, last_us = to_us(datetime(2000, 1, 1, tzinfo=UTC)), to_us(datetime(2099, 12, 31, tzinfo=UTC))
    moments = [
        draw.randrange(first_us, last_us, draw.choice((1, 1_000_000, 86_400_000_000))) for _ in range(800)
    ]
    moments += [
        to_us(datetime(year, 2, 28, 23, 59, 59, tzinfo=UTC)) + 1_000_000 for year in range(2000, 2099)
    ]
    rows = [
        weight(patient=f"{'p' * draw.randrange(90)}{n}", taken_at=at_us) for n, at_us in enumerate(moments)
    ]
    findings, _ = evaluated(write(tmp_path, "csv", rows))
    told = {finding["patient_id"]: (finding["opened_at"], finding["id"]) for finding in findings}
    for row in rows:
        at_us, name = row["taken_at"], row["patient_id"]
        assert told[name] == (iso(at_us), str(finding_id(patient_uuid(name), "weights", "heavy", at_us)))


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_digests_are_those_of_the_standard(message: bytes) -> None:
    room, out = np.zeros(300, np.uint8), np.zeros(20, np.uint8)
    room[: len(message)] = np.frombuffer(message, np.uint8)
    digest(room, len(message), np.zeros(80, np.uint64), out)
    assert out.tobytes() == sha1(message, usedforsecurity=False).digest()


def test_what_is_written_is_json_for_every_name(tmp_path: Path) -> None:
    file = write(tmp_path, "ndjson", [weight(patient="\u2028\U0001f600\x7f\x00")])
    [finding], _ = evaluated(file)
    assert json.loads(json.dumps(finding))["patient_id"] == "\u2028\U0001f600\x7f\x00"
