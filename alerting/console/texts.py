"""What screens say, in Dutch and English: one file of texts in each room, both languages side by side."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from alerting.explain.vocabulary import Language
from alerting.texts import Texts, read_texts, say

ROOMS = (
    "layout", "worklist", "patient", "inclusion", "huisarts", "technical", "insight", "administration",
)  # fmt: skip
"""Folders with a `texts.yaml`: entries are {nl: …, en: …}, or name a group of entries."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says the texts of all rooms in one language: `t("worklist.title")`, `t("layout.since", at="12:10")`."""

    language: Language

    def __call__(self, key: str, **values: object) -> str:
        """A text, with what stands in its braces. **Raises**: Broken for a key that there is not."""
        return say(texts(), key, self.language, values)

    def of(self, group: str, name: object) -> str:
        """The text of one of a closed set: `t.of("layout.role", role)`."""
        return self(f"{group}.{name}")


@cache
def texts() -> Texts:
    """Every text by its key, which begins with its room. **Raises**: Broken where a language is missing."""
    return {f"{room}.{key}": both for room in ROOMS for key, both in _read(room).items()}


def _read(room: str) -> Texts:
    path = files("alerting.console") / room / "texts.yaml"
    return read_texts(path.read_text(encoding="utf-8"), f"{room}/texts.yaml")
