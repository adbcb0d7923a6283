"""Whoever edits, deletes or swaps rows of the audit log, or cuts off its end, is found."""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import fields, replace
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.auditing.verifying import take_checkpoint, verify_log
from models.audit import COLUMNS, Entry, Event, Head, Kind, Outcome, digest, verify
from models.checkpoint import read
from models.db import audit as rows
from models.db.pool import Connection, Pool, connect
from models.errors import BadInput

NASTY = (
    "",
    "-",
    "1:-",
    "é",
    "e\u0301",
    "🩺" * 40,
    "null",
    "' OR 1=1 --",
    "1:a1:b",
    "\n\r\t",
    "\ud800",
    "\0",
    "ﷺ",
)
Chain = list[Entry]


def event(number: int, text: str = "x", user: str = "nurse", **fields: Any) -> Event:
    return Event(
        event_code="patient.read",
        action=Kind.READ,
        happened_us=1_795_332_660_000_000 + number,
        user_id=user,
        user_role="nurse",
        identifier_type="patient",
        identifier=text,
        authorisation_protocol="patient.read/nurse/treatment v1",
        source="test",
        **fields,
    )


@pytest.fixture
async def auditor(database: str) -> AsyncIterator[Pool]:
    pool = await connect(database, role="thuiswacht_audit", application="test", max_size=1)
    yield pool
    await pool.close()


async def fill(pool: Pool, count: int) -> None:
    chance = random.Random(4)
    async with pool.transaction() as connection:
        for number in range(count):
            text = chance.choice(NASTY)
            patients = tuple(UUID(int=chance.getrandbits(128)) for _ in range(chance.randrange(3)))
            told = event(
                number, text, user=chance.choice("abcdef"), patients=patients,
                reason=chance.choice([None, text]),
                outcome=chance.choice(list(Outcome)), organisation_id=chance.choice([None, UUID(int=5)]),
            )  # fmt: skip
            await rows.write(connection, told)


async def chains(pool: Pool) -> tuple[dict[int, Chain], dict[int, Head]]:
    async with pool.transaction() as connection:
        heads = await rows.heads(connection)
        return {shard: [entry async for entry in rows.chain(connection, shard)] for shard in heads}, heads


text = st.one_of(st.sampled_from(NASTY), st.text(max_size=60))
perhaps = st.none() | text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_postgres_hashes_as_python_does(auditor: Pool, data: st.DataObject) -> None:
    said = text.filter(bool)
    drawn = Event(
        event_code=data.draw(said),
        action=data.draw(st.sampled_from(Kind)),
        happened_us=data.draw(st.integers(-(2**63), 2**63 - 1)),
        user_id=data.draw(said),
        user_role=data.draw(said),
        identifier_type=data.draw(text),
        identifier=data.draw(text),
        authorisation_protocol=data.draw(text),
        source=data.draw(text),
        organisation_id=data.draw(st.none() | st.uuids()),
        patients=tuple(data.draw(st.lists(st.uuids(), max_size=4))),
        ground=data.draw(perhaps),
        outcome=data.draw(st.sampled_from(Outcome)),
        session=data.draw(perhaps),
        reason=data.draw(perhaps),
        details=data.draw(perhaps),
    )
    async with auditor.transaction() as connection:
        await rows.write(connection, drawn)
        shard = rows.shard_of(drawn.user_id)
        head = (await rows.heads(connection))[shard]
        last = [entry async for entry in rows.chain(connection, shard)][-1]
    stored = replace(drawn, **{k: rows.storable(v) for k, v in rows_of(drawn) if isinstance(v, str)})
    assert last.event == stored
    assert last.hash == head.hash == digest(shard, head.number, stored, last.previous_hash)


def rows_of(told: Event) -> list[tuple[str, Any]]:
    return [(name, getattr(told, name)) for name in COLUMNS if name not in {"action", "outcome"}]


def another(value: Any, chance: random.Random) -> Any:  # noqa: PLR0911  (one for each type)
    """A value that was not there; small changes are the hard ones."""
    match value:
        case Kind() | Outcome():
            return chance.choice([one for one in type(value) if one is not value])
        case int():
            return value + chance.choice([-1, 1, 1_000_000])
        case str():
            return chance.choice([value + " ", value[1:] + "x", "y" + value, value.swapcase() + "."])
        case bytes():
            place = chance.randrange(len(value))
            return value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
        case UUID():
            return UUID(int=value.int ^ 1)
        case tuple():
            ids = cast("tuple[UUID, ...]", value)
            return ids[1:] if ids and chance.random() < 0.5 else (*ids, UUID(int=chance.getrandbits(128)))
        case _:
            return chance.choice(["", "-", "0:"])


