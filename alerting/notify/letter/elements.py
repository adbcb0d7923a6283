"""The elements of our own HTML as a tree: what the template wrote, read back."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from models.errors import Broken

_VOID = frozenset({"meta"})


@dataclass(slots=True)
class Element:
    """A tag with its attributes, the elements within, and its own text."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict[str, str])
    children: list["Element"] = field(default_factory=list["Element"])
    said: str = ""

    def first(self, tag: str) -> "Element":
        """The first of a tag within it. **Raises**: Broken where there is none."""
        for child in self.children:
            if child.tag == tag:
                return child
            try:
                return child.first(tag)
            except Broken:
                continue
        raise Broken(f"The template of letters has no <{tag}> in <{self.tag}>.")


def parsed(html: str) -> Element:
    """The tree of a page of ours.

    >>> parsed("<main><p class='x'>a &lt; b</p></main>").first("p").said
    'a < b'
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.root


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("page")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if self._open[-1].tag != tag:
            raise Broken(f"The template of letters closes <{tag}> within <{self._open[-1].tag}>.")
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].said += data
