"""What a file gives is what its twin finds in the log; the live log: `integration/alerting`."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerting.engine.programme import Programme
from ingest.decode import decode
from ingest.normalise import normalise
from ingest.patients import PatientIndex
from models.kinds import KIND_BY_NAME
from tests.exported_log import Told, evaluated_log, iso
from tests.naive.changes import Message
from tests.naive.findings import naive_findings
from tests.naive.random_logs import PATIENTS, clock, logs
from tests.naive.random_programmes import programmes


@dataclass(frozen=True, slots=True)
class Record:
    offset: int
    value: bytes


@given(st.data())
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_a_random_log_gives_what_the_twin_finds(data: st.DataObject) -> None:
    made = data.draw(programmes())
    log = data.draw(logs(made))
    log = [message for message in log if message.get("readings") != []]
    end_us = max(
        message.get("now_us", 0) or message.get("received_at_us", 0) or message["valid_from_us"]
        for message in log
    )
    with tempfile.TemporaryDirectory() as folder:
        log, found = evaluated_log([*log, clock(end_us)], made, Path(folder), end_us)
    assert sorted(found, key=str) == sorted(of_twin(made, as_judged(log)), key=str)


def of_twin(made: Sequence[Programme], log: Sequence[Message]) -> list[Told]:
    return [
        Told(
            str(finding.id),
            finding.patient_id,
            finding.rule,
            iso(finding.opened_us),
            None if finding.cleared_us is None else iso(finding.cleared_us),
            finding.severity,
            finding.values,
            None if finding.raised_us is None else iso(finding.raised_us),
            frozenset(finding.raised_values),
            finding.unconfirmed,
        )
        for finding in naive_findings(made, log)
    ]


def as_judged(log: Sequence[Message]) -> Sequence[Message]:
    """The log with what is said of refused readings in their place: the twin does not judge."""
    named = ({**m, "upload_id": str(UUID(int=n))} if "readings" in m else m for n, m in enumerate(log))
    texts = [json.dumps(message) for message in named]
    decoded = decode([Record(n, text.encode()) for n, text in enumerate(texts)], partition=0, nonce="n")
    index = PatientIndex()
    for patient in PATIENTS:
        index.add(UUID(patient), UUID(int=1), known_from=-1)
    judged: list[dict[str, Any]] = [json.loads(text) for text in texts]
    for refusal in [*decoded.refusals, *normalise(decoded, index).refusals]:
        reading = judged[refusal.offset]["readings"][refusal.position]
        reading["refused"] = True
        if (notice := refusal.notice) is not None:
            code = KIND_BY_NAME["device_state"].codes[notice.code]
            reading |= {"refused": False, "kind": "device_state", "taken_at_us": notice.at_us, "code": code}
            for name in ("value", "unit", "revision", "void"):
                reading.pop(name, None)
    for message in judged:
        if "readings" in message:
            message["readings"] = [r for r in message["readings"] if not r.pop("refused", False)]
    return judged
