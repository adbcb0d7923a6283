"""One run of load: sent as planned, waited for, verified; and only then its latencies."""

import asyncio
import gc
import os
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from ingest.log import Ends
from models.clock import SECOND_US
from models.errors import BadInput, Broken
from simulators.load.broker import IntoLog, Producer, into_log, producing
from simulators.load.database import GROUPS
from simulators.load.following import Following
from simulators.load.gate import ThroughGate, known_at, through_gate
from simulators.load.ground import Ground
from simulators.load.homes import signal_of
from simulators.load.pacing import OwnWatch, Paced, require_valid, send_planned
from simulators.load.readings import Writing, joined, readings_in, readings_of
from simulators.load.schedule import KEPT_US, Ints, Planned, Profile, Wanted, backlog, plan
from simulators.load.verifying import expected, first_of_each, match, wrong_findings, wrong_readings

AHEAD_US = 300_000
"""So long before the first planned moment everything is ready."""
TELL_EVERY_S = 10.0
HEARD_WITHIN_S = 15.0
OVERLOAD_S = 5.0
"""A rate is given up when so many seconds of it wait: it cannot be held any more."""
OVERLOAD_AT_LEAST = 2_000
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Stages:
    """From the planned moment of each upload. **Units**: microseconds; −1 where it is not known.

    **Shape**: [n] as `at_us`, the planned moments from the begin; `alerted_us` −1 but for those that alarm.
    """

    at_us: Ints
    acknowledged_us: Ints
    stored_us: Ints
    checked_us: Ints
    alerted_us: Ints

    def named(self) -> dict[str, tuple[Ints, Ints]]:
        """Each stage with moments and durations of those that came to it."""
        stages = {
            "acknowledged": self.acknowledged_us,
            "stored": self.stored_us,
            "checked": self.checked_us,
            "alerted": self.alerted_us,
        }
        return {name: (self.at_us[us >= 0], us[us >= 0]) for name, us in stages.items()}


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a run; all of it is verified. `drained_us`: when each group was through a backlog, if any.

    **Units**: microseconds, moments from the begin but for `begin_us`; processor seconds by process.
    """

    begin_us: int
    planned: Planned
    readings: int
    kept_readings: int
    paced: Paced
    stages: Stages
    lag: Sequence[tuple[int, Mapping[str, int]]]
    look_us: int
    again: int
    cpu_s: Mapping[str, float]
    drained_us: Mapping[str, int]
    stopped_early: bool


@dataclass(frozen=True, slots=True)
class _Running:
    """What the parts of a run share. `firsts`: the offsets of each partition before which it sent nothing."""

    ground: Ground
    wanted: Wanted
    producer: Producer
    watch: OwnWatch
    following: Following
    firsts: Sequence[int]
    tell: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Sent:
    """A plan that was sent; it began at `offset_us` by the watch."""

    planned: Planned
    offset_us: int
    acknowledged_us: Ints


async def run(
    ground: Ground,
    wanted: Wanted,
    *,
    lag_limit_ms: float,
    gives_up: bool = False,
    tell: Callable[[str], None],
) -> Ran:
    """Sends, waits until all is through, verifies. `gives_up`: stops sending where the rate is not held.

    **Raises**: BadInput where nobody is left to alarm; Void when the generator was the bottleneck; Broken
    when something is missing, altered or too much; TryAgain when something is away, or stands still.
    """
    async with AsyncExitStack() as last:
        producer = await last.enter_async_context(producing(ground.settings))
        ends = await last.enter_async_context(Ends(ground.settings))
        watch = OwnWatch()
        following = Following(ground.database, ends, ground.partitions, watch)
        running = _Running(ground, wanted, producer, watch, following, await following.sample(), tell)
        alarming = await ground.database.free()
        _require_alarming(wanted, alarming)
        known = await ground.database.findings(watch.zero_us - 2 * KEPT_US)
        await last.enter_async_context(ground.database.listening(following.hear))
        await last.enter_async_context(_at_work(following.look_on()))
        before = _spent(ground)
        sent = [await _send_backlog(running)] if wanted.profile is Profile.BACKLOG else []
        planned = plan(wanted, ground.homes.ordinary, alarming)
        fresh, paced, again = await _send(running, planned, gives_up=gives_up)
        # A run that is void for all that follows: what it left behind is worked off first, for the next one.
        await following.until_through(ground.require_running)
        require_valid(paced, lag_limit_ms)
        cpu_s = {name: spent_s - before[name] for name, spent_s in _spent(ground).items()}
        sent.append(fresh)
        tell("all is through; verifying what was stored and found")
        stages, through_us = await _verified(running, sent, {one.finding_id for one in known})
    return Ran(
        begin_us=watch.zero_us + fresh.offset_us,
        planned=fresh.planned,
        readings=int(readings_in(fresh.planned).sum()),
        kept_readings=sum(int(readings_in(one.planned).sum()) for one in sent[:-1]),
        paced=paced,
        stages=stages,
        lag=[(one.at_us - fresh.offset_us, one.messages) for one in following.lag],
        look_us=int(np.percentile(following.look_us or [0], 99)),
        again=again,
        cpu_s=cpu_s,
        drained_us={group: at_us - fresh.offset_us for group, at_us in through_us.items()},
        stopped_early=paced.sent < len(planned),
    )


def _require_alarming(wanted: Wanted, alarming: Sequence[int]) -> None:
    """Lets no run through that would say nothing about alerts without being asked to."""
    if wanted.alarms and not alarming:
        expected = "patients whose uploads can alarm: more of them, another --seed, or --alarms 0"
        found = "none who has no open alert of a run before"
        raise BadInput(where="--patients", expected=expected, found=found)


async def _send_backlog(running: _Running) -> _Sent:
    """All at once into the log itself, as when a vendor is back after hours; planned at no moment."""
    ground, watch = running.ground, running.watch
    planned, offset_us = backlog(running.wanted, ground.homes.ordinary), watch.now_us() // 2 * 2
    running.tell(f"putting a backlog of {running.wanted.backlog:,} readings into the log")
    writing = Writing(ground.homes, planned, watch.zero_us + offset_us)
    async with into_log(running.producer, ground.settings, ground.homes, planned, writing, watch) as way:
        await way.put_all()
    return _Sent(planned, offset_us, way.acknowledged_us)


async def _send(running: _Running, planned: Planned, *, gives_up: bool) -> tuple[_Sent, Paced, int]:
    """What is planned at its moments; how the generator did, and what was sent again."""
    ground, watch, following = running.ground, running.watch, running.following
    too_much = max(OVERLOAD_S * running.wanted.rate, OVERLOAD_AT_LEAST)

    def should_stop() -> bool:
        return gives_up and following.lag_now > too_much

    running.tell(f"sending {len(planned):,} uploads within {running.wanted.seconds:g} s")
    async with AsyncExitStack() as last:
        http = None
        if ground.entrance is not None:
            http = await last.enter_async_context(known_at(ground.entrance))
        last.enter_context(undisturbed())
        # From here on nothing takes long.
        offset_us = (watch.now_us() + AHEAD_US) // 2 * 2
        writing = Writing(ground.homes, planned, watch.zero_us + offset_us)
        way: IntoLog | ThroughGate
        if ground.entrance is None or http is None:
            way = await last.enter_async_context(
                into_log(running.producer, ground.settings, ground.homes, planned, writing, watch)
            )
        else:
            way = await last.enter_async_context(through_gate(ground.entrance, http, planned, writing, watch))
        await last.enter_async_context(_at_work(_tell_on(running, offset_us)))
        paced = await send_planned(planned.at_us + offset_us, way.put, watch, should_stop)
        await way.drain()
    sent = slice(0, paced.sent)
    again = way.again if isinstance(way, ThroughGate) else 0
    return _Sent(planned.take(sent), offset_us, way.acknowledged_us[sent]), paced, again


async def _tell_on(running: _Running, offset_us: int) -> None:
    """Says now and then how far it is."""
    while True:
        await asyncio.sleep(TELL_EVERY_S)
        gone_s = (running.watch.now_us() - offset_us) / 1e6
        running.tell(
            f"{gone_s:,.0f} of {running.wanted.seconds:g} s, {running.following.lag_now:,} messages wait"
        )


async def _verified(
    running: _Running, sent: Sequence[_Sent], known: set[UUID]
) -> tuple[Stages, dict[str, int]]:
    """The stages of what was sent last, and when each group was through all before it, by the watch.

    **Raises**: Broken, saying what is missing, altered or too much.
    """
    ground, watch, following = running.ground, running.watch, running.following
    each = [readings_of(one.planned, watch.zero_us + one.offset_us) for one in sent]
    everything = joined(each)
    first_us, last_us = int(everything.taken_at_us.min()), int(everything.taken_at_us.max())
    stored = await ground.database.stored(first_us, last_us, running.firsts)
    matched = match(everything, stored)
    refused = await ground.database.refused(running.firsts)
    _require_right(wrong_readings(everything, matched, ground.homes, refused))
    fresh, begins = sent[-1], len(everything) - len(each[-1])
    alarmed = expected(fresh.planned)
    heard_us = await _heard(running, alarmed)
    found = [one for one in await ground.database.findings(first_us) if one.finding_id not in known]
    senders = set(everything.patient.tolist())
    _require_right(wrong_findings(alarmed, found, heard_us, senders, ground.homes))
    place = matched.place[begins + first_of_each(each[-1], len(fresh.planned))]
    passed = {
        group: following.positions[group].passed_us(stored.partition[place], stored.offset[place])
        for group in GROUPS
    }
    before = matched.place[:begins]
    through_us = {
        group: int(
            following.positions[group].passed_us(stored.partition[before], stored.offset[before]).max()
        )
        for group in GROUPS
        if begins
    }
    at_us = fresh.planned.at_us + fresh.offset_us
    alerted_us = np.array([heard_us.get(row, -1) for row in fresh.planned.patient.tolist()], np.int64)
    return Stages(
        fresh.planned.at_us,
        _since(fresh.acknowledged_us, at_us),
        _since(passed[GROUPS[0]], at_us),
        _since(passed[GROUPS[1]], at_us),
        _since(alerted_us, at_us),
    ), through_us


async def _heard(running: _Running, alarmed: Sequence[int]) -> dict[int, int]:
    """When the alert of each of these patients was announced, by the watch; as far as it was."""
    following, wanted = running.following, set(alarmed)
    deadline_us = running.watch.now_us() + int(HEARD_WITHIN_S * SECOND_US)
    while True:
        heard_us = dict(following.heard_us)
        whose = await running.ground.database.alerts(list(heard_us))
        found: dict[int, int] = {}
        for alert_id, (patient, signal) in whose.items():
            if patient in wanted and signal is signal_of(patient):
                found[patient] = min(heard_us[alert_id], found.get(patient, heard_us[alert_id]))
        if len(found) == len(wanted) or running.watch.now_us() > deadline_us:
            return found
        await asyncio.sleep(_LOOK_EVERY_S)


def _since(at_us: Ints, planned_us: Ints) -> Ints:
    return np.where(at_us >= 0, np.maximum(at_us - planned_us, 0), -1)


def _require_right(wrong: Sequence[str]) -> None:
    if wrong:
        raise Broken("No figures, for what was sent did not all arrive as it should:\n" + "\n".join(wrong))


def _spent(ground: Ground) -> dict[str, float]:
    return {} if ground.meter is None else ground.meter.seconds()


@asynccontextmanager
async def _at_work(work: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Goes on beside the block, and ends with it. **Raises**: what ended it before, at the end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@contextmanager
def undisturbed() -> Generator[None]:
    """Nothing stops the generator where it can be helped.

    The collector would, for tens of milliseconds; and programs that want every processor, which is what a
    load makes of them. So it goes before them where the machine lets it (Linux: root, or CAP_SYS_NICE).
    Priorities alone do nothing between sessions (sched_autogroup), so it is scheduled in real time.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        with _first():
            yield
    finally:
        gc.enable()
        gc.unfreeze()


@contextmanager
def _first() -> Generator[None]:
    if sys.platform != "linux":
        yield
        return
    usual = os.sched_getscheduler(0), os.sched_getparam(0)
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, *usual)
