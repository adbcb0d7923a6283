"""All metrics, `thuiswacht_<area>_<noun>_<unit>[_total]`: they count, and name nobody."""

from prometheus_client import Counter, Gauge, Histogram

# From a quick commit on an idle machine to a database that has been away for a while.
_WORK_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# From a paced stream to a backlog of a day.
_DELAY_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0, 86400.0)
_RECORDS = (1, 10, 100, 250, 500, 1000, 2000, 5000, 10000)

# The log, as each service reads it. `group` is the consumer group.

LOG_RECORDS = Counter("thuiswacht_log_records_total", "Messages taken from the log and committed.", ["group"])
LOG_LAG = Gauge(
    "thuiswacht_log_lag_records", "Messages in the log that are not yet dealt with.", ["group", "partition"]
)
LOG_ASSIGNED = Gauge("thuiswacht_log_assigned_partitions", "Partitions that this process owns.", ["group"])
LOG_CLOCK = Gauge(
    "thuiswacht_log_clock_seconds",
    "The last clock message dealt with, in seconds since 1970: what the service takes for now.",
    ["group", "partition"],
)
LOG_BATCH_RECORDS = Histogram(
    "thuiswacht_log_batch_records", "Messages in one batch.", ["group"], buckets=_RECORDS
)
LOG_PREPARE = Histogram(
    "thuiswacht_log_prepare_seconds",
    "Working out one batch, without the database.",
    ["group"],
    buckets=_WORK_S,
)
LOG_COMMIT = Histogram(
    "thuiswacht_log_commit_seconds", "Committing one batch to Postgres.", ["group"], buckets=_WORK_S
)
LOG_REBALANCES = Counter(
    "thuiswacht_log_rebalances_total", "Times that partitions were dealt anew.", ["group"]
)
LOG_LOST = Counter(
    "thuiswacht_log_lost_partitions_total",
    "Partitions of which a batch was dropped because another worker owns them now.",
    ["group"],
)
LOG_RETRIES = Counter(
    "thuiswacht_log_retries_total",
    "Times that something had to be tried again because the database or the broker was away.",
    ["group", "what"],
)
LOG_AWAY = Gauge(
    "thuiswacht_log_away_servers", "1 while the database or the broker cannot be reached.", ["group", "what"]
)

# Storing.

INGEST_READINGS_RECEIVED = Counter(
    "thuiswacht_ingest_readings_received_total", "Readings in the messages taken from the log."
)
INGEST_READINGS_STORED = Counter(
    "thuiswacht_ingest_readings_stored_total", "Readings that are new and stored."
)
INGEST_READINGS_DUPLICATE = Counter(
    "thuiswacht_ingest_readings_duplicate_total", "Readings that were known already, with the same value."
)
INGEST_READINGS_QUARANTINED = Counter(
    "thuiswacht_ingest_readings_quarantined_total", "Readings that were refused.", ["reason"]
)
INGEST_MESSAGES_QUARANTINED = Counter(
    "thuiswacht_ingest_messages_quarantined_total", "Messages that were refused as a whole.", ["reason"]
)
INGEST_READINGS_TOO_LATE = Counter(
    "thuiswacht_ingest_readings_too_late_total",
    "Readings that arrived more than seven days after they were taken: stored, never evaluated.",
)
INGEST_READINGS_STAGED = Counter(
    "thuiswacht_ingest_readings_staged_total",
    "Readings that went the slow way, because they were not newer than what was known.",
)
INGEST_CHANGES = Counter("thuiswacht_ingest_changes_total", "Changes of patients that were stored.")
INGEST_DELAY = Histogram(
    "thuiswacht_ingest_delay_seconds", "From receipt of a message to its commit.", buckets=_DELAY_S
)

# Messages on their way.

NOTIFY_MESSAGES = Counter(
    "thuiswacht_notify_messages_total",
    "What came of attempts to send: delivered, attempted (again later), given_up, withdrawn.",
    ["channel", "state"],
)
NOTIFY_SENDING = Histogram(
    "thuiswacht_notify_sending_seconds", "One attempt, by its endpoint.", ["channel"], buckets=_WORK_S
)
NOTIFY_WAITING = Gauge(
    "thuiswacht_notify_waiting", "Messages that are due and neither delivered nor given up.", ["channel"]
)
NOTIFY_WAIT = Gauge(
    "thuiswacht_notify_wait_seconds", "How long the oldest of these is due; 0 when none waits.", ["channel"]
)

# Alerting.

