"""An explanation as a page of text for a terminal of 80 columns."""

import re
from collections.abc import Iterator, Sequence
from textwrap import wrap

from alerting.engine.expressions import Condition
from alerting.engine.programme import Rule
from alerting.explain import figures, provenance
from alerting.explain.amounts import Amount, amount_in_words, received_in_words
from alerting.explain.conditions import as_list, in_words
from alerting.explain.explanation import Basis, Because, Explanation, Part, Stage
from alerting.explain.moments import moment, short_moment
from alerting.explain.sentences import sentence
from alerting.explain.slots import Given
from alerting.explain.vocabulary import (
    AND,
    SEVERITIES,
    SIGNALS,
    Both,
    Language,
    kind_name,
    listed,
)
from models.findings import EvidenceReading

WIDTH = 80
_NO_BREAK = "\u00a0"

_NO_RULE = Both(
    "Regel {rule} van het programma {programme} (over: {signal})",
    "Rule {rule} of the programme {programme} (about: {signal})",
)
_SEVERITY = Both("Ernst: {severity}.", "Severity: {severity}.")
_RISEN = Both(
    "Ernst: {severity}, sinds {at}; eerst {before}.",
    "Severity: {severity}, since {at}; before that {before}.",
)
_RISEN_FROM_UNKNOWN = Both("Ernst: {severity}, sinds {at}.", "Severity: {severity}, since {at}.")
_SINCE = Both("Sinds: {at}.", "Since: {at}.")
_CLEARED = Both("Voorbij: {at}.", "Over: {at}.")
_HOLDS = Both("Voorbij: nee, dit geldt nog.", "Over: no, this still holds.")
_RETRACTED = Both(
    "Ingetrokken: metingen die later binnenkwamen laten zien dat dit niet zo was.",
    "Retracted: readings that came in later show that this was not so.",
)
_UNCONFIRMED = Both(
    "Nog niet bevestigd: een meting hierachter wijkt zo sterk af dat om een nieuwe is gevraagd.",
    "Not confirmed yet: a reading behind this is so far off that another was asked for.",
)
_QUIET = Both(
    "Stil: dezelfde regel gold kort hiervoor ook al, daarom geen nieuwe melding{cooldown}.",
    "Quiet: the same rule held shortly before, hence no new alert{cooldown}.",
)
_WITHIN = Both(" (binnen {l})", " (within {l})")
_NOTES = {
    Basis.UNKNOWN_VERSION: Both(
        "Let op: versie {version} van het programma {programme} is niet te vinden. "
        "Deze uitleg komt alleen uit wat bij de bevinding is bewaard.",
        "Note: version {version} of the programme {programme} cannot be found. "
        "This explanation rests only on what is stored with the finding.",
    ),
    Basis.OTHER_CONTENT: Both(
        "Let op: versie {version} van het programma {programme} is nu een andere dan die dit vond "
        "(een andere hash: {hash}). Deze uitleg komt alleen uit wat bij de bevinding is bewaard.",
        "Note: version {version} of the programme {programme} is not the one that found this (another hash: "
        "{hash}). This explanation rests only on what is stored with the finding.",
    ),
}
_WHY = {
    Stage.OPENED: Both("Waarom", "Why"),
    Stage.ROSE: Both("Waarom het ernstiger werd", "Why it became more severe"),
}
_OF_READINGS = Both("{shown} van de {count} metingen:", "{shown} of the {count} readings:")
_READINGS = Both("Metingen ({count}):", "Readings ({count}):")
_SAME_READINGS = Both("Dezelfde metingen als hierboven.", "The same readings as above.")
_NO_READINGS = Both("Geen metingen gevonden.", "No readings found.")
_NOT_MEASURED = Both("Niet gemeten: {l}.", "Not measured: {l}.")
_UNREADABLE = Both(
    "‘{feature}’ was {value}; de grens is {limit}.", "‘{feature}’ was {value}; the limit is {limit}."
)
_UNKNOWN = Both("niet bekend", "not known")

