"""Moment by moment: what findings, remarks and the time make of the alerts of a patient."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from uuid import UUID

from alerting.circumstances import Turn, circumstances_at
from alerting.findings import FindingChange
from alerting.lifecycle.book import Book, Consequences
from alerting.lifecycle.marks import hold_back, mark, mark_doubt, tell
from alerting.lifecycle.reasons import attach_all, remark
from alerting.lifecycle.work import Work
from alerting.remarks import Remark
from models.alerts import AlertState, Outcome
from models.findings import Finding, Signal


@dataclass(slots=True)
class Moment:
    """What there is at one moment, beside the time itself."""

    changes: list[FindingChange] = field(default_factory=list[FindingChange])
    remarks: list[Remark] = field(default_factory=list[Remark])


def follow(
    book: Book,
    changes: Sequence[FindingChange],
    *,
    since_us: int,
    now_us: int,
    ids: Iterator[UUID],
    remarks: Sequence[Remark] = (),
) -> Consequences:
    """What the changes of a patient's findings, and the time that went by, make of the patient's alerts.

    The result does not depend on how a stretch of time is cut, as long as nothing in it arrives late.
    `ids` gives the new alerts their ids; `remarks` are those that were not heard before, in the order of the
    log. **Units**: everything up to `since_us` had been followed before; microseconds since 1970 UTC.
    """
    work = Work(book, ids)
    until_us = max([since_us, now_us, *(change.at_us for change in changes)])
    for at_us, moment in _moments(book.timeline, changes, remarks, since_us, until_us):
        _step(work, at_us, moment)
    return work.consequences()


def _moments(
    timeline: Sequence[Turn],
    changes: Sequence[FindingChange],
    remarks: Sequence[Remark],
    since_us: int,
    until_us: int,
) -> list[tuple[int, Moment]]:
    """The moments to look at, in order: where findings change, circumstances turn, remarks come; and the end.

    What a replay found is one moment, the first: it was all there before, had one but known. Remarks keep
    the order of the log.
    """
    moments: dict[int, Moment] = {until_us: Moment()}
    late_us = since_us or until_us
    for change in changes:
        at_us = late_us if change.late else max(change.at_us, since_us)
        moments.setdefault(at_us, Moment()).changes.append(change)
    received_us = (min(max(said.received_at_us, since_us), until_us) for said in remarks)
    for at_us, said in zip(accumulate(received_us, max), remarks, strict=True):
        moments.setdefault(at_us, Moment()).remarks.append(said)
    for turn in timeline:
        if since_us < turn.at_us <= until_us:
            moments.setdefault(turn.at_us, Moment())
    return sorted(moments.items(), key=lambda pair: pair[0])


def _step(work: Work, at_us: int, moment: Moment) -> None:
    """One moment: first what people would have seen before, then the reasons, then the marks."""
    changes = moment.changes
    now = circumstances_at(work.book.timeline, at_us)
    for change in changes:
        work.findings[change.after.finding_id] = change.after
    work.late = {change.after.finding_id for change in changes if change.late}
    work.doubted = {c.after.finding_id for c in changes if c.before is not None and c.before.unconfirmed}
    work.moved = {
        (change.after.programme, change.after.rule)
        for change in changes
        if change.late
        and change.before is not None
        and not change.before.retracted
        and change.after.finding_id in work.links
    }
    for change in changes:
        tell(work, change, at_us)
    for said in moment.remarks:
        remark(work, said)
    if now.ended:
        _end(work, at_us)
    else:
        attach_all(work, changes, at_us, now)
    for key, reasons in _reasons(work, changes).items():
        if work.alerts[key].signal is not Signal.REMARK:
            mark(work, key, reasons, at_us)
            mark_doubt(work, key, reasons, at_us)
        hold_back(work, key, now, at_us)


def _reasons(work: Work, changes: Sequence[FindingChange]) -> dict[UUID, list[Finding]]:
    """The findings of each alert that is not resolved or whose findings changed."""
    of_alert: dict[UUID, list[Finding]] = {
        key: [] for key, alert in work.alerts.items() if alert.state is not AlertState.RESOLVED
    }
    for change in changes:
        linked = work.links.get(change.after.finding_id)
        if linked is not None:
            of_alert.setdefault(linked, [])
    for key, linked in work.links.items():
        if linked in of_alert:
            of_alert[linked].append(work.findings[key])
    return of_alert


def _end(work: Work, at_us: int) -> None:
    for alert in list(work.alerts.values()):
        if alert.state is not AlertState.RESOLVED:
            work.resolve(alert, Outcome.ENDED, at_us)
