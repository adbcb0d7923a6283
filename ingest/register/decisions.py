"""Changing what holds for a patient: what a form comes to, given what holds now, or a refusal. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from ingest.register.forms import (
    CareForm,
    ChangeForm,
    DeviceForm,
    EndForm,
    EnrolForm,
    IdentityForm,
    LimitsForm,
    MoveForm,
    Nothing,
    PauseForm,
    ReturnForm,
    SchedulesForm,
    StepDownForm,
    WithdrawForm,
)
from ingest.register.inclusions import (
    LONGEST_AHEAD_US,
    Given,
    enrol_of,
    identity_of,
    informed_at,
    limit_of,
    require_kind,
    schedule_of,
)
from ingest.register.state import Enrolment, State, fold
from models.clock import to_datetime, to_us
from models.errors import BadInput
from models.messages import (
    Admit,
    AnyChange,
    Discharge,
    End,
    MoveVersion,
    Pause,
    PersonalLimit,
    PersonalSchedule,
    Resume,
    SetLimits,
    SetSchedule,
    Withdraw,
)
from models.programmes import Offered
from models.register import Care, Decided, Device, OrganisationKind, Registered

AFTER_THE_END = frozenset({"identity", "take_back"})
"""What may still change when the follow-up has ended."""


@dataclass(frozen=True, slots=True)
class _Asked:
    who: Registered
    state: State
    given: Given
    from_us: int


def decide(who: Registered, form: ChangeForm, given: Given) -> Decided:
    """What a change comes to. **Raises**: BadInput, saying which field, what was expected, and what to do."""
    from_us = _from_us(form, given)
    state = fold(who.changes, from_us)
    name = form.change.name or ""
    if state.end is not None and name not in AFTER_THE_END:
        raise BadInput(
            where=name,
            expected="a patient who is followed (who comes back is included anew)",
            found=f"one whose follow-up has ended: {state.end.reason}",
        )
    decided = _DECISIONS[name](form.change.only, _Asked(who, state, given, from_us))
    if form.as_of is not None and not decided.changes:
        raise BadInput(where="as_of", expected="nothing: this holds from now on", found="a moment")
    return replace(decided, correction=form.correction)


def merge(double: Registered, stays: Registered, given: Given) -> Decided:
    """A double registration ends and points to the one that stays. **Raises**: BadInput."""
    if double.patient_id == stays.patient_id:
        raise BadInput(where="into", expected="another patient", found="the same")
    if double.origin is not stays.origin:
        raise BadInput(where="into", expected=f"a patient who is {double.origin}", found=stays.origin.value)
    if double.care.merged_into is not None:
        raise BadInput(where="patient", expected="one that was not merged yet", found="one that was")
    if fold(stays.changes, given.now_us).end is not None:
        raise BadInput(
            where="into", expected="a patient who is followed", found="one whose follow-up has ended"
        )
    has_ended = fold(double.changes).end is not None
    care = replace(
        double.care, merged_into=stays.patient_id, ended_at=double.care.ended_at or given.now, review_on=None
    )
    return Decided(
        valid_from_us=given.now_us,
        changes=() if has_ended else (End(reason="finished"),),
        care=care,
        frees_number=True,
    )


def _from_us(form: ChangeForm, given: Given) -> int:
    if form.as_of is None:
        if form.correction:
            raise BadInput(where="as_of", expected="from when the correction holds", found="nothing")
        return given.now_us
    from_us = to_us(form.as_of)
    if from_us > given.now_us + LONGEST_AHEAD_US:
        raise BadInput(where="as_of", expected="a moment within 400 days", found="a later one")
    if from_us < given.now_us and not form.correction:
        expected = "now or later; what has been is changed by a correction, which says so"
        raise BadInput(where="as_of", expected=expected, found="an earlier moment")
    return from_us


def _log(asked: _Asked, *changes: AnyChange) -> Decided:
    return Decided(asked.from_us, changes=changes)


def _enrol(form: EnrolForm, asked: _Asked) -> Decided:
    if form.programme in asked.state.enrolments or form.programme in fold(asked.who.changes).enrolments:
        raise BadInput(where="programme", expected="one that the patient is not in yet", found=form.programme)
    return _log(asked, enrol_of(form, asked.given, asked.from_us))


def _withdraw(form: WithdrawForm, asked: _Asked) -> Decided:
    _require_enrolled(asked.state, form.programme)
    return _log(asked, Withdraw(programme=form.programme))


def _move(form: MoveForm, asked: _Asked) -> Decided:
    now = _require_enrolled(asked.state, form.programme)
    offered = asked.given.catalogue.find(form.programme, form.version)
    if offered.version == now:
        raise BadInput(where="version", expected="another than the patient has", found=str(now))
    moved = MoveVersion(programme=form.programme, version=offered.version)
    return _log(asked, *_unfit(asked.state.enrolments[form.programme], offered), moved)


def _unfit(enrolment: Enrolment, offered: Offered) -> Iterator[AnyChange]:
    """What is personal and another version does not know is taken back first: so that it is on record."""
    limits: dict[str, PersonalLimit | None] = {
        name: None
        for name, layers in enrolment.limits.items()
        if not all(offered.fits(name, one) for one in layers)
    }
    if limits:
        yield SetLimits(programme=offered.programme, limits=limits)
    schedule: dict[str, PersonalSchedule | None] = {
        name: None for name in enrolment.schedule if name not in offered.schedules
    }
    if schedule:
        yield SetSchedule(programme=offered.programme, schedule=schedule)


def _limits(form: LimitsForm, asked: _Asked) -> Decided:
    offered = asked.given.catalogue.find(form.programme, _require_enrolled(asked.state, form.programme))
    for name in form.limits:
        offered.limit(name)
    limits = {
        name: None if one is None else limit_of(offered, name, one, asked.given, asked.from_us)
        for name, one in form.limits.items()
    }
    return _log(asked, SetLimits(programme=form.programme, limits=limits))


def _schedule(form: SchedulesForm, asked: _Asked) -> Decided:
    offered = asked.given.catalogue.find(form.programme, _require_enrolled(asked.state, form.programme))
    for name in form.schedule:
        offered.require_schedule(name)
    schedule = {
        name: None if one is None else schedule_of(offered, name, one, asked.given)
        for name, one in form.schedule.items()
    }
    return _log(asked, SetSchedule(programme=form.programme, schedule=schedule))


def _step_down(form: StepDownForm, asked: _Asked) -> Decided:
    _require_to_come(form.review_on, asked.given)
    return replace(_schedule(form, asked), care=replace(asked.who.care, review_on=form.review_on))


def _pause(form: PauseForm, asked: _Asked) -> Decided:
    if form.until is not None and to_us(form.until) <= asked.from_us:
        raise BadInput(where="pause.until", expected="an end after it begins", found="one before")
    said = {"until_us": None if form.until is None else to_us(form.until), "reason": form.reason}
    return _log(
        asked, Pause.model_validate({name: value for name, value in said.items() if value is not None})
    )


def _resume(_: Nothing, asked: _Asked) -> Decided:
    if not asked.state.is_paused(asked.from_us):
        raise BadInput(where="resume", expected="a patient who is paused", found="one who is not")
    return _log(asked, Resume())


def _admit(_: Nothing, asked: _Asked) -> Decided:
    if asked.state.admitted:
        raise BadInput(where="admit", expected="a patient who is at home", found="one who is admitted")
    return _log(asked, Admit())


def _discharge(_: Nothing, asked: _Asked) -> Decided:
    if not asked.state.admitted:
        raise BadInput(where="discharge", expected="a patient who is admitted", found="one who is not")
    return _log(asked, Discharge())


def _end(form: EndForm, asked: _Asked) -> Decided:
    if asked.from_us > asked.given.now_us:
        # Its number is free at once, and the patient would be there twice until then.
        raise BadInput(where="as_of", expected="an end that has come", found="one to come")
    return replace(
        _log(asked, End(reason=form.reason)),
        care=replace(asked.who.care, ended_at=to_datetime(asked.from_us), review_on=None),
        frees_number=form.reason != "died",
    )


def _care(form: CareForm, asked: _Asked) -> Decided:
    given, care = asked.given, asked.who.care
    changed: dict[str, Any] = {name: getattr(form, name) for name in form.model_fields_set}
    if not changed:
        raise BadInput(where="care", expected="something that changes", found="nothing")
    if form.review_on is not None:
        _require_to_come(form.review_on, given)
    informed_at(form.informed_at, given)
    if ("informed_at" in changed) != ("informed_by" in changed):
        changed = {"informed_at": given.now, "informed_by": given.person_id} | changed
    if (changed.get("informed_at") is None) != (changed.get("informed_by") is None):
        raise BadInput(
            where="informed_by", expected="who informed and when, or neither", found="one of the two"
        )
    if "huisarts" not in changed:
        return Decided(given.now_us, care=replace(care, **changed))
    del changed["huisarts"]
    return _another_huisarts(replace(care, **changed), form.huisarts, asked)


def _another_huisarts(care: Care, huisarts: UUID | None, asked: _Asked) -> Decided:
    if huisarts is not None:
        require_kind(asked.given, huisarts, OrganisationKind.GP_PRACTICE, "huisarts")
    former = care.huisarts_id
    return Decided(
        asked.given.now_us,
        care=replace(care, huisarts_id=huisarts),
        treats=None if huisarts == former else huisarts,
        # Who follows the patient goes on treating them.
        treats_no_more=None if former in {huisarts, asked.who.organisation_id} else former,
    )


def _identity(form: IdentityForm, asked: _Asked) -> Decided:
    identity, care = identity_of(form, asked.who.origin, asked.given), asked.who.care
    told = identity.mantelzorger_may_be_told
    changed = None if told == care.copy_to_mantelzorger else replace(care, copy_to_mantelzorger=told)
    return Decided(asked.given.now_us, identity=identity, care=changed)


def _hand_out(form: DeviceForm, asked: _Asked) -> Decided:
    return Decided(asked.given.now_us, hand_out=(Device(form.device_id, form.kind),))


def _take_back(form: ReturnForm, asked: _Asked) -> Decided:
    return Decided(asked.given.now_us, take_back=(form.device_id,))


_DECISIONS: Mapping[str, Callable[[Any, _Asked], Decided]] = {
    "enrol": _enrol,
    "withdraw": _withdraw,
    "move": _move,
    "limits": _limits,
    "schedule": _schedule,
    "step_down": _step_down,
    "pause": _pause,
    "resume": _resume,
    "admit": _admit,
    "discharge": _discharge,
    "end": _end,
    "care": _care,
    "identity": _identity,
    "hand_out": _hand_out,
    "take_back": _take_back,
}


def _require_enrolled(state: State, programme: str) -> int:
    if programme not in state.enrolments:
        expected = f"one that the patient is in ({', '.join(state.enrolments) or 'none'})"
        raise BadInput(where="programme", expected=expected, found=programme)
    return state.enrolments[programme].version


def _require_to_come(day: date, given: Given) -> None:
    if day <= given.now.date():
        raise BadInput(where="review_on", expected="a day to come", found=day.isoformat())
