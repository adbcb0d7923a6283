"""What letters say, in Dutch and in English."""

from collections.abc import Mapping

from alerting.explain.vocabulary import Both
from alerting.notify.letter.letter import LetterKind
from models.access import Role
from models.alerts import AlertEvent
from models.escalations import EscalationState, Recipient, RequestKind

ROLES: Mapping[Role, Both] = {
    Role.NURSE: Both("de verpleegkundigen", "the nurses"),
    Role.COMMUNITY_NURSE: Both("de wijkverpleegkundigen", "the community nurses"),
    Role.HUISARTS: Both("de huisarts", "the GP"),
    Role.SPECIALIST: Both("de specialist", "the specialist"),
    Role.COORDINATOR: Both("de coördinator", "the coordinator"),
    Role.PRIVACY_OFFICER: Both("de privacyfunctionaris", "the privacy officer"),
    Role.ADMINISTRATOR: Both("de beheerder", "the administrator"),
    Role.ENGINEER: Both("de technicus", "the engineer"),
    Role.SERVICE: Both("de dienst", "the service"),
}
RECIPIENTS: Mapping[Recipient, Both] = {
    Recipient.NURSE: Both("de verpleegkundigen", "the nurses"),
    Recipient.COMMUNITY_NURSE: Both("de wijkverpleegkundige", "the community nurse"),
    Recipient.HUISARTS: Both("de huisarts", "the GP"),
    Recipient.OUT_OF_HOURS_POST: Both("de huisartsenpost", "the out-of-hours GP post"),
    Recipient.REFERRAL_DESK: Both("het verwijspunt", "the referral desk"),
    Recipient.SPECIALIST: Both("de specialist", "the specialist"),
    Recipient.COORDINATION_CENTRE: Both("het coördinatiecentrum", "the coordination centre"),
    Recipient.HOME_VISIT: Both(
        "de specialist ouderengeneeskunde (huisbezoek)", "the elderly-care physician (home visit)"
    ),
}
NOT_ASKED = Both("Ingetrokken: u hoeft niets meer te doen", "Withdrawn: nothing is left for you to do")
REQUESTS: Mapping[RequestKind, Both] = {
    RequestKind.ACUTE: Both("Acuut", "Acute"),
    RequestKind.REGULAR: Both("Regulier", "Regular"),
    RequestKind.COMPLEX_REGIONAL: Both("Complex, regionaal", "Complex, regional"),
}
TITLES: Mapping[LetterKind, Both] = {
    LetterKind.ESCALATION: Both("Thuismonitoring: {signals}", "Telemonitoring: {signals}"),
    LetterKind.QUESTION: Both("Teleconsultatie: {signals}", "Teleconsultation: {signals}"),
    LetterKind.CORRECTION: Both(
        "Correctie, thuismonitoring: {signals}", "Correction, telemonitoring: {signals}"
    ),
}
STATES: Mapping[EscalationState, Both] = {
    EscalationState.ASKED: Both("nog geen reactie", "no response yet"),
    EscalationState.ACCEPTED: Both("overgenomen", "taken over"),
    EscalationState.ANSWERED: Both("beantwoord", "answered"),
    EscalationState.HANDED_BACK: Both("teruggegeven", "handed back"),
    EscalationState.PASSED_ON: Both("niemand nam het op tijd over", "nobody took over in time"),
    EscalationState.WITHDRAWN: Both("ingetrokken", "withdrawn"),
}

RESPONSIBLE = Both(
    "Verantwoordelijk tot iemand dit met naam overneemt: {who}, telefoon {telephone}.",
    "Responsible until a named person takes over: {who}, telephone {telephone}.",
)
TAKEN_OVER = Both(
    "Verantwoordelijk sinds {at}: {by}. Gevraagd door {who}, telefoon {telephone}.",
    "Responsible since {at}: {by}. Asked by {who}, telephone {telephone}.",
)
ROLE_AT = Both("{role} van {name}", "{role} of {name}")
AT = Both("{by} van {name}", "{by} of {name}")
NO_NAME = Both(
    "een organisatie zonder naam in ons register", "an organisation without a name in our register"
)
NO_TELEPHONE = Both("niet bekend in ons register", "not known in our register")
THE_SENDER = Both("de afzender", "the sender")
SIMULATED = Both(
    "Oefening. Deze patiënt bestaat niet: doe niets naar aanleiding van deze brief.",
    "Exercise. This patient does not exist: do nothing because of this letter.",
)