_WHEN_OVER = Both("Wanneer het voorbij is", "When it is over")
_CLEARS = Both("Als {condition}", "When {condition}")
_SOURCES = Both("Waar de grenzen vandaan komen", "Where the limits come from")
_RULE = Both("De regel", "The rule")
_OPENS = Both("Meldt zich als {condition}{repeated}", "Speaks when {condition}{repeated}")
_K_OF_N = Both(
    ", bij minstens {k} van de laatste {n} metingen", ", at no fewer than {k} of the last {n} readings"
)
_HELD_FOR = Both(", {l} lang", ", for {l}")
_RISES = Both("Wordt ernstiger ({severity}) als {condition}", "Becomes {severity} when {condition}")
_COUNTS = Both("Een meting telt {l}.", "A reading counts for {l}.")
_RESTS_ON = Both("De regel is {mark}.", "The rule is {mark}.")
_IDENTITY = Both(
    "Regel {rule}, programma {programme}, versie {version}, hash {hash}.",
    "Rule {rule}, programme {programme}, version {version}, hash {hash}.",
)
_FINDING = Both("Bevinding {finding}, patiënt {patient}.", "Finding {finding}, patient {patient}.")
_NO_EMERGENCIES = Both("Dit is geen hulp bij nood: bel dan 112.", "Not for emergencies: in danger, ring 112.")


def page(explanation: Explanation, language: Language) -> str:
    """The whole explanation in one language."""
    blocks = [
        [headline(explanation, language)],
        list(_state(explanation, language)),
        *(list(_reasons(because, language)) for because in explanation.because),
        list(_clearing(explanation, language)),
        list(_sources(explanation, language)),
        list(_rule(explanation, language)),
        [_NO_EMERGENCIES.said(language)],
    ]
    return "\n\n".join("\n".join(_wrapped(block)) for block in blocks if block) + "\n"


def headline(explanation: Explanation, language: Language) -> str:
    """What is the matter, in the words of the rule."""
    finding, rule = explanation.finding, explanation.rule
    if rule is not None:
        return Both(rule.text.nl, rule.text.en).said(language).strip()
    text = _NO_RULE.said(language)
    signal = SIGNALS[finding.signal].said(language)
    return text.format(rule=finding.rule, programme=finding.programme, signal=signal) + "."


def part_in_words(part: Part, given: Given, language: Language) -> str:
    """One comparison as a sentence; one that cannot be read any more with its name."""
    if part.compared is not None:
        return sentence(part.compared, given, language)
    evidence = part.evidence
    amounts = [
        _UNKNOWN.said(language)
        if number is None
        else amount_in_words(Amount(number, evidence.unit), "", language)
        for number in (evidence.value, evidence.limit_value)
    ]
    return _UNREADABLE.said(language).format(feature=evidence.feature, value=amounts[0], limit=amounts[1])


def clears_when(explanation: Explanation, language: Language) -> str | None:
    """When it is over, None where the rule is not known."""
    if explanation.rule is None:
        return None
    condition = in_words(explanation.rule.clear, explanation.given, language)
    return f"{_CLEARS.said(language).format(condition=condition)}."


def _state(explanation: Explanation, language: Language) -> Iterator[str]:
    finding, rule = explanation.finding, explanation.rule
    yield _severity(explanation, language)
    yield _SINCE.said(language).format(at=moment(finding.opened_at_us, language))
    if finding.retracted:
        yield _RETRACTED.said(language)
    elif finding.cleared_at_us is None:
        yield _HOLDS.said(language)
    else:
        yield _CLEARED.said(language).format(at=moment(finding.cleared_at_us, language))
    if finding.unconfirmed:
        yield _UNCONFIRMED.said(language)
    if finding.quiet:
        cooldown = (
            None if rule is None or rule.cooldown is None else figures.window(rule.cooldown.us, language)
        )
        within = "" if cooldown is None else _WITHIN.said(language).format(l=cooldown)
        yield _QUIET.said(language).format(cooldown=within)
    if explanation.basis in _NOTES:
        text = _NOTES[explanation.basis].said(language)
        yield text.format(programme=finding.programme, version=finding.version, hash=explanation.other_hash)


def _severity(explanation: Explanation, language: Language) -> str:
    finding, rule = explanation.finding, explanation.rule
    severity = SEVERITIES[finding.severity].said(language)
    if finding.raised_at_us is None:
        return _SEVERITY.said(language).format(severity=severity)
    text = _RISEN_FROM_UNKNOWN if rule is None else _RISEN
    before = "" if rule is None else SEVERITIES[rule.severity].said(language)
    at = moment(finding.raised_at_us, language)
    return text.said(language).format(severity=severity, at=at, before=before)


