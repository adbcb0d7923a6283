"""What screens say, in Dutch and English: one file of texts in each room, both languages side by side."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import cast

from ruamel.yaml import YAML

from alerting.explain.vocabulary import Language
from models.errors import Broken

ROOMS = (
    "layout", "worklist", "patient", "inclusion", "huisarts", "technical", "insight", "administration",
)  # fmt: skip
"""Folders with a `texts.yaml`: entries are {nl: …, en: …}, or name a group of entries."""

Texts = Mapping[str, Mapping[Language, str]]


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says the texts of all rooms in one language: `t("worklist.title")`, `t("layout.since", at="12:10")`."""

    language: Language

    def __call__(self, key: str, **values: object) -> str:
        """A text, with what stands in its braces. **Raises**: Broken for a key that there is not."""
        found = texts().get(key)
        if found is None:
            raise Broken(f"There is no text {key}.")
        said = found[self.language]
        return said.format(**values) if values else said

    def of(self, group: str, name: object) -> str:
        """The text of one of a closed set: `t.of("layout.role", role)`."""
        return self(f"{group}.{name}")


@cache
def texts() -> Texts:
    """Every text by its key, which begins with its room. **Raises**: Broken where a language is missing."""
    return {f"{room}.{key}": both for room in ROOMS for key, both in _read(room)}


def _read(room: str) -> Iterator[tuple[str, Mapping[Language, str]]]:
    path = files("alerting.console") / room / "texts.yaml"
    content: object = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    yield from _entries(room, "", content)


def _entries(room: str, key: str, content: object) -> Iterator[tuple[str, Mapping[Language, str]]]:
    if not isinstance(content, dict):
        raise Broken(f"{room}/texts.yaml: {key or 'the file'}: expected {{nl: …, en: …}} or a group of them.")
    group = cast("dict[object, object]", content)
    if set(group) & set(Language):
        if set(group) != set(Language) or not all(isinstance(said, str) for said in group.values()):
            raise Broken(f"{room}/texts.yaml: {key}: expected a text in nl and one in en.")
        yield key, {language: str(group[language.value]) for language in Language}
        return
    for name, inner in group.items():
        yield from _entries(room, f"{key}.{name}" if key else str(name), inner)
