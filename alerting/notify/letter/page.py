"""The letter as HTML: the one template, every text escaped."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from alerting.explain.vocabulary import Language
from alerting.notify.letter.composing import Page, compose
from alerting.notify.letter.letter import Letter

_FOLDER = Path(__file__).parent


def render_html(letter: Letter, language: Language = Language.NL) -> str:
    """The whole letter, with nothing outside it: no script, no picture, no address that is looked up."""
    return html_of(compose(letter, language))


def html_of(page: Page) -> str:
    """A page that was composed, as HTML."""
    return _template().render(page=page)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("letter.html.j2")
