"""Policies, rosters and lists of teleconsultation checked together, as `thuiswacht policy check` does."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from alerting.escalation import policy_files, roster_files, teleconsultation
from alerting.escalation.drawing import draw_list, draw_policy, draw_roster
from alerting.escalation.policy_checks import Known
from alerting.escalation.policy_content import PolicyFile
from alerting.escalation.roster import Roster
from alerting.escalation.teleconsultation import Teleconsultation
from alerting.yaml_files import BadFile, in_folder, parse, read_text
from models.errors import BadInput

PACKAGED = (teleconsultation.PACKAGED, roster_files.PACKAGED, policy_files.PACKAGED)
KINDS = ("policy", "roster", "teleconsultation")

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class Text:
    """What stands in a file, and of what kind it is."""

    folder: Path | None
    """Where it was found in, if a whole folder is looked at."""
    name: str
    kind: str
    text: str


@dataclass(slots=True)
class Checked:
    """What is right, by the names of the files, and what is not."""

    lists: list[tuple[Text, Teleconsultation]] = field(default_factory=list[tuple[Text, Teleconsultation]])
    rosters: list[tuple[Text, Roster]] = field(default_factory=list[tuple[Text, Roster]])
    policies: list[tuple[Text, PolicyFile]] = field(default_factory=list[tuple[Text, PolicyFile]])
    errors: list[BadInput] = field(default_factory=list[BadInput])

    def drawn(self) -> Iterator[str]:
        """All that is right, as text."""
        for _, listed in self.lists:
            yield from (*draw_list(listed), "")
        for _, roster in self.rosters:
            yield from (*draw_roster(roster), "")
        for _, policy in self.policies:
            yield from (*draw_policy(policy), "")


def check(paths: Sequence[Path]) -> Checked:
    """Looks at files, and at folders as a whole: in those, nobody and no alert may be left out.

    What policies speak of and is not among the files is what comes with Thuiswacht.
    """
    checked = Checked()
    texts = list(_texts(paths, checked.errors))
    checked.lists = _each(texts, "teleconsultation", teleconsultation.list_of, checked.errors)
    checked.rosters = _each(texts, "roster", roster_files.roster_of, checked.errors)
    known = _known(checked, texts)
    checked.policies = _each(
        texts, "policy", lambda text, name: policy_files.policy_of(text, name, known), checked.errors
    )
    checked.errors += roster_files.twice([(text.name, roster) for text, roster in checked.rosters])
    checked.errors += policy_files.twice([(text.name, policy) for text, policy in checked.policies])
    if not checked.errors:
        checked.errors += _left_out(checked)
    return checked


def _texts(paths: Sequence[Path], errors: list[BadInput]) -> Iterator[Text]:
    for folder, file in _files(paths, errors):
        try:
            text = read_text(file)
            yield Text(folder, file.name, _kind(text, file.name), text)
        except BadFile as bad:
            errors += bad.errors


def _files(paths: Sequence[Path], errors: list[BadInput]) -> Iterator[tuple[Path | None, Path]]:
    for path in paths:
        if not path.is_dir():
            yield None, path
            continue
        try:
            yield from ((path, file) for file in in_folder(path))
        except BadFile as bad:
            errors += bad.errors


def _kind(text: str, name: str) -> str:
    tree = parse(text, name, "a policy, a roster or a list of teleconsultation").tree
    found = [kind for kind in KINDS if kind in tree]
    if len(found) != 1:
        expected = f"one of {', '.join(KINDS)} as its name"
        raise BadFile(
            [BadInput(where=f"{name}, line 1", expected=expected, found=", ".join(found) or "none")]
        )
    return found[0]


def _each(
    texts: Sequence[Text], kind: str, load: Callable[[str, str], Content], errors: list[BadInput]
) -> list[tuple[Text, Content]]:
    loaded: list[tuple[Text, Content]] = []
    for text in texts:
        if text.kind == kind:
            try:
                loaded.append((text, load(text.text, text.name)))
            except BadFile as bad:
                errors += bad.errors
    return loaded


def _known(checked: Checked, texts: Sequence[Text]) -> Known:
    rosters = [roster for _, roster in checked.rosters]
    if not any(text.kind == "roster" and text.folder is not None for text in texts):
        rosters += roster_files.load_rosters().rosters
    return Known(
        programmes=policy_files.packaged_programmes(),
        recipients={recipient for roster in rosters for recipient in roster.recipients},
        questions=checked.lists[-1][1] if checked.lists else teleconsultation.load_list(),
    )


def _left_out(checked: Checked) -> Iterator[BadInput]:
    """Who has no roster, and which alerts have no ladder, in folders that should have one for each."""
    for folder in dict.fromkeys(text.folder for text, _ in checked.rosters):
        if folder is not None:
            rosters = [roster for text, roster in checked.rosters if text.folder == folder]
            yield from roster_files.missing(str(folder), rosters)
    for folder in dict.fromkeys(text.folder for text, _ in checked.policies):
        if folder is not None:
            policies = [policy for text, policy in checked.policies if text.folder == folder]
            yield from policy_files.no_default(str(folder), policies)
