"""Versions of programmes never change once a patient was in them: findings name them and mean the same."""

import json
from collections.abc import Iterable, Mapping, Sequence

from pydantic import ValidationError

from alerting.engine.compiled import CompiledProgrammes
from alerting.engine.programme import Programme
from alerting.partition import Version
from models.db import programmes as stored
from models.db.pool import Connection
from models.db.programmes import UsedVersion, first_use, recorded
from models.errors import RefuseToStart
from models.programmes import CANARY, Offered, OfferedLimit


async def require_recorded(connection: Connection, programmes: CompiledProgrammes) -> None:
    """Makes sure that all versions in use are what they were. **Raises**: as `use`."""
    ours = {version: compiled.programme for version, compiled in programmes.versions.items()}
    was = await recorded(connection)
    require_unchanged([one for one in was if (one.programme, one.version) in ours], ours)


async def offer(connection: Connection, programmes: CompiledProgrammes) -> None:
    """Tells the register what patients can be enrolled in: all but the programme of the canaries."""
    ours = [one.programme for one in programmes.versions.values() if one.programme.programme != CANARY]
    await stored.offer(connection, [offered(one) for one in ours])


def offered(programme: Programme) -> Offered:
    """What the register has to know of a programme."""
    return Offered(
        programme=programme.programme,
        version=programme.version,
        dutch=programme.title.nl,
        english=programme.title.en,
        limits={
            name: OfferedLimit(limit.unit, limit.default, limit.low, limit.high)
            for name, limit in programme.limits.items()
        },
        schedules=tuple(programme.schedule),
    )


async def use(connection: Connection, programmes: CompiledProgrammes, wanted: Iterable[Version]) -> None:
    """Records versions as used, within the transaction of what uses them. Unknown ones are left alone.

    **Raises**: RefuseToStart when one of them was another when it was used first.
    """
    ours = {
        version: programmes.versions[version].programme
        for version in wanted
        if version in programmes.versions
    }
    if ours:
        require_unchanged(await first_use(connection, [_used(one) for one in ours.values()]), ours)


def require_unchanged(used: Sequence[UsedVersion], ours: Mapping[Version, Programme]) -> None:
    """Compares what was recorded with what this service runs with. **Raises**: as `use`."""
    changed = [was for was in used if _is_another(was, ours[was.programme, was.version])]
    if changed:
        names = ", ".join(f"{was.programme} version {was.version}" for was in changed)
        hashes = ", ".join(
            f"{was.programme_hash[:12]}… then, {ours[was.programme, was.version].hash[:12]}… now"
            for was in changed
        )
        raise RefuseToStart(
            f"{names} is not what it was when patients were first enrolled in it ({hashes}). A version never "
            "changes once it is used: restore its file (its content is in the table programme_version) and "
            "put the change into a new version, to which patients move by a change in the log."
        )


def _is_another(was: UsedVersion, programme: Programme) -> bool:
    if was.programme_hash == programme.hash:
        return False
    # A newer program may write the same version in another way: what counts is how it reads what it was.
    try:
        return Programme.model_validate(json.loads(was.content)).hash != programme.hash
    except ValidationError:
        return True


def _used(programme: Programme) -> UsedVersion:
    content = json.dumps(programme.model_dump(mode="json", by_alias=True))
    return UsedVersion(programme.programme, programme.version, programme.hash, content)
