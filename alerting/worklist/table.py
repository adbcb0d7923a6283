"""Alerts as tables of plain text, for the command line, in Dutch or English; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from alerting.explain.moments import short_moment
from alerting.explain.sentences import capital
from alerting.explain.vocabulary import Both, Language
from alerting.worklist import words
from models.clock import to_us

Structure = Mapping[str, Any]


def worklist(page: Structure, language: Language) -> str:
    """A page of the worklist: one alert a row."""
    saying = _Saying(language)
    rows = [
        (
            words.said(words.SEVERITIES, one["severity"], language),
            words.said(words.SIGNALS, one["signal"], language),
            saying.state(one),
            saying.moment(one["opened_at"]),
            saying.with_whom(one),
            saying.next_look(one["next"]),
            one["wijk"] or "-",
            str(one["alert_id"]),
            str(one["patient_id"]),
        )
        for one in page["alerts"]
    ]
    if not rows:
        return words.NO_ALERTS.said(language) + "\n"
    more = (
        "" if page["next_page"] is None else words.MORE.said(language).format(page=page["next_page"]) + "\n"
    )
    return table([column.said(language) for column in words.COLUMNS], rows) + more


def one_alert(shown: Structure, language: Language) -> str:
    """One alert with its reasons, escalations, messages and history."""
    saying = _Saying(language)
    head = words.HEAD.said(language).format(
        severity=capital(words.said(words.SEVERITIES, shown["severity"], language)),
        signal=words.said(words.SIGNALS, shown["signal"], language),
        state=saying.state(shown),
        version=shown["version"],
    )
    parts = [head + "\n", table(None, list(saying.facts(shown)))]
    for title, rows in (
        (words.FINDINGS, [saying.finding(one) for one in shown["findings"]]),
        (words.ESCALATIONS, [saying.escalation(one) for one in shown["escalations"]]),
        (words.MESSAGES, [saying.message(one) for one in shown["messages"]]),
        (words.HISTORY, [saying.event(one) for one in shown["events"]]),
    ):
        if rows:
            parts.append(f"\n{title.said(language)}\n" + table(None, rows))
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


@dataclass(frozen=True, slots=True)
class _Saying:
    language: Language

    def facts(self, shown: Structure) -> Iterator[tuple[str, str]]:
        policy = shown["policy"]
        step = words.STEP.said(self.language).format(
            policy=f"{policy['name']}/{policy['version']}", step=shown["step"], steps=len(policy["steps"])
        )
        outcome = shown["outcome"]
        facts: Sequence[tuple[Both, object]] = (
            (words.ALERT, shown["alert_id"]),
            (words.PATIENT, shown["patient_id"]),
            (words.WIJK, shown["wijk"]),
            (words.OPENED, self.moment(shown["opened_at"])),
            (words.WITH, self.with_whom(shown)),
            (words.RESOLVE_BY, self.moment(shown["resolve_by"])),
            (words.RESOLVED, self.moment(shown["resolved_at"])),
            (words.OUTCOME, None if outcome is None else words.said(words.OUTCOMES, outcome, self.language)),
            (words.NEXT_LOOK, self.next_look(shown["next"])),
            (words.POLICY, step),
        )
        for name, said in facts:
            if said not in (None, "-"):
                yield name.said(self.language), str(said)

    def state(self, one: Structure) -> str:
        held_back = one["held_back"]
        marks = [
            mark.said(self.language)
            for mark, holds in (
                (words.CLEARED, one["cleared_at"] is not None),
                (words.RETRACTED, one["retracted"]),
                (words.UNCONFIRMED, one["unconfirmed"]),
                (words.SNOOZED, one["snoozed_until"] is not None),
                (words.OFFERED, one["handed_over_to"] is not None),
            )
            if holds
        ]
        if held_back is not None:
            why = words.said(words.HELD_BACK, held_back, self.language)
            marks.append(words.HELD.said(self.language).format(why=why))
        state = words.said(words.STATES, one["state"], self.language)
        return state + (f" ({', '.join(marks)})" if marks else "")

    def with_whom(self, one: Structure) -> str:
        place = self.party(one["responsible"])
        return place if one["owner"] is None else f"{_name(one['owner'])}, {place}"

    def next_look(self, following: Structure | None) -> str:
        if following is None:
            return "-"
        return f"{self.moment(following['at'])} {words.value_of(following['why'], self.language)}"

    def finding(self, one: Structure) -> tuple[str, ...]:
        stands = (
            words.RETRACTED if one["retracted"] else words.HOLDS if one["holds"] else words.CLEARED
        ).said(self.language)
        rule = f"{one['programme']}/{one['version']} {one['rule']}"
        severity = words.said(words.SEVERITIES, one["severity"], self.language)
        return self.moment(one["opened_at"]), severity, rule, stands, str(one["finding_id"])

    def escalation(self, one: Structure) -> tuple[str, ...]:
        reason = words.value_of(one["reason"], self.language)
        return (
            self.moment(one["asked_at"]),
            words.said(words.RECIPIENTS, one["recipient"], self.language),
            self.party(one["to"]),
            words.said(words.REQUESTS, one["request"], self.language),
            words.said(words.ASKED, one["state"], self.language),
            reason if one["question"] is None else f"{reason} ? {one['question']}",
        )

    def message(self, one: Structure) -> tuple[str, ...]:
        return (
            self.moment(one["due_at"]),
            words.said(words.KINDS, one["kind"], self.language),
            words.said(words.CHANNELS, one["channel"], self.language),
            words.THE_PATIENT.said(self.language) if one["to"] is None else _name(one["to"]),
            words.said(words.SENT, one["state"], self.language),
        )

    def event(self, one: Structure) -> tuple[str, ...]:
        step = " → ".join(
            words.value_of(part, self.language) for part in (one["from"], one["to"]) if part is not None
        )
        why = ", ".join(
            f"{words.said(words.FIELDS, name, self.language)}: {self.value(value)}"
            for name, value in one["why"].items()
            if value is not None
        )
        event = words.said(words.EVENTS, one["event"], self.language)
        return self.moment(one["at"]), event, step, one["by"], why

    def value(self, value: object) -> str:
        values = cast("list[object]", value) if isinstance(value, list) else [value]
        return ", ".join(words.value_of(str(one), self.language) for one in values)

    def party(self, party: Structure) -> str:
        role = words.said(words.ROLES, party["role"], self.language)
        return f"{role} {_name(party['organisation'])}"

    def moment(self, at: datetime | None) -> str:
        return "-" if at is None else short_moment(to_us(at), self.language)


def _name(named: Structure) -> str:
    return named["name"] or str(named["id"])
