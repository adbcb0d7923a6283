# ruff: noqa: E501 - a case is a line
"""Policies: the ones we ship are right and cover every alert, wrong ones are refused with line and field."""

from pathlib import Path

import pytest

from alerting.engine.programme_files import load_folder
from alerting.escalation.parts import parse_duration, write_duration
from alerting.escalation.policy import Policies, PolicySeverity
from alerting.escalation.policy_checks import OUTSIDE_WITHIN_US, Known
from alerting.escalation.policy_files import (
    PACKAGED,
    load_policies,
    packaged_programmes,
    policies_of,
    policy_of,
)
from alerting.escalation.teleconsultation import list_of
from alerting.yaml_files import BadFile
from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.escalations import Channel, Recipient, RequestKind
from models.findings import Severity, Signal
from tests.unit.escalation.written import DEFAULT, LIST, POLICY

ROSTERED = frozenset(Recipient) - {Recipient.HOME_VISIT}
KNOWN = Known(programmes={"copd"}, recipients=ROSTERED, questions=list_of(LIST, "list.yaml"))


@pytest.fixture(scope="module")
def shipped() -> Policies:
    return load_policies()


def test_a_right_policy_says_what_was_written() -> None:
    file = policy_of(POLICY, "sample.yaml", KNOWN)
    policies = policies_of([file], KNOWN.questions)
    severe = policies.by_key["copd", Signal.BREATHING, PolicySeverity.HIGH]
    assert severe == policies.by_key["copd", Signal.HEART_RATE, PolicySeverity.HIGH]
    assert (severe.label, severe.resolve_within_us) == ("sample.severe/1", HOUR_US)
    assert (severe.recheck_after_us, severe.group_wait_us) == (DAY_US, 0)
    assert not severe.closes_by_itself
    huisarts = severe.steps[1]
    assert (huisarts.recipient, huisarts.request) == (Recipient.HUISARTS, RequestKind.ACUTE)
    assert huisarts.channels == (Channel.FHIR, Channel.SECURE_MAIL)
    waits = huisarts.delivered_within_us, huisarts.accepted_within_us, huisarts.resolved_within_us
    assert waits == (5 * MINUTE_US, 15 * MINUTE_US, 2 * HOUR_US)
    asked = policies.by_key["copd", None, PolicySeverity.MEDIUM].steps[1]
    assert (asked.question, asked.answer_within_us) == ("copd_exacerbation", 8 * HOUR_US)


def test_a_question_is_answered_as_the_list_says_where_the_step_does_not() -> None:
    file = policy_of(POLICY.replace(", answer_within: 8 h", ""), "sample.yaml", KNOWN)
    policy = file.policies({"copd_exacerbation": 7})["slow"]
    assert policy.steps[1].answer_within_us == 7


def test_the_hash_is_of_what_is_done_and_not_of_how_it_is_written() -> None:
    def hash_of(text: str) -> str:
        return policy_of(text, "sample.yaml", KNOWN).policies({"copd_exacerbation": 1})["severe"].hash

    assert hash_of(POLICY.replace("1 h", "60 min")) == hash_of(POLICY)
    assert hash_of(POLICY.replace("nl: a", "nl: anders")) == hash_of(POLICY)
    assert hash_of(POLICY.replace("[fhir, secure_mail]", "[secure_mail, fhir]")) != hash_of(POLICY)
    assert hash_of(POLICY.replace("snooze_at_most: 30 min", "snooze_at_most: 31 min")) != hash_of(POLICY)


