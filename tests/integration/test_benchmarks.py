"""The benchmarks measure what they say: every reading of theirs is stored, checked, and counted once."""

import pytest

from benchmarks.ceilings import measure
from benchmarks.load import Load, Shape, one_each, sixty_each
from benchmarks.throughput import drain, line
from simulators.stack import Stack
from simulators.wire import TICK


@pytest.mark.parametrize("shape", [one_each(3_000, 100, 0.1), sixty_each(3_000, 100, 0.1)])
async def test_a_topic_is_drained_and_timed(stack: Stack, shape: Shape) -> None:
    ceilings = await measure(stack, shape)
    assert ceilings.copy > 0
    assert ceilings.fetch > 0
    measured = await drain(stack, shape, ceilings)
    # A tenth of the uploads came twice.
    assert 1.02 * shape.readings < measured.readings < 1.2 * shape.readings
    assert 0 < measured.both_per_s <= min(measured.stored_per_s, measured.checked_per_s)
    assert set(measured.cpu_us) == {"ingest", "alerting", "postgres", "kafka"}
    assert measured.cpu_us["ingest"] > 0
    assert "of the ceiling" in line(measured)


def test_a_round_is_in_order_and_ends_with_the_clock() -> None:
    load = Load(one_each(500, 50, 0.2))
    for number in range(load.shape.rounds):
        messages = load.round(number)
        assert messages[-1].patient == TICK
        assert len({message.value for message in messages}) < len(messages)
        assert messages[-1].at_us > max(message.at_us for message in messages[:-1])
