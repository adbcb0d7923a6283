"""Policies as they are written: a file for each programme, in it a ladder for each signal and severity."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, cast

from pydantic import BeforeValidator, Field, TypeAdapter
from pydantic_core import PydanticCustomError

from alerting.engine.programme import Mark, Name, Texts, Words
from alerting.escalation.parts import Duration, Part, canonical, hash_of
from alerting.escalation.policy import Policy, PolicySeverity, Step
from models.clock import HOUR_US
from models.escalations import Channel, Recipient, RequestKind
from models.findings import Signal

ANY_PROGRAMME = "*"
ANY_SIGNAL = "any"
MOST_STEPS = 12

_POLICY = TypeAdapter(Policy)

Key = tuple[str, Signal | None, PolicySeverity]
"""Programme, signal and severity for which a ladder is."""


def _any_or_named(written: object) -> object:
    if written == ANY_SIGNAL:
        return ()
    if not isinstance(written, list) or not written:
        raise PydanticCustomError("signals", "Input should be any, or a list of signals")
    return cast("list[object]", written)


Signals = Annotated[
    tuple[Annotated[Signal, Field(strict=False)], ...],
    Field(strict=False),
    BeforeValidator(_any_or_named),
]


class Waits(Part):
    """How long a step waits for what; left out: it does not wait for that."""

    delivered: Duration | None = None
    accepted: Duration | None = None
    resolved: Duration | None = None


class StepLine(Part):
    """One step of a ladder."""

    recipient: Annotated[Recipient, Field(strict=False)]
    request: Annotated[RequestKind, Field(strict=False)]
    channels: Annotated[
        tuple[Annotated[Channel, Field(strict=False)], ...], Field(min_length=1, strict=False)
    ]
    waits: Waits = Waits()
    question: Name | None = None
    answer_within: Duration | None = None

    @property
    def unanswered_us(self) -> int | None:
        """When the next is asked if nobody does anything; None: never. **Units**: microseconds."""
        return min((us for us in (self.waits.accepted, self.waits.resolved) if us is not None), default=None)


class Ladder(Part):
    """Who is asked for some signals of one severity, and what is promised meanwhile."""

    signals: Signals
    """None of them: any."""
    severity: Annotated[PolicySeverity, Field(strict=False)]
    text: Texts
    resolve_within: Duration
    snooze_at_most: Duration
    hand_over_within: Duration
    recheck_after: Duration = 24 * HOUR_US
    repeat_every: Duration
    group_wait: Duration = 0
    closes_by_itself: bool = False
    steps: Annotated[tuple[StepLine, ...], Field(min_length=1, max_length=MOST_STEPS, strict=False)]

    @property
    def about(self) -> tuple[Signal | None, ...]:
        """The signals that it is for; None: any."""
        return self.signals or (None,)


class PolicyFile(Part):
    """A version of all ladders of a programme, or (`*`) of those that count where a programme has none."""

    policy: Name
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    programme: Annotated[str, Field(pattern=r"^(\*|[a-z][a-z0-9_]{0,59})$")]
    title: Texts
    source: Words
    mark: Mark
    ladders: Annotated[dict[Name, Ladder], Field(min_length=1)]

    def entries(self) -> Iterator[tuple[Key, str]]:
        """For what its ladders are, with their names."""
        for name, ladder in self.ladders.items():
            for signal in ladder.about:
                yield (self.programme, signal, ladder.severity), name

    def policies(self, answers: Mapping[str, int]) -> dict[str, Policy]:
        """Its ladders as they are gone by, by name; `answers`: how soon each question is answered at most."""
        return {name: self._policy(name, ladder, answers) for name, ladder in self.ladders.items()}

    def _policy(self, name: str, ladder: Ladder, answers: Mapping[str, int]) -> Policy:
        policy = Policy(
            name=f"{self.policy}.{name}",
            version=self.version,
            hash="",
            steps=tuple(_step(line, answers) for line in ladder.steps),
            resolve_within_us=ladder.resolve_within,
            snooze_at_most_us=ladder.snooze_at_most,
            hand_over_within_us=ladder.hand_over_within,
            recheck_after_us=ladder.recheck_after,
            repeat_every_us=ladder.repeat_every,
            group_wait_us=ladder.group_wait,
            closes_by_itself=ladder.closes_by_itself,
        )
        return replace(policy, hash=hash_of(content_of_policy(policy)))


def content_of_policy(policy: Policy) -> str:
    """All that a policy says, as JSON: what it is called and how it is explained does not change it."""
    content = _POLICY.dump_python(policy, mode="json", exclude={"name", "version", "hash"})
    return canonical(content)


def _step(line: StepLine, answers: Mapping[str, int]) -> Step:
    answer_within = line.answer_within
    if line.question is not None and answer_within is None:
        answer_within = answers[line.question]
    return Step(
        recipient=line.recipient,
        request=line.request,
        channels=line.channels,
        delivered_within_us=line.waits.delivered,
        accepted_within_us=line.waits.accepted,
        resolved_within_us=line.waits.resolved,
        question=line.question,
        answer_within_us=answer_within,
    )
