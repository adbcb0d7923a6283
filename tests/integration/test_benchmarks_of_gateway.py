"""The benchmark of the gate measures what it says: all that was accepted is stored, and counted once."""

from pathlib import Path

import pytest

from benchmarks.gateway.ground import opened
from benchmarks.gateway.measuring import Ceilings, ceilings, lines, measure
from benchmarks.gateway.requests import BUNDLE, PLAIN, SINGLE, Way
from models.errors import Broken
from simulators.stack import Stack


@pytest.mark.timeout(240)
async def test_what_is_measured_is_stored(stack: Stack, tmp_path: Path) -> None:
    async with opened(stack, tmp_path, gates=2, homes=20) as ground:
        at_best = await ceilings(ground, PLAIN, [b"x" * 300] * 500)
        assert min(at_best.bare_route, at_best.bare_messages) > 0
        for way in (PLAIN, SINGLE, BUNDLE):
            before = await ground.stored()
            measured = await measure(ground, way, 1.0, at_best)
            assert await ground.stored() == before + measured.accepted
            assert measured.gates == 2
            assert 0 < measured.half_per_s < measured.most_per_s
            assert {"gateway 1", "gateway 2", "ingest", "postgres", "kafka", "generator"} == set(
                measured.busy
            )
            assert any("stored = accepted" in line for line in lines(measured))


async def test_nothing_is_told_of_a_run_in_which_something_was_refused(stack: Stack, tmp_path: Path) -> None:
    nowhere = Way("nowhere", "/v1/nowhere", "application/json", 1, b"accepted")
    async with opened(stack, tmp_path, gates=1, homes=20) as ground:
        with pytest.raises(Broken, match=r"0 of .* were accepted; statuses \{404"):
            await measure(ground, nowhere, 1.0, Ceilings(1.0, 1.0))
