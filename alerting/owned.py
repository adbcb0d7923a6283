"""Partitions of the log that a worker has taken over, and what a batch means in them; for any worker."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from alerting.partition import Evaluated, Partition, Rebuild
from ingest.decode import Record
from models.db.positions import Advance, Position
from models.db.reevaluations import Reevaluation


@dataclass(slots=True)
class Owned:
    """A partition of ours. `counts_from`: what is before was evaluated and stored by an earlier owner.

    `next_offset` is the one after the last message prepared, `committed` after the last one committed.
    """

    partition: Partition
    counts_from: int
    next_offset: int
    committed: int
    rebuild: list[Rebuild] = field(default_factory=list[Rebuild])
    destroyed: int = 0
    """The latest tombstone that is known here."""


@dataclass(frozen=True, slots=True)
class PreparedPartition:
    """What a batch means in one partition, and the step in the log that it is."""

    owned: Owned
    advance: Advance
    evaluated: Evaluated
    rebuild: tuple[Rebuild, ...]


Prepared = tuple[PreparedPartition, ...]


def prepare(all_owned: Mapping[int, Owned], records: Mapping[int, Sequence[Record]]) -> Prepared:
    """Evaluates a batch; what an earlier owner has stored already only brings the state forward."""
    prepared: list[PreparedPartition] = []
    for number, batch in records.items():
        owned = all_owned[number]
        known = [record for record in batch if record.offset < owned.counts_from]
        if known:
            evaluated = owned.partition.advance(known, secrets.token_hex(8))
            owned.rebuild += evaluated.rebuild
        new = [record for record in batch if record.offset >= owned.counts_from]
        if not new:
            continue
        evaluated = owned.partition.advance(new, secrets.token_hex(8))
        advance = Advance(number, owned.next_offset, new[-1].offset + 1, clock_us=evaluated.clock_us)
        owned.next_offset = advance.to_offset
        prepared.append(PreparedPartition(owned, advance, evaluated, (*owned.rebuild, *evaluated.rebuild)))
        owned.rebuild = []
    return tuple(prepared)


def place(position: Position | None) -> tuple[int, int | None]:
    """Where a group is and what its clock said there; at the beginning where it never was."""
    return (0, None) if position is None else (position.next_offset, position.clock_us)


def asked_again(prepared: Prepared, contradictions: Iterable[UUID]) -> list[Reevaluation]:
    """Who is to be evaluated again, once storing has come as far as this batch."""
    asked: list[Reevaluation] = []
    for part in prepared:
        wanted = list(part.rebuild)
        partition = part.owned.partition
        wanted += [partition.rebuild_of(one) for one in contradictions if partition.row(one) is not None]
        asked += [
            Reevaluation(w.patient_id, w.organisation_id, part.advance.partition, part.advance.to_offset)
            for w in dict.fromkeys(wanted)
        ]
    return asked


def ready(
    due: Sequence[Reevaluation], owned: Mapping[int, Owned], stored: Mapping[int, Position]
) -> list[Reevaluation]:
    """Those of whom everything is stored that was evaluated."""
    return [
        asked
        for asked in due
        if (found := stored.get(asked.partition)) is not None
        and found.next_offset >= owned[asked.partition].committed
    ]
