"""What patients read: the words of one language with their slots filled. Pure; the words come from files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from string import Formatter
from types import MappingProxyType
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from models.clock import to_datetime
from models.errors import BadInput, RefuseToStart
from models.escalations import Channel, Message, MessageKind
from models.findings import Severity
from models.kinds import KIND_BY_NAME
from models.messages import Origin

FALLBACK = "nl"
_ZONE = ZoneInfo("Europe/Amsterdam")
_SYMPTOM = "symptom_"


class PatientText(StrEnum):
    """What can be said to a patient."""

    MEASURE_AGAIN = "measure_again"
    """The quality gate asks: a measurement was not as expected, until when it waits."""
    MEASURE_NOW = "measure_now"
    REMINDER = "reminder"
    SYMPTOM_QUESTION = "symptom_question"
    SEEN_BY_NURSE = "seen_by_nurse"
    WHOM_TO_RING = "whom_to_ring"


ABOUT_A_MEASUREMENT = (PatientText.MEASURE_AGAIN, PatientText.MEASURE_NOW, PatientText.REMINDER)
_SLOTS: Mapping[PatientText, frozenset[str]] = {
    PatientText.MEASURE_AGAIN: frozenset({"what", "until"}),
    PatientText.MEASURE_NOW: frozenset({"what"}),
    PatientText.REMINDER: frozenset({"what"}),
    PatientText.SYMPTOM_QUESTION: frozenset({"what"}),
    PatientText.SEEN_BY_NURSE: frozenset(),
    PatientText.WHOM_TO_RING: frozenset(),
}
_RING: Mapping[str, frozenset[str]] = {
    "now": frozenset({"name", "phone"}),
    "outside": frozenset({"name", "phone"}),
    "emergency": frozenset(),
}
_UNTIL: Mapping[str, frozenset[str]] = {
    "today": frozenset({"hour", "minute"}),
    "later": frozenset({"hour", "minute", "day", "month"}),
}


@dataclass(frozen=True, slots=True)
class About:
    """Whom a message is for, and in whose name it is sent."""

    patient_id: UUID
    organisation_id: UUID
    origin: Origin


@dataclass(frozen=True, slots=True)
class Words:
    """Everything that is said in one language."""

    language: str
    texts: Mapping[PatientText, tuple[str, str]]
    """Title and body."""
    ring: Mapping[str, str]
    until: Mapping[str, str]
    kinds: Mapping[str, str]
    copy: str


@dataclass(frozen=True, slots=True)
class Ringing:
    """Whom a patient can ring: a name and a telephone number."""

    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Said:
    """A message as the patient reads it; `copy` is what a *mantelzorger* reads above theirs."""

    language: str
    title: str
    text: str
    copy: str


@dataclass(frozen=True, slots=True)
class Texts:
    """All languages that there are; who speaks another one reads Dutch."""

    by_language: Mapping[str, Words]

    def of(self, language: str) -> Words:
        """The words of a language, or those in Dutch."""
        return self.by_language.get(language) or self.by_language[FALLBACK]


def words_of(content: Mapping[str, Any], where: str) -> Words:
    """The words of one file. **Raises**: RefuseToStart, naming what misses, is unknown or has other slots."""
    _require_keys(content, {"language", "texts", "ring", "copy", "until", "kinds"}, where)
    _require_keys(content["texts"], {text.value for text in PatientText}, f"{where}: texts")
    _require_keys(content["ring"], set(_RING), f"{where}: ring")
    _require_keys(content["until"], set(_UNTIL), f"{where}: until")
    _require_keys(content["kinds"], set(KIND_BY_NAME), f"{where}: kinds")
    texts: dict[PatientText, tuple[str, str]] = {}
    for text in PatientText:
        parts = content["texts"][text.value]
        _require_keys(parts, {"title", "body"}, f"{where}: texts.{text}")
        _require_slots(parts["title"], frozenset(), f"{where}: texts.{text}.title")
        _require_slots(parts["body"], _SLOTS[text], f"{where}: texts.{text}.body")
        texts[text] = parts["title"], parts["body"]
    for part, wanted in (("ring", _RING), ("until", _UNTIL)):
        for key, slots in wanted.items():
            _require_slots(content[part][key], slots, f"{where}: {part}.{key}")
    _require_slots(content["copy"], frozenset(), f"{where}: copy")
    for name, said in content["kinds"].items():
        _require_slots(said, frozenset(), f"{where}: kinds.{name}")
    return Words(
        language=content["language"],
        texts=MappingProxyType(texts),
        ring=MappingProxyType(dict(content["ring"])),
        until=MappingProxyType(dict(content["until"])),
        kinds=MappingProxyType(dict(content["kinds"])),
        copy=content["copy"],
    )


def texts_of(words: Mapping[str, Words]) -> Texts:
    """All languages, by the name of their file. **Raises**: RefuseToStart without Dutch, or misnamed."""
    for name, one in words.items():
        if name != one.language:
            raise RefuseToStart(f"{name}.yaml: expected language: {name}, found {one.language}")
    if FALLBACK not in words:
        raise RefuseToStart(
            f"What patients read: expected {FALLBACK}.yaml, which stands in for other languages."
        )
    return Texts(MappingProxyType(dict(words)))


def require_fitting(text: PatientText, kind: str | None) -> None:
    """A measurement is asked for of what is measured, a question of a symptom. **Raises**: BadInput."""
    known = KIND_BY_NAME.get(kind or "")
    if text in ABOUT_A_MEASUREMENT:
        fits = known is not None and not known.is_coded
        expected = "a kind that is measured"
    elif text is PatientText.SYMPTOM_QUESTION:
        fits = known is not None and known.name.startswith(_SYMPTOM)
        expected = "a kind that is a symptom"
    else:
        fits, expected = kind is None, "nothing"
    if not fits:
        raise BadInput(where="about", expected=f"{expected}, for {text}", found=kind or "nothing")


def say(
    words: Words,
    text: PatientText,
    *,
    kind: str | None,
    until_us: int | None,
    now: Ringing | None,
    outside: Ringing | None,
    now_us: int,
) -> Said:
    """One message in one language, with whom to ring below it: nobody for whom there is no number.

    **Units**: microseconds since 1970 UTC; what the patient reads is in Europe/Amsterdam.
    """
    title, body = words.texts[text]
    filled = body.format(
        what="" if kind is None else words.kinds[kind],
        until="" if until_us is None else _until(words, until_us, now_us),
    )
    lines = [
        words.ring[when].format(name=whom.name, phone=whom.phone)
        for when, whom in (("now", now), ("outside", outside))
        if whom is not None
    ]
    ring = "\n".join([*lines, words.ring["emergency"]])
    return Said(words.language, title, f"{filled}\n\n{ring}", words.copy)


def message_to_patient(
    message_id: UUID,
    whom: About,
    severity: Severity,
    facts: Mapping[str, object],
    *,
    now_us: int,
    deliver_by_us: int,
) -> Message:
    """A message to the patient, by their app. **Units**: microseconds since 1970 UTC."""
    return Message(
        message_id=message_id,
        patient_id=whom.patient_id,
        organisation_id=whom.organisation_id,
        origin=whom.origin,
        kind=MessageKind.TO_PATIENT,
        channel=Channel.PATIENT,
        severity=severity,
        alerts=(),
        due_at_us=now_us,
        deliver_by_us=deliver_by_us,
        body=json.dumps(facts, separators=(",", ":"), sort_keys=True),
    )


def _until(words: Words, until_us: int, now_us: int) -> str:
    at, now = (to_datetime(us).astimezone(_ZONE) for us in (until_us, now_us))
    return words.until["today" if at.date() == now.date() else "later"].format(**_parts(at))


def _parts(at: datetime) -> dict[str, str]:
    return {"hour": str(at.hour), "minute": f"{at.minute:02}", "day": str(at.day), "month": str(at.month)}


def _require_keys(content: object, wanted: set[str], where: str) -> None:
    if not isinstance(content, Mapping):
        raise RefuseToStart(f"{where}: expected entries, found none")
    found = {str(key) for key in cast("Mapping[object, object]", content)}
    if found != wanted:
        missing, unknown = ", ".join(sorted(wanted - found)), ", ".join(sorted(found - wanted))
        raise RefuseToStart(f"{where}: missing: {missing or 'nothing'}; unknown: {unknown or 'nothing'}")


def _require_slots(said: object, wanted: frozenset[str], where: str) -> None:
    if not isinstance(said, str) or not said.strip():
        raise RefuseToStart(f"{where}: expected a text, found none")
    try:
        found = frozenset(name for _, name, _, _ in Formatter().parse(said) if name is not None)
    except ValueError:
        raise RefuseToStart(f"{where}: expected whole slots in braces, found half of one") from None
    if found != wanted:
        slots = ", ".join(sorted(wanted)) or "none"
        raise RefuseToStart(
            f"{where}: expected the slots {slots}, found {', '.join(sorted(found)) or 'none'}"
        )
