"""What an alert rests on: its findings, and the readings that they looked at."""

import json
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from models.alerts import Alert
from models.clock import to_datetime
from models.db.findings import load_findings
from models.db.pool import Connection
from models.findings import Finding

_REASONS = """
SELECT l.patient_id, l.finding_id FROM unnest($1::uuid[], $2::uuid[]) AS wanted (patient_id, alert_id)
JOIN alert_finding AS l USING (patient_id, alert_id)
"""
_READINGS = """
SELECT to_jsonb(r)::text AS row
FROM unnest($2::smallint[], $3::timestamptz[]) AS wanted (kind, taken_at)
CROSS JOIN LATERAL (
    SELECT * FROM reading WHERE reading.patient_id = $1 AND reading.kind = wanted.kind
        AND reading.taken_at = wanted.taken_at
) AS r
ORDER BY r.taken_at, r.kind, r.device_id, r.revision, r.void
"""


async def findings_of(connection: Connection, alerts: Collection[Alert]) -> list[Finding]:
    """The findings of these alerts, in the order of patient and time."""
    rows = await connection.fetch(_REASONS, [a.patient_id for a in alerts], [a.alert_id for a in alerts])
    return await load_findings(connection, {}, [(row["patient_id"], row["finding_id"]) for row in rows])


async def readings_at(
    connection: Connection, patient_id: UUID, wanted: Sequence[tuple[int, int]]
) -> list[dict[str, Any]]:
    """All that is stored of a patient at these kinds (by number) and times, each revision, as in JSON.

    **Units**: times in microseconds since 1970 UTC.
    """
    rows = await connection.fetch(
        _READINGS, patient_id, [kind for kind, _ in wanted], [to_datetime(at_us) for _, at_us in wanted]
    )
    return [json.loads(row["row"]) for row in rows]
