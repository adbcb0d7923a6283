"""Alerts as tables of plain text, for the command line; pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

Structure = Mapping[str, Any]

_COLUMNS = ("severity", "signal", "state", "opened", "with", "next look", "wijk", "alert", "patient")


def worklist(page: Structure) -> str:
    """A page of the worklist: one alert a row."""
    rows = [
        (
            str(one["severity"]),
            str(one["signal"]),
            _state(one),
            _moment(one["opened_at"]),
            _with(one),
            "-" if one["next"] is None else f"{_moment(one['next']['at'])} {one['next']['why']}",
            one["wijk"] or "-",
            str(one["alert_id"]),
            str(one["patient_id"]),
        )
        for one in page["alerts"]
    ]
    if not rows:
        return "No alerts.\n"
    more = "" if page["next_page"] is None else f"More: --after {page['next_page']}\n"
    return table(_COLUMNS, rows) + more


def one_alert(shown: Structure) -> str:
    """One alert with its reasons, escalations, messages and history."""
    policy = shown["policy"]
    parts = [
        f"{shown['severity']} {shown['signal']}: {_state(shown)}, version {shown['version']}\n",
        *_facts(shown),
        f"policy      {policy['name']}/{policy['version']}, step {shown['step']} of {len(policy['steps'])}\n",
    ]
    for title, rows in (
        ("findings (thuiswacht explain ID)", [_finding(one) for one in shown["findings"]]),
        ("escalations", [_escalation(one) for one in shown["escalations"]]),
        ("messages", [_message(one) for one in shown["messages"]]),
        ("history", [_event(one) for one in shown["events"]]),
    ):
        if rows:
            parts.append(f"\n{title}\n" + table(None, rows))
    return "".join(parts)


def table(head: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> str:
    """Rows under each other, each column as wide as its widest text.

    >>> print(table(("a", "b"), [("long", "1"), ("x", "2")]), end="")
    a     b
    long  1
    x     2
    """
    lines = [*([] if head is None else [head]), *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() + "\n"
        for line in lines
    )


def _facts(shown: Structure) -> Iterator[str]:
    following = shown["next"]
    for name, said in (
        ("alert", shown["alert_id"]),
        ("patient", shown["patient_id"]),
        ("wijk", shown["wijk"]),
        ("opened", _moment(shown["opened_at"])),
        ("with", _with(shown)),
        ("resolve by", _moment(shown["resolve_by"])),
        ("resolved", _moment(shown["resolved_at"])),
        ("outcome", shown["outcome"]),
        ("next look", None if following is None else f"{_moment(following['at'])} ({following['why']})"),
    ):
        if said not in (None, "-"):
            yield f"{name:<12}{said}\n"


def _state(one: Structure) -> str:
    marks = [
        mark
        for mark, holds in (
            ("cleared", one["cleared_at"] is not None),
            ("retracted", one["retracted"]),
            ("unconfirmed", one["unconfirmed"]),
            ("snoozed", one["snoozed_until"] is not None),
            ("handed over", one["handed_over_to"] is not None),
        )
        if holds
    ]
    return str(one["state"]) + (f" ({', '.join(marks)})" if marks else "")


def _with(one: Structure) -> str:
    party = one["responsible"]
    place = f"{party['role']} {_name(party['organisation'])}"
    return place if one["owner"] is None else f"{_name(one['owner'])}, {place}"


def _finding(one: Structure) -> tuple[str, ...]:
    stands = "retracted" if one["retracted"] else "holds" if one["holds"] else "cleared"
    rule = f"{one['programme']}/{one['version']} {one['rule']}"
    return _moment(one["opened_at"]), str(one["severity"]), rule, stands, str(one["finding_id"])


def _escalation(one: Structure) -> tuple[str, ...]:
    to = f"{one['to']['role']} {_name(one['to']['organisation'])}"
    said = one["reason"] if one["question"] is None else f"{one['reason']} ? {one['question']}"
    return _moment(one["asked_at"]), str(one["recipient"]), to, str(one["request"]), str(one["state"]), said


def _message(one: Structure) -> tuple[str, ...]:
    to = "the patient" if one["to"] is None else _name(one["to"])
    return _moment(one["due_at"]), str(one["kind"]), str(one["channel"]), to, str(one["state"])


def _event(one: Structure) -> tuple[str, ...]:
    step = " → ".join(part for part in (one["from"], one["to"]) if part is not None)
    why = ", ".join(f"{name}: {value}" for name, value in one["why"].items())
    return _moment(one["at"]), str(one["event"]), step, one["by"], why


def _name(named: Structure) -> str:
    return named["name"] or str(named["id"])


def _moment(at: datetime | None) -> str:
    return "-" if at is None else f"{at:%Y-%m-%d %H:%MZ}"
