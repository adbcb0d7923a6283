"""What was asked of a practice, as somebody there reads it."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from alerting.console.frame import home_of
from alerting.console.huisarts.asked import ids_of, lists_of, row_of
from alerting.console.huisarts.letters import table_of
from alerting.explain.vocabulary import Language
from alerting.notify.letter.letter import Limit, Series
from models.access import Role, User
from models.clock import HOUR_US
from models.db.asked import Asked
from models.escalations import Escalation, EscalationState, Party, Recipient, RequestKind
from models.findings import Severity, Signal
from models.identity import Identity

PATIENT, ALERT, ESCALATION, CENTRE, PRACTICE, NURSE, ME, COLLEAGUE = (
    UUID(int=n, version=4) for n in range(1, 9)
)
NOW_US = 1_795_332_660_000_000
USER = User(ME, PRACTICE, Role.HUISARTS)
TAKE_OVER = Escalation(
    escalation_id=ESCALATION, alert_id=ALERT, patient_id=PATIENT, organisation_id=CENTRE, step_no=1,
    recipient=Recipient.HUISARTS, request=RequestKind.REGULAR, to=Party(Role.HUISARTS, PRACTICE),
    asked_at_us=NOW_US - HOUR_US, reason="Kortademig.", asked_by=NURSE,
)  # fmt: skip
QUESTION = replace(TAKE_OVER, question="Mag het hoger?")
WHO = Identity(family_name="de\u202eVries", given_names="Jan", birth_date=date(1950, 3, 1))


def asked(escalation: Escalation = TAKE_OVER, by_us: int | None = None) -> Asked:
    return Asked(escalation, Severity.HIGH, Signal.FLUID, 3, "Laak", by_us)


def accepted(escalation: Escalation, by: UUID) -> Escalation:
    return replace(escalation, state=EscalationState.ACCEPTED, accepted_at_us=NOW_US, accepted_by=by)


def test_names_show_all_that_is_in_them() -> None:
    row = row_of(asked(), {PATIENT: WHO}, {NURSE: "M. Jansen", CENTRE: "Centrum"}, USER, NOW_US)
    assert row.patient == "Jan de[U+202E]Vries"
    assert (row.born, row.by, row.organisation) == ("01-03-1950", "M. Jansen", "Centrum")
    assert ids_of([asked()]) == {CENTRE, NURSE}


def test_a_patient_without_a_name_is_shown_all_the_same() -> None:
    row = row_of(asked(replace(TAKE_OVER, asked_by=None)), {}, {}, USER, NOW_US)
    assert (row.patient, row.by, row.organisation) == (None, None, None)


@pytest.mark.parametrize(
    ("escalation", "may_accept", "may_answer"),
    [
        (TAKE_OVER, True, True),
        (accepted(TAKE_OVER, ME), False, True),
        (accepted(TAKE_OVER, COLLEAGUE), False, False),
        (accepted(QUESTION, COLLEAGUE), False, True),
        (replace(TAKE_OVER, state=EscalationState.WITHDRAWN, over_at_us=NOW_US), False, False),
    ],
    ids=["asked", "mine", "of a colleague", "a question of a colleague", "over"],
)
def test_what_may_be_done(escalation: Escalation, *, may_accept: bool, may_answer: bool) -> None:
    row = row_of(asked(escalation), {}, {}, USER, NOW_US)
    assert (row.may_accept, row.may_answer) == (may_accept, may_answer)


def test_late_is_what_nobody_took_up_in_time() -> None:
    before = NOW_US - 1
    assert row_of(asked(by_us=before), {}, {}, USER, NOW_US).is_late
    assert not row_of(asked(accepted(TAKE_OVER, ME), before), {}, {}, USER, NOW_US).is_late
    assert not row_of(asked(by_us=NOW_US + 1), {}, {}, USER, NOW_US).is_late
    assert not row_of(asked(), {}, {}, USER, NOW_US).is_late


def test_what_is_over_stands_apart() -> None:
    over = replace(TAKE_OVER, state=EscalationState.HANDED_BACK, over_at_us=NOW_US)
    rows = [row_of(asked(one), {}, {}, USER, NOW_US) for one in (TAKE_OVER, over)]
    lists = lists_of(rows)
    assert (lists.open, lists.over) == (rows[:1], rows[1:])


def test_a_chart_has_its_numbers_the_newest_first() -> None:
    points = tuple((NOW_US - n * HOUR_US, 80.0 + n % 3) for n in reversed(range(130)))
    series = Series("body_weight", NOW_US - 200 * HOUR_US, NOW_US, points, (Limit(81.5, upwards=True),))
    table = table_of(series, Language.NL)
    assert table.rows[0] == ("zo 22-11-2026 08:31", "80,0 kg", False)
    assert [beyond for _, _, beyond in table.rows[:3]] == [False, False, True]
    assert (len(table.rows), table.more) == (100, 30)


@pytest.mark.parametrize(
    ("role", "home"),
    [
        (Role.NURSE, "/console/worklist"),
        (Role.ENGINEER, "/console/worklist"),
        (Role.HUISARTS, "/console/huisarts"),
        (Role.COORDINATOR, "/console/huisarts"),
        (Role.ADMINISTRATOR, "/console/administration"),
        (Role.PRIVACY_OFFICER, "/console/looks"),
        (Role.SERVICE, "/console/me"),
    ],
)
def test_where_somebody_begins(role: Role, home: str) -> None:
    assert home_of(role) == home
