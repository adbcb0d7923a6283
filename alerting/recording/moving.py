"""Patients of a recording under other versions of their programmes than they were in."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

from alerting.offline.registrations import Registrations
from models.messages import AnyChange, Enrol, MoveVersion

Version: TypeAlias = tuple[str, int]


def moved(
    registrations: Registrations, versions: Collection[Version], tell: Callable[[str], None]
) -> Registrations:
    """The same changes, where a version is meant that is not among these, of the newest that is.

    What is about a programme of which there is no version stays, and nobody follows it.
    """
    newest = dict(sorted(versions))
    others: Counter[Version] = Counter()
    changes = {key: list(said) for key, said in registrations.changes.items()}
    for said in changes.values():
        for place, one in enumerate(said):
            change = one.change
            if isinstance(change, Enrol | MoveVersion) and (change.programme, change.version) not in versions:
                others[change.programme, change.version] += 1
                said[place] = one._replace(change=moved_change(change, newest))
    for (programme, version), number in sorted(others.items()):
        other = newest.get(programme)
        told = "is not among the programmes" if other is None else f"is evaluated as version {other}"
        tell(f"{programme} version {version}, of {number:,} changes, {told}")
    return Registrations(registrations.texts, changes, registrations.everybody)


def moved_change(change: AnyChange, to: Mapping[str, int]) -> AnyChange:
    """A change that is about another version of its programme, where there is one.

    >>> moved_change(Enrol(programme="copd", version=1), {"copd": 3}).version
    3
    """
    if isinstance(change, Enrol | MoveVersion) and change.programme in to:
        return change.model_copy(update={"version": to[change.programme]})
    return change
