"""Figures: everything that is counted, in one statement, and the reports that are made of it."""

from collections.abc import AsyncGenerator
from datetime import date, datetime
from uuid import UUID

from models.db.pool import Connection
from models.figures import HANDLING_AT_MOST_S, REGION, WITHIN_MIN, Count, Dimension, Window

_LOCK = 7_548_473_229
"""Any number, known to nobody else: one service counts at a time."""

_LONGEST_S = 3_600.0
"""So long counting a year of a large region may take; it holds nobody up."""

# $1 the first day that is counted, $2 the first that is not any more, as dates; $3 and $4 the same as
# moments; $5 days of a step; $6 steps of a period; $7 seconds after which a time is within a bound no more.
_WHO = f"""
WITH someone AS MATERIALIZED (
    SELECT p.patient_id, coalesce(r.organisation_id, p.organisation_id)::text COLLATE "C" AS organisation,
        coalesce(nullif(CASE WHEN c.patient_id IS NULL THEN p.wijk ELSE c.wijk END, ''), '?') COLLATE "C"
            AS wijk,
        coalesce(c.language, p.language) COLLATE "C" AS language
    FROM patient AS p
    LEFT JOIN registration AS r USING (patient_id)
    LEFT JOIN LATERAL (
        SELECT k.patient_id, k.wijk, k.language FROM patient_care AS k
        WHERE k.patient_id = p.patient_id ORDER BY k.version DESC LIMIT 1
    ) AS c ON true
    WHERE p.origin = 'real' OR p.origin = 'simulated' AND (SELECT is_trial())
), member AS MATERIALIZED (
    SELECT patient_id, '{REGION}'::uuid AS scope FROM someone
    UNION ALL
    SELECT DISTINCT t.patient_id, t.organisation_id FROM treatment_relation AS t
    WHERE t.from_at <= statement_timestamp() AND (t.until_at IS NULL OR t.until_at > statement_timestamp())
      AND NOT EXISTS (
        SELECT FROM objection AS o WHERE (o.patient_id, o.organisation_id) = (t.patient_id, t.organisation_id)
        AND o.from_at <= statement_timestamp() AND (o.until_at IS NULL OR o.until_at > statement_timestamp())
      )
)"""

_LOCAL = "({} AT TIME ZONE 'Europe/Amsterdam')::date"

# A stretch begins with one change and is over with the first later one that ends it. Days on which it begins
# count, the day on which it ends does not.
_STRETCH = """
    SELECT c.patient_id, ({name}) COLLATE "C" AS name,
        daterange({begins}, greatest({begins}, coalesce({ends}, 'infinity'))) AS days
    FROM patient_change AS c LEFT JOIN LATERAL (
        SELECT min(l.effective_from) AS at FROM patient_change AS l
        WHERE l.patient_id = c.patient_id AND l.log_offset > c.log_offset AND ({over})
    ) AS ending ON true
    WHERE c.change ? '{what}'
"""


def _stretch(what: str, over: str, name: str = "''", ends: str = "ending.at") -> str:
    begins = _LOCAL.format("c.effective_from")
    return _STRETCH.format(name=name, begins=begins, ends=_LOCAL.format(ends), over=over, what=what)


_ENROLLED = _stretch(
    "enrol",
    "l.change ? 'end' OR l.change #>> '{withdraw,programme}' = c.change #>> '{enrol,programme}'",
    "c.change #>> '{enrol,programme}'",
)
_PAUSED = _stretch(
    "pause",
    "l.change ?| '{pause,resume,end}'",
    ends="least(ending.at, to_timestamp((c.change #>> '{pause,until_us}')::numeric / 1000000))",
)
_ADMITTED = _stretch("admit", "l.change ?| '{admit,discharge,end}'")