TO = Both("Aan", "To")
FROM = Both("Van", "From")
DATE = Both("Geschreven", "Written")
PATIENT = Both("Patiënt", "Patient")
REQUEST = Both("Soort vraag", "Kind of request")
BY = Both("Uiterlijk", "At the latest")
RING = Both("Bellen", "Ring")
BORN = Both("{name}, geboren {date}", "{name}, born {date}")
TELEPHONE = Both("telefoon {telephone}", "telephone {telephone}")
LOOK_UP = Both(
    "Naam en geboortedatum staan niet in deze brief. Zoek ze op met kenmerk {id}{where}.",
    "Name and birth date are not in this letter. Look them up under reference {id}{where}.",
)
NOW = Both("nu meteen", "at once")
NO_TIME = Both("geen uiterste tijd afgesproken", "no time agreed")

SITUATION = Both("Situatie", "Situation")
BACKGROUND = Both("Achtergrond", "Background")
ASSESSMENT = Both("Beoordeling", "Assessment")
ASKED = Both("Verzoek", "Request")
CHANGED = Both("Veranderd", "Changed")

HEADLINE = Both("{text} Sinds {at}; ernst {severity}{over}.", "{text} Since {at}; severity {severity}{over}.")
OVER = Both(", voorbij {at}", ", over {at}")
RETRACTED = Both(
    ", ingetrokken: later binnengekomen metingen laten zien dat dit niet zo was",
    ", retracted: readings that came in later show that this was not so",
)
UNCONFIRMED = Both(
    "Nog niet bevestigd: een meting hierachter wijkt zo sterk af dat om een nieuwe is gevraagd.",
    "Not confirmed yet: a reading behind this is so far off that another was asked for.",
)
MORE_FINDINGS = Both(
    "Er zijn nog {n} bevindingen; ze staan in het dossier.",
    "There are {n} more findings; they are in the record.",
)
NO_FINDINGS = Both(
    "Geen van de metingen geeft op dit moment een melding.",
    "None of the readings gives an alert at this moment.",
)
REMARK = Both("De patiënt schreef op {at}: {text}", "The patient wrote on {at}: {text}")
PROGRAMME = Both("Gevolgd voor", "Followed for")
PLAN = Both("Behandelplan", "Treatment plan")
WISHES = Both("Afspraken over zorg en behandelgrenzen", "Advance-care wishes and treatment limits")
NOT_RECORDED = Both("niet vastgelegd", "not recorded")
SPEAKS = Both("Taal van de patiënt", "Language of the patient")
DONE = Both("Gedaan", "Done")
NOTHING_DONE = Both(
    "Nog niemand heeft deze melding op zich genomen.", "Nobody has taken this alert upon themselves yet."
)
EARLIER = Both("Eerder gevraagd, {at}: {who}; {state}.", "Asked before, {at}: {who}; {state}.")

REASON = Both("{by} schrijft: {text}", "{by} writes: {text}")
BY_POLICY = Both(
    "Deze brief is verstuurd volgens de afgesproken stappen: op de vorige reageerde niemand op tijd.",
    "This letter was sent by the agreed steps, because nobody responded in time to the step before.",
)
QUESTION = Both("Vraag", "Question")
ASK: Mapping[LetterKind, Both] = {
    LetterKind.ESCALATION: Both(
        "Wilt u de patiënt beoordelen en de verantwoordelijkheid overnemen{by}?",
        "Will you assess the patient and take over responsibility{by}?",
    ),
    LetterKind.QUESTION: Both(
        "Wilt u deze vraag beantwoorden{by}? De patiënt blijft bij ons in zorg.",
        "Will you answer this question{by}? The patient stays in our care.",
    ),
    LetterKind.CORRECTION: Both(
        "Het verzoek van {sent} blijft staan{by}.",
        "The request of {sent} stands{by}.",
    ),
}
ASK_VISIT = Both(
    "Wilt u bij de patiënt langsgaan en de verantwoordelijkheid overnemen{by}?",
    "Will you visit the patient and take over responsibility{by}?",
)
BY_THEN = Both(", uiterlijk {at}", ", at the latest {at}")
AT_ONCE = Both(", nu meteen", ", at once")
WITHDRAWN = Both(
    "Het verzoek van {sent} is ingetrokken: u hoeft niets meer te doen. Vragen: {telephone}.",
    "The request of {sent} is withdrawn: there is nothing left for you to do. Questions: {telephone}.",
)
HOW = Both(
    "Overnemen: bel {telephone}{link} en zeg uw naam. Bezorgen of lezen van deze brief is niet genoeg.",
    "To take over: ring {telephone}{link} and give your name. Delivering or reading it is not enough.",
)
HOW_TO_ANSWER = Both("Antwoorden: bel {telephone}{link}.", "To answer: ring {telephone}{link}.")
OR_AT = Both(", of ga naar {link},", ", or go to {link},")
CORRECTS = Both(
    "Deze brief hoort bij brief {id} van {sent} en gaat daarvóór.",
    "This letter belongs to letter {id} of {sent} and takes precedence over it.",
)
NO_CHANGES = Both("Sindsdien is niets veranderd.", "Nothing has changed since.")
FOOT = Both(
    "Brief {id}. Dit is geen hulp bij nood: bel dan 112.",
    "Letter {id}. Not for emergencies: in danger, ring 112.",
)
PAGE = Both("bladzijde {page} van {pages}", "page {page} of {pages}")

