"""Patients may be called anything; whoever has the same id is the same patient."""

import json
from pathlib import Path
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.offline.lines import iso
from alerting.offline.patients import NAMESPACE, Patients, patient_uuid
from models.clock import to_datetime
from models.findings import finding_id
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


@given(st.integers(0, 4_102_444_800_000_000))
def test_moments_are_written_as_python_writes_them(at_us: int) -> None:
    assert iso(at_us) == to_datetime(at_us).isoformat().replace("+00:00", "Z")


def test_what_is_written_is_json_for_every_name(tmp_path: Path) -> None:
    file = write(tmp_path, "ndjson", [weight(patient="\u2028\U0001f600\x7f\x00")])
    [finding], _ = evaluated(file)
    assert json.loads(json.dumps(finding))["patient_id"] == "\u2028\U0001f600\x7f\x00"
