"""What explains a finding, from the database and the folder of programmes."""

import json
from collections.abc import Sequence
from uuid import UUID

from pydantic import ValidationError

from alerting.engine.programme import Programme
from alerting.explain.explanation import Basis, Explanation, Found, Known, explain, looks
from ingest.on_command import Who, acting_as
from models.access import Action
from models.audit import Kind
from models.db.findings import find_finding
from models.db.installation import require_migrated
from models.db.patients import load_changes_of
from models.db.pool import Connection, Role, connected
from models.db.positions import latest_clock_us
from models.db.programmes import UsedVersion, recorded
from models.db.values import load_values
from models.errors import BadInput
from models.findings import Finding


async def explain_stored(
    dsn: str, finding_id: UUID, programmes: Sequence[Programme], who: Who | None = None
) -> Explanation:
    """The explanation of a stored finding, for somebody who may see its patient, with the look on record.

    Without `who` for tools, and only where nobody exists: in a trial database.

    **Raises**: BadInput where there is no such finding, or nobody is named in a live database; NotAllowed;
    TryAgain when the database is away; RefuseToStart where it is not one of ours.
    """
    role: Role = "thuiswacht_read" if who is None else "thuiswacht_people"
    async with connected(dsn, role=role, application="thuiswacht-explain", max_size=1) as pool:
        if who is not None:
            async with acting_as(pool, who, Action.PATIENT_READ, Kind.READ) as act:
                finding = await _found(act.connection, finding_id)
                await act.require(finding.patient_id)
                act.details = f"finding {finding_id}"
                return await explained(act.connection, finding, programmes)
        async with pool.connection() as connection:
            if await require_migrated(connection) == "live":
                raise BadInput(where="--as", expected="who looks, in a live database", found="nobody")
            # One picture of the database, though the services go on.
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                finding = await _found(connection, finding_id)
                return await explained(connection, finding, programmes)


async def _found(connection: Connection, finding_id: UUID) -> Finding:
    finding = await find_finding(connection, finding_id)
    if finding is None:
        raise BadInput(
            where="FINDING_ID",
            expected="the id of a finding in this database",
            found=str(finding_id),
            reason="unknown_finding",
        )
    return finding


async def explained(connection: Connection, finding: Finding, programmes: Sequence[Programme]) -> Explanation:
    """The explanation of a finding, for who may see its patient; `programmes` beside those on record."""
    changes = await load_changes_of(connection, finding.patient_id)
    now_us = await latest_clock_us(connection, finding.log_partition)
    versions = await _versions(connection, finding, programmes)
    every = [Known(finding, version, changes, now_us or 0, hash_) for version, hash_ in versions]
    nothing = Known(finding, None, changes, now_us or 0)
    known = next((one for one in every if one.basis is Basis.PROGRAMME), every[0] if every else nothing)
    found = {
        look: Found(tuple(readings), count)
        for look in looks(known)
        for count, readings in [
            await load_values(
                connection, finding.patient_id, look.kinds, look.after_us, look.to_us, look.most
            )
        ]
    }
    return explain(known, found)


async def _versions(
    connection: Connection, finding: Finding, folder: Sequence[Programme]
) -> list[tuple[Programme, str | None]]:
    """What goes by the name and number of the version that found it: as first used, and as in the folder."""
    wanted = finding.programme, finding.version
    used = [one for one in await recorded(connection) if (one.programme, one.version) == wanted]
    readable = [(_read(one), one.programme_hash) for one in used]
    from_folder = [(one, None) for one in folder if (one.programme, one.version) == wanted]
    return [(version, hash_) for version, hash_ in (*readable, *from_folder) if version is not None]


def _read(used: UsedVersion) -> Programme | None:
    """A recorded version, None where this program cannot read it any more."""
    try:
        return Programme.model_validate(json.loads(used.content))
    except ValidationError:
        return None
