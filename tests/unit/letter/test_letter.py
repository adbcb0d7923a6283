"""What stands in a letter: the same in HTML and PDF, in Dutch and English, whatever people typed."""

import re
from dataclasses import replace
from datetime import date
from hashlib import sha256
from io import BytesIO

import pytest
from fpdf import FPDF
from fpdf.fonts import TTFFont
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from alerting.explain.vocabulary import Language
from alerting.notify.letter.composing import Page, compose
from alerting.notify.letter.elements import Element, parsed
from alerting.notify.letter.letter import Accepted, Deed, Letter, LetterKind, Person, Remark
from alerting.notify.letter.page import render_html
from alerting.notify.letter.pdf import ASSETS, render_pdf
from alerting.notify.letter.plain import plain
from alerting.notify.letter.words import DEEDS
from models.alerts import AlertEvent
from models.clock import HOUR_US
from models.escalations import Recipient, RequestKind
from models.findings import Severity
from models.messages import Origin
from tests.unit.letter.letters import EARLIER_LETTER, NOW_US, PATIENT, correction, letter

PHONE = "070 312 45 67"
QUESTION = "Kan de bisoprolol omhoog?", "Can the bisoprolol go up?"
KINDS = {
    "escalation": letter(),
    "question": replace(letter(), kind=LetterKind.QUESTION, question=QUESTION),
    "correction that stands": correction(stands=True),
    "correction that takes back": correction(stands=False),
    "nothing known": replace(
        letter(), person=None, link=None, findings=(), series=(), treatment_plan=None, advance_care=None,
        asked_by=None, reason=None, by_us=None, done=(), earlier=(),
    ),
}  # fmt: skip


def pdf_text(made: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(made)).pages)


def squeezed(text: str) -> str:
    """Without white space: lines break elsewhere."""
    return "".join(text.split())


def sentences(page: Page) -> list[str]:
    found = [page.responsible, page.banner, page.title, page.foot]
    found += [text for pair in (*page.head, *page.key) for text in pair]
    for section in page.sections:
        found.append(section.heading)
        for block in section.blocks:
            found += [block.label, block.text, *block.items]
            if block.chart is not None:
                found += [block.chart.caption, *(mark.text for mark in block.chart.marks)]
    return [text for text in found if text]


def everything(element: Element) -> str:
    return element.said + "".join(everything(child) for child in element.children)


@pytest.mark.parametrize(
    ("request_kind", "by_us", "said"),
    [
        (RequestKind.REGULAR, None, ("overnemen?", "take over responsibility?")),
        (RequestKind.ACUTE, None, ("overnemen, nu meteen?", "responsibility, at once?")),
        (RequestKind.ACUTE, NOW_US, ("overnemen, uiterlijk ", "responsibility, at the latest ")),
    ],
)
def test_what_is_asked_says_by_when_in_a_sound_sentence(
    request_kind: RequestKind, by_us: int | None, said: tuple[str, str]
) -> None:
    one = replace(letter(), request=request_kind, by_us=by_us)
    for language, text in zip(Language, said, strict=True):
        assert any(text in sentence for sentence in sentences(compose(one, language)))


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", KINDS)
def test_html_and_pdf_say_the_same(kind: str, language: Language) -> None:
    one = KINDS[kind]
    html = squeezed(everything(parsed(render_html(one, language)).first("main")))
    pdf = squeezed(pdf_text(render_pdf(one, language)))
    said = sentences(compose(one, language))
    assert len(said) > 15
    for text in said:
        assert "{" not in text, "a brace left"
        assert squeezed(text) in html
        assert squeezed(text) in pdf


def test_the_first_line_says_who_is_responsible_and_whom_to_ring() -> None:
    wanted = (
        "Verantwoordelijk tot iemand dit met naam overneemt: de verpleegkundigen van Medisch servicecentrum "
        f"Haaglanden, telefoon {PHONE}."
    )
    main = parsed(render_html(letter())).first("main")
    assert main.children[0].said == wanted
    assert squeezed(pdf_text(render_pdf(letter()))).startswith(squeezed(wanted))


def test_request_deadline_plan_and_wishes_are_in_both() -> None:
    for text in (pdf_text(render_pdf(letter())), everything(parsed(render_html(letter())).first("main"))):
        for wanted in (
            "Wilt u de patiënt beoordelen en de verantwoordelijkheid overnemen, uiterlijk zondag",
            "22 november 2026 om 12:30 uur?",
            "Acuut",
            "Ayşe Şahin-Łukasiewicz, geboren 9 maart 1947",
            "Streefgewicht 79,5 kg.",
            "Geen reanimatie, geen IC-opname",
            "Het gewicht steeg 2,5 kg in 3 dagen; dat is meer dan de grens van 2,0 kg.",
            "Gebeld met mevrouw en dochter.",
            "de wijkverpleegkundige, Florence; niemand nam het op tijd over",
            "Turks",
        ):
            assert squeezed(wanted) in squeezed(text)


