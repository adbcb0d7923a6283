"""What patients read: every text in every language, in short sentences; and as a CommunicationRequest."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from fhir.resources.R4B.communicationrequest import CommunicationRequest
from ruamel.yaml import YAML

from alerting.notify.fhir.handed import Named
from alerting.notify.fhir.requests_to_patients import communication_request
from alerting.notify.patient_text_files import PACKAGED, load_texts
from alerting.notify.to_patient import PatientText, Ringing, Said, Texts, require_fitting, say, words_of
from models.clock import DAY_US
from models.errors import BadInput, RefuseToStart
from models.escalations import Channel, MessageKind
from models.kinds import KINDS
from tests.unit.fhir import facts
from tests.unit.fhir.facts import NOW_US, OURS

TEXTS = load_texts()
LANGUAGES = sorted(TEXTS.by_language)
BY_DAY, OUTSIDE = Ringing("Duin", "070-1234567"), Ringing("Huisartsenpost", "070-7654321")
LONGEST_WORDS, USUAL_WORDS = 15, 10


def said(language: str, text: PatientText, kind: str | None = None) -> Said:
    measures, asks = text in {PatientText.MEASURE_AGAIN, PatientText.MEASURE_NOW, PatientText.REMINDER}, False
    asks = text is PatientText.SYMPTOM_QUESTION
    about = kind or ("body_weight" if measures else "symptom_dyspnoea" if asks else None)
    return say(
        TEXTS.of(language), text, kind=about, until_us=NOW_US, now=BY_DAY, outside=OUTSIDE, now_us=NOW_US
    )  # fmt: skip


def test_dutch_and_english_are_there() -> None:
    assert {"nl", "en"} <= set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", PatientText)
def test_every_text_is_said_in_every_language(language: str, text: PatientText) -> None:
    read = said(language, text)
    assert read.language == language
    assert not re.search(r"[{}]", read.title + read.text)
    assert "070-1234567" in read.text
    assert "070-7654321" in read.text
    assert "112" in read.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_every_kind_has_a_name(language: str, kind: str) -> None:
    words = TEXTS.of(language)
    assert words.kinds[kind] in say(
        words, PatientText.MEASURE_NOW, kind=kind, until_us=None, now=None, outside=None, now_us=NOW_US
    ).text  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_short(language: str) -> None:
    sentences = [
        sentence
        for text in PatientText
        for part in (said(language, text).title, said(language, text).text, said(language, text).copy)
        for sentence in re.split(r"(?<=[.?!])\s+|\n+", part)
        if sentence
    ]
    lengths = [len(sentence.split()) for sentence in sentences]
    assert max(lengths) <= LONGEST_WORDS, sentences[lengths.index(max(lengths))]
    assert sum(lengths) / len(lengths) <= USUAL_WORDS


def test_who_speaks_another_language_reads_dutch() -> None:
    assert TEXTS.of("ar") is TEXTS.of("nl")


def test_the_time_is_that_of_the_clock_on_the_wall() -> None:
    assert "vóór 8.31 uur" in said("nl", PatientText.MEASURE_AGAIN).text
    tomorrow = say(
        TEXTS.of("nl"), PatientText.MEASURE_AGAIN, kind="glucose", until_us=NOW_US + DAY_US, now=None,
        outside=None, now_us=NOW_US,
    )  # fmt: skip
    assert "vóór 23-11 om 8.31 uur" in tomorrow.text


def test_nobody_is_rung_who_has_no_number() -> None:
    read = say(
        TEXTS.of("nl"), PatientText.WHOM_TO_RING, kind=None, until_us=None, now=None, outside=None, now_us=0
    )
    assert read.text.endswith("Bel 112.")
    assert "070" not in read.text


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (PatientText.MEASURE_NOW, None),
        (PatientText.MEASURE_NOW, "symptom_cough"),
        (PatientText.REMINDER, "bodyweight"),
        (PatientText.SYMPTOM_QUESTION, "body_weight"),
        (PatientText.SYMPTOM_QUESTION, None),
        (PatientText.WHOM_TO_RING, "body_weight"),
    ],
)
def test_what_does_not_fit_is_refused(text: PatientText, kind: str | None) -> None:
    with pytest.raises(BadInput, match="about"):
        require_fitting(text, kind)


def content(language: str = "nl") -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load((PACKAGED / f"{language}.yaml").read_text(encoding="utf-8"))


def paths(part: Mapping[str, Any], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, value in part.items():
        found.append((*above, key))
        if isinstance(value, dict):
            found += paths(cast("dict[str, Any]", value), (*above, key))
    return found


@pytest.mark.parametrize("path", paths(content()), ids=".".join)
def test_whatever_misses_is_refused_at_load(path: tuple[str, ...]) -> None:
    broken = content()
    part = broken
    for key in path[:-1]:
        part = part[key]
    del part[path[-1]]
    with pytest.raises(RefuseToStart, match=re.escape(path[-1])):
        words_of(broken, "xx.yaml")


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("texts", "reminder", "body"), "Wilt u meten?"),
        (("texts", "reminder", "body"), "Wilt u {what} meten voor {name}?"),
        (("texts", "seen_by_nurse", "title"), "{what}"),
        (("ring", "now"), "Bel {name"),
        (("kinds", "glucose"), ""),
        (("kinds", "glucose"), 7),
        (("ring",), "Bel"),
    ],
)
def test_wrong_texts_are_refused_at_load(where: tuple[str, ...], value: object) -> None:
    broken = content()
    part = broken
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = value
    with pytest.raises(RefuseToStart, match=r"xx\.yaml"):
        words_of(broken, "xx.yaml")


def test_another_language_is_another_file(tmp_path: Path) -> None:
    for language in ("nl", "en"):
        (tmp_path / f"{language}.yaml").write_bytes((PACKAGED / f"{language}.yaml").read_bytes())
    third = (PACKAGED / "en.yaml").read_text(encoding="utf-8").replace("language: en", "language: tr")
    (tmp_path / "tr.yaml").write_text(third, encoding="utf-8")
    texts: Texts = load_texts(tmp_path)
    assert texts.of("tr").language == "tr"
    (tmp_path / "nl.yaml").unlink()
    with pytest.raises(RefuseToStart, match=r"nl\.yaml"):
        load_texts(tmp_path)


@pytest.mark.parametrize("text", PatientText)
@pytest.mark.parametrize("copy", [True, False])
def test_a_request_is_valid(text: PatientText, copy: bool) -> None:
    message = facts.message(
        kind=MessageKind.TO_PATIENT, channel=Channel.PATIENT, to_id=None, escalation_id=None, number=None
    )
    resource = communication_request(
        message, text, said("nl", text), Named(OURS, "Duin"), kind="body_weight", until_us=NOW_US, copy=copy
    )
    CommunicationRequest.model_validate_json(json.dumps(resource))
    assert resource["payload"][1]["contentString"] == said("nl", text).text
    kinds = [one["type"] for one in resource["recipient"]]
    assert kinds == (["Patient", "RelatedPerson"] if copy else ["Patient"])
    assert ("note" in resource) is copy
