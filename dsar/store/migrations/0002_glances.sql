-- The projection: one row per case, computed from its events and written with them. A row holds only
-- while its version is the stream's and its course has the reader's form; else the events are read.

CREATE TABLE dsar.courses (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest bytea NOT NULL UNIQUE,
    form text NOT NULL,
    value text NOT NULL
);
COMMENT ON TABLE dsar.courses IS 'What many cases share: the course of a case, as a JSON list.';

CREATE TABLE dsar.glances (
    position bigint PRIMARY KEY,
    version integer NOT NULL,
    course bigint NOT NULL,
    subject_id text NOT NULL,
    controller text NOT NULL,
    controller_name text NOT NULL,
    case_group text,
    campaign text,
    wave integer NOT NULL,
    follows text
) WITH (fillfactor = 85);
CREATE INDEX glances_of_campaign ON dsar.glances (campaign) WHERE campaign IS NOT NULL;
