"""How long each patient was followed, and when their alerts are held back: from their changes; pure."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from alerting.backtest.found import NEVER_US
from alerting.circumstances import Circumstances, Effective, turns
from alerting.offline.evaluation import History
from models.messages import End, Enrol, Withdraw


class Span(NamedTuple):
    """A stretch of time. **Units**: microseconds since 1970 UTC."""

    from_us: int
    until_us: int


class HeldSpan(NamedTuple):
    """A stretch in which alerts are held back: in hospital, or paused. **Units**: as `Span`."""

    admission: bool
    from_us: int
    until_us: int


def followed(history: History, programmes: Collection[str], stretch: Span) -> Span:
    """From the first enrolment in one of the programmes to the end of the last, within the stretch.

    Somebody who left and came back was followed in between as well. Who was never enrolled was followed for
    no time at all.
    """
    inside: set[str] = set()
    from_us = until_us = stretch.until_us
    ever = False
    for at_us, change in sorted(history, key=lambda each: each[0]):
        if at_us >= stretch.until_us:
            break
        match change:
            case Enrol(programme=name) if name in programmes:
                # What ended before the stretch began is no part of it.
                if not ever or (not inside and until_us <= stretch.from_us):
                    from_us = at_us
                ever, until_us = True, stretch.until_us
                inside.add(name)
            case Withdraw(programme=name) if name in inside:
                inside.remove(name)
                until_us = until_us if inside else at_us
            case End() if inside:
                inside.clear()
                until_us = at_us
            case _:
                pass
    first_us = min(max(from_us, stretch.from_us), stretch.until_us)
    return Span(first_us, max(first_us, min(until_us, stretch.until_us)))


def held(history: History) -> Iterator[HeldSpan]:
    """When alerts of a patient are held back, as the lifecycle knows it, in the order of their beginnings."""
    effective = [Effective(at_us, place, change) for place, (at_us, change) in enumerate(history)]
    found: list[HeldSpan] = []
    for admission in (True, False):
        since_us: int | None = None
        for turn in turns(effective):
            holds = _holds(turn.circumstances, admission)
            if holds and since_us is None:
                since_us = turn.at_us
            elif not holds and since_us is not None:
                found.append(HeldSpan(admission, since_us, turn.at_us))
                since_us = None
        if since_us is not None:
            found.append(HeldSpan(admission, since_us, NEVER_US))
    yield from sorted(found, key=lambda span: (span.from_us, span.admission))


def _holds(circumstances: Circumstances, admission: bool) -> bool:
    return circumstances.admitted if admission else circumstances.paused
