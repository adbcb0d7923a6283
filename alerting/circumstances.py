"""What holds for a patient beside the rules: paused, in hospital, follow-up ended; from the log's changes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from models.findings import Signal
from models.messages import Admit, AnyChange, Discharge, End, Pause, Resume

NEVER_US = 2**62
"""A time that no log reaches."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the alerts of a patient have to reckon with at one moment."""

    paused: bool = False
    admitted: bool = False
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """From `at_us` on these circumstances hold. **Units**: microseconds since 1970 UTC."""

    at_us: int
    circumstances: Circumstances


@dataclass(frozen=True, slots=True)
class Effective:
    """A change with the moment from which it holds. **Units**: microseconds since 1970 UTC."""

    at_us: int
    offset: int
    change: AnyChange


def turns(changes: Sequence[Effective]) -> tuple[Turn, ...]:
    """The turns in a patient's circumstances, in time order; none for a patient who is simply followed.

    Changes of one moment count in the order of the log. The last pause decides until when.
    """
    found: list[Turn] = []
    now = Circumstances()
    pause_ends_us = NEVER_US
    for effective in sorted(changes, key=lambda change: (change.at_us, change.offset)):
        if now.paused and pause_ends_us <= effective.at_us:
            now = replace(now, paused=False)
            found.append(Turn(pause_ends_us, now))
        after = _after(now, effective)
        if isinstance(effective.change, Pause):
            until_us = effective.change.until_us
            pause_ends_us = NEVER_US if until_us is None else until_us
        if after != now:
            now = after
            found.append(Turn(effective.at_us, now))
    if now.paused and pause_ends_us < NEVER_US:
        found.append(Turn(pause_ends_us, replace(now, paused=False)))
    return tuple(found)


def _after(now: Circumstances, effective: Effective) -> Circumstances:
    match effective.change:
        case Pause(until_us=until_us):
            return replace(now, paused=until_us is None or until_us > effective.at_us)
        case Resume():
            return replace(now, paused=False)
        case Admit():
            return replace(now, admitted=True)
        case Discharge():
            return replace(now, admitted=False)
        case End():
            return replace(now, ended=True)
        case _:
            return now


def circumstances_at(timeline: Sequence[Turn], at_us: int) -> Circumstances:
    """What holds at a moment; the turn at that very moment counts."""
    current = Circumstances()
    for turn in timeline:
        if turn.at_us > at_us:
            break
        current = turn.circumstances
    return current


def heard_at_us(
    timeline: Sequence[Turn], signal: Signal, opened_at_us: int, cleared_at_us: int | None
) -> int | None:
    """When a finding may first make itself heard in an alert: at once, or after a pause if it still holds.

    A pause holds back *no data* only. None for a finding that came and went within a pause.
    """
    heard_us = opened_at_us
    if signal is Signal.SILENCE and circumstances_at(timeline, opened_at_us).paused:
        ends = (t.at_us for t in timeline if t.at_us > opened_at_us and not t.circumstances.paused)
        heard_us = next(ends, NEVER_US)
    if heard_us > opened_at_us and cleared_at_us is not None and cleared_at_us <= heard_us:
        return None
    return heard_us
