"""What a policy, a roster or the list said never changes under its version once an alert went by it."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from alerting.escalation.policy import PolicySeverity
from alerting.escalation.roster import RosterBook
from alerting.escalation.teleconsultation import load_list
from alerting.escalation.versions import (
    of_list,
    of_policies,
    of_rosters,
    require_recorded,
    require_unchanged,
    use,
)
from models.db.policies import PolicyKind, PolicyVersion, recorded
from models.db.pool import Pool
from models.errors import RefuseToStart
from tests import shipped

POLICIES = shipped.policies()
SEVERE = POLICIES.by_key["*", None, PolicySeverity.HIGH]
BOOK = shipped.rosters()
LIST = load_list()


def ours() -> list[PolicyVersion]:
    return [*of_policies(POLICIES), *of_rosters(BOOK), of_list(LIST)]


async def test_a_version_is_recorded_when_it_is_first_gone_by(pool: Pool) -> None:
    async with pool.transaction() as connection:
        await require_recorded(connection, ours())
        assert await recorded(connection) == []
        await use(connection, of_policies([SEVERE, SEVERE]))
        await use(connection, of_policies([SEVERE]))
    async with pool.connection() as connection:
        (was,) = await recorded(connection)
    assert was.key == (PolicyKind.POLICY, "default.high", 1)
    assert was.hash == SEVERE.hash


async def test_all_that_we_ship_can_be_recorded_by_several_at_once(pool: Pool) -> None:
    async def one(versions: list[PolicyVersion]) -> None:
        async with pool.transaction() as connection:
            await use(connection, versions)

    await asyncio.gather(one(ours()), one(ours()[::-1]), one(ours()))
    async with pool.connection() as connection:
        assert {was.key for was in await recorded(connection)} == {version.key for version in ours()}
        await require_recorded(connection, ours())


async def test_a_service_that_goes_by_something_else_refuses_to_start(pool: Pool) -> None:
    async with pool.transaction() as connection:
        await use(connection, ours())
    later = replace(SEVERE, repeat_every_us=SEVERE.repeat_every_us + 1, hash="another")
    roster = BOOK.rosters[0].model_copy(update={"source": "written anew"})
    listed = LIST.model_copy(update={"source": "written anew"})
    changed = {
        "policy default.high version 1": of_policies([later]),
        f"roster {roster.roster} version 1": of_rosters(RosterBook([roster])),
        "teleconsultation haaglanden version 1": [of_list(listed)],
    }
    for name, versions in changed.items():
        async with pool.connection() as connection:
            with pytest.raises(RefuseToStart, match=f"{name} is not what it was .* a new version"):
                await require_recorded(connection, versions)
            with pytest.raises(RefuseToStart, match=name):
                await use(connection, versions)
    async with pool.connection() as connection:
        await require_recorded(connection, of_policies([replace(later, version=2)]))
        await require_recorded(connection, ours())


async def test_nobody_can_change_or_delete_what_was_recorded(pool: Pool) -> None:
    async with pool.transaction() as connection:
        await use(connection, ours())
    for statement in ("UPDATE policy_version SET hash = 'x'", "DELETE FROM policy_version"):
        async with pool.connection() as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


def test_the_same_content_that_a_newer_program_writes_in_another_way_is_the_same() -> None:
    was = [replace(version, hash="as it was hashed then") for version in ours()]
    require_unchanged(was, ours())
    for version in was:
        with pytest.raises(RefuseToStart):
            require_unchanged([replace(version, content="{}")], ours())
