"""The rules of `access.toml` as the broker's own entries, and what differs from those it has."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from models.errors import RefuseToStart

ACCESS = Path(__file__).with_name("access.toml")
_EVERYTHING = "*"


class Resource(IntEnum):
    """What an entry is about, in the numbers of Kafka's protocol."""

    TOPIC = 2
    GROUP = 3
    CLUSTER = 4


class Pattern(IntEnum):
    """How an entry names it."""

    LITERAL = 3
    PREFIXED = 4


class Operation(IntEnum):
    """What may be done. Reading, writing, deleting and altering include describing."""

    ALL = 2
    READ = 3
    WRITE = 4
    CREATE = 5
    DELETE = 6
    ALTER = 7
    DESCRIBE = 8
    ALTER_CONFIGS = 11


class Permission(IntEnum):
    """Whether it is allowed or forbidden; forbidden wins."""

    DENY = 2
    ALLOW = 3


HARMFUL = frozenset(
    {
        Operation.ALL,
        Operation.WRITE,
        Operation.DELETE,
        Operation.ALTER,
        Operation.ALTER_CONFIGS,
    }
)
"""With these somebody can put into the log, or take from it, what nobody decided."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One entry of the broker's list; numbers, because a broker may know more than we do."""

    principal: str
    resource: int
    name: str
    operation: int
    pattern: int = Pattern.LITERAL
    permission: int = Permission.ALLOW
    host: str = _EVERYTHING

    def __str__(self) -> str:
        """For people.

        >>> str(Entry("User:clock", Resource.TOPIC, "thuiswacht.log", Operation.WRITE))
        'User:clock may write topic thuiswacht.log'
        """
        verb = "may" if self.permission == Permission.ALLOW else "may not"
        what = f"{_word(Operation, self.operation)} {_word(Resource, self.resource)} {self.name}"
        rest = "…" if self.pattern == Pattern.PREFIXED else ""
        return f"{self.principal} {verb} {what}{rest}" + (f" from {self.host}" * (self.host != _EVERYTHING))


@dataclass(frozen=True, slots=True)
class Difference:
    """What the broker lacks, what our users have too much, and who else may harm the log."""

    missing: tuple[Entry, ...]
    surplus: tuple[Entry, ...]
    others: tuple[Entry, ...]


class User(BaseModel):
    """What a user of the file may do, and why."""

    model_config = ConfigDict(extra="forbid")

    why: str
    read: list[str] = []
    write: list[str] = []
    groups: list[str] = []


def rules_of(text: str, topics: Mapping[str, Sequence[str]]) -> dict[str, tuple[Entry, ...]]:
    """The entries of each user of a file. `topics`: what its names of topics stand for.

    **Raises**: RefuseToStart where the file says something that is not known.
    """
    try:
        users = TypeAdapter(dict[str, User]).validate_python(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise RefuseToStart(f"The access rules of the broker are wrong: {error}") from None
    return {name: tuple(_entries(name, user, topics)) for name, user in users.items()}


def difference(
    wanted: Mapping[str, Sequence[Entry]], found: Iterable[Entry], log: str, admins: Iterable[str] = ()
) -> Difference:
    """What has to change so that our users may do what they should, and who else can harm the log.

    `admins`: principals who may do everything anyway.
    """
    entries, there = {entry for user in wanted.values() for entry in user}, set(found)
    ours = {f"User:{user}" for user in wanted}
    surplus = {entry for entry in there - entries if entry.principal in ours}
    others = {
        entry
        for entry in there - entries - surplus
        if entry.permission == Permission.ALLOW
        and entry.principal not in admins
        and entry.operation in HARMFUL
        and _is_about(entry, log)
    }
    return Difference(
        missing=tuple(sorted(entries - there)), surplus=tuple(sorted(surplus)), others=tuple(sorted(others))
    )


def _entries(name: str, user: User, topics: Mapping[str, Sequence[str]]) -> Iterable[Entry]:
    principal = f"User:{name}"
    for operation, asked in ((Operation.READ, user.read), (Operation.WRITE, user.write)):
        for topic in asked:
            if topic not in topics:
                known = ", ".join(topics)
                raise RefuseToStart(
                    f"The access rules of the broker, [{name}]: expected a topic of {known}; found {topic}."
                )
            yield from (Entry(principal, Resource.TOPIC, called, operation) for called in topics[topic])
    yield from (_group(principal, group) for group in user.groups)


def _group(principal: str, name: str) -> Entry:
    """A consumer group, or with a star at its end all whose names begin so."""
    pattern = Pattern.PREFIXED if name.endswith(_EVERYTHING) else Pattern.LITERAL
    return Entry(principal, Resource.GROUP, name.removesuffix(_EVERYTHING), Operation.READ, pattern)


def _is_about(entry: Entry, log: str) -> bool:
    if entry.resource == Resource.CLUSTER:
        return entry.operation in (Operation.ALL, Operation.ALTER, Operation.ALTER_CONFIGS)
    if entry.resource != Resource.TOPIC:
        return False
    return entry.name in (log, _EVERYTHING) or (
        entry.pattern == Pattern.PREFIXED and log.startswith(entry.name)
    )


def _word(kind: type[IntEnum], number: int) -> str:
    try:
        return kind(number).name.lower()
    except ValueError:
        return f"{kind.__name__.lower()} {number}"
