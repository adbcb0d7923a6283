"""What a recipient's system says of our Task, and what that means for the escalation. Pure.

A Task that a system accepted is not a person who took over: only a named one, known here with a role at the
organisation that was asked, makes it theirs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from alerting.notify.fhir.entries import ESCALATION, PERSON
from models.errors import BadInput, Outdated
from models.escalations import Escalation, EscalationState

LONGEST_TEXT = 4_000


class Move(StrEnum):
    """What an answer does to an escalation."""

    NOTHING = "nothing"
    SEEN = "seen"
    ACCEPT = "accept"
    HAND_BACK = "hand_back"
    ANSWER = "answer"


class TaskStatus(StrEnum):
    """The states of a Task that a recipient may report."""

    REQUESTED = "requested"
    RECEIVED = "received"
    READY = "ready"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in-progress"
    ON_HOLD = "on-hold"
    REJECTED = "rejected"
    FAILED = "failed"
    COMPLETED = "completed"


_LOOKED_AT = (TaskStatus.REQUESTED, TaskStatus.RECEIVED, TaskStatus.READY)
_TAKEN = (TaskStatus.ACCEPTED, TaskStatus.IN_PROGRESS, TaskStatus.ON_HOLD)
_GIVEN_BACK = (TaskStatus.REJECTED, TaskStatus.FAILED)


@dataclass(frozen=True, slots=True)
class TaskAnswer:
    """What a Task says. `people` are all that it names, by our ids."""

    status: TaskStatus
    people: tuple[UUID, ...]
    reason: str | None = None
    answer: str | None = None
    referral_avoided: bool | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What to do, and what to say about it."""

    move: Move
    says: str


def read_task(resource: Mapping[str, Any], escalation_id: UUID) -> TaskAnswer:
    """A Task as it came back. **Raises**: BadInput: where, what was expected; never the Task's own words."""
    if resource.get("resourceType") != "Task":
        raise BadInput(where="resourceType", expected="Task", found="another")
    ours = [one for one in _each(resource, "identifier") if one.get("system") == ESCALATION]
    if any(str(one.get("value")).lower() != str(escalation_id) for one in ours):
        raise BadInput(where="Task.identifier", expected="the id in the address", found="another")
    return TaskAnswer(
        status=_status(resource.get("status")),
        people=tuple(dict.fromkeys(_people(resource))),
        reason=_text(_reason(resource), "Task.statusReason"),
        answer=_text(_answer(resource), "Task.output"),
        referral_avoided=_referral_avoided(resource),
    )


