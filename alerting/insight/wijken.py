"""In which municipality a wijk lies: a file, which a region may replace by its own."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from alerting.yaml_files import Problem, checked, parse, read_text
from models.figures import UNKNOWN

PACKAGED = Path(__file__).with_name("wijken.yaml")

Wijken = Mapping[str, str]
"""The municipality of each wijk, by its name in lower case."""


class _File(BaseModel):
    """What stands in such a file."""

    model_config = ConfigDict(extra="forbid")

    source: Annotated[str, Field(min_length=1)]
    municipalities: dict[
        Annotated[str, Field(min_length=1, max_length=100)],
        Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(min_length=1)],
    ]


def load_wijken(file: Path | None = None) -> Wijken:
    """The wijken of a file, or of the one that comes with us. **Raises**: BadFile."""
    path = file or PACKAGED
    return wijken_of(read_text(path), path.name)


def wijken_of(text: str, name: str) -> Wijken:
    """The wijken that a text describes; `name` stands for it in errors. **Raises**: BadFile."""
    content = checked(parse(text, name, "wijken by municipality"), _File, lambda found: [*_problems(found)])
    return {wijk.casefold(): where for where, wijken in content.municipalities.items() for wijk in wijken}


def municipality_of(wijk: str, wijken: Wijken) -> str:
    """Where a wijk lies; what is not in the file, nobody knows.

    >>> municipality_of("Loosduinen", {"loosduinen": "Den Haag"}), municipality_of("elders", {})
    ('Den Haag', '?')
    """
    return wijken.get(wijk.casefold(), UNKNOWN)


def _problems(content: _File) -> Iterator[Problem]:
    seen: set[str] = set()
    for municipality, wijken in content.municipalities.items():
        for wijk in wijken:
            if wijk.casefold() in seen:
                yield Problem(("municipalities", municipality), "each wijk once", f"{wijk} again")
            seen.add(wijk.casefold())
