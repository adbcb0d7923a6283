"""`thuiswacht record` and `replay` as people call them: stretches, what they refuse, what they say."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from models.db.migrate import migrate
from models.settings import Settings
from simulators.stack import Stack
from tests.integration.alerting.small_log import Message
from tests.integration.live import PARTITIONS, write
from tests.integration.recording.recorded_log import (
    Command,
    command,
    files_in,
    sent,
    simulated_log,
)


@pytest.fixture(scope="module")
def log() -> list[Message]:
    return simulated_log(patients=8, days=3)


@pytest.fixture
async def house(stack: Stack, database: str, topic: str, log: list[Message]) -> Command:
    """The command line of a trial database, beside a log that nobody has read."""
    await write(Settings(kafka=stack.kafka, topic=topic), log)
    return command(stack, database, topic)


def whole(log: Sequence[Message]) -> list[bytes]:
    return sorted(message.value for message in log)


async def test_a_stretch_ends_where_it_is_told(
    house: Command,
    log: list[Message],
    stack: Stack,
    database: str,
    make_topic: Callable[..., str],
    tmp_path: Path,
) -> None:
    """By the log's own clock, and by places in its partitions."""
    first, last = log[0].at_us, log[-1].at_us
    middle = (first + last) // 2 // 900_000_000 * 900_000_000
    one, other = tmp_path / "one.parquet", tmp_path / "other.parquet"
    await house("record", str(one), "--identified", "--to", str(middle))
    await house("record", str(other), "--identified", "--from", str(middle))
    tick = next(place for place, message in enumerate(log) if is_tick(message, middle))
    for number, (file, wanted) in enumerate(((one, log[: tick + 1]), (other, log[tick:]))):
        topic = make_topic(PARTITIONS)
        await command(stack, database, topic)("replay", str(file))
        assert await sent(stack.kafka, topic, PARTITIONS) == whole(wanted), number
    places = ",".join(f"{number}@0" for number in range(PARTITIONS))
    offsets = tmp_path / "offsets.parquet"
    said = await house("record", str(offsets), "--identified", "--from", "@0", "--to", places, code=65)
    assert "at least one tick" in said.stderr
    assert files_in(tmp_path) == ["one.parquet", "other.parquet"]


def is_tick(message: Message, at_us: int) -> bool:
    return message.patient_id is None and message.at_us == at_us


async def test_a_live_database_takes_no_replay(
    house: Command, stack: Stack, empty_database: str, topic: str, tmp_path: Path
) -> None:
    file = str(tmp_path / "log.parquet")
    await house("record", file)
    await migrate(empty_database, purpose="live")
    refused = await command(stack, empty_database, topic)("replay", file, code=78)
    assert "live database" in refused.stderr
    refused = await command(stack, "", topic)("replay", file, code=78)
    assert "THUISWACHT_POSTGRES" in refused.stderr
    refused = await command(stack, "", topic)("record", f"{file}2", code=78)
    assert "THUISWACHT_POSTGRES" in refused.stderr
    refused = await command(stack, empty_database, topic)("record", f"{file}2", code=78)
    assert "--as ID --reason TEXT" in refused.stderr


async def test_one_that_was_cut_off(
    house: Command,
    stack: Stack,
    database: str,
    make_topic: Callable[..., str],
    log: list[Message],
    tmp_path: Path,
) -> None:
    file = tmp_path / "log.parquet"
    await house("record", str(file), "--identified")
    file.write_bytes(file.read_bytes()[:-100])
    refused = await house("replay", str(file), code=65)
    assert "expected the end of the recording" in refused.stderr
    assert "--on-error skip" in refused.stderr
    topic = make_topic(PARTITIONS)
    done = await command(stack, database, topic)("replay", str(file), "--on-error", "skip")
    assert "cut off" in done.stderr
    assert await sent(stack.kafka, topic, PARTITIONS) == whole(log)
    refused = await house("evaluate", "--readings", str(file), "--out", str(tmp_path / "out"), code=65)
    assert "expected the end of the recording" in refused.stderr


@pytest.mark.timeout(180)
async def test_interrupted_it_says_where_to_go_on(
    house: Command,
    stack: Stack,
    database: str,
    make_topic: Callable[..., str],
    log: list[Message],
    tmp_path: Path,
) -> None:
    file, topic = tmp_path / "log.parquet", make_topic(PARTITIONS)
    await house("record", str(file), "--identified")
    elsewhere = command(stack, database, topic)
    slowly = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "thuiswacht", "replay", str(file), "--speed", "3600",
        env=os.environ | elsewhere.environment,
        stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said = ""
    assert slowly.stderr is not None
    while "messages" not in said:
        said = (await slowly.stderr.readline()).decode()
    slowly.send_signal(signal.SIGINT)
    _, rest = await slowly.communicate()
    assert slowly.returncode == 130
    words = rest.decode().split()
    begin = words[words.index("--from-message") + 1].rstrip(",")
    assert int(begin) > 0
    await elsewhere("replay", str(file), "--from-message", begin)
    assert await sent(stack.kafka, topic, PARTITIONS) == whole(log)
