"""What tables of alerts say, in Dutch and in English; what there is no word for stands there as it is."""

from collections.abc import Mapping

from alerting.explain import vocabulary
from alerting.explain.vocabulary import Both, Language
from alerting.notify.letter import words as of_letters
from models.access import Role
from models.alerts import AlertEvent, AlertState, HeldBack, Outcome
from models.escalations import Channel, EscalationState, MessageKind, MessageState, Recipient

SEVERITIES: Mapping[str, Both] = {key.value: said for key, said in vocabulary.SEVERITIES.items()}
SIGNALS: Mapping[str, Both] = {key.value: said for key, said in vocabulary.SIGNALS.items()}
REQUESTS: Mapping[str, Both] = {key.value: said for key, said in of_letters.REQUESTS.items()}
STATES: Mapping[str, Both] = {
    AlertState.OPEN: Both("open", "open"),
    AlertState.ACKNOWLEDGED: Both("op zich genomen", "acknowledged"),
    AlertState.RESOLVED: Both("gesloten", "resolved"),
}
OUTCOMES: Mapping[str, Both] = {
    Outcome.BY_ITSELF: Both("vanzelf over", "by itself"),
    Outcome.ENDED: Both("volgen gestopt", "follow-up ended"),
    Outcome.TRUE_ACTED_ON: Both("terecht, er is gehandeld", "true and acted on"),
    Outcome.TRUE_NO_ACTION: Both("terecht, niets nodig", "true, no action needed"),
    Outcome.MEASURING_TECHNIQUE: Both("verkeerd gemeten", "measuring technique"),
    Outcome.TECHNICAL: Both("technisch", "technical"),
    Outcome.EXPECTED: Both("te verwachten", "expected"),
    Outcome.DUPLICATE: Both("dubbel", "duplicate"),
}
HELD_BACK: Mapping[str, Both] = {
    HeldBack.PAUSE: Both("pauze", "pause"),
    HeldBack.ADMISSION: Both("opname", "admission"),
    HeldBack.INCIDENT: Both("storing", "incident"),
}
ROLES: Mapping[str, Both] = {
    Role.NURSE: Both("verpleegkundige", "nurse"),
    Role.COMMUNITY_NURSE: Both("wijkverpleegkundige", "community nurse"),
    Role.HUISARTS: Both("huisarts", "GP"),
    Role.SPECIALIST: Both("specialist", "specialist"),
    Role.COORDINATOR: Both("coördinator", "coordinator"),
    Role.PRIVACY_OFFICER: Both("privacyfunctionaris", "privacy officer"),
    Role.ADMINISTRATOR: Both("beheerder", "administrator"),
    Role.ENGINEER: Both("technicus", "engineer"),
    Role.SERVICE: Both("dienst", "service"),
}
RECIPIENTS: Mapping[str, Both] = {
    Recipient.NURSE: Both("verpleegkundige", "nurse"),
    Recipient.COMMUNITY_NURSE: Both("wijkverpleegkundige", "community nurse"),
    Recipient.HUISARTS: Both("huisarts", "GP"),
    Recipient.OUT_OF_HOURS_POST: Both("huisartsenpost", "out-of-hours post"),
    Recipient.REFERRAL_DESK: Both("verwijspunt", "referral desk"),
    Recipient.SPECIALIST: Both("specialist", "specialist"),
    Recipient.COORDINATION_CENTRE: Both("coördinatiecentrum", "coordination centre"),
    Recipient.HOME_VISIT: Both("huisbezoek", "home visit"),
}
ASKED: Mapping[str, Both] = {
    EscalationState.ASKED: Both("gevraagd", "asked"),
    EscalationState.ACCEPTED: Both("overgenomen", "accepted"),
    EscalationState.ANSWERED: Both("beantwoord", "answered"),
    EscalationState.HANDED_BACK: Both("teruggegeven", "handed back"),
    EscalationState.PASSED_ON: Both("doorgegeven", "passed on"),
    EscalationState.WITHDRAWN: Both("ingetrokken", "withdrawn"),
}
KINDS: Mapping[str, Both] = {
    MessageKind.ESCALATION: Both("verzoek", "escalation"),
    MessageKind.QUESTION: Both("vraag", "question"),
    MessageKind.CORRECTION: Both("correctie", "correction"),
    MessageKind.NOTICE: Both("bericht", "notice"),
    MessageKind.TO_PATIENT: Both("aan de patiënt", "to the patient"),
}
CHANNELS: Mapping[str, Both] = {
    Channel.WORKLIST: Both("werklijst", "worklist"),
    Channel.WEBHOOK: Both("webhook", "webhook"),
    Channel.FHIR: Both("FHIR", "FHIR"),
    Channel.SECURE_MAIL: Both("beveiligde mail", "secure mail"),
    Channel.EMAIL: Both("e-mail", "e-mail"),
    Channel.KAFKA: Both("Kafka", "Kafka"),
    Channel.PULL: Both("ophalen", "pull"),
    Channel.PATIENT: Both("app van de patiënt", "the patient's app"),
}
SENT: Mapping[str, Both] = {
    MessageState.DUE: Both("te versturen", "due"),
    MessageState.ATTEMPTED: Both("geprobeerd", "attempted"),
    MessageState.DELIVERED: Both("bezorgd", "delivered"),
    MessageState.SEEN: Both("gezien", "seen"),
    MessageState.ACCEPTED: Both("aangenomen", "accepted"),
    MessageState.GIVEN_UP: Both("opgegeven", "given up"),
    MessageState.WITHDRAWN: Both("ingetrokken", "withdrawn"),
}
EVENTS: Mapping[str, Both] = {
    AlertEvent.OPENED: Both("geopend", "opened"),
    AlertEvent.FINDING_JOINED: Both("reden erbij", "reason joined"),
    AlertEvent.REMARKED: Both("opmerking erbij", "another remark"),
    AlertEvent.FINDING_CHANGED: Both("reden veranderd", "reason changed"),
    AlertEvent.SEVERITY_RAISED: Both("ernstiger", "severity raised"),
    AlertEvent.QUIETED: Both("stil", "quiet"),
    AlertEvent.QUIET_ENDED: Both("niet meer stil", "quiet no more"),
    AlertEvent.CLEARED: Both("geen reden geldt nog", "cleared"),
    AlertEvent.HOLDS_AGAIN: Both("geldt weer", "holds again"),
    AlertEvent.RETRACTED: Both("redenen ingetrokken", "retracted"),
    AlertEvent.UNCONFIRMED: Both("niet bevestigd", "unconfirmed"),
    AlertEvent.CONFIRMED: Both("bevestigd", "confirmed"),
    AlertEvent.HELD_BACK: Both("vastgehouden", "held back"),
    AlertEvent.RELEASED: Both("vrijgegeven", "released"),
    AlertEvent.RESOLVED: Both("gesloten", "resolved"),
    AlertEvent.REOPENED: Both("weer geopend", "reopened"),
    AlertEvent.ACKNOWLEDGED: Both("op zich genomen", "acknowledged"),
    AlertEvent.LAPSED: Both("toezegging verlopen", "promise lapsed"),
    AlertEvent.SNOOZED: Both("uitgesteld", "snoozed"),
    AlertEvent.SNOOZE_ENDED: Both("uitstel voorbij", "snooze over"),
    AlertEvent.HANDED_OVER: Both("overdracht aangeboden", "handed over"),
    AlertEvent.HAND_OVER_ACCEPTED: Both("overdracht aangenomen", "hand-over accepted"),
    AlertEvent.HAND_OVER_DECLINED: Both("overdracht geweigerd", "hand-over declined"),
    AlertEvent.HAND_OVER_EXPIRED: Both("overdracht verlopen", "hand-over expired"),
    AlertEvent.NOTED: Both("notitie", "note"),
    AlertEvent.UNDONE: Both("sluiten ongedaan", "closing undone"),
    AlertEvent.RECHECKED: Both("opnieuw bekeken", "rechecked"),
    AlertEvent.STEPPED: Both("stap genomen", "step taken"),
    AlertEvent.ESCALATED: Both("verzoek gedaan", "escalated"),
    AlertEvent.ESCALATION_ACCEPTED: Both("verzoek overgenomen", "escalation accepted"),
    AlertEvent.ESCALATION_ANSWERED: Both("verzoek beantwoord", "escalation answered"),
    AlertEvent.ESCALATION_HANDED_BACK: Both("verzoek teruggegeven", "escalation handed back"),
    AlertEvent.ESCALATION_PASSED_ON: Both("verzoek doorgegeven", "escalation passed on"),
    AlertEvent.ESCALATION_WITHDRAWN: Both("verzoek ingetrokken", "escalation withdrawn"),
    AlertEvent.RESPONSIBILITY_MOVED: Both("verantwoordelijkheid verplaatst", "responsibility moved"),
    AlertEvent.CORRECTED: Both("correctie verstuurd", "correction sent"),
}
"""What happened, in two or three words: for sentences see `alerting.notify.letter.words.DEEDS`."""

