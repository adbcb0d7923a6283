"""A small log with readings that have to be refused, of patients who are in all programmes."""

import json
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any
from uuid import UUID, uuid5

from alerting.engine.programme import Programme
from models.clock import DAY_US
from tests.integration.alerting.small_log import START_US, Message, SmallLog

TROUBLES: tuple[dict[str, Any], ...] = ({"value": 0}, {"value": 1e6}, {"unit": "furlong"}, {"kind": "mood"})


def troubled_log(seed: int, made: Sequence[Programme], patients: int = 12, days: int = 20) -> list[Message]:
    """The messages in the order of the log, with a clock behind all of them."""
    draw = Random(seed)
    small = SmallLog(seed=seed, patients=patients, days=days).messages()
    end_us = max(message.at_us for message in small) + DAY_US
    clock = json.dumps({"schema": 1, "type": "clock", "now_us": end_us}).encode()
    troubled: list[Message] = []
    for message in small:
        troubled.append(Message(message.at_us, 0, message.patient_id, _troubled(message.value, draw)))
        if b'"register"' in message.value and message.patient_id is not None:
            troubled += _enrolments(message.patient_id, made)
    return [*troubled, Message(end_us, 0, None, clock)]


def _troubled(value: bytes, draw: Random) -> bytes:
    content = json.loads(value)
    readings: Any = content.get("readings", "none")
    if readings != "none" and draw.random() < 0.2:
        readings.append({**draw.choice(readings), **draw.choice(TROUBLES)})
    return json.dumps(content).encode()


def _enrolments(patient_id: UUID, made: Sequence[Programme]) -> Iterator[Message]:
    for programme in made:
        change = {
            "schema": 1,
            "type": "change",
            "change_id": str(uuid5(patient_id, programme.programme)),
            "patient_id": str(patient_id),
            "valid_from_us": START_US,
            "change": {"enrol": {"programme": programme.programme, "version": programme.version}},
        }
        yield Message(START_US, 0, patient_id, json.dumps(change).encode())
