"""Handing an alert on, asking, answering: each act, and each refusal."""

import json
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from alerting import acts
from models.access import Role, User
from models.alerts import Alert, AlertState
from models.clock import HOUR_US
from models.errors import BadInput, Outdated
from models.escalations import (
    Channel,
    Escalation,
    EscalationState,
    MessageKind,
    Party,
)
from tests.unit.alerting.acted import (
    ASKED,
    QUESTION,
    accepted,
    acknowledged,
    escalated,
    names,
    refused,
    resolved,
)
from tests.unit.alerting.acting import (
    ANNA,
    BAS,
    CENTRE,
    COLLEAGUE,
    HUISARTS,
    NOW,
    NURSES,
    POLICY,
    PRACTICE,
    PRACTITIONERS,
    SPECIALIST,
    SPECIALISTS,
    an_alert,
    duty,
)


def test_handing_on_asks_and_moves_nothing() -> None:
    done = acts.escalate(
        acknowledged(),
        ANNA,
        escalation_id=UUID(int=200),
        message_id=UUID(int=300),
        asked=ASKED,
        now_us=NOW,
    )
    (escalation,), (message,) = done.escalations, done.messages
    assert (done.alert.responsible, done.alert.owner, done.alert.sent) == (NURSES, ANNA.person_id, True)
    assert (escalation.state, escalation.asked_by, escalation.to) == (
        EscalationState.ASKED,
        ANNA.person_id,
        PRACTITIONERS,
    )
    assert (message.message_id, message.channel, message.kind) == (
        UUID(int=300),
        Channel.WEBHOOK,
        MessageKind.ESCALATION,
    )
    assert (message.to_id, message.escalation_id, message.alerts) == (
        PRACTICE,
        UUID(int=200),
        (done.alert.alert_id,),
    )
    assert json.loads(message.body) == {"channels": ["email"]}
    assert (names(done), done.next_us) == (["escalated"], NOW)


def test_its_message_says_until_when_it_is_to_be_taken_over() -> None:
    asked = replace(ASKED, accept_within_us=HOUR_US)
    done = acts.escalate(
        acknowledged(), ANNA, escalation_id=UUID(int=1), message_id=UUID(int=2), asked=asked, now_us=NOW
    )
    assert json.loads(done.messages[0].body) == {"channels": ["email"], "by_us": NOW + HOUR_US}
    assert done.escalations[0].answer_by_us is None, "it is no question"


def test_what_needs_no_message_has_none() -> None:
    asked = replace(ASKED, channels=(Channel.WORKLIST,), to=Party(Role.SPECIALIST, CENTRE))
    done = acts.escalate(
        an_alert(), ANNA, escalation_id=UUID(int=1), message_id=UUID(int=300), asked=asked, now_us=NOW
    )
    assert (done.messages, done.alert.sent) == ((), True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"to": NURSES}, "your own"),
        ({"to": Party(Role.ADMINISTRATOR, PRACTICE)}, "to.role"),
        ({"channels": ()}, "channels"),
        ({"reason": "  "}, "reason"),
        ({"question": "Why?"}, "answer_within"),
        ({"answer_within_us": 5}, "answer_within"),
        ({"question": "Why?", "answer_within_us": 0}, "answer_within"),
        ({"question": " ", "answer_within_us": 5}, "question"),
    ],
)
def test_what_cannot_be_asked(change: dict[str, object], said: str) -> None:
    refused(BadInput, lambda: escalated(asked=replace(ASKED, **change)), said)


def test_a_named_person_accepts_and_is_responsible() -> None:
    alert, escalation = escalated()
    others = [
        replace(escalation, escalation_id=UUID(int=201)),
        replace(
            escalation,
            escalation_id=UUID(int=202),
            state=EscalationState.ACCEPTED,
            accepted_at_us=NOW,
            accepted_by=SPECIALIST.person_id,
            to=SPECIALISTS,
        ),
        replace(escalation, escalation_id=UUID(int=203), question="Dose?"),
        escalation,
    ]
    done = acts.accept_escalation(
        alert, escalation, HUISARTS, policy=POLICY, duty=duty(), now_us=NOW + 7, others=others
    )
    assert (done.alert.owner, done.alert.responsible) == (HUISARTS.person_id, PRACTITIONERS)
    assert (done.alert.acknowledged_at_us, done.next_us) == (NOW + 7, NOW + 7 + 2 * HOUR_US)
    assert [(e.escalation_id.int, e.state.value) for e in done.escalations] == [
        (200, "accepted"),
        (201, "withdrawn"),
        (202, "passed_on"),
    ]
    assert (done.escalations[0].accepted_by, done.escalations[0].version) == (HUISARTS.person_id, 2)
    assert names(done) == [
        "escalation_accepted",
        "acknowledged",
        "responsibility_moved",
        "escalation_withdrawn",
        "escalation_passed_on",
    ]
    assert done.events[1].why["instead_of"] == str(ANNA.person_id)


