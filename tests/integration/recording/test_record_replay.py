"""A month of a simulated log live, recorded, evaluated and replayed: the same findings."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from alerting.engine.programme_files import PACKAGED
from alerting.recording.reading import RecordingFile
from models.clock import to_us
from models.db.migrate import migrate
from models.findings import Finding, finding_id
from simulators.recording.messages import Messages, patients_of
from simulators.recording.pseudonyms import Pseudonyms, pseudonyms_of
from simulators.stack import Stack
from tests.exported_log import Told, of_finding
from tests.integration.alerting.small_log import Message
from tests.integration.live import PARTITIONS, findings_of, followed
from tests.integration.recording.recorded_log import at, command, evaluated, length, sent, simulated_log

RULE = "heart_failure/heart_rate_high"


@pytest.mark.timeout(400)
async def test_live_evaluated_and_replayed_find_the_same(
    stack: Stack, database: str, empty_database: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    """Thirty days, in which each trouble is five times as frequent as usual."""
    log = simulated_log(patients=24, days=30)
    topic = make_topic(partitions=PARTITIONS)
    live = ordered(await findings_of(stack, database, topic, log, tmp_path))
    assert len(live) > 50

    house = command(stack, database, topic)
    own, veiled, stored = (tmp_path / f"{name}.parquet" for name in ("own", "veiled", "stored"))
    await house("record", str(own), "--identified")
    await house("record", "--out", str(veiled), "--key-file", str(tmp_path / "key"))
    await house("record", str(stored), "--source", "history", "--identified")
    assert evaluated(own) == live
    assert evaluated(stored) == live
    pseudonyms = pseudonyms_of(tmp_path / "key")
    assert evaluated(veiled) == sorted((renamed(one, pseudonyms) for one in live), key=str)

    other = evaluated(own, [with_another_limit(tmp_path / "programmes")])
    assert [one for one in other if one.rule != RULE] == [one for one in live if one.rule != RULE]
    assert [one for one in other if one.rule == RULE] != [one for one in live if one.rule == RULE]

    rest = tmp_path / "rest.parquet"
    middle = log[len(log) // 2].at_us
    await house("record", str(rest), "--identified", "--from", str(middle))
    assert_begins_with_what_held(rest, log, middle)

    await migrate(empty_database, purpose="trial")
    again = make_topic(partitions=PARTITIONS + 1)
    await command(stack, empty_database, again)("replay", str(own), "--speed", "max")
    written = await length(stack.kafka, again, PARTITIONS + 1)
    assert await sent(stack.kafka, again, PARTITIONS + 1) == messages(log)
    (tmp_path / "again").mkdir()
    assert ordered(await followed(stack, empty_database, again, written, tmp_path / "again")) == live


def with_another_limit(folder: Path) -> Path:
    """The programmes with a third version of one, another limit of one rule in it."""
    shutil.copytree(PACKAGED, folder, ignore=shutil.ignore_patterns("*.py", "*.md", "__pycache__"))
    file = folder / "heart_failure_2.yaml"
    text = file.read_text(encoding="utf-8")
    assert "version: 2\n" in text
    assert "heart_rate_high:\n    {default: 105," in text
    text = text.replace("version: 2\n", "version: 3\n", 1)
    text = text.replace("heart_rate_high:\n    {default: 105,", "heart_rate_high:\n    {default: 85,")
    file.write_text(text, encoding="utf-8")
    return folder


def assert_begins_with_what_held(file: Path, log: Sequence[Message], middle_us: int) -> None:
    """First all changes from before, as they held; then the log from the first tick at that moment on."""
    recording = RecordingFile(file)
    found = [one.message.value for one in Messages(recording, patients_of(recording))]
    begins = next(place for place, value in enumerate(found) if b'"type":"clock"' in value)
    tick = next(place for place, one in enumerate(log) if one.patient_id is None and one.at_us >= middle_us)
    assert sorted(found[begins:]) == sorted(one.value for one in log[tick:])
    before = [json.loads(one.value) for one in log[:tick] if b'"type":"change"' in one.value]
    said = [json.loads(value) for value in found[:begins]]
    assert sorted(map(identity, said)) == sorted(map(identity, before))


def identity(change: dict[str, Any]) -> tuple[str, str]:
    return change["patient_id"], change["change_id"]


def ordered(findings: Sequence[Finding]) -> list[Told]:
    return sorted(map(of_finding, findings), key=str)


def renamed(told: Told, pseudonyms: Pseudonyms) -> Told:
    """A finding of the same patient under another name."""
    patient = pseudonyms.patient(told.patient_id)
    programme, _, rule = told.rule.partition("/")
    new_id = finding_id(UUID(patient), programme, rule, to_us(at(told.opened_at)))
    return told._replace(id=str(new_id), patient_id=patient)


def messages(log: Sequence[Message]) -> list[bytes]:
    """What a log says, ticks once."""
    return sorted(message.value for message in log)