_FOLLOWED = f"""
, enrolled AS ({_ENROLLED}), away AS (
    SELECT s.patient_id, range_agg(s.days) AS days FROM ({_PAUSED} UNION ALL {_ADMITTED}) AS s GROUP BY 1
), followed AS MATERIALIZED (
    SELECT e.patient_id, e.programme,
        e.days * datemultirange(daterange($1, $2)) - coalesce(a.days, '{{}}') AS days
    FROM (
        SELECT patient_id, name AS programme, range_agg(days) AS days FROM enrolled GROUP BY 1, 2
        UNION ALL
        SELECT patient_id, '', range_agg(days) FROM enrolled GROUP BY 1
    ) AS e JOIN someone USING (patient_id) LEFT JOIN away AS a USING (patient_id)
), measured AS (
    SELECT DISTINCT patient_id, {_LOCAL.format("taken_at")} AS day FROM reading
    WHERE taken_at >= $3 AND taken_at < $4 AND NOT void AND absent IS NULL
      AND kind <> (SELECT number FROM kind WHERE name = 'device_state')
), days_followed AS (
    SELECT f.patient_id, f.programme, s.step, 'days_followed' AS measure, d.days AS n
    FROM followed AS f
    CROSS JOIN LATERAL (
        SELECT step, f.days * datemultirange(daterange($2 - (step + 1) * $5, $2 - step * $5)) AS within
        FROM generate_series(0, 2 * $6 - 1) AS step
    ) AS s
    CROSS JOIN LATERAL (SELECT sum(upper(r) - lower(r)) AS days FROM unnest(s.within) AS r) AS d
    WHERE d.days > 0
), days_measured AS (
    SELECT f.patient_id, f.programme, ($2 - 1 - m.day) / $5 AS step, 'days_measured' AS measure, count(*) AS n
    FROM followed AS f JOIN measured AS m ON m.patient_id = f.patient_id AND f.days @> m.day
    GROUP BY 1, 2, 3
)"""

_BY_PEOPLE = "a.state = 'resolved' AND a.outcome NOT IN ('by_itself', 'ended')"
_STEP_OF = "($2 - 1 - " + _LOCAL + ") / $5"

# What an alert is about: its programmes, and all of them together; the rules of each.
_ABOUT = """
    SELECT x.*, p.programme FROM {of} AS x CROSS JOIN LATERAL (
        SELECT '' AS programme
        UNION ALL
        SELECT DISTINCT f.programme COLLATE "C"
        FROM alert_finding AS l JOIN finding AS f USING (patient_id, finding_id)
        WHERE (l.patient_id, l.alert_id) = (x.patient_id, x.alert_id)
    ) AS p
"""
_RULES = """
    SELECT x.*, r.programme, r.rule FROM {of} AS x CROSS JOIN LATERAL (
        SELECT DISTINCT f.programme COLLATE "C", f.rule COLLATE "C"
        FROM alert_finding AS l JOIN finding AS f USING (patient_id, finding_id)
        WHERE (l.patient_id, l.alert_id) = (x.patient_id, x.alert_id)
    ) AS r (programme, rule)
"""

_OPENED = f"""
, opened AS MATERIALIZED (
    SELECT a.patient_id, a.alert_id, {_STEP_OF.format("a.opened_at")} AS step,
        coalesce(a.outcome, '') NOT IN ('by_itself', 'ended') AS needed
    FROM alert AS a JOIN someone USING (patient_id)
    WHERE a.opened_at >= $3 AND a.opened_at < $4 AND a.origin <> 'canary'
), alerts AS (
    SELECT o.patient_id, o.programme, o.step, m.measure, count(*) AS n
    FROM ({_ABOUT.format(of="opened")}) AS o
    CROSS JOIN LATERAL (VALUES ('alerts', true), ('needed', o.needed)) AS m (measure, counts)
    WHERE m.counts GROUP BY 1, 2, 3, 4
), alerts_of_rules AS (
    SELECT patient_id, programme, step, 'rule/' || rule || '/opened' AS measure, count(*) AS n
    FROM ({_RULES.format(of="opened")}) AS o GROUP BY 1, 2, 3, 4
)"""

# From when it could be seen to when somebody answered it first: took it, or resolved it at once.
_ANSWERED = f"""
, answered AS MATERIALIZED (
    SELECT DISTINCT e.patient_id, e.alert_id FROM alert_event AS e JOIN someone USING (patient_id)
    WHERE e.event IN ('acknowledged', 'resolved') AND e.by <> 'alerting'
      AND e.happened_at >= $3 AND e.happened_at < $4
), first_answered AS MATERIALIZED (
    SELECT x.patient_id, x.alert_id, f.happened_at AS at, s.at AS seen_at
    FROM answered AS x JOIN alert AS a USING (patient_id, alert_id)
    CROSS JOIN LATERAL (
        SELECT e.happened_at, e.event_no FROM alert_event AS e
        WHERE (e.patient_id, e.alert_id) = (x.patient_id, x.alert_id)
          AND e.event IN ('acknowledged', 'resolved') AND e.by <> 'alerting'
        ORDER BY e.event_no LIMIT 1
    ) AS f
    CROSS JOIN LATERAL (
        SELECT max(e.happened_at) AS at FROM alert_event AS e
        WHERE (e.patient_id, e.alert_id) = (x.patient_id, x.alert_id)
          AND e.event IN ('opened', 'released') AND e.event_no < f.event_no
    ) AS s
    WHERE f.happened_at >= $3 AND s.at IS NOT NULL AND a.origin <> 'canary'
), answers AS (
    SELECT x.patient_id, x.programme, {_STEP_OF.format("x.at")} AS step,
        'answered/' || width_bucket(ceil(extract(epoch FROM x.at - x.seen_at))::integer, $7::integer[])
            AS measure, count(*) AS n
    FROM ({_ABOUT.format(of="first_answered")}) AS x GROUP BY 1, 2, 3, 4
)"""