NURSE = "{recipient: nurse, request: acute, channels: [worklist], waits: {accepted: 10 min}}"
HUISARTS = "waits: {delivered: 5 min, accepted: 15 min, resolved: 2 h}"


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "expected"),
    [
        ("programme: copd", "programme: gout", 3, "programme", '"*" for any, or one of copd'),
        ("[breathing, heart_rate]", "[breathing, mood]", 9, "ladders.severe.signals.1", "'fluid', 'breathing'"),
        ("[breathing, heart_rate]", "[]", 9, "ladders.severe.signals", "any, or a list of signals"),
        ("severity: high", "severity: red", 10, "ladders.severe.severity", "'low', 'medium', 'high' or 'any'"),
        ("recipient: huisarts", "recipient: uncle", 18, "ladders.severe.steps.1.recipient", "'nurse'"),
        ("[fhir, secure_mail]", "[fhir, pigeon]", 18, "ladders.severe.steps.1.channels.1", "'worklist'"),
        ("request: acute", "request: now", 17, "ladders.severe.steps.0.request", "'acute', 'regular'"),
        ("title: {nl: Voorbeeld, en: Sample}", "title: {nl: Voorbeeld}", 4, "title.en", "the field"),
        ("source: none\n", "", 1, "source", "the field"),
        ("    text: {nl: a, en: b}\n", "", 8, "ladders.severe.text", "the field"),
        ("mark: P", "mark: Q", 6, "mark", "'S', 'M' or 'P'"),
        ("repeat_every: 10 min", "repeat_every: soon", 15, "ladders.severe.repeat_every", 'as "5 min"'),
        ("repeat_every: 10 min", "repeat_every: 100 d", 15, "ladders.severe.repeat_every", 'as "5 min"'),
        ("    repeat_every: 10 min", "    patience: 3 d", 8, "ladders.severe.repeat_every", "the field"),
        ("{accepted: 10 min}", "{accepted: 0 min}", 17, "ladders.severe.steps.0.waits.accepted", "longer than zero"),
        (", waits: {accepted: 10 min}", "", 17, "ladders.severe.steps.0.waits", "the next step is never reached"),
        (HUISARTS, "waits: {delivered: 5 min}", 19, "ladders.severe.steps.1.waits", "is never reached"),
        (HUISARTS, "waits: {delivered: 15 min, accepted: 15 min}", 19, "ladders.severe.steps.1.waits.accepted",
         "longer than delivered"),
        (HUISARTS, "waits: {accepted: 4 h, resolved: 2 h}", 19, "ladders.severe.steps.1.waits.resolved",
         "longer than accepted"),
        ("resolved: 2 h", "resolved: 30 min", 19, "ladders.severe.steps.1.waits.resolved", "resolve_within (1 h)"),
        ("nurse, request: acute", "huisarts, request: acute", 17, "ladders.severe.steps.0", "nurse by worklist"),
        ("channels: [worklist],", "channels: [webhook],", 17, "ladders.severe.steps.0", "nurse by worklist"),
        ("[fhir, secure_mail]", "[worklist]", 18, "ladders.severe.steps.1.channels.0", "only nurses of the centre"),
        ("[fhir, secure_mail]", "[patient]", 18, "ladders.severe.steps.1.channels.0", "to a professional"),
        ("[fhir, secure_mail]", "[email, pull]", 18, "ladders.severe.steps.1.channels", "does not wait to be"),
        ("[fhir, secure_mail]", "[fhir, fhir]", 18, "ladders.severe.steps.1.channels", "each channel once"),
        ("{accepted: 10 min}}\n      - {recipient: h", "{accepted: 31 min}}\n      - {recipient: h", 16,
         "ladders.severe.steps", "asked within 30 min"),
        ("accepted: 2 h", "accepted: 25 h", 31, "ladders.slow.steps", "asked within 1 d"),
        ("snooze_at_most: 30 min", "snooze_at_most: 2 h", 13, "ladders.severe.snooze_at_most", "1 h at most"),
        ("snooze_at_most: 4 h", "snooze_at_most: 13 h", 26, "ladders.slow.snooze_at_most", "12 h at most"),
        ("resolve_within: 1 h", "resolve_within: 5 h", 12, "ladders.severe.resolve_within", "4 h at most"),
        ("resolve_within: 1 h", "resolve_within: 0 h", 12, "ladders.severe.resolve_within", "longer than zero"),
        ("hand_over_within: 10 min", "hand_over_within: 2 h", 14, "ladders.severe.hand_over_within", "1 h at most"),
        ("recheck_after: 2 d", "recheck_after: 4 d", 28, "ladders.slow.recheck_after", "3 d at most"),
        ("repeat_every: 4 h", "repeat_every: 2 d", 29, "ladders.slow.repeat_every", "1 d at most"),
        ("repeat_every: 10 min", "repeat_every: 10 min\n    group_wait: 1 min", 16, "ladders.severe.group_wait",
         "0 s at most"),
        ("group_wait: 30 min", "closes_by_itself: true", 30, "ladders.slow.closes_by_itself", "low or technical"),
        ("[breathing, heart_rate]", "[breathing, breathing]", 9, "ladders.severe.signals", "each signal once"),
        ("signals: any\n    severity: medium", "signals: [breathing]\n    severity: high", 22,
         "ladders.slow.signals", "one ladder for each signal and severity"),
        ("question: copd_exacerbation", "question: gout", 33, "ladders.slow.steps.1.question",
         "one of the list of teleconsultation: copd_exacerbation"),
        ("answer_within: 8 h", "answer_within: 2 d", 33, "ladders.slow.steps.1.answer_within", "1 d at most"),
        ("question: copd_exacerbation, ", "", 33, "ladders.slow.steps.1.answer_within", "a question with it"),
        ("specialist, request: regular", "huisarts, request: regular", 33, "ladders.slow.steps.1.recipient",
         "specialist: whom questions are for"),
        ("specialist, request: regular", "specialist, request: acute", 33, "ladders.slow.steps.1.request",
         "what is acute is handed over"),
        ("question: copd_exacerbation, answer_within: 8 h,", "", 35, "ladders.slow.steps.2.recipient",
         "a question before a referral (copd_exacerbation)"),
        ("recipient: coordination_centre", "recipient: home_visit", 20, "ladders.severe.steps.2.recipient",
         "somebody who is in a roster"),
    ],
)  # fmt: skip
def test_a_wrong_policy_is_refused_with_line_and_field(
    old: str, new: str, line: int, field: str, expected: str
) -> None:
    assert old in POLICY
    with pytest.raises(BadFile) as refused:
        policy_of(POLICY.replace(old, new, 1), "sample.yaml", KNOWN)
    where = {error.where: error.expected for error in refused.value.errors}
    place = f"sample.yaml, line {line}, {field}"
    assert place in where, str(refused.value)
    assert expected in where[place]