def test_accepting_that_is_refused() -> None:
    alert, escalation = escalated()

    def take(by: User, escalation: Escalation = escalation, alert: Alert = alert) -> Callable[[], object]:
        return lambda: acts.accept_escalation(alert, escalation, by, policy=POLICY, duty=duty(), now_us=NOW)

    refused(BadInput, take(SPECIALIST), str(PRACTICE))
    refused(BadInput, take(User(UUID(int=50), PRACTICE, Role.SERVICE)), "a named person")
    _, taken = accepted()
    refused(Outdated, take(COLLEAGUE, taken), str(HUISARTS.person_id))
    over = replace(escalation, state=EscalationState.WITHDRAWN, over_at_us=NOW)
    refused(Outdated, take(HUISARTS, over), "over", "withdrawn")
    refused(BadInput, take(HUISARTS, replace(escalation, alert_id=UUID(int=9))), "escalation_id")
    refused(Outdated, take(HUISARTS, alert=resolved(alert)), "resolved")


def test_a_question_is_answered_and_moves_nothing() -> None:
    alert, question = escalated(asked=QUESTION)
    assert question.answer_by_us == NOW + HOUR_US
    taken = acts.accept_escalation(alert, question, SPECIALIST, policy=POLICY, duty=duty(), now_us=NOW)
    assert (taken.alert.owner, taken.alert.responsible) == (ANNA.person_id, NURSES)
    for asked, version in ((question, 2), (taken.escalations[0], 3)):
        done = acts.answer_escalation(
            taken.alert, asked, SPECIALIST, answer="20 mg", referral_avoided=True, now_us=NOW + 8
        )
        (answered,) = done.escalations
        assert (answered.state, answered.answer, answered.referral_avoided) == (
            EscalationState.ANSWERED,
            "20 mg",
            True,
        )
        assert (answered.answered_at_us, answered.over_at_us, answered.version) == (NOW + 8, NOW + 8, version)
        assert answered.accepted_by == SPECIALIST.person_id
        assert (done.alert.owner, done.next_us) == (ANNA.person_id, NOW + 8)


def test_what_was_taken_over_comes_back_with_the_answer() -> None:
    alert, escalation = accepted()
    alert = replace(alert, step_no=2, stepped_at_us=NOW)
    done = acts.answer_escalation(
        alert, escalation, HUISARTS, answer="dose raised", referral_avoided=None, now_us=NOW
    )
    assert (done.alert.state, done.alert.owner, done.alert.responsible) == (AlertState.OPEN, None, NURSES)
    assert (done.alert.step_no, done.alert.stepped_at_us) == (0, None)
    assert names(done) == ["escalation_answered", "lapsed", "responsibility_moved"]


def test_handing_back_returns_it_to_its_own_nurses() -> None:
    alert, escalation = accepted()
    done = acts.hand_back(alert, escalation, HUISARTS, reason="not mine", now_us=NOW + 4)
    assert (done.alert.state, done.alert.responsible, done.next_us) == (AlertState.OPEN, NURSES, NOW + 4)
    assert [e.state for e in done.escalations] == [EscalationState.HANDED_BACK]
    assert names(done) == ["escalation_handed_back", "lapsed", "responsibility_moved"]
    lapsed = acts.lapse(alert, why="resolve_by_passed", now_us=NOW).alert
    assert lapsed.responsible == PRACTITIONERS
    assert acts.hand_back(lapsed, escalation, COLLEAGUE, reason="x", now_us=NOW).alert.responsible == NURSES
    refused(
        Outdated,
        lambda: acts.hand_back(alert, escalation, COLLEAGUE, reason="x", now_us=NOW),
        str(HUISARTS.person_id),
    )
    refused(BadInput, lambda: acts.hand_back(alert, escalation, ANNA, reason="x", now_us=NOW))
    refused(BadInput, lambda: acts.hand_back(alert, escalation, HUISARTS, reason=" ", now_us=NOW))


def test_who_declines_before_accepting_moves_nothing() -> None:
    alert, escalation = escalated()
    done = acts.hand_back(alert, escalation, HUISARTS, reason="no time", now_us=NOW)
    assert (done.alert.owner, done.alert.responsible) == (ANNA.person_id, NURSES)
    assert names(done) == ["escalation_handed_back"]


def test_withdrawing() -> None:
    alert, escalation = escalated()
    done = acts.withdraw(alert, escalation, ANNA, reason="better", now_us=NOW)
    assert [e.state for e in done.escalations] == [EscalationState.WITHDRAWN]
    assert done.next_us == NOW
    free = acts.lapse(alert, why="x", now_us=NOW).alert
    assert acts.withdraw(free, escalation, BAS, reason="better", now_us=NOW).escalations
    refused(
        Outdated,
        lambda: acts.withdraw(alert, escalation, BAS, reason="x", now_us=NOW),
        str(ANNA.person_id),
    )
    refused(BadInput, lambda: acts.withdraw(alert, escalation, SPECIALIST, reason="x", now_us=NOW))
    owned, taken = accepted()
    refused(
        Outdated,
        lambda: acts.withdraw(owned, taken, ANNA, reason="x", now_us=NOW),
        str(HUISARTS.person_id),
    )
    over = done.escalations[0]
    refused(Outdated, lambda: acts.withdraw(alert, over, ANNA, reason="x", now_us=NOW), "over")