REASONS: Mapping[str, Both] = {
    "first_look": Both("nieuw", "new"),
    "changed": Both("er is iets veranderd", "something changed"),
    "not_delivered": Both("niet op tijd bezorgd", "not delivered in time"),
    "not_accepted": Both("niet op tijd overgenomen", "not accepted in time"),
    "not_resolved": Both("niet op tijd gesloten", "not resolved in time"),
    "not_answered": Both("niet op tijd beantwoord", "not answered in time"),
    "answered": Both("beantwoord", "answered"),
    "asked_anew": Both("opnieuw gevraagd", "asked anew"),
    "duty_changed": Both("wisseling van dienst", "the duty changed"),
    "duty_over": Both("einde van de dienst", "the duty is over"),
    "resolve_by_passed": Both("beloofde tijd voorbij", "the promised time is over"),
    "snooze_over": Both("uitstel voorbij", "the snooze is over"),
    "given_back": Both("teruggegeven", "given back"),
    "handed_back": Both("teruggegeven", "handed back"),
    "ladder_ended": Both("alle stappen gedaan", "all steps were taken"),
    "repeated_until_somebody_accepts": Both(
        "herhaald tot iemand overneemt", "repeated until somebody accepts"
    ),
    "nothing_holds_any_more": Both("geen reden geldt nog", "nothing holds any more"),
    "nothing_to_wait_for": Both("herhaling", "repeated in its time"),
    "came_back_and_nobody_took_it": Both("teruggekomen, door niemand genomen", "came back, taken by nobody"),
    "accepted_by_another": Both("door een ander overgenomen", "accepted by another"),
    "recheck": Both("opnieuw kijken", "recheck"),
    "still_holds": Both("geldt nog", "still holds"),
    "taken_back": Both("ingetrokken", "taken back"),
    "mistaken": Both("fout in het programma", "a mistake in the program"),
    "had_no_next_step": Both("had geen volgende stap", "had no next step"),
    "message given up": Both("bericht opgegeven", "message given up"),
    "message delivered": Both("bericht bezorgd", "message delivered"),
}
"""Why something was done, or somebody looks again, as the code names it."""

