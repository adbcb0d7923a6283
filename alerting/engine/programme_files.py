"""Programme files: YAML in, checked programmes out, every error with its file and line."""

from pathlib import Path

from alerting.engine.programme import Programme
from alerting.engine.programme_checks import problems
from alerting.yaml_files import BadFile, checked, in_folder, parse, read_text
from models.errors import BadInput

PACKAGED = Path(__file__).parent.parent / "programmes"


def load_folder(folder: Path = PACKAGED) -> tuple[Programme, ...]:
    """All programmes of a folder, by name and version. **Raises**: BadFile."""
    loaded: dict[tuple[str, int], tuple[Path, Programme]] = {}
    for file in in_folder(folder):
        programme = load_file(file)
        key = programme.programme, programme.version
        if key in loaded:
            other = loaded[key][0].name
            raise BadFile(
                [
                    BadInput(
                        where=file.name,
                        expected="one file per programme and version",
                        found=f"{key} in {other}",
                    )
                ]
            )
        loaded[key] = file, programme
    return tuple(programme for _, (_, programme) in sorted(loaded.items()))


def load_file(file: Path) -> Programme:
    """The programme of one file. **Raises**: BadFile."""
    return load_text(read_text(file), file.name)


def load_text(text: str, name: str) -> Programme:
    """The programme that a text describes; `name` stands for it in errors. **Raises**: BadFile."""
    return checked(parse(text, name, "a programme"), Programme, problems)
