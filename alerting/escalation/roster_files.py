"""Roster files: YAML in, rosters without gap or overlap out, every error with its file and line."""

from collections.abc import Collection, Sequence
from pathlib import Path

from alerting.escalation.roster import Roster, RosterBook
from alerting.escalation.roster_checks import problems
from alerting.yaml_files import BadFile, checked, in_folder, load_each, parse, read_text
from models.errors import BadInput
from models.escalations import Recipient

PACKAGED = Path(__file__).parent / "rosters"


def load_rosters(folder: Path = PACKAGED) -> RosterBook:
    """All rosters of a folder, one for every recipient. **Raises**: BadFile."""
    loaded = load_each(in_folder(folder), load_roster)
    errors = [
        *twice([(file.name, roster) for file, roster in loaded]),
        *missing(str(folder), [roster for _, roster in loaded]),
    ]
    if errors:
        raise BadFile(errors)
    return RosterBook([roster for _, roster in loaded])


def load_roster(file: Path) -> Roster:
    """The roster of one file. **Raises**: BadFile."""
    return roster_of(read_text(file), file.name)


def roster_of(text: str, name: str) -> Roster:
    """The roster that a text describes; `name` stands for it in errors. **Raises**: BadFile."""
    return checked(parse(text, name, "a roster"), Roster, problems)


def twice(rosters: Sequence[tuple[str, Roster]]) -> list[BadInput]:
    """For whom there are two rosters, by the names of their files."""
    first: dict[Recipient, str] = {}
    return [
        BadInput(where=file, expected="one roster for each recipient", found=f"{recipient}, also in {other}")
        for file, roster in rosters
        for recipient in roster.recipients
        if (other := first.setdefault(recipient, file)) != file
    ]


def missing(where: str, rosters: Collection[Roster]) -> list[BadInput]:
    """For whom there is none."""
    known = {recipient for roster in rosters for recipient in roster.recipients}
    return [
        BadInput(where=where, expected="a roster for each recipient", found=f"none for {recipient}")
        for recipient in Recipient
        if recipient not in known
    ]
