"""What hospital systems told, and what is proposed because of it: of patients whom the declared user sees."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg

from models.clock import to_datetime, to_datetime_or_none, to_us, to_us_or_none
from models.db.pool import Connection
from models.hospital import About, Keys, LongStay, Proposal, ProposalKind, ProposalState, Proposed, Said, Word

_WORDS = """
SELECT word_id, about, keys, said, last_updated_at, held_from_at, ended_at FROM hospital_word
WHERE patient_id = $1 ORDER BY written_at, word_id
"""
_WRITE = """
INSERT INTO hospital_word (
    patient_id, organisation_id, word_id, told_by, by, about, keys, said,
    last_updated_at, held_from_at, ended_at
)
SELECT $1, r.organisation_id, $2, $3, $4, $5, $6, $7, $8, $9, $10
FROM registration AS r WHERE r.patient_id = $1
ON CONFLICT ON CONSTRAINT hospital_word_pkey DO UPDATE SET
    by = excluded.by, keys = excluded.keys, said = excluded.said, last_updated_at = excluded.last_updated_at,
    held_from_at = excluded.held_from_at, ended_at = excluded.ended_at, written_at = clock_timestamp()
"""
# Of a stay that goes on, at somebody who is followed: a double that was merged is not.
_TOLD_OF_ANOTHER = """
SELECT EXISTS (
    SELECT FROM hospital_word AS w
    WHERE w.keys && $1::uuid[] AND w.about = 'stay' AND w.said = 'in_hospital' AND w.patient_id <> $2
      AND NOT EXISTS (SELECT FROM register_change AS c WHERE c.patient_id = w.patient_id AND c.change ? 'end')
)
"""
_PROPOSE = """
INSERT INTO proposal (
    patient_id, organisation_id, proposal_id, kind, subject, programme, merge_into, happened_at, told_by, by
)
SELECT $1, r.organisation_id, $2, $3, $4, $5, $6, $7, $8, $9 FROM registration AS r WHERE r.patient_id = $1
ON CONFLICT ON CONSTRAINT proposal_made_once DO UPDATE
    SET state = 'open', decided_at = NULL, decided_by = NULL, reason = NULL WHERE proposal.state = 'void'
"""
_VOID = """
UPDATE proposal SET state = 'void', decided_at = clock_timestamp(), decided_by = $4
WHERE patient_id = $1 AND state = 'open'
  AND (kind, subject) IN (SELECT * FROM unnest($2::text[], $3::uuid[]))
"""
_COLUMNS = """
    p.patient_id, p.proposal_id, p.kind, p.subject, p.programme, p.merge_into, p.happened_at, p.state,
    p.told_by, p.by, p.proposed_at, (
        SELECT r.version FROM registration AS r WHERE r.patient_id = p.patient_id
    ) AS version, (SELECT r.version FROM registration AS r WHERE r.patient_id = p.merge_into) AS into_version
"""
# Who died, or left, joins and leaves nothing any more; but may be alive, or be there twice.
_OPEN_ONES = """
FROM proposal AS p
WHERE p.state = 'open' AND ($1::uuid IS NULL OR $1 IN (p.patient_id, p.merge_into))
  AND (p.kind IN ('alive', 'merge') OR NOT EXISTS (
    SELECT FROM register_change AS c WHERE c.patient_id = p.patient_id AND c.change ? 'end'
  ))
  AND (p.kind <> 'merge' OR NOT EXISTS (
    SELECT FROM patient_care AS c WHERE c.patient_id = p.patient_id AND c.merged_into IS NOT NULL
  ))