# Somebody has it, and it is not snoozed: from what makes it so to the next that ends that.
_RESOLVED = f"""
, resolved AS MATERIALIZED (
    SELECT a.patient_id, a.alert_id, a.outcome, {_STEP_OF.format("a.resolved_at")} AS step,
        ceil(extract(epoch FROM a.resolved_at - s.at))::integer AS took_s, h.seconds AS handling_s,
        CASE WHEN t.regional THEN 'regional' WHEN t.wijk THEN 'wijk' ELSE 'centre' END AS level
    FROM alert AS a JOIN someone USING (patient_id)
    CROSS JOIN LATERAL (
        SELECT min(e.happened_at) AS at FROM alert_event AS e
        WHERE (e.patient_id, e.alert_id) = (a.patient_id, a.alert_id) AND e.event = 'opened'
    ) AS s
    CROSS JOIN LATERAL (
        -- Null where nobody took it; least() would make the most of that.
        SELECT CASE WHEN count(*) > 0
            THEN least(round(sum(extract(epoch FROM w.until - w.at))), {HANDLING_AT_MOST_S})::integer
        END AS seconds
        FROM (
            SELECT e.event, e.happened_at AS at, lead(e.happened_at) OVER (ORDER BY e.event_no) AS until
            FROM alert_event AS e WHERE (e.patient_id, e.alert_id) = (a.patient_id, a.alert_id)
              AND e.event IN (
                'acknowledged', 'hand_over_accepted', 'snooze_ended', 'snoozed', 'lapsed', 'resolved'
              )
        ) AS w WHERE w.event IN ('acknowledged', 'hand_over_accepted', 'snooze_ended')
    ) AS h
    CROSS JOIN LATERAL (
        SELECT bool_or(
                e.recipient IN ('referral_desk', 'specialist', 'coordination_centre', 'home_visit')
            ) AS regional,
            bool_or(e.recipient IN ('huisarts', 'community_nurse', 'out_of_hours_post')) AS wijk
        FROM escalation AS e
        WHERE (e.patient_id, e.alert_id) = (a.patient_id, a.alert_id) AND e.accepted_at IS NOT NULL
    ) AS t
    WHERE a.resolved_at >= $3 AND a.resolved_at < $4 AND a.origin <> 'canary' AND {_BY_PEOPLE}
), resolutions AS (
    SELECT r.patient_id, r.programme, r.step, m.measure, sum(m.n)::bigint AS n
    FROM ({_ABOUT.format(of="resolved")}) AS r
    CROSS JOIN LATERAL (
        VALUES ('judged', 1), ('level/' || r.level, 1),
            ('true', CASE WHEN r.outcome IN ('true_acted_on', 'true_no_action') THEN 1 END),
            ('handled', CASE WHEN r.handling_s IS NOT NULL THEN 1 END), ('handling_s', r.handling_s),
            ('resolved/' || width_bucket(r.took_s, $7::integer[]), CASE WHEN r.took_s IS NOT NULL THEN 1 END)
    ) AS m (measure, n)
    WHERE m.n IS NOT NULL GROUP BY 1, 2, 3, 4
), outcomes_of_rules AS (
    SELECT r.patient_id, r.programme, r.step, 'rule/' || r.rule || '/' || m.what AS measure, count(*) AS n
    FROM ({_RULES.format(of="resolved")}) AS r
    CROSS JOIN LATERAL (VALUES ('judged'), (r.outcome)) AS m (what)
    GROUP BY 1, 2, 3, 4
)"""

_ASKED = f"""
, asked AS MATERIALIZED (
    SELECT e.patient_id, e.alert_id, e.recipient, {_STEP_OF.format("e.asked_at")} AS step
    FROM escalation AS e JOIN someone USING (patient_id) JOIN alert AS a USING (patient_id, alert_id)
    WHERE e.asked_at >= $3 AND e.asked_at < $4 AND a.origin <> 'canary'
), asks AS (
    SELECT x.patient_id, x.programme, x.step, 'asked/' || x.recipient AS measure, count(*) AS n
    FROM ({_ABOUT.format(of="asked")}) AS x
    GROUP BY 1, 2, 3, 4
)"""

_PARTS = (
    "days_followed", "days_measured", "alerts", "alerts_of_rules", "answers", "resolutions",
    "outcomes_of_rules", "asks",
)  # fmt: skip