def edit(chain: Chain, chance: random.Random) -> None:
    place = chance.randrange(len(chain))
    entry = chain[place]
    name = chance.choice([*COLUMNS, "shard", "number", "previous_hash", "hash"])
    if name in COLUMNS:
        new = another(getattr(entry.event, name), chance)
        if name == "organisation_id" and isinstance(new, str):
            new = UUID(int=1)
        chain[place] = replace(entry, event=replace(entry.event, **{name: new}))
    else:
        chain[place] = replace(entry, **{name: another(getattr(entry, name), chance)})


def edit_and_hash_anew(chain: Chain, chance: random.Random) -> None:
    place = chance.randrange(len(chain))
    entry = chain[place]
    changed = replace(entry.event, user_id=entry.event.user_id + "x")
    new = digest(entry.shard, entry.number, changed, entry.previous_hash)
    chain[place] = replace(entry, event=changed, hash=new)


def delete(chain: Chain, chance: random.Random) -> None:
    first = chance.randrange(len(chain))
    del chain[first : first + chance.choice([1, 1, 1, 2, 5])]


def swap(chain: Chain, chance: random.Random) -> None:
    a, b = chance.sample(range(len(chain)), 2)
    chain[a], chain[b] = chain[b], chain[a]


def swap_what_they_say(chain: Chain, chance: random.Random) -> None:
    a, b = chance.sample(range(len(chain)), 2)
    one, other = chain[a], chain[b]
    chain[a], chain[b] = replace(one, event=other.event), replace(other, event=one.event)


def repeat(chain: Chain, chance: random.Random) -> None:
    chain.insert(chance.randrange(len(chain) + 1), chance.choice(chain))


IN_ROWS: Sequence[Callable[[Chain, random.Random], None]] = (
    edit, edit, edit, edit_and_hash_anew, delete, swap, swap_what_they_say, repeat,
)  # fmt: skip


def rewrite(chain: Chain, first: int) -> tuple[Chain, Head]:
    """The chain as somebody leaves it who may write everything, from a row on."""
    new = chain[:first]
    for entry in chain[first + 1 :]:
        previous = new[-1].hash if new else chain[0].previous_hash
        number = len(new) + 1
        new.append(
            Entry(
                entry.shard, number, entry.event, previous, digest(entry.shard, number, entry.event, previous)
            )
        )
    last = new[-1] if new else chain[0]
    return new, Head(last.shard, len(new), last.hash if new else last.previous_hash)


async def test_ten_thousand_edits_deletions_and_swaps_are_all_found(auditor: Pool) -> None:
    await fill(auditor, 240)
    found, heads = await chains(auditor)
    full = [shard for shard, chain in found.items() if len(chain) > 10]
    assert all(not verify(shard, chain, heads[shard], heads[shard]) for shard, chain in found.items())
    chance = random.Random(7)
    missed: list[str] = []
    for number in range(10_000):
        shard = chance.choice(full)
        chain, head = list(found[shard]), heads[shard]
        if number % 10 == 0:  # the end rewritten, its head too: a checkpoint tells
            name, (chain, head) = "rewrite", rewrite(chain, chance.randrange(len(chain)))
            assert not verify(shard, chain, head), "without one, this cannot be seen"
        elif number % 10 == 1:
            cut = chance.randrange(len(chain))
            name, chain = "truncate", chain[:cut]
            if chance.random() < 0.5 and chain:
                head = Head(shard, chain[-1].number, chain[-1].hash)
        else:
            tamper = chance.choice(IN_ROWS)
            name = tamper.__name__
            tamper(chain, chance)
        if not verify(shard, chain, head, heads[shard]):
            missed.append(name)
    assert missed == []


