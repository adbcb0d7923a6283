"""A version of a programme never changes once a patient was in it."""

import json
from dataclasses import replace

import pytest

from alerting.engine.compiled import CompiledProgrammes, compile_programmes
from alerting.versions import require_unchanged
from alerting.worker import GROUP
from models.db import positions
from models.db.pool import Pool
from models.db.programmes import UsedVersion
from models.errors import RefuseToStart
from tests import shipped
from tests.integration.alerting.following import (
    CLUSTER,
    PARTITION,
    TOPIC,
    follow,
    small_log,
    store,
    worker,
)

HEART_FAILURE = "heart_failure", 1


def changed(name: str, **fields: object) -> CompiledProgrammes:
    """The programmes that come with us, one of them changed without a new version."""
    return compile_programmes(
        [one.model_copy(update=fields) if one.programme == name else one for one in shipped.programmes()]
    )


async def recorded(pool: Pool) -> dict[tuple[str, int], str]:
    async with pool.connection() as connection:
        rows = await connection.fetch("SELECT programme, version, programme_hash FROM programme_version")
    return {(row[0], row[1]): row[2] for row in rows}


async def test_a_version_is_recorded_when_the_first_patient_is_enrolled_in_it(pool: Pool) -> None:
    log = small_log()
    handler, _ = await worker(pool)
    assert await recorded(pool) == {}
    enrolled = next(n for n, record in enumerate(log) if b'"enrol"' in record.value)
    await handler.commit(handler.prepare({PARTITION: log[: enrolled + 1]}))
    assert await recorded(pool) == {HEART_FAILURE: shipped.compiled().versions[HEART_FAILURE].programme.hash}
    await handler.commit(handler.prepare({PARTITION: log[enrolled + 1 :]}))
    assert set(await recorded(pool)) == {HEART_FAILURE, ("hypertension", 1)}


async def test_a_service_with_another_content_of_a_version_in_use_refuses_to_start(pool: Pool) -> None:
    log = small_log()
    await follow(pool, log[:400])
    other = changed("heart_failure", source="written anew")
    with pytest.raises(RefuseToStart, match=r"heart_failure version 1 is not what it was .* new version"):
        await follow(pool, log, None, other)
    await follow(pool, log, 500)


async def test_versions_in_use_from_before_they_were_recorded_are_recorded_at_the_start(
    pool: Pool, storing_pool: Pool
) -> None:
    await store(storing_pool, small_log(), 400)
    async with pool.transaction() as connection:
        # As the service before this one left it: it had come as far, and recorded nothing.
        await positions.take(connection, GROUP, CLUSTER, TOPIC, [PARTITION])
        step = positions.Advance(PARTITION, 0, 400)
        await positions.advance(connection, GROUP, CLUSTER, TOPIC, [step])
    await worker(pool)
    assert set(await recorded(pool)) == {HEART_FAILURE, ("hypertension", 1)}


async def test_one_that_enrols_before_it_hears_of_the_others_gives_up_too(pool: Pool) -> None:
    log = small_log()
    late, _ = await worker(pool, changed("hypertension", source="written anew"))
    async with pool.connection() as connection:
        before = shipped.compiled().versions["hypertension", 1].programme
        await connection.execute(
            "INSERT INTO programme_version VALUES ($1, $2, $3, $4)",
            before.programme, before.version, before.hash,
            json.dumps(before.model_dump(mode="json", by_alias=True)),
        )  # fmt: skip
    with pytest.raises(RefuseToStart, match="hypertension version 1"):
        await late.commit(late.prepare({PARTITION: log}))
    async with pool.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM finding") == 0


async def test_what_nobody_was_ever_in_may_change(pool: Pool) -> None:
    log = [record for record in small_log() if b"hypertension" not in record.value]
    log = [replace(record, offset=offset) for offset, record in enumerate(log)]
    await follow(pool, log[:400])
    await follow(pool, log, None, changed("hypertension", source="written anew"))


def test_the_same_content_that_a_newer_program_writes_in_another_way_is_the_same() -> None:
    ours = {key: compiled.programme for key, compiled in shipped.compiled().versions.items()}
    content = json.dumps(ours[HEART_FAILURE].model_dump(mode="json", by_alias=True))
    was = UsedVersion(*HEART_FAILURE, programme_hash="as it was hashed then", content=content)
    require_unchanged([was], ours)
    for unreadable in ("{}", content.replace("ESC", "another")):
        with pytest.raises(RefuseToStart):
            require_unchanged([replace(was, content=unreadable)], ours)