# Compared as bytes: in the order of a language, sorting so many texts takes ten times as long.
_PART = 'SELECT patient_id, programme COLLATE "C", step, measure COLLATE "C", n FROM {part}'

# First for each patient, so that patients can be counted; then for each group.
_COUNTED = f"""
, counted AS MATERIALIZED (
    {" UNION ALL ".join(_PART.format(part=part) for part in _PARTS)}
), of_patients AS MATERIALIZED (
    SELECT patient_id, programme, measure, step >= $6 AS before, sum(n)::bigint AS n
    FROM counted GROUP BY 1, 2, 3, 4
), grouped AS MATERIALIZED (
    SELECT m.scope, c.programme, d.dimension, d.value, NULL::integer AS step, c.before, c.measure,
        sum(c.n)::bigint AS n, count(*) AS patients
    FROM of_patients AS c JOIN member AS m USING (patient_id) JOIN someone AS s USING (patient_id)
    CROSS JOIN LATERAL (
        VALUES ('', ''), ('organisation', s.organisation), ('wijk', s.wijk), ('language', s.language)
    ) AS d (dimension, value)
    WHERE d.dimension = '' OR NOT c.before AND c.measure NOT LIKE 'rule/%'
    GROUP BY 1, 2, 3, 4, 5, 6, 7
    UNION ALL
    SELECT m.scope, c.programme, '', '', c.step, c.step >= $6, c.measure, sum(c.n)::bigint, count(*)
    FROM counted AS c JOIN member AS m USING (patient_id) WHERE c.measure NOT LIKE 'rule/%'
    GROUP BY 1, 2, 3, 4, 5, 6, 7
)
SELECT * FROM grouped ORDER BY scope
"""

_GATHER = _WHO + _FOLLOWED + _OPENED + _ANSWERED + _RESOLVED + _ASKED + _COUNTED

_WRITE = """
INSERT INTO figure_report (scope, weeks, programme, until, report) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT ON CONSTRAINT figure_report_pkey DO UPDATE SET
    until = excluded.until, report = excluded.report, written_at = clock_timestamp()
"""


async def is_counting_alone(connection: Connection) -> bool:
    """Whether this transaction is the only one that counts; until it ends."""
    alone: bool = await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK)
    return alone


async def counted_until(connection: Connection) -> dict[int, date]:
    """Up to which day the reports of each number of weeks go."""
    rows = await connection.fetch("SELECT weeks, max(until) AS until FROM figure_report GROUP BY weeks")
    return {row["weeks"]: row["until"] for row in rows}


async def gather(
    connection: Connection, window: Window, since: datetime, until: datetime
) -> AsyncGenerator[tuple[UUID, list[Count]]]:
    """Everything that is counted, scope by scope, within the transaction of whoever calls.

    `since` and `until`: the beginnings of the window's first day and of the first after it.
    """
    await connection.execute(f"SET LOCAL statement_timeout = '{int(_LONGEST_S)}s'")
    # The planner knows nothing of how large the parts become. To group by hashing takes a fifth of the time
    # that sorting takes.
    await connection.execute("SET LOCAL work_mem = '128MB'")
    await connection.execute("SET LOCAL enable_sort = off")
    bounds_s = [minutes * 60 + 1 for minutes in WITHIN_MIN]
    given = (window.since, window.until, since, until, window.step_days, window.steps, bounds_s)
    scope, counts = REGION, list[Count]()
    async for row in connection.cursor(_GATHER, *given, prefetch=5_000, timeout=_LONGEST_S):
        if row["scope"] != scope:
            if counts:
                yield scope, counts
            scope, counts = row["scope"], []
        counts.append(
            Count(
                row["programme"], Dimension(row["dimension"]), row["value"], row["step"], row["before"],
                row["measure"], row["n"], row["patients"],
            )
        )  # fmt: skip
    if counts:
        yield scope, counts


async def write_report(
    connection: Connection, scope: UUID, programme: str, window: Window, report: str
) -> None:
    """Puts a report in place of the one before."""
    await connection.execute(_WRITE, scope, window.weeks, programme, window.until, report)


async def find_report(connection: Connection, weeks: int, programme: str) -> str | None:
    """The newest report that is meant for the declared user; None where there is none."""
    found: str | None = await connection.fetchval(
        "SELECT report::text FROM figure_report "
        "WHERE weeks = $1 AND programme = $2 AND scope = (SELECT scope_of_insight())",
        weeks, programme,
    )  # fmt: skip
    return found


async def sees_the_region(connection: Connection) -> bool:
    """Whether the declared user sees the figures of everybody, not those of one organisation."""
    found: bool = await connection.fetchval(
        "SELECT coalesce(scope_of_insight() = $1, false)", REGION
    )  # fmt: skip
    return found
