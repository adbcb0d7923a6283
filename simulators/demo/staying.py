"""After the demo: it goes on at wall speed, so that somebody can work with it, until they are done."""

import asyncio
from contextlib import suppress

import numpy as np

from models.clock import SECOND_US
from simulators.demo.following import Following
from simulators.demo.live import Planned, plan
from simulators.demo.stretch import alarming_patients
from simulators.scenarios.scenario import Scenario
from simulators.wire import Encoder

STRETCH_S = 60
UPLOADS_PER_S = 1
ALARMS = 1
"""In each stretch so many patients measure something alarming: something to do, not a flood."""


async def stay(
    following: Following,
    scenario: Scenario,
    encoder: Encoder,
    number: int,
    begin_us: int,
    stop: asyncio.Event,
) -> None:
    """Ticks each second from a moment on, with readings and now and then something alarming, until `stop`.

    `number`: the next day that the scenario was not asked for.
    **Units**: `begin_us` in microseconds since 1970 UTC, by the log's clock. **Raises**: Broken when a
    service ends.
    """
    following.state.step = "at wall speed; Ctrl-C ends it"
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    day, skip, at_us = scenario.day(number), 0, begin_us
    while not stop.is_set():
        able = np.flatnonzero(scenario.follow_up.able(scenario.end_us)).tolist()
        alarming = await alarming_patients(scenario, following.database, able, ALARMS)
        planned = plan(
            scenario, encoder, day,
            begin_us=at_us, seconds=STRETCH_S, uploads_per_s=UPLOADS_PER_S, alarming=alarming, skip=skip,
        )  # fmt: skip
        for one in planned:
            await _until(begun_s + (one.at_us - begin_us) / SECOND_US, stop)
            if stop.is_set():
                break
            await _send(following, one)
        skip += STRETCH_S * UPLOADS_PER_S
        at_us += STRETCH_S * SECOND_US
        if skip >= len(day.uploads):
            number += 1
            day, skip = scenario.day(number), 0


async def _send(following: Following, one: Planned) -> None:
    await following.way.put([one.message])
    await following.way.flush()
    following.services.require_running()
    if following.picture.due():
        await following.show()


async def _until(at_s: float, stop: asyncio.Event) -> None:
    wait_s = at_s - asyncio.get_running_loop().time()
    if wait_s > 0:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait_s)