TAMPERINGS = [
    *(
        f"UPDATE audit SET {column} = {value} WHERE (shard, number) = ($1, $2)"
        for column, value in {
            "event_code": "event_code || 'x'",
            "action": "CASE action WHEN 'R' THEN 'U' ELSE 'R' END",
            "happened_us": "happened_us + 1",
            "user_id": "user_id || ' '",
            "user_role": "'engineer'",
            "identifier_type": "'none'",
            "identifier": "identifier || '-'",
            "authorisation_protocol": "'none'",
            "source": "'other'",
            "organisation_id": "gen_random_uuid()",
            "patients": "array_append(patients, gen_random_uuid())",
            "ground": "'treatment'",
            "outcome": "CASE outcome WHEN 'allowed' THEN 'refused' ELSE 'allowed' END",
            "session": "''",
            "reason": "coalesce(reason, '') || 'x'",
            "details": "''",
            "previous_hash": "sha256(previous_hash)",
            "hash": "sha256(hash)",
            "shard": "99",
            "number": "number + 1000",
        }.items()
    ),
    "DELETE FROM audit WHERE (shard, number) = ($1, $2)",
    "DELETE FROM audit WHERE shard = $1 AND number >= $2",
    "DELETE FROM audit WHERE shard = $1 AND number > $2 - 1",
    """WITH gone AS (DELETE FROM audit WHERE shard = $1 AND number >= $2)
    UPDATE audit_head AS h SET number = a.number, hash = a.hash FROM audit AS a
    WHERE h.shard = $1 AND a.shard = $1 AND a.number = $2 - 1""",
    "UPDATE audit SET number = CASE number WHEN $2 THEN 1 ELSE $2 END WHERE shard = $1 AND number IN (1, $2)",
    """UPDATE audit AS a SET user_id = b.user_id, happened_us = b.happened_us, identifier = b.identifier
    FROM audit AS b WHERE (a.shard, a.number, b.shard, b.number) = ($1, $2, $1, 1)""",
    "UPDATE audit_head SET number = number + $2 WHERE shard = $1",
    "UPDATE audit_head SET number = $2 - 1 WHERE shard = $1",
    "UPDATE audit_head SET hash = sha256(hash) WHERE shard = $1 AND number >= $2",
    "DELETE FROM audit_head WHERE shard = $1 AND number >= $2",
    """WITH gone AS (DELETE FROM audit WHERE shard = $1 AND number <= $2)
    INSERT INTO audit_base SELECT shard, number, hash, now() FROM audit WHERE (shard, number) = ($1, $2)""",
    """INSERT INTO audit SELECT shard, number + 1, event_code, action, happened_us, user_id, user_role,
    identifier_type, identifier, authorisation_protocol, source, organisation_id, patients, ground, outcome,
    session, reason, details, hash, hash FROM audit
    WHERE shard = $1 AND $2 > 0 AND number = (SELECT max(number) FROM audit WHERE shard = $1)""",
    "DELETE FROM audit WHERE $1 >= 0 AND $2 > 0",
]


async def test_what_a_superuser_does_in_the_tables_is_found(auditor: Pool, admin: Connection) -> None:
    await fill(auditor, 60)
    checkpoint = read((await take_checkpoint(auditor))[0])
    assert (await verify_log(auditor, checkpoint)).flaws == []
    shard, number = await admin.fetchrow("SELECT shard, number FROM audit WHERE number = 4 LIMIT 1") or (0, 0)
    await admin.execute(
        "CREATE TABLE audit_before AS TABLE audit; CREATE TABLE heads_before AS TABLE audit_head"
    )
    await admin.execute("SET session_replication_role = replica")
    missed: list[str] = []
    for statement in TAMPERINGS:
        await admin.execute("ALTER TABLE audit DROP CONSTRAINT audit_pkey")
        await admin.execute(statement, shard, number)
        if not (await verify_log(auditor, checkpoint)).flaws:
            missed.append(statement)
        await admin.execute(
            "TRUNCATE audit, audit_head, audit_base; INSERT INTO audit TABLE audit_before;"
            "INSERT INTO audit_head TABLE heads_before; ALTER TABLE audit ADD CONSTRAINT audit_pkey "
            "PRIMARY KEY (shard, number)"
        )
    assert missed == []
    assert (await verify_log(auditor, checkpoint)).flaws == []


async def test_nobody_changes_what_is_on_record(auditor: Pool, admin: Connection) -> None:
    await fill(auditor, 3)
    for role in ("thuiswacht_people", "thuiswacht_audit", "thuiswacht_owner", "thuiswacht_login"):
        for statement in ("UPDATE audit SET user_id = 'x'", "DELETE FROM audit", "TRUNCATE audit"):
            await admin.execute(f"SET ROLE {role}")
            try:
                await admin.execute("SELECT set_config('thuiswacht.audit_before_us', '', false)")
                result = await admin.execute(statement)
                assert result in {"UPDATE 0", "DELETE 0"}
            except (asyncpg.InsufficientPrivilegeError, asyncpg.RestrictViolationError):
                pass
            finally:
                await admin.execute("RESET ROLE")
    assert await admin.fetchval("SELECT count(*) FROM audit") == 3
    with pytest.raises(asyncpg.RestrictViolationError):
        await admin.execute("DELETE FROM audit")


async def test_a_checkpoint_of_another_database_is_refused(auditor: Pool) -> None:
    content, _ = await take_checkpoint(auditor)
    checkpoint = read(content)
    with pytest.raises(BadInput, match="checkpoint"):
        await verify_log(auditor, replace(checkpoint, database="trial elsewhere"))
    with pytest.raises(BadInput, match="checkpoint"):
        read(content.replace("heads", "tails"))


def test_every_field_of_an_event_is_hashed() -> None:
    told = event(1, reason="why", details="what", session="s", ground="g", organisation_id=uuid4())
    chance = random.Random(1)
    hashes = {
        digest(0, 1, replace(told, **{f.name: another(getattr(told, f.name), chance)}), b"")
        for f in fields(Event)
    }
    assert len(hashes | {digest(0, 1, told, b"")}) == len(fields(Event)) + 1