def test_what_is_severe_must_leave_the_centre() -> None:
    inside = POLICY.replace("recipient: huisarts", "recipient: nurse").replace(
        "recipient: coordination_centre", "recipient: nurse"
    )
    with pytest.raises(BadFile, match=r"line 16.*somebody outside the centre, found none"):
        policy_of(inside, "sample.yaml", KNOWN)


def test_all_that_is_wrong_with_a_file_is_told_at_once() -> None:
    wrong = POLICY.replace("[fhir, secure_mail]", "[worklist]").replace("programme: copd", "programme: gout")
    wrong = wrong.replace("snooze_at_most: 4 h", "snooze_at_most: 3 d")
    with pytest.raises(BadFile) as refused:
        policy_of(wrong, "sample.yaml", KNOWN)
    assert [error.where.split(",")[1] for error in refused.value.errors] == [
        " line 3",
        " line 18",
        " line 26",
    ]


def load(folder: Path) -> Policies:
    return load_policies(folder, questions=KNOWN.questions)


def test_a_folder_has_one_ladder_for_each_key_and_one_for_every_alert(tmp_path: Path) -> None:
    (tmp_path / "sample.yaml").write_text(POLICY, encoding="utf-8")
    with pytest.raises(BadFile) as refused:
        load(tmp_path)
    assert [error.found for error in refused.value.errors] == [
        f"none for severity {one}" for one in ("low", "medium", "high")
    ]
    (tmp_path / "default.yaml").write_text(DEFAULT, encoding="utf-8")
    policies = load(tmp_path)
    assert policies.of("copd", Signal.BREATHING, Severity.HIGH).name == "sample.severe"
    assert policies.of("copd", Signal.FLUID, Severity.HIGH).name == "everything.all"
    assert policies.of("unheard_of", Signal.REMARK, Severity.LOW).name == "everything.all"
    (tmp_path / "second.yaml").write_text(POLICY.replace("policy: sample", "policy: other"), encoding="utf-8")
    with pytest.raises(
        BadFile, match=r"second\.yaml: .* copd, breathing, severity high, also in sample\.yaml"
    ):
        load(tmp_path)
    (tmp_path / "second.yaml").write_text(POLICY, encoding="utf-8")
    with pytest.raises(BadFile, match=r"one file in force for each policy, found sample"):
        load(tmp_path)


def test_what_is_wrong_with_several_files_is_told_at_once(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(POLICY.replace("mark: P", "mark: Q"), encoding="utf-8")
    with pytest.raises(BadFile) as refused:
        load(tmp_path)
    assert [error.where for error in refused.value.errors] == ["a.yaml, line 6, mark", "b.yaml, line 6, mark"]


def test_each_rule_that_we_ship_has_a_ladder_that_reaches_somebody_in_time(shipped: Policies) -> None:
    for programme in load_folder():
        for rule in programme.rules.values():
            for severity in (rule.severity, *([rule.raise_.severity] if rule.raise_ else [])):
                policy = shipped.of(programme.programme, rule.signal, severity)
                assert policy.steps[0].recipient is Recipient.NURSE
                assert policy.steps[0].channels == (Channel.WORKLIST,)
                limit_us = OUTSIDE_WITHIN_US.get(PolicySeverity(severity.value))
                inside_us = 0
                for step in policy.steps:
                    if step.recipient is not Recipient.NURSE:
                        break
                    inside_us += step.accepted_within_us or 0
                assert limit_us is None or inside_us <= limit_us


def test_what_is_severe_waits_for_nothing(shipped: Policies) -> None:
    severe = [
        policy for (_, _, severity), policy in shipped.by_key.items() if severity is PolicySeverity.HIGH
    ]
    assert len(severe) >= 4
    assert {policy.group_wait_us for policy in severe} == {0}
    assert not any(policy.closes_by_itself for policy in severe)


def test_every_programme_that_we_ship_but_that_on_devices_has_a_policy_of_its_own() -> None:
    files = {file.stem for file in PACKAGED.glob("*.yaml")}
    assert files == packaged_programmes() - {"devices"} | {"default"}


@pytest.mark.parametrize(
    ("text", "us"),
    [("5 min", 5 * MINUTE_US), ("4 h", 4 * HOUR_US), ("3 d", 3 * DAY_US), ("90 s", 90_000_000), ("0 s", 0)],
)
def test_lengths_of_time_are_read_and_written(text: str, us: int) -> None:
    assert parse_duration(text) == us
    assert write_duration(us) == text


@pytest.mark.parametrize("text", ["5", "5min", "-5 min", "1.5 h", "05 min", "5 weeks", 5, None, "91 d"])
def test_what_is_no_length_of_time_is_refused(text: object) -> None:
    new = POLICY.replace("resolve_within: 1 h", f"resolve_within: {text}")
    with pytest.raises(BadFile, match=r"sample\.yaml, line 12, ladders\.severe\.resolve_within"):
        policy_of(new, "sample.yaml", KNOWN)
