import io
import json
import logging
from collections.abc import Iterator

import pytest

from models import logs
from models.errors import TryAgain


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    into = io.StringIO()
    logs.configure("INFO", into)
    yield into
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_json_object_on_one_line(stream: io.StringIO) -> None:
    logs.get("ingest.worker").info("batch_committed", partition=3, records=500, note="a\nb")
    (line,) = lines(stream)
    assert line.pop("at")
    assert line == {
        "level": "info",
        "logger": "ingest.worker",
        "event": "batch_committed",
        "partition": 3,
        "records": 500,
        "note": "a\nb",
    }


def test_below_the_level_nothing_is_written(stream: io.StringIO) -> None:
    logs.get("x").debug("detail", count=1)
    assert lines(stream) == []


def test_messages_of_others_errors_are_left_out(stream: io.StringIO) -> None:
    weight = 81.4
    try:
        int(str(weight))
    except ValueError as error:
        logs.get("x").error("failed", error=error)
    assert str(weight) not in stream.getvalue()
    (line,) = lines(stream)
    assert line["error"] == "ValueError"
    assert "test_logs.py" in str(line["trace"])


def test_our_own_say_what_to_do(stream: io.StringIO) -> None:
    logs.get("x").error("failed", error=TryAgain("Postgres is away."))
    assert lines(stream)[0]["error"] == "TryAgain: Postgres is away."


def test_libraries_write_the_same_way(stream: io.StringIO) -> None:
    logging.getLogger("aiokafka").warning("Heartbeat failed for group %s", "g")
    assert lines(stream)[0]["event"] == "Heartbeat failed for group g"