def _reasons(because: Because, language: Language) -> Iterator[str]:
    title = _WHY[because.stage].said(language)
    yield title if because.stage is Stage.OPENED else f"{title}: {moment(because.at_us, language)}"
    before: tuple[EvidenceReading, ...] = ()
    for part in because.parts:
        yield f"- {part_in_words(part, because.given, language)}"
        if part.not_measured:
            names = listed([kind_name(kind, language) for kind in part.not_measured], AND, language)
            yield f"  {_NOT_MEASURED.said(language).format(l=names)}"
        yield from (f"  {line}" for line in _readings(part, before, language))
        before = part.shown


def _readings(part: Part, before: Sequence[EvidenceReading], language: Language) -> Iterator[str]:
    if not part.shown:
        yield _NO_READINGS.said(language)
        return
    if part.shown == before:
        yield _SAME_READINGS.said(language)
        return
    text = _READINGS if part.count <= len(part.shown) else _OF_READINGS
    yield text.said(language).format(shown=len(part.shown), count=part.count)
    several = len({reading.kind for reading in part.shown}) > 1
    for reading in part.shown:
        value = received_in_words(Amount(reading.value, reading.unit), reading.kind, language)
        name = f"  {kind_name(reading.kind, language)}" if several else ""
        yield f"  {short_moment(reading.taken_at_us, language)}  {value}{name}"


def _clearing(explanation: Explanation, language: Language) -> Iterator[str]:
    if explanation.rule is not None:
        yield _WHEN_OVER.said(language)
        yield from _condition(_CLEARS, explanation.rule.clear, explanation.given, language)


def _sources(explanation: Explanation, language: Language) -> Iterator[str]:
    of_parts = (s for because in explanation.because for part in because.parts for s in part.sources)
    lines = [f"- {provenance.in_words(source, language)}" for source in (*of_parts, *explanation.clearing)]
    if lines:
        yield _SOURCES.said(language)
    yield from dict.fromkeys(lines)


def _rule(explanation: Explanation, language: Language) -> Iterator[str]:
    finding, rule, programme = explanation.finding, explanation.rule, explanation.programme
    yield _RULE.said(language)
    if rule is not None:
        yield from _conditions(rule, explanation.because[0].given, language)
        yield _RESTS_ON.said(language).format(mark=provenance.rests_on(rule.mark, rule.source, language))
    title = None if programme is None else Both(programme.title.nl, programme.title.en).said(language)
    yield _IDENTITY.said(language).format(
        rule=finding.rule,
        programme=finding.programme if title is None else f"{title} ({finding.programme})",
        version=finding.version,
        hash=finding.programme_hash,
    )
    yield _FINDING.said(language).format(finding=finding.finding_id, patient=finding.patient_id)


def _conditions(rule: Rule, given: Given, language: Language) -> Iterator[str]:
    yield from _condition(_OPENS, rule.when, given, language, repeated=_repeated(rule, language))
    if rule.raise_ is not None:
        severity = SEVERITIES[rule.raise_.severity].said(language)
        yield from _condition(_RISES, rule.raise_.when, given, language, severity=severity)
    if rule.max_age is not None:
        yield _COUNTS.said(language).format(l=figures.window(rule.max_age.us, language))


def _condition(
    text: Both, condition: Condition, given: Given, language: Language, **slots: str
) -> Iterator[str]:
    clause, lines = as_list(condition, given, language)
    yield text.said(language).format(condition=clause, **slots) + (":" if lines else ".")
    yield from lines


def _repeated(rule: Rule, language: Language) -> str:
    if rule.k_of_n is not None:
        return _K_OF_N.said(language).format(k=rule.k_of_n.k, n=rule.k_of_n.n)
    if rule.held_for is not None:
        return _HELD_FOR.said(language).format(l=figures.window(rule.held_for.us, language))
    return ""


def _wrapped(lines: Sequence[str]) -> Iterator[str]:
    """Lines as wide as the page; what goes on stands below its beginning, and numbers keep their units."""
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip(" ")))
        hanging = indent + ("  " if line.lstrip().startswith("- ") else "")
        kept = re.sub(r"(?<=[0-9]) (?=[^ ])", _NO_BREAK, line)
        yield from (part.replace(_NO_BREAK, " ") for part in wrap(kept, WIDTH, subsequent_indent=hanging))
