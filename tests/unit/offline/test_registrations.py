"""Who is in which programme with which limits, from a file; what in it is wrong is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from alerting.offline.registrations import BadRegistrations
from models.errors import BadInput
from tests.exported_log import iso
from tests.unit.offline.files import NOON_US, evaluated, weight, weights, write
from tests.wire import change, registration

HOUR_US = 3_600_000_000
ENROL = {"enrol": {"programme": "weights"}}


def of(folder: Path, text: str, suffix: str = ".yaml") -> Path:
    file = folder / f"registrations{suffix}"
    file.write_text(text, encoding="utf-8")
    return file


YAML = """
changes:
  - patient_id: a
    enrol: {programme: weights, limits: {heavy: {value: 102, unit: kg}}}
  - patient_id: b
    enrol: {programme: weights}
  - patient_id: b
    valid_from: 2026-03-01T13:30:00+01:00
    limits: {programme: weights, limits: {heavy: {value: 50, unit: kg, until: 2026-03-01T15:30:00+01:00}}}
  - patient_id: 12
    enrol: {programme: other}
  - patient_id: c
    pause:
"""


def test_limits_enrolments_and_times(tmp_path: Path) -> None:
    rows = [
        weight(value, after_h=hour, patient=patient)
        for patient in ("a", "b", "12", "c")
        for hour, value in ((0, 101.5), (1, 99.0), (2, 90.0), (3, 90.0), (4, 90.0))
    ]
    findings, _ = evaluated(
        write(tmp_path, "csv", rows), [weights(), weights("other")], registrations=of(tmp_path, YAML)
    )
    found = [
        (f["patient_id"], f["programme"], f["opened_at"], f["cleared_at"], f["limits"]) for f in findings
    ]
    at = [iso(NOON_US + hour * HOUR_US) for hour in range(5)]
    until = iso(NOON_US + 7 * HOUR_US // 2)
    assert found == [
        ("12", "other", at[0], at[1], {"heavy": 100.0}),
        ("b", "weights", at[0], at[1], {"heavy": 100.0}),
        ("b", "weights", iso(NOON_US + 3 * HOUR_US // 2), until, {"heavy": 50.0}),
    ]


@pytest.mark.parametrize("suffix", [".json", ".ndjson", ".yaml"])
def test_every_format_says_the_same(tmp_path: Path, suffix: str) -> None:
    changes = [{"patient_id": "a", **ENROL}, {"patient_id": "b", "change": {"end": {"reason": "moved"}}}]
    text = "".join(json.dumps(one) + "\n" for one in changes) if suffix == ".ndjson" else json.dumps(changes)
    findings, done = evaluated(
        write(tmp_path, "csv", [weight(patient="a"), weight(patient="b")]),
        registrations=of(tmp_path, text, suffix),
    )
    assert [f["patient_id"] for f in findings] == ["a"]
    assert done.patients == 2


def test_messages_of_the_log_are_read_as_they_are(tmp_path: Path) -> None:
    log = [registration(), change("enrol", {"programme": "weights", "version": 1}, valid_from_us=NOON_US + 1)]
    patient = json.loads(log[0])["patient_id"]
    rows = [weight(patient=patient.upper()), weight(patient=patient, after_h=1)]
    [finding], _ = evaluated(
        write(tmp_path, "csv", rows), registrations=of(tmp_path, b"\n".join(log).decode(), ".ndjson")
    )
    assert (finding["patient_id"], finding["opened_at"]) == (patient, iso(NOON_US + 1))


def test_the_newest_version_is_meant_where_none_is_named(tmp_path: Path) -> None:
    programmes = [weights(version=2), weights(version=10), weights(version=1)]
    file = write(tmp_path, "csv", [weight()])
    [finding], _ = evaluated(file, programmes)
    assert finding["version"] == 10
    text = json.dumps([{"patient_id": "p", "enrol": {"programme": "weights", "version": 2}}])
    [finding], _ = evaluated(file, programmes, registrations=of(tmp_path, text, ".json"))
    assert finding["version"] == 2


def test_a_patient_who_is_not_registered_is_not_known(tmp_path: Path) -> None:
    registrations = of(tmp_path, json.dumps([{"patient_id": "a", **ENROL}]), ".json")
    file = write(
        tmp_path, "csv", [weight(patient="a"), weight(patient="stranger"), weight(5, patient="stranger")]
    )
    with pytest.raises(
        BadInput, match=r"row 2, column patient_id: expected a patient among .*, found stranger"
    ):
        evaluated(file, registrations=registrations)
    findings, done = evaluated(file, skip=True, registrations=registrations)
    assert [f["patient_id"] for f in findings] == ["a"]
    assert (done.refused, done.reasons) == (2, {"unknown_patient": 2})


LIMIT: dict[str, Any] = {"value": 1, "unit": "kg"}
WRONG: list[tuple[object, str, str, str]] = [
    (5, "", "a change", "5"),
    ({"enrol": {"programme": "weights"}}, ", patient_id", "the patient", "null"),
    ({"patient_id": "p"}, "", "exactly one of register, enrol", ""),
    ({"patient_id": "p", "enroll": {}}, "", "one of register, enrol", "enroll"),
    ({"patient_id": "p", "valid_from": "2026-01-01", **ENROL}, ", valid_from", "ISO 8601", "2026-01-01"),
    ({"patient_id": "p", "enrol": {"programme": "weight"}}, ", enrol.version", "", ""),
    (
        {"patient_id": "p", "enrol": {"programme": "weight", "version": 1}},
        *(", programme", "a known programme", "weight version 1"),
    ),
    (
        {"patient_id": "p", "enrol": {"programme": "weights", "version": 3}},
        *(", programme", "one of the versions 1 of weights", "weights version 3"),
    ),
    (
        {"patient_id": "p", "enrol": {"programme": "weights", "limits": {"fat": LIMIT}}},
        *(", limits.fat", "one of heavy, pressure, severe, state", "fat"),
    ),
    (
        {"patient_id": "p", "enrol": {"programme": "weights", "limits": {"pressure": LIMIT}}},
        *(", limits.pressure", "a value in mm[Hg]", "1.0 kg"),
    ),
    (
        {"patient_id": "p", "enrol": {"programme": "weights", "limits": {"heavy": {**LIMIT, "value": 2000}}}},
        *(", limits.heavy", "0.0 … 1000.0 kg", "2000.0"),
    ),
    (
        {
            "patient_id": "p",
            "enrol": {"programme": "weights", "limits": {"heavy": {**LIMIT, "value": 0.1 + 0.2}}},
        },
        *(", limits.heavy", "at most 15 significant digits", "0.30000000000000004"),
    ),
    (
        {"patient_id": "p", "enrol": {"programme": "weights", "limits": {"heavy": {**LIMIT, "till": 1}}}},
        *(", enrol.limits.heavy", "one of value, unit, set_by, until_us", "till"),
    ),
    (
        {"patient_id": "p", "enrol": {"programme": "weights", "limit": {}}},
        *(", enrol", "one of programme, version, limits, schedule", "limit"),
    ),
    ({"patient_id": "p", "pause": {"until": "soon"}}, ", pause.until", "ISO 8601", "soon"),
    (
        {"patient_id": "p", "limits": {"programme": "weights", "limits": {"heavy": LIMIT}}},
        *(", programme", "a programme that the patient is in", "weights"),
    ),
]


@pytest.mark.parametrize(("wrong", "where", "expected", "found"), WRONG)
def test_what_is_wrong_is_named(tmp_path: Path, wrong: object, where: str, expected: str, found: str) -> None:
    text = "".join(json.dumps(one) + "\n" for one in ({"patient_id": "a", **ENROL}, wrong))
    with pytest.raises(BadRegistrations) as told:
        evaluated(write(tmp_path, "csv", [weight()]), registrations=of(tmp_path, text, ".ndjson"))
    [error] = told.value.errors
    assert error.where == f"registrations.ndjson, line 2{where}"
    assert error.expected.startswith(expected)
    assert error.found == (found or error.found)


def test_all_of_it_is_told_with_lines_of_yaml(tmp_path: Path) -> None:
    text = "- patient_id: a\n  enrol: 5\n\n- patient_id: b\n  enroll: {}\n# so\n- 7\n"
    with pytest.raises(BadRegistrations) as told:
        evaluated(write(tmp_path, "csv", [weight()]), registrations=of(tmp_path, text))
    assert [error.where.split(",")[1] for error in told.value.errors] == [" line 1", " line 4", " line 7"]


@pytest.mark.parametrize(
    ("text", "suffix", "expected"),
    [
        ("a: [", ".yaml", "YAML"),
        ("- {a: b}: c\n- &x [*x]", ".yaml", ""),
        ("{", ".json", "JSON"),
        ("{}", ".json", "a list of changes"),
        ("", ".yaml", "a list of changes"),
        ("{]", ".ndjson", "JSON"),
        ("", ".txt", "a name that ends in"),
        ("[" * 100_000, ".json", "JSON"),
    ],
)
def test_what_is_no_list_of_changes_is_refused(tmp_path: Path, text: str, suffix: str, expected: str) -> None:
    with pytest.raises(BadInput, match=f"registrations.*expected {expected}"):
        evaluated(write(tmp_path, "csv", [weight()]), registrations=of(tmp_path, text, suffix))


def test_canaries_of_a_log_are_left_out(tmp_path: Path) -> None:
    """They are enrolled in a programme that nobody else has, and must come out in no figure."""
    text = """
      - {patient_id: a, register: {origin: canary}}
      - {patient_id: a, enrol: {programme: canary, version: 1}}
      - {patient_id: a, enrol: {programme: weights}}
      - {patient_id: b, enrol: {programme: weights}}
    """
    rows = [weight(101.5, patient=patient) for patient in ("a", "b")]
    findings, _ = evaluated(write(tmp_path, "csv", rows), [weights()], registrations=of(tmp_path, text))
    assert [finding["patient_id"] for finding in findings] == ["b"]
