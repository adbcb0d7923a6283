"""The list of conditions for which a question to a specialist comes first, approved by both lines."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from alerting.engine.programme import Mark, Name, Texts, Words
from alerting.escalation.parts import Duration, Part, Recorded, write_duration
from alerting.yaml_files import Problem, checked, parse, read_text
from models.clock import DAY_US

PACKAGED = Path(__file__).parent / "teleconsultation.yaml"
LINES = ("first", "second")

LONGEST_ANSWER_US = 14 * DAY_US
"""Whoever waits longer for an answer refers instead."""


class Approval(Part):
    """Who of a line agreed to the list, and when."""

    line: Literal["first", "second"]
    body: Words
    on: Annotated[date, Field(strict=False)]


class Condition(Part):
    """A condition for which a question comes first: whom to ask, and how soon they answer."""

    programmes: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    text: Texts
    specialist: Texts
    answer_within: Duration
    source: Words


class Teleconsultation(Recorded):
    """A version of the list."""

    teleconsultation: Name
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    title: Texts
    source: Words
    mark: Mark
    approved_by: Annotated[tuple[Approval, ...], Field(strict=False)]
    conditions: Annotated[dict[Name, Condition], Field(min_length=1)]

    def first_in(self, programme: str) -> tuple[str, ...]:
        """The conditions of a programme for which a question comes before a referral."""
        return tuple(name for name, one in self.conditions.items() if programme in one.programmes)


def load_list(file: Path = PACKAGED) -> Teleconsultation:
    """The list of a file. **Raises**: BadFile."""
    return list_of(read_text(file), file.name)


def list_of(text: str, name: str) -> Teleconsultation:
    """The list that a text describes; `name` stands for it in errors. **Raises**: BadFile."""
    file = parse(text, name, "a list of teleconsultation")
    return checked(file, Teleconsultation, lambda content: [*_problems(content)])


def _problems(listed: Teleconsultation) -> Iterator[Problem]:
    for line in LINES:
        if line not in {one.line for one in listed.approved_by}:
            yield Problem(("approved_by",), "who approved it of both lines, with the date", f"no {line} line")
    for name, condition in listed.conditions.items():
        if not 0 < condition.answer_within <= LONGEST_ANSWER_US:
            yield Problem(
                ("conditions", name, "answer_within"),
                f"longer than zero, {write_duration(LONGEST_ANSWER_US)} at most",
                write_duration(condition.answer_within),
            )
