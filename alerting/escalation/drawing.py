"""Policies, rosters and the list of teleconsultation as text that people read to agree on them."""

from collections.abc import Iterator, Sequence

from alerting.escalation.calendar import HOLIDAY, WEEKDAYS
from alerting.escalation.parts import write_duration
from alerting.escalation.policy_content import ANY_PROGRAMME, Ladder, PolicyFile, StepLine
from alerting.escalation.roster import DutyLine, Roster
from alerting.escalation.teleconsultation import Teleconsultation

MARKS = {
    "S": "as its source says",
    "M": "from memory",
    "P": "our own proposal, without authority",
}


def draw_policy(file: PolicyFile) -> Iterator[str]:
    """The ladders of a file, one step a line, with the time at which it is taken when nobody reacts."""
    programme = "any programme" if file.programme == ANY_PROGRAMME else f"programme {file.programme}"
    title = f"{file.title.nl} / {file.title.en} ({MARKS[file.mark]})"
    yield f"policy {file.policy} {file.version}, {programme}: {title}"
    for name, ladder in file.ladders.items():
        signals = ", ".join(ladder.signals) or "any signal"
        yield ""
        yield f"  {name}: {ladder.severity}, {signals}"
        yield f"  {ladder.text.nl} / {ladder.text.en}"
        yield from _steps(ladder)
        yield from _promises(ladder)


def _steps(ladder: Ladder) -> Iterator[str]:
    times, at_us = list[str](), 0
    for step in ladder.steps:
        times.append("at once" if at_us == 0 else f"after {write_duration(at_us)}")
        at_us += step.unanswered_us or 0
    width = max(map(len, times))
    for number, (when, step) in enumerate(zip(times, ladder.steps, strict=True), start=1):
        yield f"    {when:{width}}  {number}. {_step(step)}"
        last = number == len(ladder.steps)
        if waits := _waits(step):
            then = "it is taken again" if last else f"step {number + 1}"
            yield f"    {'':{width}}     {waits}: {then}"
    again = f"the last step again each {write_duration(ladder.repeat_every)}, until somebody accepts"
    yield f"    {'':{width}}     {again}"


def _step(step: StepLine) -> str:
    channels = ", else ".join(step.channels)
    asked = "" if step.question is None else f", a question: {step.question}"
    if step.answer_within is not None:
        asked += f", answered within {write_duration(step.answer_within)}"
    return f"{step.recipient}, {step.request}, by {channels}{asked}"


def _waits(step: StepLine) -> str:
    waits = (
        ("delivered", step.waits.delivered),
        ("accepted", step.waits.accepted),
        ("resolved", step.waits.resolved),
    )
    return ", ".join(f"not {what} within {write_duration(us)}" for what, us in waits if us is not None)


def _promises(ladder: Ladder) -> Iterator[str]:
    grouped = f", messages grouped for {write_duration(ladder.group_wait)}" if ladder.group_wait else ""
    closes = "closes by itself" if ladder.closes_by_itself else "closed by a person only"
    yield (
        f"    promised: resolved within {write_duration(ladder.resolve_within)},"
        f" snoozed {write_duration(ladder.snooze_at_most)} at most,"
        f" handed over within {write_duration(ladder.hand_over_within)},"
        f" looked at again after {write_duration(ladder.recheck_after)}"
    )
    yield f"    {closes}{grouped}"


def draw_roster(roster: Roster) -> Iterator[str]:
    """Who is on duty, one line for each."""
    title = f"{roster.title.nl} / {roster.title.en} ({MARKS[roster.mark]})"
    yield f"roster {roster.roster} {roster.version}: {title}"
    yield f"  holidays: {', '.join(roster.holidays.closed)}"
    for recipient, lines in roster.recipients.items():
        yield f"  {recipient}"
        yield from (f"    {line}" for line in columns([_duty(name, line) for name, line in lines.items()]))


def _duty(name: str, line: DutyLine) -> tuple[str, ...]:
    every = len(line.on) == len(WEEKDAYS) + 1
    days = "every day" if every else " ".join(day for day in (*WEEKDAYS, HOLIDAY) if day in line.on)
    who = f"→ {line.by}" if line.by is not None else f"{line.shift}"
    return name, days, f"{line.from_}–{line.until}", who, line.title.nl


def draw_list(listed: Teleconsultation) -> Iterator[str]:
    """The conditions for which a question comes first."""
    yield (
        f"teleconsultation {listed.teleconsultation} {listed.version}: {listed.title.nl} / {listed.title.en}"
        f" ({MARKS[listed.mark]})"
    )
    for approval in listed.approved_by:
        yield f"  {approval.line} line, {approval.on.isoformat()}: {approval.body}"
    rows = [
        (name, condition.specialist.nl, write_duration(condition.answer_within), condition.text.nl)
        for name, condition in listed.conditions.items()
    ]
    yield from (f"    {line}" for line in columns(rows))


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of the same length, one under the other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
