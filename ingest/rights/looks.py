"""Who looked at a patient's data, told to the patient: a plain sentence for each look, in Dutch and English.

Only what is about this patient: logging in is about nobody. Names of staff are told, for who looked is what
the patient asks (article 15e Wabvpz).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from models.access import Action, Ground, Role
from models.audit import Event, Outcome
from models.clock import to_datetime

ZONE = ZoneInfo("Europe/Amsterdam")

_MONTHS_NL = (
    "januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober",
    "november", "december",
)  # fmt: skip


class Deed(NamedTuple):
    """What was done, or wanted, in both languages."""

    did_nl: str
    wanted_nl: str
    did_en: str
    wanted_en: str


DEEDS: Mapping[str, Deed] = {
    Action.PATIENT_SEARCH: Deed(
        "zocht in een lijst waar u in stond", "u in een lijst opzoeken",
        "searched a list that you were in", "search a list that you are in",
    ),
    Action.PATIENT_READ: Deed(
        "bekeek uw gegevens", "uw gegevens bekijken", "looked at your data", "look at your data"
    ),
    Action.IDENTITY_READ: Deed(
        "bekeek uw naam en adres", "uw naam en adres bekijken",
        "looked at your name and address", "look at your name and address",
    ),
    Action.PATIENT_INCLUDE: Deed("meldde u aan", "u aanmelden", "registered you", "register you"),
    Action.PATIENT_CHANGE: Deed(
        "veranderde iets in uw gegevens", "iets in uw gegevens veranderen",
        "changed something in your data", "change something in your data",
    ),
    Action.PATIENT_MERGE: Deed(
        "voegde twee inschrijvingen van u samen", "twee inschrijvingen van u samenvoegen",
        "merged two registrations of yours", "merge two registrations of yours",
    ),
    Action.RELATION_CHANGE: Deed(
        "veranderde welke organisaties u behandelen", "veranderen welke organisaties u behandelen",
        "changed which organisations treat you", "change which organisations treat you",
    ),
    Action.CONSENT_RECORD: Deed(
        "schreef uw toestemming op", "uw toestemming opschrijven",
        "wrote down your consent", "write down your consent",
    ),
    Action.EMERGENCY_DECLARE: Deed(
        "vroeg toegang tot uw gegevens wegens een noodgeval", "toegang vragen wegens een noodgeval",
        "asked for access to your data for an emergency", "ask for access for an emergency",
    ),
    Action.LOOKS_READ: Deed(
        "maakte dit overzicht voor u", "dit overzicht voor u maken",
        "made this overview for you", "make this overview for you",
    ),
    Action.COPY_MAKE: Deed(
        "maakte een kopie van uw dossier", "een kopie van uw dossier maken",
        "made a copy of your record", "make a copy of your record",
    ),
    Action.OBJECTION_RECORD: Deed(
        "schreef uw bezwaar op, of dat u het terugnam", "uw bezwaar opschrijven",
        "wrote down your objection, or that you took it back", "write down your objection",
    ),
    Action.CORRECTION_MAKE: Deed(
        "verbeterde iets in uw gegevens", "iets in uw gegevens verbeteren",
        "corrected something in your data", "correct something in your data",
    ),
    Action.DESTRUCTION: Deed(
        "bekeek of uw dossier vernietigd kan worden, of vernietigde het", "uw dossier vernietigen",
        "looked whether your record can be destroyed, or destroyed it", "destroy your record",
    ),
    Action.AUDIT_REVIEW: Deed(
        "controleerde wie uw gegevens bekeken", "controleren wie uw gegevens bekeken",
        "reviewed who looked at your data", "review who looked at your data",
    ),
    Action.ALERT_READ: Deed(
        "bekeek meldingen over u", "meldingen over u bekijken",
        "looked at alerts about you", "look at alerts about you",
    ),
    Action.ALERT_HANDLE: Deed(
        "handelde een melding over u af, of begon daaraan", "een melding over u afhandelen",
        "handled an alert about you, or began to", "handle an alert about you",
    ),
    Action.ESCALATION_ASK: Deed(
        "vroeg een andere zorgverlener om naar u te kijken", "een andere zorgverlener naar u laten kijken",
        "asked another carer to look at you", "ask another carer to look at you",
    ),
    Action.ESCALATION_ANSWER: Deed(
        "antwoordde op een vraag over u", "antwoorden op een vraag over u",
        "answered a question about you", "answer a question about you",
    ),
    Action.PATIENT_MESSAGE: Deed(
        "stuurde u een bericht", "u een bericht sturen", "sent you a message", "send you a message"
    ),
    Action.MESSAGES_PULL: Deed(
        "haalde berichten over u op", "berichten over u ophalen",
        "fetched messages about you", "fetch messages about you",
    ),
    Action.CALL_RECORD: Deed(
        "schreef op dat u gebeld was", "opschrijven dat u gebeld was",
        "wrote down a telephone call with you", "write down a telephone call with you",
    ),
    Action.READING_ENTER: Deed(
        "voerde een meting in die u vertelde", "een meting van u invoeren",
        "entered a reading that you told", "enter a reading of yours",
    ),
    Action.QUARANTINE_READ: Deed(
        "bekeek metingen van u die geweigerd waren", "geweigerde metingen van u bekijken",
        "looked at readings of yours that were refused", "look at readings of yours that were refused",
    ),
    Action.QUARANTINE_RETRY: Deed(
        "bood een geweigerde meting van u opnieuw aan", "een geweigerde meting van u opnieuw aanbieden",
        "offered a refused reading of yours again", "offer a refused reading of yours again",
    ),
    Action.READING_DELIVER: Deed(
        "leverde metingen van u af", "metingen van u afleveren",
        "delivered readings of yours", "deliver readings of yours",
    ),
    Action.FOLLOW_UP_DELIVER: Deed(
        "gaf door dat er iets in uw zorg veranderde", "doorgeven dat er iets in uw zorg veranderde",
        "told that something in your care changed", "tell that something in your care changed",
    ),
    Action.RECORDING_MAKE: Deed(
        "nam uw metingen op in een bestand om regels mee te beproeven", "uw metingen in een bestand opnemen",
        "recorded your readings in a file to try rules on", "record your readings in a file",
    ),
    "record.destroyed": Deed(
        "vernietigde uw dossier", "uw dossier vernietigen", "destroyed your record", "destroy your record"
    ),
}  # fmt: skip
_SOMETHING = Deed(
    "deed iets met uw gegevens", "iets met uw gegevens doen",
    "did something with your data", "do something with your data",
)  # fmt: skip

GROUNDS: Mapping[str, tuple[str, str]] = {
    Ground.OFFICE: ("omdat het bij dit werk hoort", "because it belongs to this work"),
    Ground.TREATMENT: ("omdat deze organisatie u behandelt", "because this organisation treats you"),
    Ground.ESCALATED: (
        "omdat deze organisatie gevraagd was naar u te kijken",
        "because this organisation was asked to look at you",
    ),
    Ground.CONSENT: ("omdat u daar toestemming voor gaf", "because you consented to it"),
    Ground.OWN_ORGANISATION: (
        "omdat deze medewerker zorgt voor uw rechten als patiënt",
        "because this person sees to your rights as a patient",
    ),
    Ground.SIMULATED: ("omdat dit verzonnen gegevens zijn", "because these data are invented"),
    Ground.EMERGENCY: (
        "omdat het een noodgeval was; wij controleren dat achteraf",
        "because it was an emergency; that is reviewed afterwards",
    ),
}

ROLES: Mapping[str, tuple[str, str]] = {
    Role.NURSE: ("verpleegkundige", "nurse"),
    Role.COMMUNITY_NURSE: ("wijkverpleegkundige", "community nurse"),
    Role.HUISARTS: ("huisarts", "GP"),
    Role.SPECIALIST: ("medisch specialist", "specialist"),
    Role.COORDINATOR: ("coördinator", "coordinator"),
    Role.PRIVACY_OFFICER: ("functionaris voor uw privacy", "privacy officer"),
    Role.ADMINISTRATOR: ("beheerder", "administrator"),
    Role.ENGINEER: ("technicus", "engineer"),
    Role.SERVICE: ("computersysteem", "computer system"),
}


@dataclass(frozen=True, slots=True)
class Look:
    """One row of the overview. **Units**: `at_us` in microseconds since 1970 UTC."""

    at_us: int
    who: str
    role: str
    organisation: str
    what: str
    ground: str | None
    outcome: str
    nl: str
    en: str


def overview(events: Sequence[Event], names: Mapping[str, str]) -> list[Look]:
    """The looks at one patient, in order. `names` has those of people and organisations by their ids."""
    return [_look(event, names) for event in sorted(events, key=lambda event: event.happened_us)]


def structure(looks: Sequence[Look]) -> list[dict[str, object]]:
    """As it is answered to an API call and printed for scripts."""
    return [asdict(look) for look in looks]


def date_nl(at: datetime) -> str:
    """A day as it is written in a letter.

    >>> date_nl(to_datetime(1_795_332_680_000_000).astimezone(ZONE))
    '22 november 2026'
    """
    return f"{at.day} {_MONTHS_NL[at.month - 1]} {at.year}"


def _look(event: Event, names: Mapping[str, str]) -> Look:
    organisation_id = str(event.organisation_id or "")
    who = names.get(event.user_id, "")
    organisation = names.get(organisation_id, "")
    nl, en = _sentences(event, who, organisation)
    return Look(
        event.happened_us, who or event.user_id, event.user_role, organisation or organisation_id,
        event.event_code, event.ground, event.outcome.value, nl, en,
    )  # fmt: skip


def _sentences(event: Event, who: str, organisation: str) -> tuple[str, str]:
    at = to_datetime(event.happened_us).astimezone(ZONE)
    deed = DEEDS.get(event.event_code, _SOMETHING)
    role_nl, role_en = ROLES.get(event.user_role, ("medewerker", "member of staff"))
    at_nl, at_en = (f", {organisation}", f", {organisation}") if organisation else ("", "")
    who_nl, who_en = f"{who or 'Iemand'} ({role_nl}{at_nl})", f"{who or 'Somebody'} ({role_en}{at_en})"
    nl, en = f"Op {date_nl(at)} om {at:%H:%M} uur", f"On {at.day} {at:%B %Y} at {at:%H:%M},"
    if event.outcome is Outcome.ALLOWED:
        nl, en = f"{nl}: {who_nl} {deed.did_nl}", f"{en} {who_en} {deed.did_en}"
        because = GROUNDS.get(event.ground or "")
        if because is not None:
            nl, en = f"{nl}. Dat mocht {because[0]}", f"{en}. That was allowed {because[1]}"
        return f"{nl}.", f"{en}."
    nl, en = f"{nl}: {who_nl} wilde {deed.wanted_nl}", f"{en} {who_en} wanted to {deed.wanted_en}"
    if event.outcome is Outcome.REFUSED:
        return f"{nl}. Dat mocht niet en is niet gebeurd.", f"{en}. That was refused and did not happen."
    return f"{nl}. Dat is niet gelukt.", f"{en}. That failed."
