"""The same log live, through Kafka and Postgres, and as a file through `evaluate`: the same findings."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alerting.offline.run import read_programmes
from simulators.stack import Stack
from tests.exported_log import evaluated_log, of_finding
from tests.integration.alerting.troubled_log import troubled_log
from tests.integration.live import PARTITIONS, findings_of


@pytest.mark.timeout(240)
async def test_live_equals_evaluate(
    stack: Stack, database: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    """Late, twice, corrected, taken back, in conflict, refused; pauses, ends, personal limits."""
    made = read_programmes([])
    log = troubled_log(7, made, patients=30, days=24)
    topic = make_topic(partitions=PARTITIONS)
    live = await findings_of(stack, database, topic, log, tmp_path)
    messages = [json.loads(message.value) for message in log]
    _, offline = evaluated_log(messages, made, tmp_path, messages[-1]["now_us"])
    assert sorted(offline, key=str) == sorted(map(of_finding, live), key=str)
    assert len(live) > 100
    assert len({finding.rule for finding in live}) > 10
