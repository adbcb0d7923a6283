"""What is recorded under its own names and sent again is what it was, to the byte."""

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.recording.reading import RecordingFile
from simulators.recording.messages import Messages, patients_of
from tests.unit.recording.small_recording import (
    NOON_US,
    PARTITIONS,
    PATIENTS,
    Log,
    change,
    home_of,
    recorded,
    replayed,
    text,
    tick,
    upload,
    weight,
)

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
ODD: tuple[dict[str, Any], ...] = (
    {},
    {"revision": 3},
    {"revision": 0},
    {"group": "g1", "utc_offset_min": 60},
    {"code_received": "Ja", "group": "ā"},
    {"value": 1e22},
    {"value": -0.5},
    {"value": 0.1},
    {"value": "81"},
    {"unit": "furlong"},
    {"more": [1, {"is": None}]},
    {"taken_at_us": "noon"},
    {"kind": "mood"},
)
CONTENTS: tuple[dict[str, Any], ...] = (
    {"kind": "body_weight", "value": 81.4, "unit": "kg"},
    {"kind": "body_weight", "value": 81, "unit": "kg"},
    {"kind": "symptom_cough", "code": "mild"},
    {"kind": "body_weight", "absent": "error"},
    {"kind": "body_weight", "void": True},
    {"kind": "symptom_cough", "text": "Slecht geslapen ☀"},
)


@st.composite
def readings(draw: st.DrawFn) -> dict[str, Any]:
    minute = draw(st.integers(0, 9))
    content = draw(st.sampled_from(CONTENTS))
    return {**content, "taken_at_us": NOON_US + minute * 60_000_000, **draw(st.sampled_from(ODD))}


@st.composite
def messages(draw: st.DrawFn, patient: str) -> bytes:
    """Anything that may be sent of a patient: sound, damaged, torn."""
    number = draw(st.integers(1, 50))
    match draw(st.integers(0, 5)):
        case 0:
            return change(
                patient, draw(st.sampled_from(({"resume": {}}, {"pause": {"reason": "Zee"}}))), number
            )
        case 1:
            content = json.loads(upload(patient, draw(readings()), number=number, device_id=draw(WORDS)))
            return json.dumps({"x": draw(WORDS), **content}, indent=draw(st.sampled_from((None, 1)))).encode()
        case 2:
            return upload(patient, weight(), number=number)[: -draw(st.integers(1, 30))]
        case 3:
            other = text({"schema": 2, "type": "upload", "patient_id": patient})
            return draw(st.sampled_from((patient.encode(), b"\xff" + patient.encode(), other)))
        case _:
            some = draw(st.lists(readings(), min_size=1, max_size=4))
            return upload(patient, *some, number=number, source=draw(WORDS))


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """Ticks that may be missing in one of the partitions, come twice, or go back; at least one in each."""
    log: dict[int, list[bytes]] = {}
    for number in range(PARTITIONS):
        here = [patient for patient in PATIENTS if home_of(patient) == number]
        of_anybody = st.sampled_from(here).flatmap(messages)
        values = draw(st.lists(st.one_of(of_anybody, st.integers(1, 6).map(tick)), max_size=12))
        log[number] = [*values, tick(7)]
    return log


@given(logs(), st.sampled_from((1, 3, 1_000)))
@settings(deadline=None, max_examples=120)
def test_what_is_recorded_and_sent_again_is_what_it_was(log: Log, segment_rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "log.parquet"
        end = recorded(file, log, segment_rows=segment_rows)
        sent = replayed(file)
    assert end.messages == len(sent)
    for number in range(PARTITIONS):
        own = [value for value in going_on(sent) if value in log[number]]
        wanted = going_on(log[number])
        ticks = {value for value in wanted if b'"clock"' in value}
        assert [v for v in own if b'"clock"' not in v or v in ticks] == wanted


def going_on(values: Any) -> list[bytes]:
    """Without ticks that do not move the clock."""
    kept, now_us = list[bytes](), -1
    for value in values:
        if value.startswith(b'{"schema":1,"type":"clock"'):
            at_us = json.loads(value)["now_us"]
            if at_us <= now_us:
                continue
            now_us = at_us
        kept.append(value)
    return kept


def test_patients_are_moved_to_another_version(tmp_path: Path) -> None:
    """All else is sent as it was."""
    patient = next(patient for patient in PATIENTS if home_of(patient) == 0)
    enrol: dict[str, Any] = {"enrol": {"programme": "copd", "version": 1}}
    move: dict[str, Any] = {"version": {"programme": "diabetes", "version": 2}}
    log = {0: [change(patient, enrol, 1), change(patient, move, 2), upload(patient, weight()), tick(1)]}
    file = tmp_path / "log.parquet"
    assert recorded(file, log).versions == [("copd", 1), ("diabetes", 2)]
    recording = RecordingFile(file)
    messages = Messages(recording, patients_of(recording), {"copd": 7})
    enrol["enrol"]["version"] = 7
    assert [one.message.value for one in messages] == [change(patient, enrol, 1), *log[0][1:]]


def test_it_ends_with_the_last_tick_that_all_have(tmp_path: Path) -> None:
    """What lies behind is of the next recording: nobody knows yet what the clock says there."""
    one, other = (next(p for p in PATIENTS if home_of(p) == number) for number in range(2))
    log = {
        0: [upload(one, weight(80)), tick(1), upload(one, weight(81)), tick(2), upload(one, weight(82))],
        1: [tick(1), upload(other, weight(83)), tick(2), tick(3), upload(other, weight(84)), tick(4)],
    }
    end = recorded(tmp_path / "log.parquet", log)
    assert replayed(tmp_path / "log.parquet") == [
        log[0][0], tick(1), log[0][2], log[1][1], tick(2)
    ]  # fmt: skip
    assert end.clock == (NOON_US + 60_000_000, NOON_US + 120_000_000)
