"""What makes a policy wrong although its fields are right: steps nobody reaches, promises too late."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from alerting.escalation.parts import write_duration
from alerting.escalation.policy import PolicySeverity
from alerting.escalation.policy_content import ANY_PROGRAMME, Key, Ladder, PolicyFile, StepLine
from alerting.escalation.teleconsultation import Teleconsultation
from alerting.yaml_files import Problem
from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.escalations import Channel, Recipient, RequestKind

LOW, MEDIUM, HIGH, ANY = (
    PolicySeverity.LOW, PolicySeverity.MEDIUM, PolicySeverity.HIGH, PolicySeverity.ANY,
)  # fmt: skip

OUTSIDE_WITHIN_US: Mapping[PolicySeverity, int] = {
    HIGH: 30 * MINUTE_US, ANY: 30 * MINUTE_US, MEDIUM: 24 * HOUR_US,
}  # fmt: skip
"""When nobody at the centre reacts: how soon somebody outside is asked at the latest.

High is what Dutch telephone triage calls U2 (seen by a doctor within an hour): half of that hour is left to
who is asked. Medium is U4 (within 24 hours). **Source**: NHG-TriageWijzer, justification, levels of urgency;
that our severities are these levels is our own proposal.
"""

SNOOZE_AT_MOST_US: Mapping[PolicySeverity, int] = {
    HIGH: HOUR_US, ANY: HOUR_US, MEDIUM: 12 * HOUR_US, LOW: 7 * DAY_US,
}  # fmt: skip
"""Nobody can silence an alert for ever: high no longer than U2, medium within the day, low within a week."""

RESOLVE_WITHIN_US: Mapping[PolicySeverity, int] = {
    HIGH: 4 * HOUR_US, ANY: 4 * HOUR_US, MEDIUM: DAY_US, LOW: 7 * DAY_US,
}  # fmt: skip
"""An acknowledgement is a promise, and not for longer than a half shift, a day, a week."""

REPEAT_EVERY_US: Mapping[PolicySeverity, int] = {
    HIGH: HOUR_US, ANY: HOUR_US, MEDIUM: DAY_US, LOW: 7 * DAY_US,
}  # fmt: skip
"""The longest silence after the last step."""

GROUP_WAIT_US: Mapping[PolicySeverity, int] = {HIGH: 0, ANY: 0, MEDIUM: 2 * HOUR_US, LOW: DAY_US}
"""What is severe waits for nothing to join it."""

RECHECK_AFTER_US: Mapping[PolicySeverity, int] = {
    HIGH: DAY_US, ANY: DAY_US, MEDIUM: 3 * DAY_US, LOW: 7 * DAY_US,
}  # fmt: skip
"""How soon somebody looks again at what was resolved and still holds."""

WAKES_NOBODY = (Channel.EMAIL, Channel.PULL)
"""Mail without data that waits to be read, and messages that wait to be fetched."""


@dataclass(frozen=True, slots=True)
class Known:
    """What policies may speak of."""

    programmes: Collection[str]
    recipients: Collection[Recipient]
    """For whom there is a roster."""
    questions: Teleconsultation


def problems(file: PolicyFile, known: Known) -> list[Problem]:
    """All that contradicts itself, or what is known."""
    found = [*_in_file(file, known)]
    for name, ladder in file.ladders.items():
        in_ladder = [*_in_promises(ladder), *_in_steps(file, ladder, known)]
        in_ladder = in_ladder or [*_too_late(ladder)]
        found += [Problem(("ladders", name, *p.path), p.expected, p.found) for p in in_ladder]
    return found


def key_in_words(key: Key) -> str:
    """What a ladder is for.

    >>> key_in_words(("*", None, PolicySeverity.HIGH))
    'any programme, any signal, severity high'
    """
    programme, signal, severity = key
    name = "any programme" if programme == ANY_PROGRAMME else programme
    return f"{name}, {'any signal' if signal is None else signal.value}, severity {severity.value}"


def without_default(keys: Iterable[Key]) -> list[PolicySeverity]:
    """The severities for which there is no ladder that counts for every programme and signal."""
    have = {severity for programme, signal, severity in keys if (programme, signal) == (ANY_PROGRAMME, None)}
    return [] if ANY in have else [one for one in (LOW, MEDIUM, HIGH) if one not in have]


def _in_file(file: PolicyFile, known: Known) -> Iterator[Problem]:
    if file.programme != ANY_PROGRAMME and file.programme not in known.programmes:
        expected = f'"*" for any, or one of {", ".join(sorted(known.programmes))}'
        yield Problem(("programme",), expected, file.programme)
    first: dict[Key, str] = {}
    for key, name in file.entries():
        if first.setdefault(key, name) != name:
            found = f"{key_in_words(key)}, also in {first[key]}"
            yield Problem(("ladders", name, "signals"), "one ladder for each signal and severity", found)


def _in_promises(ladder: Ladder) -> Iterator[Problem]:
    level = ladder.severity
    bounds = (
        ("resolve_within", ladder.resolve_within, 1, RESOLVE_WITHIN_US[level]),
        ("snooze_at_most", ladder.snooze_at_most, 1, SNOOZE_AT_MOST_US[level]),
        ("hand_over_within", ladder.hand_over_within, 1, ladder.resolve_within or DAY_US),
        ("recheck_after", ladder.recheck_after, 1, RECHECK_AFTER_US[level]),
        ("repeat_every", ladder.repeat_every, 1, REPEAT_EVERY_US[level]),
        ("group_wait", ladder.group_wait, 0, GROUP_WAIT_US[level]),
    )
    for field, us, least, most in bounds:
        if us < least:
            yield Problem((field,), "longer than zero", write_duration(us))
        elif us > most:
            expected = f"{write_duration(most)} at most for severity {level}"
            yield Problem((field,), expected, write_duration(us))
    technical = all(signal is not None and signal.technical for signal in ladder.about)
    if ladder.closes_by_itself and level is not LOW and not technical:
        expected = "false: only what is low or technical may close without anybody"
        yield Problem(("closes_by_itself",), expected, "true")
    names = [signal for signal in ladder.about if signal is not None]
    if len(set(names)) != len(names):
        yield Problem(("signals",), "each signal once", ", ".join(names))


def _in_steps(file: PolicyFile, ladder: Ladder, known: Known) -> Iterator[Problem]:
    first = ladder.steps[0]
    if first.recipient is not Recipient.NURSE or Channel.WORKLIST not in first.channels:
        found = f"{first.recipient} by {', '.join(first.channels)}"
        yield Problem(("steps", "0"), "nurse by worklist: where every alert is seen first", found)
    asked = False
    for number, step in enumerate(ladder.steps):
        last = number == len(ladder.steps) - 1
        in_step = [
            *_in_waits(step, ladder, last=last),
            *_in_channels(step),
            *_in_question(step, known.questions),
        ]
        if step.recipient not in known.recipients:
            in_step.append(Problem(("recipient",), "somebody who is in a roster", step.recipient.value))
        yield from (Problem(("steps", str(number), *p.path), p.expected, p.found) for p in in_step)
        asked = asked or step.question is not None
        if step.recipient is Recipient.REFERRAL_DESK and not asked:
            yield from _question_first(file, number, known.questions)


def _in_waits(step: StepLine, ladder: Ladder, *, last: bool) -> Iterator[Problem]:
    named = {
        "delivered": step.waits.delivered,
        "accepted": step.waits.accepted,
        "resolved": step.waits.resolved,
    }
    waits = {name: us for name, us in named.items() if us is not None}
    for name, us in waits.items():
        if us == 0:
            yield Problem(("waits", name), "longer than zero, or nothing", write_duration(us))
    for (name, us), (later, longer) in pairwise(waits.items()):
        if us >= longer > 0:
            yield Problem(
                ("waits", later),
                f"longer than {name}, or else nobody ever waits for {name}",
                f"{write_duration(longer)}, and {name} {write_duration(us)}",
            )
    if step.unanswered_us is None and not last:
        found = "waits for " + ("delivered only, which ends it no more once it is" if waits else "nothing")
        yield Problem(("waits",), "accepted or resolved: without, the next step is never reached", found)
    resolved = step.waits.resolved
    if resolved is not None and 0 < resolved < ladder.resolve_within:
        yield Problem(
            ("waits", "resolved"),
            f"resolve_within ({write_duration(ladder.resolve_within)}) at least, which who accepts has",
            write_duration(resolved),
        )


def _in_channels(step: StepLine) -> Iterator[Problem]:
    if len(set(step.channels)) != len(step.channels):
        yield Problem(("channels",), "each channel once", ", ".join(step.channels))
    for number, channel in enumerate(step.channels):
        path = ("channels", str(number))
        if channel is Channel.WORKLIST and step.recipient is not Recipient.NURSE:
            yield Problem(path, "a message: only nurses of the centre watch the worklist", channel.value)
        if channel is Channel.PATIENT:
            yield Problem(path, "a channel to a professional", channel.value)
    if step.request is RequestKind.ACUTE and all(channel in WAKES_NOBODY for channel in step.channels):
        expected = "for what is acute, also one that does not wait to be looked at"
        yield Problem(("channels",), expected, ", ".join(step.channels))


def _in_question(step: StepLine, questions: Teleconsultation) -> Iterator[Problem]:
    if step.question is None:
        if step.answer_within is not None:
            yield Problem(("answer_within",), "a question with it", "none")
        return
    condition = questions.conditions.get(step.question)
    if condition is None:
        expected = f"one of the list of teleconsultation: {', '.join(questions.conditions)}"
        yield Problem(("question",), expected, step.question)
    elif step.answer_within is not None and not 0 < step.answer_within <= condition.answer_within:
        expected = f"longer than zero, and {write_duration(condition.answer_within)} at most, as in the list"
        yield Problem(("answer_within",), expected, write_duration(step.answer_within))
    if step.recipient is not Recipient.SPECIALIST:
        yield Problem(("recipient",), "specialist: whom questions are for", step.recipient.value)
    if step.request is RequestKind.ACUTE:
        yield Problem(
            ("request",), "regular or complex_regional: what is acute is handed over", step.request.value
        )


def _question_first(file: PolicyFile, number: int, questions: Teleconsultation) -> Iterator[Problem]:
    if first := questions.first_in(file.programme):
        yield Problem(
            ("steps", str(number), "recipient"),
            f"a question before a referral ({', '.join(first)}), as the list of teleconsultation says",
            "no step with a question before it",
        )


def _too_late(ladder: Ladder) -> Iterator[Problem]:
    """When somebody outside is asked if nobody reacts; only of ladders whose steps are right."""
    limit_us = OUTSIDE_WITHIN_US.get(ladder.severity)
    if limit_us is None:
        return
    waited_us = 0
    for step in ladder.steps:
        if step.recipient is not Recipient.NURSE:
            break
        waited_us += step.unanswered_us or 0
    else:
        yield Problem(("steps",), "a step that asks somebody outside the centre", "none")
        return
    if waited_us > limit_us:
        expected = f"somebody outside the centre asked within {write_duration(limit_us)}"
        yield Problem(("steps",), f"{expected} for severity {ladder.severity}", write_duration(waited_us))
