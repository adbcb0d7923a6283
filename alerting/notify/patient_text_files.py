"""Reads what patients read: a file for each language, in `patient_texts/`. Another one is another file."""

from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from alerting.notify.to_patient import Texts, Words, texts_of, words_of
from models.errors import RefuseToStart

PACKAGED = Path(__file__).parent / "patient_texts"


def load_texts(folder: Path = PACKAGED) -> Texts:
    """All languages of a folder. **Raises**: RefuseToStart for a text that is missing in any of them."""
    words: dict[str, Words] = {}
    for file in sorted(folder.glob("*.yaml")):
        try:
            content = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
        except YAMLError as error:
            raise RefuseToStart(f"{file.name}: expected YAML: {error}") from None
        words[file.stem] = words_of(content, file.name)
    return texts_of(words)
