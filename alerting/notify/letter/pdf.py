"""The letter as PDF: the HTML of the one template, set on A4 by its own few elements and classes.

The same letter gives the same bytes. Takes a tenth of a second or more: call it in a thread.
"""

from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import cast

from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos

from alerting.explain.vocabulary import Language
from alerting.notify.letter import words
from alerting.notify.letter.composing import Page, compose
from alerting.notify.letter.elements import Element, parsed
from alerting.notify.letter.letter import Letter
from alerting.notify.letter.page import html_of
from alerting.notify.letter.plain import written_out
from models.clock import to_datetime

ASSETS = Path(__file__).parent / "assets"
_FONT = "DejaVu"
_LEFT, _RIGHT, _TOP, _BOTTOM, _LABELS = 18.0, 18.0, 14.0, 17.0, 29.0
_INK, _QUIET, _BLUE, _PALE, _RULE = "#1a1a1a", "#5c6670", "#1f4e79", "#eef3f8", "#9aa4ad"
_LEADING = 1.4
_MM_PER_POINT = 25.4 / 72
_SIZES: Mapping[str, tuple[float, bool, str]] = {
    "text": (9.2, False, _INK),
    "strong": (9.2, True, _INK),
    "label": (8.2, False, _QUIET),
    "quiet": (8.0, False, _QUIET),
}
"""Size in points, whether bold, colour; by class."""


def render_pdf(letter: Letter, language: Language = Language.NL) -> bytes:
    """The whole letter; one page where it fits."""
    page = compose(letter, language)
    body = parsed(html_of(page)).first("main")
    setting = _set(body, page, letter, pages=1)
    if setting.pdf.pages_count > 1:
        setting = _set(body, page, letter, pages=setting.pdf.pages_count)
    return bytes(setting.pdf.output())


def _set(body: Element, page: Page, letter: Letter, pages: int) -> "_Setting":
    pdf = _Paper(page, pages)
    pdf.set_creation_date(to_datetime(letter.written_at_us))
    pdf.add_page()
    setting = _Setting(pdf)
    setting.everything(body)
    return setting


class _Paper(FPDF):
    def __init__(self, page: Page, pages: int) -> None:
        super().__init__(format="A4")
        self._foot, self._pages = page.foot, pages
        self._number = words.PAGE.said(Language(page.language))
        # Else "{nb}" in a text would turn into the number of pages.
        self.alias_nb_pages("")
        self.set_margins(_LEFT, _TOP, _RIGHT)
        self.c_margin = 0
        self.set_auto_page_break(auto=True, margin=_BOTTOM)
        self.add_font(_FONT, "", ASSETS / "DejaVuSansCondensed.ttf")
        self.add_font(_FONT, "B", ASSETS / "DejaVuSansCondensed-Bold.ttf")
        self.set_lang("nl-NL" if page.language == "nl" else "en-GB")
        self.set_title(page.title)
        self.set_producer("Thuiswacht")
        self.set_creator("Thuiswacht")

    def footer(self) -> None:
        """On every page: which letter it belongs to, and how many pages there are."""
        self.set_y(-12)
        self.style("quiet")
        number = self._number.format(page=self.page_no(), pages=self._pages)
        self.cell(0, 4, self._foot, align="L", new_x=XPos.LMARGIN)
        self.cell(0, 4, number, align="R")

    def style(self, name: str) -> float:
        """Sets font and colour; gives the height of a line in mm."""
        size, bold, colour = _SIZES[name]
        return self.letters(size, colour, bold=bold)

    def letters(self, size: float, colour: str, *, bold: bool) -> float:
        """As `style`, one by one."""
        self.set_font(_FONT, "B" if bold else "", size)
        self.set_text_color(colour)
        return size * _LEADING * _MM_PER_POINT

    def known(self, text: str) -> str:
        """A text with the characters that the font does not have written out."""
        has: Container[int] = self.current_font.cmap  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]
        return "".join(c if c in "\n " or ord(c) in has else written_out(c) for c in text)


