"""Under pseudonyms: the same for the same, others for others, and nothing of what was."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.engine.devices import device_digest
from alerting.offline.arrow import parquet
from models.errors import BadInput
from simulators.recording.pseudonyms import KEY_BYTES, Pseudonyms, pseudonyms_of
from simulators.recording.taking import CANARY, MISPLACED, REFUSED, REFUSED_READINGS
from tests.unit.recording.small_recording import (
    NOON_US,
    PATIENTS,
    change,
    home_of,
    recorded,
    replayed,
    tick,
    upload,
    weight,
)

KEY = bytes(range(KEY_BYTES))
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)
ORGANISATION = str(UUID(int=77, version=4))
PATIENT = next(patient for patient in PATIENTS if home_of(patient) == 0)
SECRETS = (
    PATIENT, ORGANISATION, "praktijk-007", "wijk-12", "Janneke", "zuster Bea", "naar zee", "scale-4711",
    "vendor-a",
    "kamer 3", "Ja, zuster", "stemming", "tig", "heel erg", "Slecht geslapen", "eigen regel", "De Vries",
    str(UUID(int=501)), str(UUID(int=601)), "geheim",
)  # fmt: skip


def telling_log() -> dict[int, list[bytes]]:
    """A log with something of somebody in every field that takes words."""
    register = {
        "origin": "real", "organisation_id": ORGANISATION, "huisarts": "praktijk-007", "wijk": "wijk-12",
        "language": "uk",
    }  # fmt: skip
    limit = {"value": 1.5, "unit": "kg", "set_by": "zuster Bea"}
    schedule = {"before": "10:30", "on": ["mon"], "set_by": "zuster Bea"}
    changes: list[dict[str, Any]] = [
        {"register": register},
        {
            "enrol": {
                "programme": "heart_failure",
                "version": 1,
                "limits": {"gain_3d": limit, "eigen regel": limit},
            }
        },
        {"schedule": {"programme": "heart_failure", "schedule": {"weight": schedule, "other": None}}},
        {"limits": {"programme": "De Vries", "limits": {"gain_3d": None}}},
        {"pause": {"reason": "naar zee", "until_us": NOON_US + 1}},
    ]
    readings = [
        weight(group="kamer 3", code_received="Ja, zuster", utc_offset_min=540, geheim="geheim"),
        weight(kind="stemming"),
        weight(unit="tig"),
        {"kind": "symptom_cough", "code": "heel erg", "taken_at_us": NOON_US},
        {"kind": "symptom_cough", "text": "Slecht geslapen", "taken_at_us": NOON_US + 1},
        {"kind": "symptom_cough", "absent": "geheim", "taken_at_us": NOON_US + 2},
    ]
    log = [change(PATIENT, content, 501 + n) for n, content in enumerate(changes)]
    log += [upload(PATIENT, *readings, number=601), b'{"geheim": "Janneke"}', tick(1)]
    return {0: log}


def test_nothing_of_what_was_remains(tmp_path: Path) -> None:
    file = tmp_path / "log.parquet"
    end = recorded(file, telling_log(), Pseudonyms(KEY))
    table: Any = parquet.read_table(file)
    metadata: dict[bytes, bytes] = parquet.read_metadata(file).metadata
    said = json.dumps([table.to_pydict(), *map(bytes.decode, metadata.values())], default=str).lower()
    said += b"".join(replayed(file)).decode().lower()
    assert [secret for secret in SECRETS if secret.lower() in said] == []
    hexed = [secret.replace("-", "") for secret in SECRETS if len(secret) == 36]
    columns: list[bytes] = [one for one in table["upload_id"].to_pylist() if one is not None]
    assert not {one.hex() for one in columns} & set(hexed)
    assert end.left_out == {REFUSED: 1, REFUSED_READINGS: 1}
    assert table["raw"].null_count == len(table)


def test_what_the_rules_look_at_stays(tmp_path: Path) -> None:
    file = tmp_path / "log.parquet"
    recorded(file, telling_log(), Pseudonyms(KEY))
    *changes, sent, _ = map(json.loads, replayed(file))
    register, enrol, schedule, limits, pause = (one["change"] for one in changes)
    assert register["register"].keys() == {"origin", "organisation_id"}
    assert register["register"]["origin"] == "simulated", "a trial database takes nobody else"
    assert enrol["enrol"]["limits"]["gain_3d"] | {"set_by": ""} == {"value": 1.5, "unit": "kg", "set_by": ""}
    assert schedule["schedule"]["schedule"]["weight"] | {"set_by": ""} == {
        "before": "10:30", "on": ["mon"], "set_by": "",
    }  # fmt: skip
    assert limits["limits"]["programme"] != "De Vries"
    assert pause == {"pause": {"until_us": NOON_US + 1}}
    assert [one["taken_at_us"] for one in sent["readings"]] == [NOON_US] * 4 + [NOON_US + 1]
    assert sent["readings"][0]["value"] == 81.4
    assert sent["readings"][1]["kind"] == sent["readings"][2]["unit"] == sent["readings"][3]["code"] == "?"
    assert sent["readings"][4]["text"] == "-"


def test_canaries_and_who_is_in_the_wrong_place_are_left_out(tmp_path: Path) -> None:
    canary, other = PATIENT, next(patient for patient in PATIENTS if home_of(patient) == 1)
    register = {"register": {"origin": "canary", "organisation_id": ORGANISATION}}
    log = {0: [change(canary, register), upload(canary, weight()), upload(other, weight()), tick(1)]}
    end = recorded(tmp_path / "log.parquet", log)
    assert end.left_out == {CANARY: 2, MISPLACED: 1}
    assert replayed(tmp_path / "log.parquet") == [tick(1)]


@given(st.lists(st.uuids(), unique=True, max_size=20), st.lists(WORDS, unique=True, max_size=20))
def test_one_for_one_and_always_the_same(patients: list[UUID], words: list[str]) -> None:
    one, again, other = Pseudonyms(KEY), Pseudonyms(KEY), Pseudonyms(bytes(KEY_BYTES))
    named = [one.patient(str(patient)) for patient in patients]
    assert len(set(named)) == len(patients)
    assert named == [again.patient(str(patient).upper()) for patient in patients]
    assert not set(named) & {*map(str, patients), *(other.patient(str(patient)) for patient in patients)}
    labels = [one.label("group", word) for word in words]
    assert len(set(labels)) == len(words)
    assert labels == [again.label("group", word) for word in words]


@given(st.lists(WORDS, unique=True, max_size=6))
def test_the_devices_of_a_patient_stay_in_their_order(devices: list[str]) -> None:
    """By which the rules tell apart what was measured at the same microsecond."""
    pseudonyms = Pseudonyms(KEY)
    named = [pseudonyms.device(PATIENT, device) for device in devices]
    assert len(set(named)) == len(devices)
    assert named == [pseudonyms.device(PATIENT, device) for device in devices]
    in_order = sorted(zip(devices, named, strict=True), key=lambda pair: device_digest(pair[0]))
    assert [new for _, new in in_order] == sorted(named, key=device_digest)


def test_a_key_of_ones_own_joins_recordings(tmp_path: Path) -> None:
    key = tmp_path / "key"
    one, other = pseudonyms_of(key), pseudonyms_of(key)
    assert one.patient(PATIENT) == other.patient(PATIENT)
    devices = ["a", "b", "c"]
    assert [one.device(PATIENT, d) for d in devices] == [other.device(PATIENT, d) for d in devices[::-1]][
        ::-1
    ]
    assert pseudonyms_of(None).patient(PATIENT) != pseudonyms_of(None).patient(PATIENT)
    key.chmod(0o644)
    with pytest.raises(BadInput, match="its owner alone"):
        pseudonyms_of(key)
    short = tmp_path / "short"
    short.touch(mode=0o600)
    with pytest.raises(BadInput, match="at least 32 bytes"):
        pseudonyms_of(short)