def patched(operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The part of a Task that a JSON Patch sets: whole elements, added or replaced. **Raises**: BadInput."""
    part: dict[str, Any] = {"resourceType": "Task"}
    for number, one in enumerate(operations):
        path = one.get("path")
        name = path.removeprefix("/") if isinstance(path, str) else ""
        if one.get("op") not in {"add", "replace"} or "/" in name or name not in _MAY_BE_PATCHED:
            expected = f"add or replace of one of {', '.join('/' + one for one in sorted(_MAY_BE_PATCHED))}"
            raise BadInput(where=str(number), expected=expected, found="another")
        part[name] = one.get("value")
    return part


_MAY_BE_PATCHED = {"status", "owner", "statusReason", "output", "contained"}


def decide(escalation: Escalation, answer: TaskAnswer, named: UUID | None) -> Decided:
    """What an answer does; `named` is a person whom the Task names and who may take it over.

    **Raises**: Outdated (409) for a step that is not open any more, BadInput (422) where something misses.
    """
    match escalation.state:
        case EscalationState.ASKED:
            return _when_asked(answer, named)
        case EscalationState.ACCEPTED:
            return _when_accepted(escalation, answer, named)
        case EscalationState.ANSWERED:
            return _same_again(answer, (TaskStatus.COMPLETED,), "answered")
        case EscalationState.HANDED_BACK:
            return _same_again(answer, _GIVEN_BACK, "handed back")
        case EscalationState.PASSED_ON | EscalationState.WITHDRAWN:
            raise Outdated(f"This escalation is over: {escalation.state.value}. Nothing is asked any more.")


def _when_asked(answer: TaskAnswer, named: UUID | None) -> Decided:
    if answer.status in _LOOKED_AT:
        return Decided(Move.SEEN, "Seen. The sender stays responsible until a named person accepts.")
    if answer.status in _TAKEN:
        if named is not None:
            return Decided(Move.ACCEPT, "Accepted: the named person is responsible from now on.")
        return Decided(
            Move.SEEN,
            "Seen only, not accepted: no person is named who is known here with a role at your organisation. "
            f"Expected Task.owner.identifier with system {PERSON}. The sender stays responsible.",
        )
    if answer.status in _GIVEN_BACK:
        return _hand_back(answer)
    decided = _answered(answer)
    if named is None:
        raise BadInput(
            where="Task.owner", expected=f"a person, by {PERSON}, whose answer it is", found="nobody"
        )
    return decided


def _when_accepted(escalation: Escalation, answer: TaskAnswer, named: UUID | None) -> Decided:
    if answer.status in _LOOKED_AT:
        raise Outdated("This escalation was accepted: to give it back, expected the status rejected.")
    if answer.status in _TAKEN:
        if named not in {None, escalation.accepted_by}:
            raise Outdated("Another person accepted this escalation: they hand it over, or give it back.")
        return Decided(Move.NOTHING, "Known already: it is accepted.")
    return _hand_back(answer) if answer.status in _GIVEN_BACK else _answered(answer)


def _same_again(answer: TaskAnswer, same: Sequence[TaskStatus], what: str) -> Decided:
    if answer.status in same:
        return Decided(Move.NOTHING, f"Known already: it is {what}.")
    raise Outdated(f"This escalation is over: it was {what}.")


def _hand_back(answer: TaskAnswer) -> Decided:
    if answer.reason is None:
        raise BadInput(where="Task.statusReason.text", expected="why it is given back", found="nothing")
    return Decided(Move.HAND_BACK, "Handed back: the sender is responsible.")


def _answered(answer: TaskAnswer) -> Decided:
    if answer.answer is None:
        raise BadInput(where="Task.output", expected="the answer, as valueString", found="nothing")
    return Decided(Move.ANSWER, "Answered.")


def _status(found: object) -> TaskStatus:
    try:
        return TaskStatus(str(found))
    except ValueError:
        raise BadInput(
            where="Task.status", expected=f"one of {', '.join(TaskStatus)}", found="another"
        ) from None


def _people(resource: Mapping[str, Any]) -> Iterator[UUID]:
    """Whom the owner names: by identifier, by reference, or by what is contained."""
    owner = _part(resource, "owner")
    yield from _person_of(owner)
    target = owner.get("reference")
    if isinstance(target, str) and target.startswith("#"):
        for inside in _each(resource, "contained"):
            if inside.get("id") != target[1:]:
                continue
            for identifier in _each(inside, "identifier"):
                yield from _person_by(identifier)
            yield from _person_of(_part(inside, "practitioner"))


def _person_of(reference: Mapping[str, Any]) -> Iterator[UUID]:
    yield from _person_by(_part(reference, "identifier"))
    target = reference.get("reference")
    if isinstance(target, str):
        for kind in ("Practitioner/", "PractitionerRole/"):
            if target.startswith(kind):
                yield from _uuid(target.removeprefix(kind))


def _person_by(identifier: Mapping[str, Any]) -> Iterator[UUID]:
    if identifier.get("system") == PERSON:
        yield from _uuid(identifier.get("value"))


def _uuid(found: object) -> Iterator[UUID]:
    try:
        yield UUID(str(found))
    except ValueError:
        return


def _reason(resource: Mapping[str, Any]) -> object:
    reason = _part(resource, "statusReason")
    texts = (reason.get("text"), *(one.get("display") for one in _each(reason, "coding")))
    return next((text for text in texts if text), None)


def _answer(resource: Mapping[str, Any]) -> object:
    return next((one["valueString"] for one in _each(resource, "output") if one.get("valueString")), None)


def _referral_avoided(resource: Mapping[str, Any]) -> bool | None:
    for one in _each(resource, "output"):
        codes = [coding.get("code") for coding in _each(_part(one, "type"), "coding")]
        if "referral_avoided" in codes:
            found = one.get("valueBoolean")
            if not isinstance(found, bool):
                raise BadInput(
                    where="Task.output", expected="valueBoolean of referral_avoided", found="another"
                )
            return found
    return None


def _text(found: object, where: str) -> str | None:
    if found is None:
        return None
    if not isinstance(found, str) or not 0 < len(found.strip()) <= LONGEST_TEXT:
        raise BadInput(where=where, expected=f"a text of at most {LONGEST_TEXT} characters", found="another")
    return found.strip()


def _part(resource: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = resource.get(name)
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}


def _each(resource: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = resource.get(name)
    parts = cast("list[object]", found) if isinstance(found, list) else []
    return [cast("Mapping[str, Any]", part) for part in parts if isinstance(part, Mapping)]
