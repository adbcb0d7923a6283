"""The letter as plain text: all that stands in it, and first of all who is responsible."""

from alerting.explain.vocabulary import Language
from alerting.notify.letter.composing import compose
from alerting.notify.written import text_of
from tests.unit.letter.letters import letter


def test_nothing_is_left_out() -> None:
    page = compose(letter(), Language.NL)
    text = text_of(page)
    assert text.splitlines()[0] == page.responsible
    for section in page.sections:
        assert section.heading.upper() in text
        for block in section.blocks:
            assert block.text in text
            assert all(item in text for item in block.items)
    assert page.foot in text
    assert not text.endswith("\n")