FIELDS: Mapping[str, Both] = {
    "because": Both("omdat", "because"),
    "text": Both("tekst", "text"),
    "note": Both("notitie", "note"),
    "reason": Both("reden", "reason"),
    "question": Both("vraag", "question"),
    "answer": Both("antwoord", "answer"),
    "outcome": Both("uitkomst", "outcome"),
    "owner": Both("had het", "had it"),
    "recipient": Both("aan", "to"),
    "passed_over": Both("niet te bereiken", "could not be reached"),
    "request": Both("soort", "kind"),
    "policy": Both("beleid", "policy"),
    "duty": Both("dienst", "duty"),
    "shift": Both("dagdeel", "shift"),
    "programme": Both("programma", "programme"),
    "rule": Both("regel", "rule"),
    "finding_id": Both("bevinding", "finding"),
    "escalation_id": Both("verzoek", "escalation"),
}

COLUMNS = (
    Both("ernst", "severity"), Both("over", "signal"), Both("stand", "state"), Both("sinds", "since"),
    Both("bij", "with"), Both("volgende blik", "next look"), Both("wijk", "wijk"),
    Both("melding", "alert"), Both("patiënt", "patient"),
)  # fmt: skip
NO_ALERTS = Both("Geen meldingen.", "No alerts.")
MORE = Both("Meer: --after {page}", "More: --after {page}")
HEAD = Both(
    "{severity}, {signal}: {state}, versie {version}", "{severity}, {signal}: {state}, version {version}"
)
ALERT, PATIENT, WIJK = Both("melding", "alert"), Both("patiënt", "patient"), Both("wijk", "wijk")
OPENED, WITH = Both("sinds", "since"), Both("bij", "with")
RESOLVE_BY, RESOLVED = Both("gesloten vóór", "resolve by"), Both("gesloten", "resolved")
OUTCOME, NEXT_LOOK = Both("uitkomst", "outcome"), Both("volgende blik", "next look")
POLICY = Both("beleid", "policy")
STEP = Both("{policy}, stap {step} van {steps}", "{policy}, step {step} of {steps}")
FINDINGS = Both("bevindingen (thuiswacht explain ID)", "findings (thuiswacht explain ID)")
ESCALATIONS, MESSAGES = Both("verzoeken", "escalations"), Both("berichten", "messages")
HISTORY, THE_PATIENT = Both("verloop", "history"), Both("de patiënt", "the patient")
CLEARED, RETRACTED = Both("voorbij", "cleared"), Both("ingetrokken", "retracted")
UNCONFIRMED, SNOOZED = Both("niet bevestigd", "unconfirmed"), Both("uitgesteld", "snoozed")
OFFERED, HOLDS = Both("overdracht aangeboden", "handed over"), Both("geldt", "holds")
HELD = Both("vastgehouden: {why}", "held back: {why}")

_VALUES: tuple[Mapping[str, Both], ...] = (
    SEVERITIES, STATES, OUTCOMES, HELD_BACK, RECIPIENTS, REQUESTS, REASONS, ASKED, EVENTS,
)  # fmt: skip


def said(words: Mapping[str, Both], value: str, language: Language) -> str:
    """The word for a value, or the value."""
    return words[value].said(language) if value in words else value


def value_of(value: str, language: Language) -> str:
    """A value of an event's reasons, by whatever word there is for it.

    >>> value_of("not_accepted", Language.NL), value_of("3 kg erbij", Language.NL)
    ('niet op tijd overgenomen', '3 kg erbij')
    """
    return next((words[value].said(language) for words in _VALUES if value in words), value)
