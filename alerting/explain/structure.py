"""An explanation as data, for programs: what the page says, with every number as it is stored."""

from collections.abc import Sequence

from alerting.explain import provenance
from alerting.explain.explanation import Because, Explanation, Part, Source
from alerting.explain.moments import iso
from alerting.explain.page import clears_when, headline, page, part_in_words
from alerting.explain.slots import Given
from alerting.explain.vocabulary import Language
from models.findings import EvidenceReading


def structure(explanation: Explanation, languages: Sequence[Language]) -> dict[str, object]:
    """The explanation for `--json`; sentences in the languages that were asked for."""
    finding = explanation.finding
    clears = {language: clears_when(explanation, language) for language in languages}
    return {
        "finding_id": str(finding.finding_id),
        "patient_id": str(finding.patient_id),
        "organisation_id": str(finding.organisation_id),
        "programme": finding.programme,
        "version": finding.version,
        "programme_hash": finding.programme_hash,
        "rule": finding.rule,
        "signal": finding.signal.value,
        "severity": finding.severity.value,
        "opened_at": iso(finding.opened_at_us),
        "raised_at": None if finding.raised_at_us is None else iso(finding.raised_at_us),
        "cleared_at": None if finding.cleared_at_us is None else iso(finding.cleared_at_us),
        "retracted": finding.retracted,
        "quiet": finding.quiet,
        "unconfirmed": finding.unconfirmed,
        "explained_from": explanation.basis.value,
        "other_hash": explanation.other_hash,
        "what": {language: headline(explanation, language) for language in languages},
        "because": [_because(because, languages) for because in explanation.because],
        "clears": None
        if explanation.rule is None
        else {
            "condition": str(explanation.rule.clear),
            "limits": [_source(source, languages) for source in explanation.clearing],
            "text": clears,
        },
        "page": {language: page(explanation, language) for language in languages},
    }


def _because(because: Because, languages: Sequence[Language]) -> dict[str, object]:
    return {
        "stage": because.stage.value,
        "at": iso(because.at_us),
        "features": [_part(part, because.given, languages) for part in because.parts],
    }


def _part(part: Part, given: Given, languages: Sequence[Language]) -> dict[str, object]:
    evidence, compared = part.evidence, part.compared
    return {
        "feature": evidence.feature,
        "window_us": evidence.window_us if compared is None else compared.feature.window_us,
        "value": evidence.value,
        "unit": evidence.unit,
        "comparator": None if compared is None else compared.comparator,
        "limit": evidence.limit,
        "limit_value": evidence.limit_value,
        "holds": evidence.holds if compared is None else compared.reached,
        "limits": [_source(source, languages) for source in part.sources],
        "readings_looked_at": part.count,
        "readings": [_reading(reading) for reading in part.readings],
        "not_measured": list(part.not_measured),
        "text": {language: part_in_words(part, given, language) for language in languages},
    }


def _source(source: Source, languages: Sequence[Language]) -> dict[str, object]:
    limit, held = source.limit, source.held
    return {
        "limit": source.name,
        "value": source.amount.value,
        "unit": source.amount.unit,
        "default": None if limit is None else limit.default,
        "mark": None if limit is None else limit.mark,
        "source": None if limit is None else limit.source,
        "personal": None
        if held is None
        else {
            "value": held.limit.value,
            "set_by": held.limit.set_by,
            "since": iso(held.since_us),
            "until": None if held.limit.until_us is None else iso(held.limit.until_us),
        },
        "traced": source.agrees,
        "text": {language: provenance.in_words(source, language) for language in languages},
    }


def _reading(reading: EvidenceReading) -> dict[str, object]:
    return {
        "kind": reading.kind,
        "taken_at": iso(reading.taken_at_us),
        "value": reading.value,
        "unit": reading.unit,
    }
