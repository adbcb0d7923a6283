"""What a patient's page says beside the charts: who they are, what holds, each alert with why; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from alerting.console.patient.charts import amount, unit_of
from alerting.console.patient.levels import Own
from alerting.console.patient.marks import Names, who
from alerting.console.patient.record import Record
from alerting.console.times import date_said, stretch
from alerting.engine.local_days import AMSTERDAM
from alerting.engine.programme import Programme
from alerting.explain.amounts import Amount, amount_in_words, answer, received_in_words, unit_words
from alerting.explain.explanation import Explanation, Stage
from alerting.explain.figures import exact
from alerting.explain.moments import iso, short_moment
from alerting.explain.page import clears_when, headline, part_in_words
from alerting.explain.provenance import in_words
from alerting.explain.slots import agreed
from alerting.explain.vocabulary import WEEKDAYS, Both, Language, kind_name
from models.alerts import Alert, AlertEvent, AlertHappening
from models.clock import to_datetime
from models.db.calls import Call, to_call_back
from models.findings import EvidenceReading
from models.identity import Identity
from models.messages import AnyChange, Enrol, MoveVersion, SetLimits, SetSchedule, Withdraw
from models.register import content_of

TALKED = frozenset({AlertEvent.NOTED, AlertEvent.RESOLVED})


@dataclass(frozen=True, slots=True)
class Why:
    """Why one finding is there, in words. `readings` behind it and `sources` of its limits, each once."""

    finding_id: UUID
    headline: str
    opened_at_us: int
    cleared_at_us: int | None
    retracted: bool
    unconfirmed: bool
    parts: tuple[str, ...]
    rose: tuple[str, ...]
    readings: tuple[str, ...]
    sources: tuple[str, ...]
    clears: str | None


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of an alert: `who` is None where it happened by itself."""

    at_us: int
    event: AlertEvent
    who: str | None
    text: str | None
    to_value: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """An alert with its reasons and what was done."""

    alert: Alert
    why: tuple[Why, ...]
    happened: tuple[Happened, ...]
    owner: str | None
    ended_by: str | None

    @property
    def version(self) -> int:
        """In which it is shown."""
        return self.alert.version


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of a programme, as it is for this patient. **Units**: microseconds since 1970 UTC."""

    name: str
    text: str
    value: str
    default: str
    unit: str
    low: float
    high: float
    raw: float
    is_personal: bool
    by: str | None
    since_us: int | None
    until_us: int | None


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A programme that the patient is in. `schedules`: name, when, whether it is the patient's own."""

    name: str
    version: int
    title: str
    limits: tuple[Limit, ...]
    schedules: tuple[tuple[str, str, bool], ...]


def age_of(born: date, today: date) -> int:
    """Whole years.

    >>> age_of(date(1948, 3, 1), date(2026, 2, 28))
    77
    """
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def name_of(identity: Identity | None, fallback: str) -> str:
    """As one says it: given names first."""
    if identity is None:
        return fallback
    return f"{identity.given_names} {identity.family_name}".strip()


def why_of(explanation: Explanation, language: Language) -> Why:
    """Why a finding is there."""
    finding = explanation.finding
    parts = [part for because in explanation.because for part in because.parts]
    sources = [source for part in parts for source in part.sources]
    readings = [reading for part in parts for reading in part.shown]
    return Why(
        finding_id=finding.finding_id,
        headline=headline(explanation, language),
        opened_at_us=finding.opened_at_us,
        cleared_at_us=finding.cleared_at_us,
        retracted=finding.retracted,
        unconfirmed=finding.unconfirmed,
        parts=tuple(_parts(explanation, Stage.OPENED, language)),
        rose=tuple(_parts(explanation, Stage.ROSE, language)),
        readings=tuple(dict.fromkeys(_reading(one, language) for one in readings)),
        sources=tuple(dict.fromkeys(in_words(source, language) for source in sources)),
        clears=clears_when(explanation, language),
    )


def told_of(alert: Alert, why: Sequence[Why], happened: Sequence[AlertHappening], names: Names) -> Told:
    """An alert as it is told: its reasons, and its history in order."""
    own = [_happened(one, names) for one in happened if one.alert_id == alert.alert_id]
    ended = [one.who for one in own if one.event is AlertEvent.RESOLVED]
    return Told(
        alert=alert,
        why=tuple(why),
        happened=tuple(own),
        owner=None if alert.owner is None else names.get(alert.owner, "?"),
        ended_by=ended[-1] if ended else None,
    )


