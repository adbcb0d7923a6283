# ruff: noqa: E501 - drawn as it is printed
"""`thuiswacht policy check` and `roster show`: what they print, and what they refuse."""

from pathlib import Path

import pytest

import thuiswacht
from models.escalations import Recipient
from tests.unit.escalation.written import DEFAULT, LIST, POLICY, ROSTER

SAMPLE_DRAWN = """\
  severe: high, breathing, heart_rate
  a / b
    at once       1. nurse, acute, by worklist
                     not accepted within 10 min: step 2
    after 10 min  2. huisarts, acute, by fhir, else secure_mail
                     not delivered within 5 min, not accepted within 15 min, not resolved within 2 h: step 3
    after 25 min  3. coordination_centre, acute, by webhook
                     not accepted within 10 min: it is taken again
                     the last step again each 10 min, until somebody accepts
    promised: resolved within 1 h, snoozed 30 min at most, handed over within 10 min, looked at again after 1 d
    closed by a person only
"""


def said(*arguments: str) -> int:
    """The exit code of the command line."""
    with pytest.raises(SystemExit) as ended:
        thuiswacht.main([*arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_what_comes_with_thuiswacht_is_right_and_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    assert said("policy", "check") == 0
    told = capsys.readouterr()
    heads = [line.split(":")[0] for line in told.out.splitlines() if line and not line.startswith(" ")]
    assert heads[:5] == [
        "teleconsultation haaglanden 1",
        "roster centre 1",
        "roster first_line 1",
        "roster hospital 1",
        "roster region 1",
    ]
    assert "policy default 1, any programme" in heads
    assert "policy heart_failure 1, programme heart_failure" in heads
    assert told.err == ""


def test_a_right_policy_is_drawn_as_a_ladder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, sample=POLICY)
    assert said("policy", "check", str(tmp_path / "sample.yaml")) == 0
    told = capsys.readouterr()
    assert SAMPLE_DRAWN in told.out
    assert "specialist, regular, by fhir, a question: copd_exacerbation, answered within 8 h" in told.out


def test_all_that_is_wrong_with_all_files_is_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        tmp_path,
        a=POLICY.replace("programme: copd", "programme: gout").replace("[webhook]", "[worklist]"),
        b=ROSTER.replace('until: "08:00"', 'until: "07:00"', 1),
        c=LIST.replace("line: second", "line: third"),
        d="a: b: c",
        e="programme: copd",
        f=DEFAULT,
    )
    names = [*"abcdef", "gone"]
    assert said("policy", "check", *(str(tmp_path / f"{name}.yaml") for name in names)) == 65
    told = capsys.readouterr()
    assert "policy everything 1" in told.out
    lines = told.err.removeprefix("thuiswacht: ").splitlines()
    assert all(": expected " in line and ", found " in line for line in lines), told.err
    assert [line.partition(":")[0] for line in lines] == [
        "d.yaml, line 1",
        "e.yaml, line 1",
        "gone.yaml",
        "c.yaml, line 8, approved_by.1.line",
        "b.yaml, line 11, recipients.huisarts",
        "a.yaml, line 3, programme",
        "a.yaml, line 20, ladders.severe.steps.2.channels.0",
    ]
    assert "tue, wed, thu, fri, sat unless after a holiday" in told.err


def test_in_a_folder_nobody_and_no_alert_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, sample=POLICY.replace("coordination_centre", "out_of_hours_post"), duty=ROSTER)
    assert said("policy", "check", str(tmp_path)) == 65
    told = capsys.readouterr()
    assert "expected somebody who is in a roster, found specialist" in told.err
    write(tmp_path, sample=DEFAULT)
    assert said("policy", "check", str(tmp_path)) == 65
    told = capsys.readouterr()
    assert "expected a roster for each recipient, found none for specialist" in told.err
    assert "default ladder" not in told.err
    (tmp_path / "duty.yaml").unlink()
    write(tmp_path, sample=DEFAULT.replace("severity: any", "severity: high"))
    assert said("policy", "check", str(tmp_path)) == 65
    assert (
        'a default ladder: programme "*", signals any, found none for severity low' in capsys.readouterr().err
    )


def test_the_roster_says_who_answers_when(capsys: pytest.CaptureFixture[str]) -> None:
    assert said("roster", "show", "--at", "2026-12-25T23:30") == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0] == "at Fri 2026-12-25 23:30+0100"
    assert rows[1].split() == ["asked", "answers", "duty", "shift", "from", "until", "title"]
    assert [row.split()[0] for row in rows[2:]] == list(Recipient)
    (huisarts,) = (row for row in rows if row.startswith("huisarts"))
    assert huisarts.split()[1:4] == ["out_of_hours_post", "night", "night"]
    assert "Fri 2026-12-25 23:00+0100  Sat 2026-12-26 08:00+0100  Huisartsenpost in de nacht" in huisarts


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        ("2026-10-25T02:30+02:00", "at Sun 2026-10-25 02:30+0200"),
        ("2026-10-25T02:30+01:00", "at Sun 2026-10-25 02:30+0100"),
        ("2026-03-29T01:00Z", "at Sun 2026-03-29 03:00+0200"),
    ],
)
def test_a_time_with_an_offset_is_that_moment(
    at: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said("roster", "show", "--at", at, "--recipient", "nurse") == 0
    rows = capsys.readouterr().out.splitlines()
    assert (rows[0], len(rows)) == (shown, 3)


@pytest.mark.parametrize("at", ["2026-10-25T02:30", "2026-03-29T02:30", "tomorrow", "2026-02-30T12:00", ""])
def test_a_time_that_is_none_or_two_is_refused(at: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said("roster", "show", "--at", at) == 65
    told = capsys.readouterr()
    assert told.err.startswith("thuiswacht: --at: expected a time ")
    assert told.out == ""


def test_nobody_unknown_is_asked_for() -> None:
    assert said("roster", "show", "--at", "2026-12-25T23:30", "--recipient", "uncle") == 2
