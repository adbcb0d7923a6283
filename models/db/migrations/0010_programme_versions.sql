-- What each version of a programme was when the first patient was enrolled in it: it never changes afterwards.

CREATE TABLE programme_version (
    programme text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    programme_hash text NOT NULL,
    content jsonb NOT NULL,
    first_used_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT programme_version_pkey PRIMARY KEY (programme, version)
);
COMMENT ON TABLE programme_version IS
    'The versions that patients are or were in, as they were at first; written by alerting, never changed.';
COMMENT ON COLUMN programme_version.content IS 'The whole version, to compare with and to restore its file from.';

GRANT SELECT ON programme_version TO thuiswacht_alerting, thuiswacht_read;
GRANT INSERT ON programme_version TO thuiswacht_alerting;