class _Setting:
    """Places elements from top to bottom."""

    def __init__(self, pdf: _Paper) -> None:
        self.pdf = pdf

    def everything(self, body: Element) -> None:
        for element in body.children:
            match element.tag, element.attributes.get("class", ""):
                case "p", "responsible":
                    self.responsible(element.said)
                case "p", _:
                    self.banner(element.said)
                case "h1", _:
                    self.pdf.ln(4.5)
                    height = self.pdf.letters(15, _INK, bold=True)
                    self.text(element.said, height)
                    self.pdf.ln(1.4)
                case "dl", key:
                    self.pairs(element, framed=key == "key")
                case "section", _:
                    self.section(element)
                case _:
                    # The foot is on every page.
                    pass

    def responsible(self, text: str) -> None:
        pdf = self.pdf
        height = pdf.letters(10, _INK, bold=True)
        inner = pdf.epw - 8
        known = pdf.known(text)
        lines = pdf.multi_cell(inner, height, known, align="L", dry_run=True, output=MethodReturnValue.LINES)
        tall = height * len(cast("list[str]", lines)) + 4.4
        x, y = pdf.l_margin, pdf.get_y()
        pdf.set_fill_color(_PALE)
        pdf.rect(x, y, pdf.epw, tall, style="F")
        pdf.set_fill_color(_BLUE)
        pdf.rect(x, y, 1.4, tall, style="F")
        pdf.set_xy(x + 4.4, y + 2.2)
        self.text(text, height, width=inner)
        pdf.set_y(y + tall)

    def banner(self, text: str) -> None:
        pdf = self.pdf
        pdf.ln(2.2)
        height = pdf.style("strong")
        y = pdf.get_y()
        pdf.set_xy(pdf.l_margin + 3.6, y + 1.4)
        self.text(text, height, width=pdf.epw - 7.2)
        pdf.set_draw_color(_INK)
        pdf.set_line_width(0.3)
        pdf.set_dash_pattern(dash=1.2, gap=0.8)
        pdf.rect(pdf.l_margin, y, pdf.epw, pdf.get_y() - y + 1.4)
        pdf.set_dash_pattern()
        pdf.set_y(pdf.get_y() + 1.4)

    def pairs(self, element: Element, *, framed: bool) -> None:
        pdf = self.pdf
        if framed:
            self.rule(2.4, 1.8)
        size = 9.2 if framed else 8.4
        names = [child.said for child in element.children if child.tag == "dt"]
        values = [child.said for child in element.children if child.tag == "dd"]
        for name, value in zip(names, values, strict=True):
            height = pdf.letters(size, _QUIET, bold=False)
            y = pdf.get_y()
            pdf.cell(_LABELS, height, pdf.known(name))
            pdf.letters(size, _INK if framed else _QUIET, bold=framed)
            pdf.set_xy(pdf.l_margin + _LABELS, y)
            self.text(value, height, width=pdf.epw - _LABELS)
            pdf.ln(0.5)
        if framed:
            self.rule(1.3, 0)

    def rule(self, before: float, after: float) -> None:
        self.pdf.ln(before)
        self.pdf.set_draw_color(_RULE)
        self.pdf.set_line_width(0.2)
        y = self.pdf.get_y()
        self.pdf.line(self.pdf.l_margin, y, self.pdf.w - self.pdf.r_margin, y)
        self.pdf.ln(after)

    def section(self, element: Element) -> None:
        pdf = self.pdf
        pdf.ln(3.4)
        heading, content = element.first("h2"), element.first("div")
        first = content.children[0]
        self.keep(self.chart_height(first) if first.tag == "figure" else 14)
        height = pdf.letters(9.2, _BLUE, bold=True)
        y = pdf.get_y()
        pdf.cell(_LABELS, height, pdf.known(heading.said))
        pdf.set_xy(pdf.l_margin, y)
        pdf.set_left_margin(_LEFT + _LABELS)
        pdf.set_xy(pdf.l_margin, y)
        for number, block in enumerate(content.children):
            after_label = number > 0 and content.children[number - 1].attributes.get("class") == "label"
            if number and not after_label:
                pdf.ln(1.3)
            self.block(block)
        pdf.set_left_margin(_LEFT)
        pdf.set_x(_LEFT)

    def block(self, block: Element) -> None:
        pdf = self.pdf
        if block.tag == "figure":
            self.figure(block)
        elif block.tag == "ul":
            for item in block.children:
                height = pdf.style("text")
                self.keep(height)
                y = pdf.get_y()
                pdf.cell(3.6, height, "•")
                pdf.set_xy(pdf.l_margin + 3.6, y)
                pdf.set_left_margin(pdf.l_margin + 3.6)
                self.text(item.said, height)
                pdf.set_left_margin(pdf.l_margin - 3.6)
                pdf.set_x(pdf.l_margin)
                pdf.ln(0.3)
        else:
            style = block.attributes.get("class", "text")
            if style == "label":
                self.keep(9)
            self.text(block.said, pdf.style(style))

    def text(self, text: str, height: float, width: float = 0) -> None:
        pdf = self.pdf
        pdf.multi_cell(width, height, pdf.known(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def keep(self, height: float) -> None:
        """Goes to the next page where so much does not fit on this one. **Units**: mm."""
        if self.pdf.will_page_break(height):
            self.pdf.add_page()

    def chart_height(self, figure: Element) -> float:
        _, _, width, height = (float(number) for number in figure.first("svg").attributes["viewbox"].split())
        return (self.pdf.w - _LEFT - _RIGHT - _LABELS) * height / width + 5

    def figure(self, figure: Element) -> None:
        pdf, svg = self.pdf, figure.first("svg")
        tall = self.chart_height(figure)
        self.keep(tall)
        width = float(svg.attributes["viewbox"].split()[2])
        _Pen(pdf, pdf.l_margin, pdf.get_y(), pdf.epw / width).draw(svg)
        pdf.set_y(pdf.get_y() + tall - 4.6)
        self.text(figure.first("figcaption").said, pdf.style("quiet"))


class _Pen:
    """Draws the few elements of SVG in charts. **Units**: `scale` in mm per unit of the drawing."""

    def __init__(self, pdf: _Paper, x: float, y: float, scale: float) -> None:
        self.pdf, self.left, self.top, self.scale = pdf, x, y, scale

    def draw(self, svg: Element) -> None:
        for mark in svg.children:
            self.mark(mark)
        self.pdf.set_xy(self.left, self.top)

    def mark(self, mark: Element) -> None:
        pdf, given = self.pdf, mark.attributes
        if "stroke" in given:
            pdf.set_draw_color(given["stroke"])
            pdf.set_line_width(float(given["stroke-width"]) * self.scale)
        if given.get("fill", "none") != "none":
            pdf.set_fill_color(given["fill"])
        match mark.tag:
            case "line":
                dash, gap = (
                    *(float(n) * self.scale for n in given.get("stroke-dasharray", "").split()),
                    0,
                    0,
                )[:2]
                pdf.set_dash_pattern(dash=dash, gap=gap)
                pdf.line(*self.at(given["x1"], given["y1"]), *self.at(given["x2"], given["y2"]))
                pdf.set_dash_pattern()
            case "polyline":
                pdf.polyline(list(self.points(given["points"])))
            case "polygon":
                pdf.polygon(list(self.points(given["points"])), style="DF")
            case "circle":
                pdf.circle(*self.at(given["cx"], given["cy"]), float(given["r"]) * self.scale, style="F")
            case _:
                self.text(mark)

    def text(self, mark: Element) -> None:
        pdf, given = self.pdf, mark.attributes
        points = float(given["font-size"]) * self.scale / _MM_PER_POINT
        pdf.letters(points, given["fill"], bold=given.get("font-weight") == "bold")
        text = pdf.known(mark.said)
        x, y = self.at(given["x"], given["y"])
        shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[given["text-anchor"]]
        pdf.text(x - shift * pdf.get_string_width(text), y, text)

    def points(self, text: str) -> Iterator[tuple[float, float]]:
        for pair in text.split():
            yield self.at(*pair.split(","))

    def at(self, x: str, y: str) -> tuple[float, float]:
        return self.left + float(x) * self.scale, self.top + float(y) * self.scale
