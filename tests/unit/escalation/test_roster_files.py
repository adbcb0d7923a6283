# ruff: noqa: E501 - a case is a line
"""Rosters and the list of teleconsultation: wrong ones are refused with line and field, gaps by their times."""

from pathlib import Path

import pytest

from alerting.escalation.roster_files import load_rosters, roster_of
from alerting.escalation.teleconsultation import list_of, load_list
from alerting.yaml_files import BadFile
from models.escalations import Recipient
from tests.unit.escalation.written import LIST, ROSTER


def test_right_files_are_read() -> None:
    assert set(roster_of(ROSTER, "r.yaml").recipients) == {
        Recipient.HUISARTS,
        Recipient.OUT_OF_HOURS_POST,
        Recipient.NURSE,
    }
    listed = list_of(LIST, "list.yaml")
    assert listed.first_in("copd") == ("copd_exacerbation",)
    assert listed.first_in("gout") == ()
    assert load_rosters().recipients == frozenset(Recipient)
    assert len(load_list().conditions) == 5


PRACTICE = 'practice: {shift: office, on: [mon, tue, wed, thu, fri], from: "08:00", until: "17:00"'


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "expected", "found"),
    [
        ('sat, sun, holiday], from: "07:00"', 'sat, holiday], from: "07:00"', 20, "recipients.nurse",
         "somebody on duty at every moment", "nobody on sun 07:00–24:00"),
        ('sat, sun, holiday], from: "07:00"', 'sat, sun], from: "07:00"', 20, "recipients.nurse",
         "somebody on duty", "nobody on holiday unless after a holiday 07:00–24:00"),
        ('sat, sun, holiday], from: "07:00"', 'sat, sun], from: "07:00"', 20, "recipients.nurse",
         "somebody on duty", "nobody on mon, tue, wed, thu, fri, sat, sun after a holiday 00:00–07:00"),
        ('from: "07:00", until: "07:00"', 'from: "07:00", until: "06:00"', 20, "recipients.nurse",
         "somebody on duty", "nobody on mon, holiday, tue, wed, thu, fri, sat, sun 06:00–07:00"),
        (PRACTICE, PRACTICE.replace("17:00", "16:30"), 11, "recipients.huisarts",
         "somebody on duty", "nobody on mon, tue, wed, thu, fri 16:30–17:00"),
        (PRACTICE, PRACTICE.replace("17:00", "18:00"), 11, "recipients.huisarts",
         "one duty at a time", "practice and closed on mon, tue, wed, thu, fri 17:00–18:00"),
        (PRACTICE, PRACTICE.replace("fri]", "fri, sat]"), 11, "recipients.huisarts",
         "one duty at a time", "practice and away on sat 08:00–17:00"),
        ('open: {by: huisarts, on: [mon, tue, wed, thu, fri], from: "08:00", until: "17:00"',
         'open: {by: huisarts, on: [mon, tue, wed, thu, fri], from: "08:00", until: "19:00"', 15,
         "recipients.out_of_hours_post", "one duty at a time", "open and night on"),
        (PRACTICE, PRACTICE.replace("08:00", "02:30"), 12, "recipients.huisarts.practice.from",
         "a time that every day has once", "02:30"),
        (PRACTICE, PRACTICE.replace("office", "evening"), 12, "recipients.huisarts.practice.shift",
         "nothing waits in a practice's inbox", "evening"),
        (PRACTICE, PRACTICE.replace("fri]", "fri, holiday]"), 12, "recipients.huisarts.practice.on",
         "on holidays the practice is closed", "holiday"),
        (PRACTICE, PRACTICE.replace("fri]", "fri, fri]"), 12, "recipients.huisarts.practice.on", "each day once", "fri"),
        (PRACTICE, PRACTICE.replace("08:00", "8 uur"), 12, "recipients.huisarts.practice.from", "pattern", "8 uur"),
        (PRACTICE, PRACTICE.replace("mon,", "monday,"), 12, "recipients.huisarts.practice.on.0", "'mon'", "monday"),
        (PRACTICE, PRACTICE.replace("shift: office, ", ""), 12, "recipients.huisarts.practice",
         "either a shift, or by whom", "neither"),
        ("closed: {by: out_of_hours_post,", "closed: {shift: night, by: out_of_hours_post,", 13,
         "recipients.huisarts.closed", "either a shift, or by whom", "both"),
        ("closed: {by: out_of_hours_post,", "closed: {by: specialist,", 13, "recipients.huisarts.closed.by",
         "another recipient of this roster: out_of_hours_post, nurse", "specialist"),
        ("closed: {by: out_of_hours_post,", "closed: {by: huisarts,", 13, "recipients.huisarts.closed.by",
         "another recipient of this roster", "huisarts"),
        ("always: {shift: day,", "always: {by: huisarts,", 21, "recipients.nurse.always.by",
         "alerts are theirs around the clock", "huisarts"),
        ("  nurse:", "  aunt:", 20, "recipients.aunt", "'nurse'", "aunt"),
        ("Nieuwjaarsdag, ", "", 6, "holidays", "each public holiday in closed or in as_usual", "no Nieuwjaarsdag"),
        ("[Goede vrijdag]", "[Goede vrijdag, Koningsdag]", 9, "holidays.as_usual.1", "each holiday once", "Koningsdag"),
        ("[Goede vrijdag]", "[Goede vrijdag, Sinterklaas]", 9, "holidays.as_usual.1", "one of the public", "Sinterklaas"),
        ("source: none\n", "", 1, "source", "the field", "nothing"),
        ("title: {nl: Voorbeeld, en: Sample}", "title: {en: Sample}", 3, "title.nl", "the field", "nothing"),
    ],
)  # fmt: skip
def test_a_wrong_roster_is_refused_with_line_and_field(
    old: str, new: str, line: int, field: str, expected: str, found: str
) -> None:
    assert old in ROSTER
    with pytest.raises(BadFile) as refused:
        roster_of(ROSTER.replace(old, new, 1), "r.yaml")
    place = f"r.yaml, line {line}, {field}"
    told = [(error.expected, error.found) for error in refused.value.errors if error.where == place]
    assert any(expected in one and found in other for one, other in told), str(refused.value)