def test_it_is_one_page_and_the_same_bytes_each_time() -> None:
    first = render_pdf(letter())
    assert len(PdfReader(BytesIO(first)).pages) == 1
    assert first == render_pdf(letter())
    assert first != render_pdf(replace(letter(), letter_id=EARLIER_LETTER))


def test_what_does_not_fit_goes_on_and_each_page_says_how_many_there_are() -> None:
    long = replace(letter(), treatment_plan="Een lang plan. " * 600)
    pages = PdfReader(BytesIO(render_pdf(long))).pages
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert f"bladzijde {number} van {len(pages)}" in page.extract_text()
        assert str(long.letter_id) in page.extract_text()


def test_when_somebody_took_over_that_is_the_first_line() -> None:
    taken = replace(letter(), accepted=Accepted(NOW_US, "H. Arts", "Huisartsenpraktijk Laakkwartier"))
    first = compose(taken, Language.NL).responsible
    assert "H. Arts van Huisartsenpraktijk Laakkwartier" in first
    assert PHONE in first
    assert "tot iemand" not in first


def test_without_the_key_it_says_where_to_look() -> None:
    page = compose(replace(letter(), person=None), Language.NL)
    patient = dict(page.key)["Patiënt"]
    assert str(PATIENT) in patient
    assert "https://thuiswacht.example/a/7f3c" in patient
    assert "Şahin" not in render_html(replace(letter(), person=None))


@pytest.mark.parametrize("origin", [Origin.SIMULATED, Origin.CANARY])
def test_who_does_not_exist_is_said_not_to(origin: Origin) -> None:
    assert compose(replace(letter(), origin=origin), Language.NL).banner.startswith("Oefening.")
    assert "Oefening" in pdf_text(render_pdf(replace(letter(), origin=origin)))
    assert not compose(letter(), Language.NL).banner


def test_a_number_that_is_not_known_is_said_not_to_be() -> None:
    silent = replace(letter().responsible, telephone=None, name=None)
    first = compose(replace(letter(), responsible=silent), Language.NL).responsible
    assert first.endswith("telefoon niet bekend in ons register.")


def test_a_correction_says_what_changed_and_whether_anything_is_left_to_do() -> None:
    stands = compose(correction(stands=True), Language.NL)
    assert stands.sections[0].heading == "Veranderd"
    said = " ".join(sentences(stands))
    assert str(EARLIER_LETTER) in said
    assert "de ernst is nu hoog" in said
    assert "er is een reden bijgekomen" in said
    assert "blijft staan" in said
    taken_back = compose(correction(stands=False), Language.NL)
    assert "u hoeft niets meer te doen" in " ".join(sentences(taken_back))
    assert ("Verzoek", "Ingetrokken: u hoeft niets meer te doen") in taken_back.key, "and says so at its top"
    assert "Acuut" not in sentences(taken_back)
    assert "Uiterlijk" not in dict(taken_back.key)


def test_a_question_asks_and_leaves_the_patient_with_who_asks() -> None:
    said = " ".join(sentences(compose(KINDS["question"], Language.NL)))
    assert "Kan de bisoprolol omhoog?" in said
    assert "De patiënt blijft bij ons in zorg." in said
    assert "Overnemen:" not in said


@pytest.mark.parametrize(
    ("recipient", "wanted"), [(Recipient.HOME_VISIT, "langsgaan"), (Recipient.HUISARTS, "beoordelen")]
)
def test_a_visit_is_asked_of_who_visits(recipient: Recipient, wanted: str) -> None:
    page = compose(replace(letter(), recipient=recipient), Language.NL)
    assert wanted in page.sections[-1].blocks[0].text


@pytest.mark.parametrize("request_kind", RequestKind)
@pytest.mark.parametrize("recipient", Recipient)
@pytest.mark.parametrize("language", Language)
def test_every_recipient_and_request_has_words(
    recipient: Recipient, request_kind: RequestKind, language: Language
) -> None:
    page = compose(replace(letter(), recipient=recipient, request=request_kind), language)
    assert len(dict(page.key)) == 4
    assert page.head[0][1]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("event", DEEDS)
def test_every_deed_is_a_sentence(event: AlertEvent, language: Language) -> None:
    deed = Deed(NOW_US, event, "M. Vink", "tekst", Severity.HIGH, NOW_US + HOUR_US)
    page = compose(replace(letter(), done=(deed,)), language)
    (line,) = [i for s in page.sections for b in s.blocks for i in b.items if "M. Vink" in i]
    assert line.endswith("tekst.")
    assert "{" not in line


