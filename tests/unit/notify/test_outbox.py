"""Whether a message is sent, when again, what comes after it, what joins it."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.notify.body import body_of, iso
from alerting.notify.channels import Gone, Later, Receipt, Refused
from alerting.notify.grouping import accept_by_us, put
from alerting.notify.outbox import (
    Never,
    NotThisWay,
    Send,
    Way,
    Withdraw,
    after,
    channels_after,
    decide,
    delivered,
    give_up_at_us,
    given_up,
)
from alerting.notify.patience import patience_of
from models.alerts import AlertState
from models.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from models.escalations import Channel, EscalationState, Message, MessageKind, MessageState, Trouble
from models.findings import Severity
from models.messages import Origin
from tests import notes
from tests.notes import NOW_US, PRACTICE

SANDBOX = notes.address("https://a.example.org")
OTHER = notes.address("https://b.example.org")
REAL = notes.address("https://c.example.org", sandbox=False)


def way(**changes: Any) -> Way:
    return replace(Way(installed=True, addressed=True, addresses=(SANDBOX,), sandbox=True), **changes)


def said(**changes: Any) -> Message:
    return replace(notes.note().message, **changes)


def test_it_is_sent_to_its_address() -> None:
    assert decide(notes.note(), way()) == Send(SANDBOX)
    assert decide(notes.note(), way(addressed=False, addresses=())) == Send(None)


def test_addresses_of_one_recipient_stand_in_for_each_other() -> None:
    sent = [decide(notes.note(attempts=n), way(addresses=(SANDBOX, OTHER))) for n in (1, 2, 3)]
    assert sent == [Send(SANDBOX), Send(OTHER), Send(SANDBOX)]


@pytest.mark.parametrize("state", [state for state in EscalationState if state is not EscalationState.ASKED])
def test_an_escalation_that_nobody_is_asked_any_more_is_not_sent(state: EscalationState) -> None:
    alert = notes.alert()
    note = notes.note([alert], [notes.escalation(alert, state=state)])
    assert decide(note, way()) == Withdraw(f"escalation {state}")


def test_resolved_is_not_sent_but_one_of_two_is() -> None:
    resolved, still = notes.alert(state=AlertState.RESOLVED), notes.alert()
    assert decide(notes.note([resolved]), way()) == Withdraw("resolved")
    assert decide(notes.note([resolved, still]), way()) == Send(SANDBOX)


def test_acknowledged_within_its_time_is_not_sent_by_the_ladder_but_by_a_person_it_is() -> None:
    mine = notes.alert(state=AlertState.ACKNOWLEDGED, owner=PRACTICE, resolve_by_us=NOW_US + 1)
    assert decide(notes.note([mine]), way()) == Withdraw("acknowledged")
    asked = notes.escalation(mine, asked_by=PRACTICE)
    assert decide(notes.note([mine], [asked]), way()) == Send(SANDBOX)
    lapsed = replace(mine, resolve_by_us=NOW_US)
    assert decide(notes.note([lapsed]), way()) == Send(SANDBOX)


def test_corrections_and_notices_are_sent_of_what_is_resolved() -> None:
    resolved = notes.alert(state=AlertState.RESOLVED)
    for kind in (MessageKind.CORRECTION, MessageKind.NOTICE):
        assert decide(notes.note([resolved], kind=kind), way()) == Send(SANDBOX)


@pytest.mark.parametrize(
    ("corrected", "expected"),
    [
        ({"state": MessageState.WITHDRAWN}, Withdraw("what it corrects was never sent")),
        ({"state": MessageState.GIVEN_UP}, Withdraw("what it corrects was never sent")),
        # Sent, and perhaps read, though no receipt came.
        ({"state": MessageState.GIVEN_UP, "attempts": 3}, Send(SANDBOX)),
        ({"state": MessageState.DELIVERED, "attempts": 1, "delivered_at_us": 1}, Send(SANDBOX)),
        ({"state": MessageState.DUE}, Send(SANDBOX)),
    ],
)
def test_who_got_nothing_needs_no_correction(corrected: dict[str, Any], expected: object) -> None:
    assert decide(notes.note(kind=MessageKind.CORRECTION), way(corrected=said(**corrected))) == expected


@pytest.mark.parametrize("origin", list(Origin))
@pytest.mark.parametrize("sandbox", [True, False])
@pytest.mark.parametrize("addressed", [True, False])
def test_real_and_simulated_never_mix(origin: Origin, sandbox: bool, addressed: bool) -> None:
    verdict = decide(
        notes.note(origin=origin),
        way(sandbox=sandbox, addressed=addressed, addresses=(SANDBOX, REAL)),
    )
    if (origin is Origin.REAL) == sandbox:
        assert isinstance(verdict, Never)
    elif addressed:
        assert verdict == Send(SANDBOX if sandbox else REAL)
    else:
        assert verdict == Send(None)


def test_without_address_or_channel_the_next_is_tried() -> None:
    assert decide(notes.note(), way(addresses=())) == NotThisWay("no address")
    assert decide(notes.note(), way(installed=False)) == NotThisWay("the channel is not set up")
    assert decide(notes.note(), way(addresses=(REAL,))) == NotThisWay("no address")


def test_delivered_is_not_accepted_and_only_what_asks_stays_open() -> None:
    for kind in MessageKind:
        over_us = delivered(said(kind=kind), NOW_US).message.over_at_us
        assert (over_us is None) == (kind in {MessageKind.ESCALATION, MessageKind.QUESTION})
    told = delivered(said(), NOW_US).message
    assert (told.state, told.delivered_at_us, told.accepted_at_us) == (MessageState.DELIVERED, NOW_US, None)


@given(
    attempts=st.integers(1, 200), jitter=st.floats(0, 1, exclude_max=True), channel=st.sampled_from(Channel)
)
def test_waits_grow_up_to_a_longest(attempts: int, jitter: float, channel: Channel) -> None:
    patience = patience_of(channel)
    outcome = after(said(channel=channel, attempts=attempts), Later("x"), NOW_US, jitter)
    assert outcome.next_attempt_us is not None
    wait_us = outcome.next_attempt_us - NOW_US
    whole = min(patience.longest_us, patience.first_us * 2 ** (attempts - 1))
    assert whole // 2 <= wait_us < whole + 1


def test_who_asks_for_more_time_gets_it() -> None:
    outcome = after(said(attempts=1), Later("x", after_s=1800.0), NOW_US, 0.5)
    assert outcome.next_attempt_us == NOW_US + 1800 * SECOND_US


@pytest.mark.parametrize("receipt", [Refused("http 400"), Gone("http 410")])
def test_what_is_refused_is_given_up_at_once(receipt: Receipt) -> None:
    outcome = after(said(attempts=1, severity=Severity.HIGH), receipt, NOW_US, 0.5)
    assert outcome.message.state is MessageState.GIVEN_UP
    assert outcome.noticed is not None
    assert (outcome.noticed.trouble, outcome.noticed.severity) == (Trouble.UNDELIVERED, Severity.HIGH)
    assert outcome.ladder
    assert outcome.follow is None


def test_the_next_channel_gets_a_message_of_its_own_with_what_is_left() -> None:
    first = said(body=json.dumps({"channels": ["fhir", "email"], "step": 2}), attempts=4, number=9)
    follow = given_up(first, "x", NOW_US + 5).follow
    assert follow is not None
    assert (follow.channel, channels_after(follow)) == (Channel.FHIR, (Channel.EMAIL,))
    assert (follow.state, follow.attempts, follow.number) == (MessageState.DUE, 0, None)
    assert follow.due_at_us == NOW_US + 5
    assert json.loads(follow.body)["step"] == 2
    assert follow.message_id != first.message_id
    assert follow == given_up(first, "y", NOW_US + 5).follow
    last = given_up(given_up(follow, "x", NOW_US).follow or first, "x", NOW_US)
    assert last.follow is None
    assert last.ladder


def test_nothing_said_of_trouble_names_a_patient() -> None:
    for kind in MessageKind:
        noticed = given_up(said(kind=kind, to_id=None), "x", NOW_US).noticed
        assert noticed is not None
        assert str(notes.PATIENT) not in noticed.subject + noticed.details


def test_how_long_a_channel_is_tried() -> None:
    alone, more = said(), said(body='{"channels": ["email"]}')
    assert give_up_at_us(alone) == NOW_US + 3 * DAY_US
    assert give_up_at_us(more) == NOW_US + 30 * MINUTE_US
    # Two channels share the time in which it is to be delivered; the last goes on, late is better than never.
    assert give_up_at_us(replace(more, deliver_by_us=NOW_US + 20 * MINUTE_US)) == NOW_US + 10 * MINUTE_US
    assert give_up_at_us(replace(alone, deliver_by_us=NOW_US + MINUTE_US)) == NOW_US + 3 * DAY_US
    asked = replace(
        alone, kind=MessageKind.TO_PATIENT, channel=Channel.PATIENT, deliver_by_us=NOW_US + HOUR_US
    )
    assert give_up_at_us(asked) == NOW_US + HOUR_US
    outcome = after(more, Later("http 500"), NOW_US + 30 * MINUTE_US, 0.5)
    assert outcome.follow is not None


def test_of_several_that_joined_each_is_to_be_accepted_by_its_own_time() -> None:
    alerts = [notes.alert(), notes.alert()]
    escalations = [notes.escalation(one) for one in alerts]
    first, second = (
        notes.message(one, body=json.dumps({"by_us": NOW_US + n * HOUR_US}))
        for n, one in enumerate(escalations, 1)
    )
    (together,) = put([first, second], []).added
    assert [accept_by_us(together, one) for one in escalations] == [NOW_US + HOUR_US, NOW_US + 2 * HOUR_US]
    assert accept_by_us(notes.message(escalations[0]), escalations[0]) is None
    note = replace(notes.note(alerts, escalations), message=together)
    assert [one["accept_by"] for one in body_of(note, None)["escalations"]] == [
        iso(NOW_US + HOUR_US),
        iso(NOW_US + 2 * HOUR_US),
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([Channel.WEBHOOK, Channel.FHIR, Channel.WORKLIST]),
            st.sampled_from([MessageKind.ESCALATION, MessageKind.QUESTION]),
            st.integers(0, 3),
            st.sampled_from(Severity),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_joining_loses_no_alert_and_keeps_the_order(
    kinds: list[tuple[Channel, MessageKind, int, Severity]],
) -> None:
    waiting: list[Message] = []
    worst: dict[Channel, int] = {}
    told: set[object] = set()
    for channel, kind, minutes, severity in kinds:
        escalation = notes.escalation(notes.alert(severity=severity))
        due_us = NOW_US + minutes * MINUTE_US
        new = notes.message(escalation, channel=channel, kind=kind, severity=severity, due_at_us=due_us)
        told.add(escalation.escalation_id)
        worst[channel] = max(worst.get(channel, 0), severity.rank)
        decided = put([new], [m for m in waiting if m.state is MessageState.DUE])
        changed = {message.message_id: message for message in decided.changed}
        waiting = [changed.get(message.message_id, message) for message in waiting] + list(decided.added)
    carried = [key for message in waiting for key in (message.escalation_id, *message.joined)]
    assert len(carried) == len(set(carried))
    assert set(carried) == told
    for channel, rank in worst.items():
        assert max(m.severity.rank for m in waiting if m.channel is channel) == rank
    due = [message for message in waiting if message.state is MessageState.DUE]
    assert [m.due_at_us for m in due] == sorted(m.due_at_us for m in due)
    assert all(m.state is MessageState.DELIVERED for m in waiting if m.channel is Channel.WORKLIST)
    for channel in (Channel.WEBHOOK, Channel.FHIR):
        assert sum(m.kind is MessageKind.ESCALATION and m.channel is channel for m in waiting) <= 1