ALERTING_READINGS = Counter("thuiswacht_alerting_readings_total", "Readings that the engine took in.")
ALERTING_FINDINGS = Counter(
    "thuiswacht_alerting_findings_total",
    "What happened to findings: opened, raised, cleared, retracted.",
    ["event", "programme", "rule", "severity"],
)
ALERTING_FINDINGS_OPEN = Gauge("thuiswacht_alerting_findings_open", "Findings that hold now.", ["partition"])
ALERTING_ALERTS = Counter(
    "thuiswacht_alerting_alerts_total",
    "What happened to alerts: opened, raised, cleared, retracted, resolved.",
    ["event", "signal", "severity"],
)
ALERTING_ALERTS_OPEN = Gauge(
    "thuiswacht_alerting_alerts_open", "Alerts that are not resolved.", ["partition", "severity"]
)
ALERTING_DELAY = Histogram(
    "thuiswacht_alerting_delay_seconds",
    "From receipt of a reading to the commit of the alert it opened.",
    buckets=_DELAY_S,
)
ALERTING_REPLAYS = Counter(
    "thuiswacht_alerting_replays_total", "Patients evaluated again because of late readings or corrections."
)
ALERTING_REBUILDS = Counter(
    "thuiswacht_alerting_rebuilds_total", "Patients evaluated again from the database."
)
ALERTING_REBUILDS_DUE = Gauge(
    "thuiswacht_alerting_rebuilds_due", "Patients that wait for being evaluated again from the database."
)
ALERTING_REBUILDS_WAIT = Gauge(
    "thuiswacht_alerting_rebuilds_wait_seconds",
    "How long the one that has waited longest for being evaluated again has waited; 0 when nobody waits.",
)
ALERTING_RESTORE = Histogram(
    "thuiswacht_alerting_restore_seconds",
    "Rebuilding the state of the engine for newly assigned partitions.",
    buckets=_WORK_S,
)
ALERTING_PROBLEMS = Counter(
    "thuiswacht_alerting_problems_total",
    "Changes that name what a programme does not have; the enrolment goes on with the programme's own.",
    ["problem"],
)
ALERTING_REQUESTS = Counter(
    "thuiswacht_alerting_requests_total",
    "Changes of measurement requests: asked, and what became of them.",
    ["kind", "status"],
)
ALERTING_REQUESTS_UNTOLD = Gauge(
    "thuiswacht_alerting_requests_untold",
    "Changes of measurement requests that are not yet on their topic; told by the elected service.",
)
ALERTING_REQUESTS_WAIT = Gauge(
    "thuiswacht_alerting_requests_wait_seconds",
    "How long the oldest of these has waited; 0 when none waits.",
)
ALERTING_REQUESTS_TOLD = Counter(
    "thuiswacht_alerting_requests_told_total", "Messages about measurement requests that Kafka has confirmed."
)
ALERTING_INCIDENTS_OPEN = Gauge(
    "thuiswacht_alerting_incidents_open", "Vendors and gateways that are silent when much was to be expected."
)
ALERTING_INCIDENTS_HELD_BACK = Gauge(
    "thuiswacht_alerting_incidents_held_back", "Alerts about missing data that an incident holds back."
)
ALERTING_ELECTED = Gauge(
    "thuiswacht_alerting_elected_services", "1 in the one service that does what is done once for all."
)

# Candidates in the shadow.

SHADOW_FINDINGS = Counter(
    "thuiswacht_shadow_findings_total",
    "What happened to findings of candidates, which nobody sees: opened, raised, cleared, retracted.",
    ["group", "event", "programme", "rule", "severity"],
)
SHADOW_REBUILDS_DUE = Gauge(
    "thuiswacht_shadow_rebuilds_due",
    "Patients that wait for being evaluated again by a candidate, from the database.",
    ["group"],
)

# Escalation.

DISPATCH_STEPS = Counter(
    "thuiswacht_dispatch_steps_total",
    "Steps that were due and were taken, by what came of them.",
    ["outcome"],
)
DISPATCH_LAG = Gauge(
    "thuiswacht_dispatch_lag_seconds", "How long the oldest step that is due has been; 0 when none is."
)
DISPATCH_DUE = Gauge("thuiswacht_dispatch_due_steps", "Steps that are due and not taken yet.")
DISPATCH_WITHOUT_STEP = Gauge(
    "thuiswacht_dispatch_without_step_alerts",
    "Open alerts that nobody would have looked at again: found, and mended, by the auditor.",
)
DISPATCH_OVERDUE_MESSAGES = Gauge(
    "thuiswacht_dispatch_overdue_messages", "Messages that are past the time in which they should be there."
)
DISPATCH_UNTOLD_ESCALATIONS = Gauge(
    "thuiswacht_dispatch_untold_escalations", "Open escalations that no message carries to who is asked."
)
DISPATCH_AUDITED = Gauge(
    "thuiswacht_dispatch_audited_seconds",
    "When the auditor last went round to its end, in seconds since 1970 by the wall: its heartbeat.",
)

