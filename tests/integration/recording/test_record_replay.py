"""A month of a simulated log live, recorded, evaluated and replayed: the same findings."""

from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

import pytest

from models.clock import to_us
from models.db.migrate import migrate
from models.findings import Finding, finding_id
from simulators.recording.pseudonyms import Pseudonyms, pseudonyms_of
from simulators.stack import Stack
from tests.exported_log import Told, of_finding
from tests.integration.alerting.small_log import Message
from tests.integration.live import PARTITIONS, findings_of, followed
from tests.integration.recording.recorded_log import at, command, evaluated, length, sent, simulated_log


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

    await migrate(empty_database, purpose="trial")
    again = make_topic(partitions=PARTITIONS + 1)
    await command(stack, empty_database, again)("replay", str(own), "--speed", "max")
    written = await length(stack.kafka, again, PARTITIONS + 1)
    assert await sent(stack.kafka, again, PARTITIONS + 1) == messages(log)
    (tmp_path / "again").mkdir()
    assert ordered(await followed(stack, empty_database, again, written, tmp_path / "again")) == live


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