"""
_OPEN = f"SELECT {_COLUMNS} {_OPEN_ONES} ORDER BY p.proposed_at DESC, p.proposal_id LIMIT $2"
# Nothing was told of it since, and nobody sent the patient home.
_LONG = """
SELECT w.patient_id, w.told_by, w.by, w.held_from_at, (
    SELECT r.version FROM registration AS r WHERE r.patient_id = w.patient_id
) AS version
FROM hospital_word AS w
WHERE w.said = 'in_hospital' AND w.held_from_at < $1 AND w.written_at < $1 AND NOT EXISTS (
    SELECT FROM register_change AS c WHERE c.patient_id = w.patient_id AND (
        c.change ? 'end' OR (
            c.change ? 'discharge' AND c.valid_from_us > extract(epoch FROM w.held_from_at) * 1000000
        )
    )
)
ORDER BY w.held_from_at, w.word_id LIMIT $2
"""
_DECIDE = """
UPDATE proposal SET state = $3, decided_at = clock_timestamp(), decided_by = $4, reason = $5
WHERE patient_id = $1 AND proposal_id = $2 AND state = 'open' RETURNING 1
"""


async def words_of(connection: Connection, patient_id: UUID) -> list[Word]:
    """All that was told of a patient, as it stands."""
    return [
        Word(
            word_id=row["word_id"],
            about=About(row["about"]),
            keys=frozenset(row["keys"]),
            said=Said(row["said"]),
            told_us=to_us_or_none(row["last_updated_at"]),
            held_from_us=to_us_or_none(row["held_from_at"]),
            ended_us=to_us_or_none(row["ended_at"]),
        )
        for row in await connection.fetch(_WORDS, patient_id)
    ]


async def write_word(connection: Connection, patient_id: UUID, word: Word, told_by: UUID, by: UUID) -> None:
    """Keeps what was told last, in the place of what was told before of the same."""
    await connection.execute(
        _WRITE, patient_id, word.word_id, told_by, by, word.about.value, sorted(word.keys), word.said.value,
        *map(to_datetime_or_none, (word.told_us, word.held_from_us, word.ended_us)),
    )  # fmt: skip


async def is_told_of_another(connection: Connection, keys: Keys, patient_id: UUID) -> bool:
    """Whether a stay goes on that was told of another patient."""
    found: bool = await connection.fetchval(_TOLD_OF_ANOTHER, sorted(keys), patient_id)
    return found


async def propose(
    connection: Connection, patient_id: UUID, proposed: Sequence[Proposed], told_by: UUID, by: UUID
) -> None:
    """Asks people to decide: of one subject once, and again only what was void meanwhile."""
    for one in proposed:
        await connection.execute(
            _PROPOSE, patient_id, uuid4(), one.kind.value, one.subject, one.programme, one.into,
            to_datetime_or_none(one.happened_us), told_by, by,
        )  # fmt: skip


async def void(
    connection: Connection, patient_id: UUID, which: Sequence[tuple[ProposalKind, UUID]], by: UUID
) -> None:
    """Of these kinds and subjects nothing is proposed any more."""
    if which:
        kinds, subjects = [kind.value for kind, _ in which], [subject for _, subject in which]
        await connection.execute(_VOID, patient_id, kinds, subjects, by)


async def open_proposals(
    connection: Connection, patient_id: UUID | None = None, *, at_most: int = 200
) -> list[Proposal]:
    """What is to be decided, the newest first: about one patient, or all whom the declared user sees."""
    return [_proposal(row) for row in await connection.fetch(_OPEN, patient_id, at_most)]


async def count_open(connection: Connection) -> int:
    """How much is to be decided, of patients whom the declared user sees."""
    found: int = await connection.fetchval(f"SELECT count(*) {_OPEN_ONES}", None)
    return found


async def long_stays(connection: Connection, before_us: int, *, at_most: int = 200) -> list[LongStay]:
    """Who is in hospital since before a moment, by a word as old; the longest first."""
    return [
        LongStay(row["patient_id"], row["version"], to_us(row["held_from_at"]), row["told_by"], row["by"])
        for row in await connection.fetch(_LONG, to_datetime(before_us), at_most)
    ]


async def find_proposal(connection: Connection, patient_id: UUID, proposal_id: UUID) -> Proposal | None:
    """One proposal about a patient, whatever became of it."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM proposal AS p WHERE p.patient_id = $1 AND p.proposal_id = $2",
        patient_id,
        proposal_id,
    )
    return None if row is None else _proposal(row)


async def decide_proposal(
    connection: Connection, proposal: Proposal, state: ProposalState, by: UUID, reason: str | None = None
) -> bool:
    """Somebody decided; False where somebody else was faster."""
    found = await connection.fetchval(
        _DECIDE, proposal.patient_id, proposal.proposal_id, state.value, by, reason
    )
    return found is not None


def _proposal(row: asyncpg.Record) -> Proposal:
    return Proposal(
        proposal_id=row["proposal_id"],
        patient_id=row["patient_id"],
        proposed=Proposed(
            kind=ProposalKind(row["kind"]),
            subject=row["subject"],
            programme=row["programme"],
            into=row["merge_into"],
            happened_us=to_us_or_none(row["happened_at"]),
        ),
        state=ProposalState(row["state"]),
        told_by=row["told_by"],
        by=row["by"],
        proposed_at_us=to_us(row["proposed_at"]),
        version=row["version"],
        into_version=row["into_version"],
    )
