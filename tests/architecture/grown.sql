-- What the tables of some months look like to the planner: 2,000 patients, 240,000 readings, 30,000 alerts.

SELECT ensure_reading_partitions(ARRAY['2026-09-01', '2026-10-01']::date[]);
CREATE FUNCTION pg_temp.id(family text, n int) RETURNS uuid IMMUTABLE LANGUAGE sql AS
    $$ SELECT (family || '0000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;
CREATE TEMPORARY TABLE p AS
    SELECT n, pg_temp.id('a', n) AS id, pg_temp.id('b', 0) AS organisation, n % 4 AS part
    FROM generate_series(1, 2000) AS n;
INSERT INTO organisation (organisation_id) VALUES (pg_temp.id('b', 0));
INSERT INTO patient SELECT id, organisation, 'simulated', NULL, NULL, 'nl', 'c', 't', part, n, now() FROM p;
INSERT INTO patient_change
    SELECT id, organisation, pg_temp.id('c', n * 10 + i), 'c', 't', part, n * 10 + i, now(), now(), false,
        '{"resume": {}}'
    FROM p, generate_series(1, 5) AS i;
INSERT INTO reading (
    patient_id, organisation_id, kind, taken_at, received_at, device_id, revision, void, value, upload_id,
    log_partition, log_offset, log_position, too_late, source, unit_received
)
    SELECT id, organisation, kind, at, at, 'scale-1', 0, false, 80, id,
        part, day * 10000 + n, kind, false, 's', 'kg'
    FROM p, generate_series(0, 1) AS kind, generate_series(0, 59) AS day,
         LATERAL (SELECT timestamptz '2026-09-02 07:00Z' + day * interval '1 day') AS t (at);
INSERT INTO quarantine_message (cluster_id, topic, log_partition, log_offset, organisation_id, raw)
    SELECT 'c', 't', part, n, organisation, '{}' FROM p;
INSERT INTO quarantine
    SELECT 'c', 't', part, n, i, id, organisation, 'sentinel', 'value', 'a value', 'none', 1, NULL,
        CASE WHEN i % 20 = 0 THEN 'scale-1' END, CASE WHEN i % 20 = 0 THEN now() END, CASE WHEN i % 20 = 0 THEN 7 END
    FROM p, generate_series(1, 20) AS i;
INSERT INTO finding (
    patient_id, finding_id, organisation_id, programme, version, programme_hash, rule, signal, severity,
    opened_at, cleared_at, opening, log_partition
)
    SELECT id, pg_temp.id('d', n * 100 + i), organisation, 'heart_failure', 1, '', 'r', 'fluid', 'low',
        timestamptz '2026-09-02' + i * interval '2 days',
        timestamptz '2026-09-02' + i * interval '3 days', '[]', part
    FROM p, generate_series(1, 15) AS i;
INSERT INTO alert (
    patient_id, alert_id, organisation_id, origin, signal, severity, state, opened_at, resolved_at, outcome
)
    SELECT id, pg_temp.id('e', n * 100 + i), organisation, 'simulated', 'fluid', 'low', 'resolved',
        timestamptz '2026-09-02' + i * interval '2 days', now(), 'done'
    FROM p, generate_series(1, 15) AS i;
INSERT INTO alert_finding
    SELECT id, pg_temp.id('e', n * 100 + i), pg_temp.id('d', n * 100 + i), now(), organisation
    FROM p, generate_series(1, 15) AS i;
INSERT INTO reevaluation
    SELECT id, organisation, 'c', 't', part, i, now(), now(), CASE WHEN n % 500 > 0 THEN now() END
    FROM p, generate_series(1, 10) AS i;
INSERT INTO measurement_request
    SELECT id, 'body_weight', timestamptz '2026-09-02 07:00Z' + i * interval '5 days', pg_temp.id('f', n * 10 + i),
        organisation, 'simulated', part, now(), 'jump', 'confirmed', 90, 80, now(), now()
    FROM p, generate_series(1, 5) AS i;
INSERT INTO incident SELECT pg_temp.id('f', 0), 'gone', '2026-09-01', '2026-09-01', NULL, 20, 0, now();
INSERT INTO incident
    SELECT id, 'vendor-' || n, timestamptz '2026-09-01', timestamptz '2026-09-01', timestamptz '2026-09-02', 20, 0, now()
    FROM p;
INSERT INTO incident_alert
    SELECT id, pg_temp.id('e', n * 100 + i), organisation, pg_temp.id('f', 0), now()
    FROM p, generate_series(1, 2) AS i;
INSERT INTO alert (patient_id, alert_id, organisation_id, origin, signal, severity, opened_at)
    SELECT id, pg_temp.id('e', n * 100 + 50), organisation, 'simulated', 'silence', 'low',
        timestamptz '2026-10-31' - n * interval '1 hour'
    FROM p;
INSERT INTO source_activity
    SELECT 'c', 't', part, 'vendor-' || n, now() FROM generate_series(0, 63) AS part, generate_series(1, 40) AS n;
INSERT INTO source_hour
    SELECT 'c', 't', part, 'vendor-' || n, slot, 192 * 2500 + slot, 5
    FROM generate_series(0, 15) AS part, generate_series(1, 20) AS n, generate_series(0, 191) AS slot;
INSERT INTO log_position (consumer_group, cluster_id, topic, partition)
    SELECT 'g' || g, 'c', 't', part FROM generate_series(1, 40) AS g, generate_series(0, 63) AS part;
-- What was handed on and sent in those months, 30,000 messages, and 400 that wait; as many were told to patients.
INSERT INTO registration (patient_id, organisation_id, origin) SELECT id, organisation, 'simulated' FROM p;
INSERT INTO patient_care (patient_id, organisation_id, version) SELECT id, organisation, i FROM p, generate_series(1, 3) AS i;
INSERT INTO patient_app (address_id, source, address, origin)
    VALUES (pg_temp.id('f', 1), 's', 'https://app.example.org', 'simulated');
INSERT INTO escalation (
    patient_id, escalation_id, alert_id, organisation_id, step_no, recipient, request, to_role, to_organisation_id,
    asked_at, reason, state, over_at
)
    SELECT id, pg_temp.id('1', n * 100 + i), pg_temp.id('e', n * 100 + i), organisation, 2, 'huisarts', 'regular',
        'huisarts', pg_temp.id('b', 1 + n % 50), timestamptz '2026-09-02' + i * interval '2 days', 'not_accepted',
        'passed_on', timestamptz '2026-09-03' + i * interval '2 days'
    FROM p, generate_series(1, 15) AS i;
INSERT INTO message (
    patient_id, message_id, organisation_id, origin, kind, channel, severity, alerts, to_id, escalation_id, state, number,
    due_at, attempts, attempted_at, delivered_at, over_at
)
    SELECT id, pg_temp.id('2', n * 100 + i), organisation, 'simulated', 'escalation', 'webhook', 'low',
        ARRAY[pg_temp.id('e', n * 100 + i)], pg_temp.id('b', 1 + n % 50), pg_temp.id('1', n * 100 + i), 'delivered',
        n * 20 + i, at, 1, at, at, at + interval '1 day'
    FROM p, generate_series(1, 15) AS i, LATERAL (SELECT timestamptz '2026-09-02' + i * interval '2 days') AS t (at);
INSERT INTO message (
    patient_id, message_id, organisation_id, origin, kind, channel, severity, alerts, to_id, escalation_id, number,
    due_at, give_up_at
)
    SELECT id, pg_temp.id('2', n * 100 + 50), organisation, 'simulated', 'escalation', 'webhook', 'medium',
        ARRAY[pg_temp.id('e', n * 100 + 15)], pg_temp.id('b', 1 + n % 50), pg_temp.id('1', n * 100 + 15), n * 20 + 19,
        timestamptz '2026-10-31' - n * interval '1 minute', timestamptz '2026-11-02'
    FROM p WHERE n % 5 = 0;
INSERT INTO message (
    patient_id, message_id, organisation_id, origin, kind, channel, severity, alerts, body, state, due_at, attempts,
    delivered_at, over_at
)
    SELECT id, pg_temp.id('3', n * 100 + i), organisation, 'simulated', 'to_patient', 'patient', 'low', '{}',
        jsonb_build_object('text', 'measure_again', 'request_id', pg_temp.id('f', n * 10 + i % 5 + 1)), 'delivered',
        at, 1, at, at
    FROM p, generate_series(1, 15) AS i, LATERAL (SELECT timestamptz '2026-09-02' + i * interval '2 days') AS t (at);
INSERT INTO measurement_request
    SELECT id, 'systolic', timestamptz '2026-10-31 07:00Z', pg_temp.id('f', n * 10 + 9),
        organisation, 'simulated', part, timestamptz '2026-11-02', 'jump', 'pending', 90, 80, now(), now()
    FROM p WHERE n % 50 = 0;
INSERT INTO alert_event (patient_id, alert_id, organisation_id, happened_at, event, by)
    SELECT patient_id, alert_id, organisation_id, opened_at, 'opened', 'alerting' FROM alert;
INSERT INTO escalation_step (patient_id, alert_id, organisation_id, due_at, rank, state, why, done_at)
    SELECT id, pg_temp.id('e', n * 100 + i), organisation, timestamptz '2026-09-02' + i * interval '2 days', 0, 'done',
        'opened', now()
    FROM p, generate_series(1, 15) AS i;
INSERT INTO escalation_step (patient_id, alert_id, organisation_id, due_at, rank, why)
    SELECT id, pg_temp.id('e', n * 100 + 50), organisation, timestamptz '2026-10-31' - n * interval '1 hour', 0, 'opened'
    FROM p WHERE n % 4 = 0;
INSERT INTO retry (patient_id, organisation_id, cluster_id, topic, log_partition, log_offset, by, told_at)
    SELECT id, organisation, 'c', 't', part, n, organisation, CASE WHEN n % 100 > 0 THEN now() END FROM p;
UPDATE quarantine SET retried_at = now() WHERE log_offset % 10 > 0;
ANALYZE;