def test_who_stands_in_must_be_there() -> None:
    longer = ROSTER.replace(
        'night: {shift: night, on: [mon, tue, wed, thu, fri, sat, sun, holiday], from: "17:00", until: "08:00"',
        'night: {shift: night, on: [mon, tue, wed, thu, fri, sat, sun, holiday], from: "18:00", until: "08:00"',
    ).replace(
        'day: {shift: weekend, on: [sat, sun, holiday], from: "08:00", until: "17:00"',
        'day: {shift: weekend, on: [sat, sun, holiday], from: "08:00", until: "18:00"',
    )
    longer = longer.replace(
        'open: {by: huisarts, on: [mon, tue, wed, thu, fri], from: "08:00", until: "17:00"',
        'open: {by: huisarts, on: [mon, tue, wed, thu, fri], from: "08:00", until: "18:00"',
    )
    with pytest.raises(BadFile) as refused:
        roster_of(longer, "r.yaml")
    assert [(error.where, error.found) for error in refused.value.errors] == [
        (
            f"r.yaml, line {line}, recipients.{field}.by",
            "that somebody stands in for them too on mon, tue, wed, thu, fri 17:00–18:00",
        )
        for line, field in ((13, "huisarts.closed"), (16, "out_of_hours_post.open"))
    ]


def test_a_folder_has_one_roster_for_each_recipient(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(ROSTER, encoding="utf-8")
    with pytest.raises(BadFile) as refused:
        load_rosters(tmp_path)
    found = [error.found for error in refused.value.errors]
    assert found[:3] == [f"{who}, also in a.yaml" for who in ("huisarts", "out_of_hours_post", "nurse")]
    assert set(found[3:]) == {
        f"none for {who}"
        for who in ("community_nurse", "referral_desk", "specialist", "coordination_centre", "home_visit")
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "expected"),
    [
        ("  - {line: second, body: longartsen, on: 2026-11-02}\n", "", 6, "approved_by", "both lines"),
        ("line: second", "line: third", 8, "approved_by.1.line", "'first' or 'second'"),
        ("on: 2026-11-02", "on: soon", 8, "approved_by.1.on", "date"),
        ("answer_within: 24 h", "answer_within: 0 h", 14, "conditions.copd_exacerbation.answer_within", "longer than zero"),
        ("answer_within: 24 h", "answer_within: 15 d", 14, "conditions.copd_exacerbation.answer_within", "14 d at most"),
        ("    specialist: {nl: longarts, en: pulmonologist}\n", "", 10, "conditions.copd_exacerbation.specialist", "the field"),
        ("    text: {nl: a, en: b}", "    text: {nl: a}", 12, "conditions.copd_exacerbation.text.en", "the field"),
    ],
)  # fmt: skip
def test_a_wrong_list_is_refused_with_line_and_field(
    old: str, new: str, line: int, field: str, expected: str
) -> None:
    assert old in LIST
    with pytest.raises(BadFile) as refused:
        list_of(LIST.replace(old, new, 1), "list.yaml")
    where = {error.where: error.expected for error in refused.value.errors}
    place = f"list.yaml, line {line}, {field}"
    assert place in where, str(refused.value)
    assert expected in where[place]
