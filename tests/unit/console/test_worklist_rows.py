"""What a row of the worklist says, and what can be done from it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest

from alerting.console.worklist.capacity import USUAL_PER_HOUR, capacity
from alerting.console.worklist.filters import FILTERS, read_sought, written
from alerting.console.worklist.listing import is_called
from alerting.console.worklist.rows import NextKind, Row, Seeing, deeds_of, isolated, rows_of
from alerting.console.worklist.shift import piles_of
from alerting.explain.vocabulary import Both, Language
from alerting.worklist.rules import load_rules
from models.access import Role, User
from models.alerts import Alert, AlertState, HandOver, HeldBack
from models.clock import HOUR_US, MINUTE_US
from models.db.open_patients import OpenAlert, OpenReason, SoughtOwner
from models.db.shift import Handled, Waiting
from models.errors import BadInput
from models.escalations import Recipient
from models.findings import Severity, Signal
from models.identity import Identity
from models.messages import Origin
from models.settings import Settings

NOW_US = 1_796_029_200_000_000
CENTRE = UUID(int=1)
ME = User(UUID(int=2), CENTRE, Role.NURSE)
OTHER = UUID(int=3)
PATIENT = UUID(int=4)
RULES = load_rules(Settings())


def seeing(language: Language = Language.NL) -> Seeing:
    texts = {("heart_failure", 1, "gain"): Both("Gewicht omhoog.", "Weight up.")}
    return Seeing(ME, NOW_US, language, RULES.policies, texts, {OTHER: "P. Smit"})


def alert(**changes: object) -> Alert:
    made = Alert(
        alert_id=uuid4(),
        patient_id=PATIENT,
        organisation_id=CENTRE,
        signal=Signal.FLUID,
        severity=Severity.HIGH,
        opened_at_us=NOW_US - HOUR_US,
        origin=Origin.SIMULATED,
    )
    return replace(made, **changes)


def mine(**changes: object) -> Alert:
    return alert(state=AlertState.ACKNOWLEDGED, owner=ME.person_id, resolve_by_us=NOW_US + HOUR_US, **changes)


def others(**changes: object) -> Alert:
    return alert(state=AlertState.ACKNOWLEDGED, owner=OTHER, resolve_by_us=NOW_US + HOUR_US, **changes)


def row(*alerts: Alert, next_us: int | None = NOW_US, reasons: Sequence[OpenReason] = ()) -> Row:
    found = [OpenAlert(one, "Loosduinen", "P. Smit", next_us, "opened") for one in alerts]
    (made,) = rows_of([found], {one.alert_id: reasons for one in alerts}, {}, seeing())
    return made


def offer(person_id: UUID | None) -> HandOver:
    return HandOver(Role.NURSE, CENTRE, person_id, NOW_US + MINUTE_US)


@pytest.mark.parametrize(
    ("one", "deeds"),
    [
        (alert(), "csr"),
        (mine(), "srhb"),
        (mine(snoozed_until_us=NOW_US + MINUTE_US), "srhbc"),
        (mine(hand_over=offer(OTHER)), "srhbd"),
        (others(), ""),
        (others(hand_over=offer(ME.person_id)), "ad"),
        (others(hand_over=offer(None)), "ad"),
        (others(hand_over=offer(UUID(int=9))), ""),
        (others(hand_over=replace(offer(None), until_us=NOW_US)), ""),
    ],
)
def test_what_can_be_done(one: Alert, deeds: str) -> None:
    assert "".join(deeds_of(one, ME, NOW_US)) == deeds


def test_who_is_asked_next() -> None:
    policy = row(alert()).worst.policy
    first = row(alert()).next
    assert first is not None
    assert (first.kind, first.recipient) == (NextKind.ASKED, Recipient.HUISARTS)
    assert first.at_us == NOW_US - HOUR_US + (policy.steps[0].accepted_within_us or 0)
    later = row(alert(step_no=2), next_us=NOW_US + 1).next
    assert later is not None
    assert (later.at_us, later.recipient) == (NOW_US + 1, Recipient.COORDINATION_CENTRE)


def test_what_happens_to_a_promise() -> None:
    promised = row(mine()).next
    assert promised is not None
    assert (promised.kind, promised.at_us) == (NextKind.PROMISE, NOW_US + HOUR_US)
    asleep = row(mine(snoozed_until_us=NOW_US + 5)).next
    assert asleep is not None
    assert (asleep.kind, asleep.at_us) == (NextKind.AWAKE, NOW_US + 5)
    awake_again = row(mine(snoozed_until_us=NOW_US)).next
    assert awake_again is not None
    assert awake_again.kind is NextKind.PROMISE


@pytest.mark.parametrize(
    "one", [alert(held_back=HeldBack.PAUSE), alert(quiet=True), alert(retracted=True, step_no=1)]
)
def test_nobody_is_asked(one: Alert) -> None:
    assert row(one).next is None


def test_the_first_to_happen_is_the_rows() -> None:
    both = row(mine(), alert(signal=Signal.SILENCE, severity=Severity.LOW, opened_at_us=NOW_US))
    assert both.next is not None
    assert both.next.at_us == min(one.next.at_us for one in both.alerts if one.next is not None)


def test_silence_has_its_own_shape_unless_it_is_severe() -> None:
    shapes = [
        row(alert(signal=Signal.SILENCE, severity=severity)).worst.shape
        for severity in (Severity.LOW, Severity.MEDIUM, Severity.HIGH)
    ]
    assert shapes == ["silence", "silence", "high"]


def test_a_row_says_it_in_the_words_of_the_worst_rule_that_holds() -> None:
    over = OpenReason(uuid4(), "heart_failure", 1, "unknown", Severity.HIGH, holds=False, retracted=False)
    holds = OpenReason(uuid4(), "heart_failure", 1, "gain", Severity.MEDIUM, holds=True, retracted=False)
    said = row(alert(), reasons=[over, holds])
    assert said.worst.headline == "Gewicht omhoog."
    assert said.programmes == ("heart_failure",)
    assert row(alert(signal=Signal.REMARK)).worst.headline == "Opmerking."


def test_marks_say_what_stands_beside() -> None:
    one = others(hand_over=offer(ME.person_id), unconfirmed=True, cleared_at_us=NOW_US)
    assert [mark.name for mark in row(one).marks] == ["offered_to_you", "unconfirmed", "cleared"]
    to_other = row(mine(hand_over=offer(OTHER))).marks
    assert [(mark.name, mark.who) for mark in to_other] == [("offered", isolated("P. Smit"))]


def test_piles_are_ones_own_then_nobodys_then_the_others() -> None:
    piles = piles_of([row(others()), row(alert()), row(mine(), alert(signal=Signal.GLUCOSE))], ME.person_id)
    assert [pile.owner_id for pile in piles] == [ME.person_id, None, OTHER]
    assert [len(pile.alerts) for pile in piles] == [1, 2, 1]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("vries", True), ("anna vr", True), ("de vries anna", True), ("vries 1950", True), ("1950", True),
        ("vries 1951", False), ("ries", False), ("anna bos", False), ("!!", False), ("ÁNNA", True),
    ],
)  # fmt: skip
def test_names_are_found_by_the_beginnings_of_their_words(wanted: str, *, found: bool) -> None:
    anna = Identity(family_name="de Vries", given_names="Anna", birth_date=date(1950, 1, 1))
    assert is_called(anna, wanted) is found


def test_filters_come_back_as_they_were_written() -> None:
    values = {
        "severity": "high",
        "signal": "silence",
        "programme": "copd",
        "wijk": "Zuiderpark",
        "owner": "mine",
        "state": "snoozed",
        "held_back": "true",
    }
    assert set(values) == set(FILTERS)
    assert read_sought(values).owner is SoughtOwner.MINE
    assert written(read_sought(values)) == values
    assert written(read_sought(dict.fromkeys(FILTERS, ""))) == {}


@pytest.mark.parametrize("values", [{"severity": "awful"}, {"wijk": "x" * 201}, {"programme": "\x00"}])
def test_what_cannot_be_sought_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        read_sought(values)


def test_capacity_goes_by_the_pace_of_late() -> None:
    waiting = Waiting(20, 0, 0, 0, 0, 0, owners=frozenset({OTHER}))
    handled = [
        Handled(ME.person_id, 20, 4, NOW_US - 2 * HOUR_US),
        Handled(UUID(int=8), 12, 4, NOW_US - 10 * MINUTE_US),
    ]
    found = capacity(waiting, handled, ME.person_id, now_us=NOW_US, duty_until_us=NOW_US + 2 * HOUR_US)
    assert (found.people, found.per_hour, found.can, found.percentage) == (3, 4.0, 24, 83)
    few = capacity(waiting, [], ME.person_id, now_us=NOW_US, duty_until_us=NOW_US + 90 * HOUR_US)
    assert (few.people, few.per_hour, few.measured, few.can) == (2, USUAL_PER_HOUR, False, 96)
    over = capacity(waiting, [], ME.person_id, now_us=NOW_US, duty_until_us=NOW_US)
    assert over.percentage == 2000
