"""What a run came to, for people and for machines."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.clock import SECOND_US
from simulators.demo.report import machine
from simulators.load.database import GROUPS
from simulators.load.figures import Figures, figures
from simulators.load.following import LOOK_EVERY_S
from simulators.load.pacing import lag_p99_ms
from simulators.load.run import Ran
from simulators.load.schedule import Wanted, What, peak_per_s
from simulators.load.search import Highest, Outcome, Tried, is_bounded

HELD_WITHIN_MS = 1_000.0
"""A rate is held when ninety-nine of a hundred uploads are stored, checked and alerted about within this."""
STAGES = {
    "acknowledged": "the broker, or the gate, has it for sure",
    "stored": "committed in Postgres",
    "checked": "all its findings committed",
    "alerted": "NOTIFY of its alert heard (alarming uploads)",
}


@dataclass(frozen=True, slots=True)
class Lag:
    """Messages before a consumer group, as sampled."""

    mean: float
    max: int
    at_end: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """How soon fresh uploads alerted while a backlog drained. **Units**: seconds from the begin.

    `waiting`: messages before the slower group at the begin. `alarms`: those until alerting was through it.
    """

    readings: int
    waiting: int
    stored_s: float
    checked_s: float
    alarms: int
    within_a_second: float | None
    alerted_ms: Figures | None


@dataclass(frozen=True, slots=True)
class Report:
    """One run; everything that was sent is stored, everything that had to be found was, nothing besides."""

    machine: str
    kafka: str
    postgres: str
    via: str
    profile: str
    seed: int
    patients: int
    rate: float
    seconds: float
    uploads: int
    readings: int
    alarms: int
    peak_per_s: float
    sent_again: int
    latency_ms: Mapping[str, Figures | None]
    lag_messages: Mapping[str, Lag]
    lag_is_bounded: bool
    generator_lag_p99_ms: float
    generator_share: float
    looked_every_ms: float
    cpu_s: Mapping[str, float]
    backlog: Backlog | None
    stopped_early: bool

    @property
    def held(self) -> str | None:
        """Why the rate was not held; None where it was."""
        if self.stopped_early:
            return "more and more waited: sending was stopped"
        if not self.lag_is_bounded:
            return "what waits grew until the end"
        for stage in ("stored", "checked", "alerted"):
            found = self.latency_ms[stage]
            if found is not None and found.p99 >= HELD_WITHIN_MS:
                return f"{stage} only after {found.p99:,.0f} ms at p99"
        return None


def report(ran: Ran, wanted: Wanted, *, patients: int, via: str, kafka: str, postgres: str) -> Report:
    """The figures of a run."""
    length_us = round(wanted.seconds * SECOND_US)
    during = [one for one in ran.lag if 0 <= one[0] <= length_us]
    slower = [(at_us, max(messages.values())) for at_us, messages in during]
    return Report(
        machine=machine(),
        kafka=kafka,
        postgres=f"PostgreSQL {postgres}",
        via=via,
        profile=wanted.profile.value,
        seed=wanted.seed,
        patients=patients,
        rate=wanted.rate,
        seconds=wanted.seconds,
        uploads=len(ran.planned),
        readings=ran.readings,
        alarms=int((ran.planned.what == What.ALARMING).sum()),
        peak_per_s=peak_per_s(ran.planned.at_us),
        sent_again=ran.again,
        latency_ms={name: figures(us) for name, (_, us) in ran.stages.named().items()},
        lag_messages={group: _lag([one[group] for _, one in during]) for group in GROUPS},
        lag_is_bounded=is_bounded(slower, wanted.rate, 0, length_us),
        generator_lag_p99_ms=round(lag_p99_ms(ran.paced), 2),
        generator_share=round(ran.paced.own_share, 3),
        looked_every_ms=round(max(LOOK_EVERY_S * 1e3, ran.look_us / 1e3), 1),
        cpu_s={name: round(seconds, 2) for name, seconds in ran.cpu_s.items()},
        backlog=_backlog(ran),
        stopped_early=ran.stopped_early,
    )


def _lag(messages: Sequence[int]) -> Lag:
    if not messages:
        return Lag(0.0, 0, 0)
    return Lag(round(sum(messages) / len(messages), 1), max(messages), messages[-1])


def _backlog(ran: Ran) -> Backlog | None:
    if not ran.drained_us:
        return None
    stored_us, checked_us = (ran.drained_us[group] for group in GROUPS)
    at_us, alerted_us = ran.stages.named()["alerted"]
    meanwhile = alerted_us[at_us < checked_us]
    within = float(np.mean(meanwhile <= SECOND_US)) if len(meanwhile) else None
    return Backlog(
        readings=ran.kept_readings,
        waiting=next((max(one.values()) for at, one in reversed(ran.lag) if at <= 0), 0),
        stored_s=round(stored_us / 1e6, 2),
        checked_s=round(checked_us / 1e6, 2),
        alarms=len(meanwhile),
        within_a_second=None if within is None else round(within, 4),
        alerted_ms=figures(meanwhile),
    )


def as_json(report: Report) -> dict[str, Any]:
    """For machines."""
    return {"void": False, **asdict(report), "held": report.held is None, "not_held_because": report.held}


def as_text(report: Report) -> str:
    """For people."""
    again = f"; {report.sent_again:,} uploads were sent again" if report.sent_again else ""
    what = (
        f"{report.profile}, {report.rate:g} uploads a second for {report.seconds:g} s via {report.via}, "
        f"{report.patients:,} patients, seed {report.seed}; {report.peak_per_s:,.0f} in the fullest second"
    )
    alarms = f"{report.alarms:,} alarm, each has its finding and alert; there are no other findings"
    verified = (
        f"verified: {report.uploads:,} uploads with {report.readings:,} readings, all stored, once, as sent; "
        f"{alarms if report.alarms else 'none was to alarm, so nothing is known of alerts; there are none'}"
    )
    looked = (
        f"  stored and checked are looked for every {LOOK_EVERY_S * 1e3:.0f} ms "
        f"({report.looked_every_ms:g} at p99), which is in them"
    )
    lines = [
        f"{report.machine}; {report.kafka}, {report.postgres}",
        what,
        verified,
        "",
        "from the planned moment, ms        n      p50      p90      p99    p99.9      max",
    ]
    lines += [_line(stage, report.latency_ms[stage]) for stage in STAGES]
    lines += [f"  {stage}: {meaning}" for stage, meaning in STAGES.items()]
    lines += [looked, ""]
    lines += [
        f"before {group}: {lag.mean:,.0f} messages in the mean, {lag.max:,} at most, {lag.at_end:,} last"
        for group, lag in report.lag_messages.items()
    ]
    lines.append(
        f"the generator was late by {report.generator_lag_p99_ms:g} ms at p99 and used "
        f"{report.generator_share:.0%} of a processor{again}"
    )
    if report.cpu_s:
        spent = sorted(report.cpu_s.items(), key=lambda one: -one[1])
        lines.append("processor seconds: " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in spent))
    if report.backlog is not None:
        lines.append(_told(report.backlog))
    return "\n".join(lines)


def _line(stage: str, found: Figures | None) -> str:
    if found is None:
        return f"  {stage:<26}        0"
    values = (found.p50, found.p90, found.p99, found.p99_9, found.max)
    return f"  {stage:<26} {found.n:>8,}" + "".join(f" {value:>8,.1f}" for value in values)


def _told(backlog: Backlog) -> str:
    head = f"a backlog of {backlog.readings:,} readings: "
    if backlog.checked_s <= 0:
        return head + "it was through before the begin, so it says nothing; a larger one would"
    head += (
        f"{backlog.waiting:,} messages of it waited at the begin; all were checked {backlog.checked_s:g} s "
    )
    head += f"later, stored {backlog.stored_s:g} s later; until they were checked "
    if backlog.alerted_ms is None or backlog.within_a_second is None:
        return head + "nothing alarmed"
    return head + (
        f"{backlog.alarms:,} uploads alarmed, {backlog.within_a_second:.1%} within a second, "
        f"p99 {backlog.alerted_ms.p99:,.0f} ms"
    )


def search_text(found: Highest, tried: Sequence[Tried]) -> str:
    """What a search came to, each step first."""
    lines = [
        f"  {one.rate:>10,.1f} uploads/s for {one.seconds:>5g} s: {one.outcome}"
        + (f", {one.why}" if one.why else "")
        for one in tried
    ]
    bound = (
        f"above {found.not_held:,.1f} the generator was the limit: the true one may be higher"
        if found.is_the_generators
        else f"{found.not_held:,.1f} was not"
    )
    held_s = max(one.seconds for one in tried if one.rate == found.rate and one.outcome is Outcome.HELD)
    return "\n".join([*lines, f"highest rate held for {held_s:g} s: {found.rate:,.1f} uploads/s; {bound}"])
