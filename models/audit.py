"""The audit log: what a row says (NEN 7513), and how rows are chained so that no edit goes unnoticed.

Each shard is a chain of its own: a row's hash covers all its fields and the hash of the row before it. Who
edits, deletes or swaps rows breaks the chain; who rewrites a chain from some point to its end, its head
included, is found by a checkpoint that was kept elsewhere.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

SHARDS = 16
"""Never lowered: a chain that is there stays there."""


class Kind(StrEnum):
    """What was done with data: the action of NEN 7513, as FHIR's AuditEvent.action writes it."""

    CREATE = "C"
    READ = "R"
    UPDATE = "U"
    DELETE = "D"
    EXECUTE = "E"


class Outcome(StrEnum):
    """What became of it."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Event:
    """One row: the nine fields that NEN 7513 demands, then those that apply under conditions.

    **Units**: `happened_us` in microseconds since 1970 UTC.
    """

    event_code: str
    """What happened: an action of models/access.py, or `login`, `logout`, …"""
    action: Kind
    happened_us: int
    user_id: str
    user_role: str
    identifier_type: str
    """Of what `identifier` is: `patient` for one patient, `patients` for a number of them, `none`."""
    identifier: str
    authorisation_protocol: str
    source: str
    """The system that wrote the row."""

    organisation_id: UUID | None = None
    patients: tuple[UUID, ...] = ()
    """All patients whose data was touched."""
    ground: str | None = None
    outcome: Outcome = Outcome.ALLOWED
    session: str | None = None
    """Tells sessions apart; it opens none."""
    reason: str | None = None
    """Why, where a reason was asked for: an emergency, a destruction."""
    details: str | None = None
    """What exactly, without any value that was measured and any name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event at its place in a chain."""

    shard: int
    number: int
    event: Event
    previous_hash: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """How long a chain is and the hash of its last row: what is written out as a checkpoint, too."""

    shard: int
    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Flaw:
    """A place where a chain does not hold."""

    shard: int
    number: int
    what: str


LET_GO = "audit.let_go"
"""Event code of the row that tells up to where its chain was let go of, being older than it must be kept."""


def told_of(base: Head) -> str:
    """What the row that tells of it has as details.

    >>> told_of(Head(3, 12, bytes(2)))
    'shard 3 up to 12, 0000'
    """
    return f"shard {base.shard} up to {base.number}, {base.hash.hex()}"


def of_patients(patients: Sequence[UUID]) -> tuple[str, str]:
    """Identifier type and identifier of an event that touched these patients.

    >>> of_patients([])
    ('none', '-')
    """
    match len(patients):
        case 0:
            return "none", "-"
        case 1:
            return "patient", str(patients[0])
        case number:
            return "patients", str(number)


def beginning(shard: int) -> bytes:
    """What stands in the first row of a chain as the hash before it.

    >>> beginning(3).hex()[:8]
    '7d73506d'
    """
    return hashlib.sha256(f"thuiswacht.audit.{shard}".encode()).digest()


def digest(shard: int, number: int, event: Event, previous_hash: bytes) -> bytes:
    """The hash of a row; `write_audit` in Postgres computes the same.

    Every field as its length in bytes, a colon and its text, so that no two rows have the same bytes; what is
    not there is a dash.
    """
    values = [shard, number, *(value for _, value in values_of(event))]
    return hashlib.sha256(previous_hash + b"".join(map(_framed, values))).digest()


class Verification:
    """Looks through one chain, row by row from its first one on, and keeps what does not hold.

    `base` is the last row that was let go of, None where the chain is whole; `checkpoint` what was once
    written out of it.
    """

    def __init__(self, shard: int, base: Head | None = None, checkpoint: Head | None = None) -> None:
        self._shard = shard
        self._base = base or Head(shard, 0, beginning(shard))
        self._checkpoint = checkpoint or Head(shard, 0, beginning(shard))
        self._number, self._last = self._base.number, self._base.hash
        self._is_told = self._base.number == 0
        self._is_reached = False
        self._found: list[Flaw] = []
        self.rows = 0
        self._meet_checkpoint(self._number, self._last)

    def take(self, entry: Entry) -> None:
        """The next row."""
        self.rows += 1
        self._found += _flaws_of(self._shard, entry, self._number + 1, self._last)
        self._number, self._last = entry.number, entry.hash
        self._meet_checkpoint(entry.number, entry.hash)
        event = entry.event
        self._is_told = self._is_told or (event.event_code == LET_GO and event.details == told_of(self._base))

    def flaws(self, head: Head | None) -> list[Flaw]:
        """Everything that does not hold; `head` is what the database says that the chain ends with."""
        found = list(self._found)
        if not self._is_reached:
            found.append(self._flaw("ends before the checkpoint, or lacks its row"))
        if not self._is_told:
            found.append(
                Flaw(self._shard, self._base.number, "rows are gone, and none tells that they were let go of")
            )
        if head is None or (head.number, head.hash) != (self._number, self._last):
            found.append(self._flaw("the head says that the chain ends elsewhere"))
        return found

    def _meet_checkpoint(self, number: int, found: bytes) -> None:
        mark = self._checkpoint
        # What was let go of cannot be compared any more; a row tells of it.
        self._is_reached = self._is_reached or number == mark.number or self._base.number > mark.number
        if number == mark.number and found != mark.hash:
            self._found.append(Flaw(self._shard, number, "another hash than the checkpoint has"))

    def _flaw(self, what: str) -> Flaw:
        return Flaw(self._shard, self._number, what)


def verify(
    shard: int,
    entries: Iterable[Entry],
    head: Head | None,
    checkpoint: Head | None = None,
    base: Head | None = None,
) -> list[Flaw]:
    """Everything that does not hold in a chain, read from its first row on; empty where all holds."""
    verification = Verification(shard, base, checkpoint)
    for entry in entries:
        verification.take(entry)
    return verification.flaws(head)


def _flaws_of(shard: int, entry: Entry, expected: int, last: bytes) -> list[Flaw]:
    flaws: list[Flaw] = []
    if entry.shard != shard:
        flaws.append(Flaw(shard, entry.number, f"belongs to shard {entry.shard}"))
    if entry.number != expected:
        flaws.append(Flaw(shard, entry.number, f"number {expected} was expected here"))
    if entry.previous_hash != last:
        flaws.append(Flaw(shard, entry.number, "does not follow from the row before it"))
    if digest(entry.shard, entry.number, entry.event, entry.previous_hash) != entry.hash:
        flaws.append(Flaw(shard, entry.number, "was changed after it was written"))
    return flaws


def values_of(event: Event) -> list[tuple[str, Any]]:
    """Column and value of everything that an event says, in the order in which it is hashed."""
    return [(name, getattr(event, name)) for name in COLUMNS]


def _framed(value: Any) -> bytes:
    if value is None:
        return b"-"
    text = _listed(cast("tuple[UUID, ...]", value)) if isinstance(value, tuple) else str(value)
    encoded = text.encode()
    return b"%d:%s" % (len(encoded), encoded)


def _listed(values: Iterable[Any]) -> str:
    return ",".join(map(str, values))


COLUMNS = tuple(field.name for field in fields(Event))
"""The columns of the table, in the order in which they are hashed."""