LIMIT = Both("grens {value}", "limit {value}")
FLAGGED = Both("gemeld", "flagged")
CAPTION = Both(
    "{n} metingen van {from_} tot {to}: laagste {low}, hoogste {high}, laatste {last}{limits}.",
    "{n} readings from {from_} to {to}: lowest {low}, highest {high}, last {last}{limits}.",
)
CAPTION_ONE = Both("Eén meting, op {to}: {last}{limits}.", "One reading, on {to}: {last}{limits}.")
CAPTION_LIMITS = Both("; grens {levels}", "; limit {levels}")

DEEDS: Mapping[AlertEvent, Both] = {
    AlertEvent.ACKNOWLEDGED: Both("nam de melding op zich", "took the alert upon themselves"),
    AlertEvent.SNOOZED: Both("stelde de melding uit{until}", "put the alert off{until}"),
    AlertEvent.SNOOZE_ENDED: Both("het uitstel is voorbij", "the delay is over"),
    AlertEvent.HANDED_OVER: Both("droeg de melding over", "handed the alert over"),
    AlertEvent.HAND_OVER_ACCEPTED: Both("nam de melding over", "accepted the alert"),
    AlertEvent.HAND_OVER_DECLINED: Both("nam de melding niet over", "declined the alert"),
    AlertEvent.NOTED: Both("schreef", "wrote"),
    AlertEvent.RESOLVED: Both("sloot de melding", "closed the alert"),
    AlertEvent.REOPENED: Both("opende de melding weer", "opened the alert again"),
    AlertEvent.UNDONE: Both("maakte het afsluiten ongedaan", "undid the closing"),
    AlertEvent.LAPSED: Both("wat was toegezegd geldt niet meer", "what was promised holds no more"),
    AlertEvent.SEVERITY_RAISED: Both("de ernst is nu {severity}", "the severity is now {severity}"),
    AlertEvent.FINDING_JOINED: Both("er is een reden bijgekomen", "a reason was added"),
    AlertEvent.FINDING_CHANGED: Both("een reden is veranderd", "a reason has changed"),
    AlertEvent.CLEARED: Both("geen van de redenen geldt nog", "none of the reasons holds any more"),
    AlertEvent.HOLDS_AGAIN: Both("een reden geldt weer", "a reason holds again"),
    AlertEvent.RETRACTED: Both(
        "alle redenen zijn ingetrokken: later binnengekomen metingen laten zien dat het niet zo was",
        "all reasons were retracted: readings that came in later show that it was not so",
    ),
    AlertEvent.CONFIRMED: Both("de opvallende meting is bevestigd", "the striking reading was confirmed"),
    AlertEvent.UNCONFIRMED: Both(
        "een meting wacht op bevestiging door een nieuwe", "a reading waits to be confirmed by another"
    ),
    AlertEvent.ESCALATION_ACCEPTED: Both("nam de zorg over", "took over the care"),
    AlertEvent.ESCALATION_ANSWERED: Both("antwoordde", "answered"),
    AlertEvent.ESCALATION_HANDED_BACK: Both("gaf de zorg terug", "handed the care back"),
    AlertEvent.ESCALATION_WITHDRAWN: Both("het verzoek is ingetrokken", "the request was withdrawn"),
}
"""What is worth telling, and how; an event that is not here is not told. With a name before it, or alone."""

UNTIL = Both(" tot {at}", " until {at}")

LANGUAGES: Mapping[str, Both] = {
    "ar": Both("Arabisch", "Arabic"),
    "bg": Both("Bulgaars", "Bulgarian"),
    "de": Both("Duits", "German"),
    "en": Both("Engels", "English"),
    "es": Both("Spaans", "Spanish"),
    "fa": Both("Farsi", "Persian"),
    "fr": Both("Frans", "French"),
    "hi": Both("Hindi", "Hindi"),
    "nl": Both("Nederlands", "Dutch"),
    "pap": Both("Papiaments", "Papiamentu"),
    "pl": Both("Pools", "Polish"),
    "pt": Both("Portugees", "Portuguese"),
    "ru": Both("Russisch", "Russian"),
    "so": Both("Somalisch", "Somali"),
    "srn": Both("Sranantongo", "Sranan Tongo"),
    "ti": Both("Tigrinya", "Tigrinya"),
    "tr": Both("Turks", "Turkish"),
    "uk": Both("Oekraïens", "Ukrainian"),
    "zgh": Both("Tamazight", "Tamazight"),
    "zh": Both("Chinees", "Chinese"),
}
"""Of the region; another one stands there by its code."""
