"""What is pure about what people do with alerts: by which policy, as which recipient, whom they ask."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

import pytest

from alerting.escalation.recipients import Contact, as_recipient
from alerting.explain.vocabulary import Both, Language
from alerting.worklist import table, words
from alerting.worklist.asking import asked_of
from alerting.worklist.forms import EscalateForm
from alerting.worklist.handling import policy_for
from alerting.worklist.structure import of_alert, read
from models.access import Role
from models.alerts import Alert, AlertEvent, AlertState, HeldBack, Outcome
from models.clock import HOUR_US, MINUTE_US, to_us
from models.errors import BadInput
from models.escalations import Channel, EscalationState, MessageKind, MessageState, Party, Recipient
from models.findings import Finding, Severity, Signal
from models.messages import Origin
from tests import shipped

POLICIES, ROSTERS = shipped.policies(), shipped.rosters()
CENTRE, PRACTICE, POST = (UUID(int=n) for n in range(1, 4))
TUESDAY_US = to_us(datetime(2026, 12, 1, 9, tzinfo=UTC))
NIGHT_US = to_us(datetime(2026, 12, 1, 23, tzinfo=UTC))
MAIL = frozenset({Channel.WORKLIST, Channel.SECURE_MAIL, Channel.EMAIL})
CONTACTS: Mapping[Recipient, Contact] = {
    Recipient.HUISARTS: Contact(Party(Role.HUISARTS, PRACTICE), MAIL),
    Recipient.OUT_OF_HOURS_POST: Contact(Party(Role.HUISARTS, POST)),
}
ALERT = Alert(UUID(int=8), UUID(int=9), CENTRE, Signal.FLUID, Severity.MEDIUM, TUESDAY_US, Origin.SIMULATED)
HIGH = POLICIES.of("heart_failure", Signal.FLUID, Severity.HIGH)


def finding(programme: str, severity: Severity, *, cleared: bool = False) -> Finding:
    return Finding(
        UUID(int=7), ALERT.patient_id, CENTRE, 0, programme, 1, "rule", Signal.FLUID, severity,
        TUESDAY_US, (), "h", cleared_at_us=TUESDAY_US if cleared else None,
    )  # fmt: skip


def form(**fields: object) -> EscalateForm:
    return EscalateForm.model_validate(
        {"version": 1, "recipient": "huisarts", "request": "regular", "reason": "vocht", **fields}
    )


def test_the_policy_is_that_of_the_findings_that_hold() -> None:
    findings = [
        finding("copd", Severity.MEDIUM, cleared=True),
        finding("heart_failure", Severity.MEDIUM),
    ]
    assert policy_for(ALERT, findings, POLICIES).name == "heart_failure.worse_today"
    assert policy_for(ALERT, [], POLICIES).name == "default.medium"


@pytest.mark.parametrize(
    ("party", "recipient"),
    [
        (Party(Role.HUISARTS, PRACTICE), Recipient.HUISARTS),
        (Party(Role.HUISARTS, POST), Recipient.OUT_OF_HOURS_POST),
        (Party(Role.HUISARTS, CENTRE), Recipient.HUISARTS),
        (Party(Role.NURSE, PRACTICE), Recipient.NURSE),
        (Party(Role.SPECIALIST, CENTRE), Recipient.SPECIALIST),
        (Party(Role.ENGINEER, CENTRE), Recipient.NURSE),
    ],
)
def test_as_whom_a_party_is_on_duty(party: Party, recipient: Recipient) -> None:
    assert as_recipient(party, CONTACTS) is recipient


def test_whom_a_request_goes_to_and_how() -> None:
    by_day = asked_of(form(), CONTACTS, HIGH, ROSTERS, TUESDAY_US)
    assert (by_day.recipient, by_day.to.organisation_id) == (Recipient.HUISARTS, PRACTICE)
    assert by_day.channels == (Channel.SECURE_MAIL,), "what the policy names and has an address"
    at_night = asked_of(form(), CONTACTS, HIGH, ROSTERS, NIGHT_US)
    assert (at_night.recipient, at_night.to.organisation_id) == (Recipient.OUT_OF_HOURS_POST, POST)
    assert at_night.channels == (Channel.WORKLIST,), "there is no address"
    named = asked_of(form(channels=["email"]), CONTACTS, HIGH, ROSTERS, TUESDAY_US)
    assert named.channels == (Channel.EMAIL,)
    question = form(question="Hoger?", answer_within_minutes=90)
    assert asked_of(question, CONTACTS, HIGH, ROSTERS, TUESDAY_US).answer_within_us == 90 * MINUTE_US
    for wrong, where in ((form(channels=["fhir"]), "channels"), (form(recipient="specialist"), "recipient")):
        with pytest.raises(BadInput) as refused:
            asked_of(wrong, CONTACTS, HIGH, ROSTERS, TUESDAY_US)
        assert refused.value.where == where


def test_until_when_a_request_is_meant_is_as_agreed_for_its_kind() -> None:
    acute = asked_of(form(request="acute"), CONTACTS, HIGH, ROSTERS, TUESDAY_US)
    assert acute.accept_within_us == 15 * MINUTE_US
    at_night = asked_of(form(request="acute"), CONTACTS, HIGH, ROSTERS, NIGHT_US)
    assert at_night.accept_within_us == 15 * MINUTE_US, "the post stands in for the practice"
    regular = asked_of(form(), CONTACTS, HIGH, ROSTERS, TUESDAY_US)
    assert regular.accept_within_us is None, "the policy says nothing of a regular request"
    question = form(request="acute", question="Hoger?", answer_within_minutes=90)
    assert asked_of(question, CONTACTS, HIGH, ROSTERS, TUESDAY_US).accept_within_us is None


@pytest.mark.parametrize("text", ["", "x", "1.2", "1.2.3", "1.99999999999999999999999.0", "1.2." + "g" * 32])
def test_a_place_that_nobody_wrote_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="next_page"):
        read(text)


def test_tables_say_who_has_it_and_who_looks_next() -> None:
    names = {CENTRE: "Meldcentrum"}
    row = {**of_alert(ALERT, names), "wijk": None, "next": None}
    later = {**row, "next": {"at": datetime(2026, 12, 1, 10, tzinfo=UTC), "why": "opened"}}
    said = table.worklist({"alerts": [row, later], "next_page": "2.3.4"}, Language.EN).splitlines()
    assert "nurse Meldcentrum" in said[1]
    assert "Tue 01-12-2026 11:00 opened" in said[2], "by the clocks of Amsterdam"
    assert said[3] == "More: --after 2.3.4"
    dutch = table.worklist({"alerts": [row, later], "next_page": "2.3.4"}, Language.NL).splitlines()
    assert dutch[0].split()[:4] == ["ernst", "over", "stand", "sinds"]
    assert "verpleegkundige Meldcentrum" in dutch[1]
    assert "di 01-12-2026 11:00 geopend" in dutch[2]
    nothing: dict[str, object] = {"alerts": [], "next_page": None}
    assert table.worklist(nothing, Language.EN) == "No alerts.\n"
    assert table.worklist(nothing, Language.NL) == "Geen meldingen.\n"
    assert HIGH.resolve_within_us >= HOUR_US


@pytest.mark.parametrize(
    ("said", "values"),
    [
        (words.STATES, AlertState), (words.OUTCOMES, Outcome), (words.HELD_BACK, HeldBack),
        (words.ROLES, Role), (words.RECIPIENTS, Recipient), (words.ASKED, EscalationState),
        (words.KINDS, MessageKind), (words.CHANNELS, Channel), (words.SENT, MessageState),
        (words.EVENTS, AlertEvent),
    ],
)  # fmt: skip
def test_there_is_a_word_for_everything(said: Mapping[str, Both], values: type[StrEnum]) -> None:
    assert set(said) == set(values)
    assert all(both.nl and both.en for both in said.values())
