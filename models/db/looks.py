"""How often people looked, by the hour, and emergencies that wait for a verdict: for the review of looks."""

from uuid import UUID

from models.clock import HOUR_US, to_us
from models.db.pool import Connection
from models.looks import Emergency, Hour, Verdict

_HOURS = f"""
SELECT user_id, user_role, happened_us / {HOUR_US} * {HOUR_US} AS hour_us,
    count(*) FILTER (WHERE outcome = 'allowed') AS looks,
    count(*) FILTER (WHERE outcome = 'refused') AS refused
FROM audit
WHERE happened_us >= $1 AND happened_us < $2 AND patients <> '{{}}'
GROUP BY user_id, user_role, happened_us / {HOUR_US}
ORDER BY hour_us, user_id, user_role
"""
_EMERGENCIES = """
SELECT emergency_id, patient_id, person_id::text, from_at, until_at, reason FROM emergency_access
WHERE reviewed_at IS NULL ORDER BY from_at, emergency_id
"""
_VERDICT = """
UPDATE emergency_access SET reviewed_at = clock_timestamp(), reviewed_by = $2, verdict = $3
WHERE emergency_id = $1 AND reviewed_at IS NULL
"""


async def hours(connection: Connection, since_us: int, until_us: int) -> list[Hour]:
    """How often each person of the declared user's organisation looked at patients, by the hour.

    **Units**: microseconds since 1970 UTC.
    """
    return [Hour(*row) for row in await connection.fetch(_HOURS, since_us, until_us)]


async def emergencies(connection: Connection) -> list[Emergency]:
    """Those of the declared user's organisation that nobody has reviewed, the oldest first."""
    return [
        Emergency(
            row["emergency_id"], row["patient_id"], row["person_id"],
            to_us(row["from_at"]), to_us(row["until_at"]), row["reason"],
        )
        for row in await connection.fetch(_EMERGENCIES)
    ]  # fmt: skip


async def give_verdict(connection: Connection, emergency_id: UUID, by: UUID, verdict: Verdict) -> bool:
    """Closes the review of an emergency; False when somebody did so meanwhile."""
    return await connection.execute(_VERDICT, emergency_id, by, verdict.value) == "UPDATE 1"