# The register.

REGISTER_CHANGES_WAITING = Gauge(
    "thuiswacht_register_changes_waiting",
    "Decisions about patients that the log does not have yet; told by the elected service.",
)
REGISTER_CHANGES_WAIT = Gauge(
    "thuiswacht_register_changes_wait_seconds",
    "How long the oldest of these has waited; 0 when none waits.",
)
REGISTER_CHANGES_TOLD = Counter(
    "thuiswacht_register_changes_told_total", "Decisions about patients that Kafka has confirmed."
)
REGISTER_RETRIES_TOLD = Counter(
    "thuiswacht_register_retries_told_total", "Refused messages that went to the log once more."
)
REGISTER_ELECTED = Gauge(
    "thuiswacht_register_elected_services", "1 in the one service that tells the log what was decided."
)

# The watch.

WATCH_CANARY_DELAY = Histogram(
    "thuiswacht_watch_canary_delay_seconds",
    "From sending a canary's reading until it was seen to be stored, or to be an alert.",
    ["stage"],
    buckets=_DELAY_S,
)
WATCH_CANARY_WAIT = Gauge(
    "thuiswacht_watch_canary_wait_seconds",
    "For how long the canary of a partition has been owed an alert.",
    ["partition"],
)
WATCH_CANARY_LATE = Gauge(
    "thuiswacht_watch_canary_late_partitions",
    "Partitions in which readings do not come out as alerts in time.",
)
WATCH_STEPS_OVERDUE = Gauge(
    "thuiswacht_watch_steps_overdue_seconds",
    "For how long the step of an escalation that is due longest has been due.",
)
WATCH_TROUBLE = Gauge(
    "thuiswacht_watch_trouble_alerts", "Technical alerts that are open, by what is wrong.", ["trouble"]
)
WATCH_WRONG = Gauge(
    "thuiswacht_watch_wrong_signs", "1 for what keeps the heartbeat back: canary, steps, auditor.", ["what"]
)
WATCH_HEARTBEATS = Counter(
    "thuiswacht_watch_heartbeats_total",
    "Heartbeats for the watcher outside: sent, failed, held_back because something is wrong.",
    ["result"],
)
WATCH_HEARTBEAT_AT = Gauge(
    "thuiswacht_watch_heartbeat_seconds", "When the last heartbeat was taken, in seconds since 1970."
)
WATCH_ELECTED = Gauge("thuiswacht_watch_elected_services", "1 in the one service that keeps watch.")

# The clock.

CLOCK_TICKS = Counter("thuiswacht_clock_ticks_total", "Clock messages written to the log.", ["partition"])
CLOCK_BEHIND = Gauge("thuiswacht_clock_behind_seconds", "How late the last clock message was written.")

# The front gate.

GATEWAY_REQUESTS = Counter(
    "thuiswacht_gateway_requests_total", "Requests that were answered.", ["route", "status"]
)
GATEWAY_DURATION = Histogram(
    "thuiswacht_gateway_duration_seconds",
    "From the head of a request to its answer.",
    ["route"],
    buckets=_WORK_S,
)
GATEWAY_READINGS = Counter(
    "thuiswacht_gateway_readings_total",
    "Readings that were delivered, by what became of them: accepted, duplicate, refused.",
    ["result"],
)
GATEWAY_WRITE = Histogram(
    "thuiswacht_gateway_write_seconds",
    "From handing messages to the broker until it has them on all replicas.",
    buckets=_WORK_S,
)
GATEWAY_CUT_OFF = Counter(
    "thuiswacht_gateway_cut_off_total",
    "Connections that were cut off: garbage, slow or large heads, answers that nobody fetches, too many.",
    ["why"],
)
GATEWAY_REFUSED = Counter(
    "thuiswacht_gateway_refused_requests_total",
    "Requests that were not let in, by client (-: nobody that is known) and why: unknown, signature, "
    "not_allowed, rate, too_many at once, full.",
    ["client", "reason"],
)
