"""What was asked of an organisation as somebody there reads it at a glance. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from alerting.notify.letter.plain import plain
from models.access import User
from models.db.asked import Asked
from models.escalations import OPEN_ESCALATION, EscalationState, RequestKind
from models.identity import Identity

_DIALLED = re.compile(r"[^0-9+]")
_LEAST_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One escalation. **Units**: microseconds since 1970 UTC.

    `patient`: None where the register holds no name. `by`: the person who asked, None for the agreed steps.
    """

    asked: Asked
    patient: str | None
    born: str | None
    by: str | None
    organisation: str | None
    accepted_by: str | None
    is_mine: bool
    is_late: bool

    @property
    def is_open(self) -> bool:
        """Whether something is still asked, or being done."""
        return self.asked.escalation.state in OPEN_ESCALATION

    @property
    def is_question(self) -> bool:
        """Whether an answer is asked for, and the patient stays with who asks."""
        return self.asked.escalation.question is not None

    @property
    def is_acute(self) -> bool:
        """Whether it cannot wait."""
        return self.asked.escalation.request is RequestKind.ACUTE

    @property
    def may_accept(self) -> bool:
        """Whether somebody is still to take it upon themselves."""
        return self.asked.escalation.state is EscalationState.ASKED

    @property
    def may_answer(self) -> bool:
        """Whether who looks may answer it or hand it back: what a colleague took over is theirs."""
        return self.is_open and (self.may_accept or self.is_mine or self.is_question)


@dataclass(frozen=True, slots=True)
class Lists:
    """What is still to be done, and what was done in the last day."""

    open: Sequence[Row]
    over: Sequence[Row]


def ids_of(asked: Iterable[Asked]) -> set[UUID]:
    """The people and organisations that are named beside escalations."""
    found: set[UUID] = set()
    for one in asked:
        escalation = one.escalation
        found.add(escalation.organisation_id)
        found.update(who for who in (escalation.asked_by, escalation.accepted_by) if who is not None)
    return found


def row_of(
    asked: Asked, persons: Mapping[UUID, Identity], names: Mapping[UUID, str], user: User, now_us: int
) -> Row:
    """How one reads for somebody."""
    escalation = asked.escalation
    person = persons.get(escalation.patient_id)
    late = asked.by_us is not None and asked.by_us < now_us and escalation.state is EscalationState.ASKED
    return Row(
        asked=asked,
        patient=None if person is None else plain(f"{person.given_names} {person.family_name}".strip()),
        born=None if person is None else f"{person.birth_date:%d-%m-%Y}",
        by=None if escalation.asked_by is None else names.get(escalation.asked_by),
        organisation=names.get(escalation.organisation_id),
        accepted_by=None if escalation.accepted_by is None else names.get(escalation.accepted_by),
        is_mine=escalation.accepted_by == user.person_id,
        is_late=late,
    )


def lists_of(rows: Sequence[Row]) -> Lists:
    """Open ones as they came (what is acute first), and those that are over."""
    return Lists([row for row in rows if row.is_open], [row for row in rows if not row.is_open])


def dialled(telephone: str | None) -> str | None:
    """A number as a telephone dials it; None for what is none.

    >>> dialled("070 - 312 45 67"), dialled("+31 70 312 45 67"), dialled("vraag de balie"), dialled(None)
    ('0703124567', '+31703124567', None, None)
    """
    digits = _DIALLED.sub("", telephone or "")
    return digits if len(digits) >= _LEAST_DIGITS else None