def test_only_what_is_worth_telling_is_told() -> None:
    quiet = replace(letter(), done=(Deed(NOW_US, AlertEvent.QUIETED),), earlier=())
    assert "Nog niemand heeft deze melding op zich genomen." in sentences(compose(quiet, Language.NL))


def with_text(text: str) -> Letter:
    """A letter in which everything that anybody can type is this."""
    deed = Deed(NOW_US, AlertEvent.NOTED, text, text)
    base = letter()
    return replace(
        base,
        sender=replace(base.sender, name=text, telephone=text),
        responsible=replace(base.responsible, name=text, telephone=text),
        to=replace(base.to, name=text),
        person=Person(text, date(1950, 1, 1), text, text),
        asked_by=text,
        reason=text,
        question=(text, text),
        treatment_plan=text,
        advance_care=text,
        language=text,
        link=text,
        remarks=(Remark(NOW_US, text),),
        done=(deed,),
    )


def shape(element: Element) -> list[object]:
    """The elements without what they say: a text that became one shows here."""
    return [element.tag, sorted(element.attributes), [shape(child) for child in element.children]]


TYPED = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from("<>&\"'{}%\u202e\u200b\u2066\u00ad\u0000\r\n")),
    min_size=1,
    max_size=80,
)
HIDDEN = re.compile("[\u0000-\u0009\u000b-\u001f\u007f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
SHAPE = shape(parsed(render_html(with_text("x"))).first("main"))


@given(TYPED)
@settings(max_examples=60, deadline=None)
@example("<script>alert(1)</script>")
@example("\"><svg onload=alert(1)>' &lt;b&gt; {{ 7 * 7 }} {nb}")
@example("]]></style><!-- --> javascript:alert(1)")
@example("\u202eneppirdenegna\u202c \u200b\u2066")
@example("שלום مرحبا")
def test_no_text_becomes_anything_but_text(text: str) -> None:
    html = render_html(with_text(text))
    assert shape(parsed(html).first("main")) == SHAPE
    assert not HIDDEN.search(html.replace("\n", " "))
    assert squeezed(plain(text)) in squeezed(everything(parsed(html)))


@given(TYPED)
@settings(max_examples=8, deadline=None)
@example("{nb} 🫀 心 \u202eabc שלום مرحبا " + "W" * 300)
def test_the_pdf_takes_any_text(text: str) -> None:
    reader = PdfReader(BytesIO(render_pdf(with_text(text))))
    assert str(letter().letter_id) in reader.pages[0].extract_text()


EXTENDED = st.characters(min_codepoint=0x20, max_codepoint=0x24F, exclude_categories=("Cc", "Cf"))
LATIN = st.text(EXTENDED, min_size=1)


@given(LATIN)
@settings(max_examples=8, deadline=None)
@example("{nb} <script>alert(1)</script> **vet** __onder__")
def test_the_pdf_says_latin_as_it_was_typed(text: str) -> None:
    pdf = squeezed(pdf_text(render_pdf(replace(letter(), treatment_plan=text))))
    assert squeezed(plain(text)) in pdf


def test_the_page_takes_nothing_from_outside() -> None:
    html = render_html(letter())
    assert "default-src 'none'" in html
    assert not re.search(r"(?:src=|href|url\(|@import)", html)
    assert "<script" not in html


def test_the_fonts_are_those_whose_checksums_are_kept() -> None:
    lines = [line.split() for line in (ASSETS / "SHA256SUMS").read_text().splitlines()]
    kept = {name: checksum for checksum, name in lines}
    assert kept == {file.name: sha256(file.read_bytes()).hexdigest() for file in ASSETS.glob("*.ttf")}
    assert len(kept) == 2
    assert "2.37" in (ASSETS / "VERSION").read_text()
    assert "Bitstream Vera Fonts Copyright" in (ASSETS / "LICENCE").read_text()


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_at_the_left_fits_there(kind: str, language: Language) -> None:
    """In the PDF headings and labels have a column of 29 mm; longer ones would run into the text."""
    page = compose(KINDS[kind], language)
    paper = FPDF()
    paper.add_font("DejaVu", "B", ASSETS / "DejaVuSansCondensed-Bold.ttf")
    paper.set_font("DejaVu", "B", 9)
    at_the_left = [section.heading for section in page.sections]
    at_the_left += [label for label, _ in (*page.head, *page.key)]
    wide = [text for text in at_the_left if paper.get_string_width(text) > 27]
    for font in paper.fonts.values():
        if isinstance(font, TTFFont):
            font.close()
    assert wide == []
