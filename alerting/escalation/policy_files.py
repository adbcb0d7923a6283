"""Policy files: YAML in, ladders for every alert out, every error with its file and line."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from alerting.engine import programme_files
from alerting.escalation.policy import Policies
from alerting.escalation.policy_checks import Known, key_in_words, problems, without_default
from alerting.escalation.policy_content import Key, PolicyFile
from alerting.escalation.roster import RosterBook
from alerting.escalation.roster_files import load_rosters
from alerting.escalation.teleconsultation import Teleconsultation, load_list
from alerting.yaml_files import BadFile, checked, in_folder, load_each, parse, read_text
from models.errors import BadInput

PACKAGED = Path(__file__).parent / "policies"

_PROGRAMME = re.compile(r"^programme: *([a-z][a-z0-9_]*) *$", re.MULTILINE)


def load_policies(
    folder: Path = PACKAGED,
    *,
    programmes: Collection[str] | None = None,
    rosters: RosterBook | None = None,
    questions: Teleconsultation | None = None,
) -> Policies:
    """All policies of a folder, one for every alert. What is not given is what comes with Thuiswacht.

    **Raises**: BadFile with all that is wrong.
    """
    known = Known(
        programmes=packaged_programmes() if programmes is None else programmes,
        recipients=(load_rosters() if rosters is None else rosters).recipients,
        questions=load_list() if questions is None else questions,
    )
    loaded = load_each(in_folder(folder), lambda file: load_policy(file, known))
    files = [(file.name, policy) for file, policy in loaded]
    if errors := [*twice(files), *no_default(str(folder), [policy for _, policy in files])]:
        raise BadFile(errors)
    return policies_of([policy for _, policy in files], known.questions)


def load_policy(file: Path, known: Known) -> PolicyFile:
    """What stands in one file. **Raises**: BadFile."""
    return policy_of(read_text(file), file.name, known)


def policy_of(text: str, name: str, known: Known) -> PolicyFile:
    """The policy that a text describes; `name` stands for it in errors. **Raises**: BadFile."""
    return checked(parse(text, name, "a policy"), PolicyFile, lambda content: problems(content, known))


def policies_of(files: Sequence[PolicyFile], questions: Teleconsultation) -> Policies:
    """All ladders of files that were found right."""
    answers = {name: condition.answer_within for name, condition in questions.conditions.items()}
    named = [(file, file.policies(answers)) for file in files]
    return Policies({key: policies[name] for file, policies in named for key, name in file.entries()})


def packaged_programmes() -> frozenset[str]:
    """The programmes that come with Thuiswacht, by their names."""
    texts = (read_text(file) for file in in_folder(programme_files.PACKAGED))
    return frozenset(match[1] for text in texts if (match := _PROGRAMME.search(text)))


def twice(files: Sequence[tuple[str, PolicyFile]]) -> list[BadInput]:
    """What two files say, by the names of the files."""
    first: dict[Key, str] = {}
    names: dict[str, str] = {}
    errors: list[BadInput] = []
    for file, policy in files:
        if (other := names.setdefault(policy.policy, file)) != file:
            found = f"{policy.policy}, also in {other}"
            errors.append(BadInput(where=file, expected="one file in force for each policy", found=found))
        for key, _ in policy.entries():
            if (other := first.setdefault(key, file)) != file:
                found = f"{key_in_words(key)}, also in {other}"
                errors.append(BadInput(where=file, expected="one ladder for each key", found=found))
    return errors


def no_default(where: str, files: Sequence[PolicyFile]) -> list[BadInput]:
    """The severities for which an alert may find no ladder."""
    keys = [key for file in files for key, _ in file.entries()]
    expected = 'a default ladder: programme "*", signals any'
    return [
        BadInput(where=where, expected=expected, found=f"none for severity {severity}")
        for severity in without_default(keys)
    ]