def enrolled(record: Record, language: Language) -> list[Enrolled]:
    """Each programme of the patient with its limits and schedules as they are for them."""
    known = {one.programme.programme: one for one in record.own}
    found: list[Enrolled] = []
    for name, enrolment in record.state.enrolments.items():
        own = known.get(name)
        found.append(
            Enrolled(name, enrolment.version, name, (), ())
            if own is None
            else Enrolled(
                name,
                enrolment.version,
                title_of(own.programme, language),
                tuple(_limits(own, language)),
                tuple(_schedules(own, language)),
            )
        )
    return found


def newest_versions(programmes: Mapping[tuple[str, int], Programme]) -> dict[str, int]:
    """The newest version of each programme."""
    return dict(sorted(programmes))


def title_of(programme: Programme, language: Language) -> str:
    """What a programme is called."""
    return Both(programme.title.nl, programme.title.en).said(language)


def set_of(change: AnyChange, language: Language) -> dict[str, Any]:
    """What a decision set, for a line in the list of decisions."""
    match change:
        case SetLimits() | Enrol():
            limits = {
                name: None if one is None else amount_in_words(Amount(one.value, one.unit), "", language)
                for name, one in change.limits.items()
            }
            return {"programme": change.programme, "limits": limits}
        case SetSchedule() | MoveVersion() | Withdraw():
            return {"programme": change.programme, "limits": {}}
        case _:
            return {"programme": None, "limits": {}}


def call_back(calls: Sequence[Call], now_us: int) -> tuple[Call, bool] | None:
    """Whom to ring again, and whether it is time."""
    call = to_call_back(calls)
    if call is None or call.call_back_at_us is None:
        return None
    return call, call.call_back_at_us <= now_us


def _parts(explanation: Explanation, stage: Stage, language: Language) -> Iterator[str]:
    for because in explanation.because:
        if because.stage is stage:
            yield from (part_in_words(part, because.given, language) for part in because.parts)


def _reading(one: EvidenceReading, language: Language) -> str:
    value = received_in_words(Amount(one.value, one.unit), one.kind, language)
    return f"{short_moment(one.taken_at_us, language)}: {kind_name(one.kind, language)} {value}"


def _happened(one: AlertHappening, names: Names) -> Happened:
    text = one.why.get("text") or one.why.get("note") or one.why.get("reason")
    return Happened(
        at_us=one.happened_at_us,
        event=one.event,
        who=who(one.by, names),
        text=text if isinstance(text, str) else None,
        to_value=one.to_value,
    )


def _limits(own: Own, language: Language) -> Iterator[Limit]:
    for name, limit in own.programme.limits.items():
        personal = own.limits.get(name)
        since_us, by = own.decided.get(name, (None, None))
        value, unit = (limit.default, limit.unit) if personal is None else (personal.value, personal.unit)
        yield Limit(
            name=name,
            text=Both(limit.text.nl, limit.text.en).said(language),
            value=amount_in_words(Amount(value, unit), "", language),
            default=amount_in_words(Amount(limit.default, limit.unit), "", language),
            unit=limit.unit,
            low=limit.low,
            high=limit.high,
            raw=value,
            is_personal=personal is not None,
            by=by if by is not None or personal is None else personal.set_by,
            since_us=since_us if personal is not None else None,
            until_us=None if personal is None else personal.until_us,
        )


def _schedules(own: Own, language: Language) -> Iterator[tuple[str, str, bool]]:
    for name, schedule in own.given.schedules.items():
        yield name, agreed(schedule, language), name in own.enrolment.schedule


def dialled(telephone: str) -> str:
    """A telephone number as it is dialled.

    >>> dialled("+31 (0)70 123 45 67")
    '+310701234567'
    """
    return "".join(one for one in telephone if one.isdigit() or one == "+")


def local_value(at_us: int) -> str:
    """A moment as the browser's own field has it, in Europe/Amsterdam.

    >>> local_value(1_795_332_660_000_000)
    '2026-11-22T08:31'
    """
    return f"{to_datetime(at_us).astimezone(AMSTERDAM):%Y-%m-%dT%H:%M}"


def change_name(change: AnyChange) -> str:
    """What a decision is called."""
    return next(iter(content_of(change)))


def unit_said(unit: str, language: Language) -> str:
    """A unit as it is said after several of it."""
    return unit_words(unit, "", 2, language)


SAID: Mapping[str, Any] = {
    "date_said": date_said,
    "dialled": dialled,
    "local_value": local_value,
    "change_name": change_name,
    "iso": iso,
    "stretch": stretch,
    "answer": answer,
    "amount": amount,
    "exact": exact,
    "unit_of": unit_of,
    "unit_said": unit_said,
    "weekdays": WEEKDAYS,
    "name_of": name_of,
}
"""How the templates of this room say things."""
