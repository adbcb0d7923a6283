"""Texts in Dutch and English as files have them, both languages side by side."""

from collections.abc import Iterator, Mapping
from typing import cast

from ruamel.yaml import YAML

from alerting.explain.vocabulary import Language
from models.errors import Broken

Texts = Mapping[str, Mapping[Language, str]]
"""By key: those of the groups that a text is in, and its own, with dots between."""


def read_texts(content: str, where: str) -> Texts:
    """The texts of a file: entries are {nl: …, en: …}, or name a group of entries.

    **Raises**: Broken where a language is missing.

    >>> texts = read_texts("greeting: {short: {nl: Dag, en: Hello}}", "here")
    >>> texts["greeting.short"][Language.NL]
    'Dag'
    """
    return dict(_entries(where, "", YAML(typ="safe", pure=True).load(content)))


def say(texts: Texts, key: str, language: Language, values: Mapping[str, object]) -> str:
    """A text, with what stands in its braces. **Raises**: Broken for a key that there is not."""
    found = texts.get(key)
    if found is None:
        raise Broken(f"There is no text {key}.")
    return found[language].format(**values) if values else found[language]


def _entries(where: str, key: str, content: object) -> Iterator[tuple[str, Mapping[Language, str]]]:
    if not isinstance(content, dict):
        raise Broken(f"{where}: {key or 'the file'}: expected {{nl: …, en: …}} or a group of them.")
    group = cast("dict[object, object]", content)
    if set(group) & set(Language):
        if set(group) != set(Language) or not all(isinstance(said, str) for said in group.values()):
            raise Broken(f"{where}: {key}: expected a text in nl and one in en.")
        yield key, {language: str(group[language.value]) for language in Language}
        return
    for name, inner in group.items():
        yield from _entries(where, f"{key}.{name}" if key else str(name), inner)
