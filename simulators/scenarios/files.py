"""Scenario files: those that come with Thuiswacht, by name, and anybody's own."""

from pathlib import Path

from alerting.yaml_files import load_each, read_text
from models.errors import BadInput
from simulators.scenarios.checks import problems
from simulators.scenarios.description import Description
from simulators.scenarios.toml_files import checked_toml

PACKAGED = Path(__file__).parent
DEFAULT = "home"


def load_scenario(name_or_file: str) -> Description:
    """A scenario that comes with Thuiswacht, by its name, or that of a file.

    **Raises**: BadFile with all that is wrong; BadInput where there is none.
    """
    if name_or_file in names():
        return load_file(PACKAGED / f"{name_or_file}.toml")
    file = Path(name_or_file)
    if not file.is_file():
        expected = f"a file, or one of {', '.join(names())}"
        raise BadInput(where="scenario", expected=expected, found=name_or_file)
    return load_file(file)


def load_file(file: Path) -> Description:
    """The scenario of a file. **Raises**: BadFile."""
    return load_text(read_text(file), file.name)


def load_text(text: str, name: str) -> Description:
    """The scenario that a text describes; `name` stands for it in errors. **Raises**: BadFile."""
    said = checked_toml(text, name, Description, problems)
    return said.model_copy(update={"name": said.name or Path(name).stem})


def names() -> list[str]:
    """The scenarios that come with Thuiswacht; the usual one first."""
    return sorted((file.stem for file in PACKAGED.glob("*.toml")), key=lambda name: (name != DEFAULT, name))


def packaged() -> dict[str, Description]:
    """All of them. **Raises**: BadFile."""
    loaded = load_each((PACKAGED / f"{name}.toml" for name in names()), load_file)
    return {file.stem: said for file, said in loaded}
