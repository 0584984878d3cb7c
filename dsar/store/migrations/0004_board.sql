-- What the workers of a campaign look at: a projection like the glances, written with the events.
--
-- worked: whether the rows below are there for a case. Those of cases that are older than these
-- tables are missing; `dsar store rebuild` writes them, and until then no worker sends.

ALTER TABLE dsar.glances ADD COLUMN worked boolean NOT NULL DEFAULT false;
ALTER TABLE dsar.glances ALTER COLUMN worked SET DEFAULT true;
CREATE INDEX glances_without_work ON dsar.glances (position) WHERE NOT worked;

-- One row for each case of a campaign. account, mailbox, domain, not_before: of a letter that
-- waits. message_id, digest: of its latest letter, where that waits or went out. keys: what the
-- case takes of its member's letters.
CREATE TABLE dsar.work (
    position bigint PRIMARY KEY,
    stream text COLLATE "C" NOT NULL,
    campaign text NOT NULL,
    wave integer NOT NULL,
    subject_id text NOT NULL,
    "right" text NOT NULL,
    controller text NOT NULL,
    state text NOT NULL,
    account text,
    mailbox text,
    domain text,
    not_before timestamptz NOT NULL,
    message_id text,
    digest text,
    keys text[]
) WITH (fillfactor = 85);
CREATE INDEX work_unwritten ON dsar.work (campaign, position) WHERE state = 'unwritten';
CREATE INDEX work_waiting ON dsar.work
    (campaign, account, wave, mailbox, controller, domain, not_before, position)
    WHERE state = 'waiting';
CREATE INDEX work_of_wave ON dsar.work (campaign, wave, stream);
CREATE INDEX work_of_member ON dsar.work (campaign, subject_id);

-- One row for each attempt at any letter: what limits and pace are counted by.
CREATE TABLE dsar.attempts (
    position bigint NOT NULL,
    number integer NOT NULL,
    account text NOT NULL,
    mailbox text NOT NULL,
    domain text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (position, number)
);
CREATE INDEX attempts_of_account ON dsar.attempts (account, at);
CREATE INDEX attempts_to_domain ON dsar.attempts (account, domain, at);
CREATE INDEX attempts_to_mailbox ON dsar.attempts (mailbox, at);

CREATE FUNCTION dsar.drop_work() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = dsar, pg_temp AS $$
BEGIN
    DELETE FROM work WHERE position IN (SELECT position FROM gone);
    DELETE FROM attempts WHERE position IN (SELECT position FROM gone);
    RETURN NULL;
END $$;
CREATE TRIGGER with_work AFTER DELETE ON dsar.glances REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION dsar.drop_work();

-- p_cases: as for project; those with attempts (and work, null where the case is no campaign's)
-- are written here, for the version they were computed from.
CREATE FUNCTION dsar.project_work(p_cases json)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = dsar, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    INSERT INTO work AS k (position, stream, campaign, wave, subject_id, "right", controller,
                           state, account, mailbox, domain, not_before, message_id, digest, keys)
        SELECT s.position, s.stream, w.campaign, w.wave, w.subject_id, w."right", w.controller,
               w.state, w.account, w.mailbox, w.domain, coalesce(w.not_before, '-infinity'),
               w.message_id, w.digest, w.keys
        FROM json_to_recordset(p_cases) AS c (stream text, version integer, work json)
        JOIN streams AS s ON s.stream = c.stream AND s.version = c.version
        CROSS JOIN LATERAL json_to_record(c.work) AS w (
            campaign text, wave integer, subject_id text, "right" text, controller text,
            state text, account text, mailbox text, domain text, not_before timestamptz,
            message_id text, digest text, keys text[])
        WHERE c.work IS NOT NULL
        ON CONFLICT (position) DO UPDATE SET campaign = excluded.campaign, wave = excluded.wave,
            subject_id = excluded.subject_id, "right" = excluded."right",
            controller = excluded.controller, state = excluded.state, account = excluded.account,
            mailbox = excluded.mailbox, domain = excluded.domain,
            not_before = excluded.not_before, message_id = excluded.message_id,
            digest = excluded.digest, keys = excluded.keys;
    INSERT INTO attempts AS k (position, number, account, mailbox, domain, at)
        SELECT s.position, a.number, a.account, a.mailbox, a.domain, a.at
        FROM json_to_recordset(p_cases) AS c (stream text, version integer, attempts json)
        JOIN streams AS s ON s.stream = c.stream AND s.version = c.version
        CROSS JOIN LATERAL json_to_recordset(c.attempts) AS a (
            number integer, account text, mailbox text, domain text, at timestamptz)
        ON CONFLICT (position, number) DO UPDATE SET account = excluded.account,
            mailbox = excluded.mailbox, domain = excluded.domain, at = excluded.at
            WHERE (k.account, k.mailbox, k.domain, k.at) IS DISTINCT FROM
                  (excluded.account, excluded.mailbox, excluded.domain, excluded.at);
    DELETE FROM attempts AS k
        USING json_to_recordset(p_cases) AS c (stream text, version integer, attempts json),
              streams AS s
        WHERE c.attempts IS NOT NULL AND s.stream = c.stream AND s.version = c.version
        AND k.position = s.position AND k.number > json_array_length(c.attempts);
    UPDATE glances AS g SET worked = true
        FROM json_to_recordset(p_cases) AS c (stream text, version integer, attempts json),
             streams AS s
        WHERE c.attempts IS NOT NULL AND s.stream = c.stream AND s.version = c.version
        AND g.position = s.position AND NOT g.worked;
END $$;

ALTER FUNCTION dsar.project(json) RENAME TO project_glances;
CREATE FUNCTION dsar.project(p_cases json)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = dsar, pg_temp AS $$
BEGIN
    PERFORM project_glances(p_cases);
    IF EXISTS (SELECT FROM json_array_elements(p_cases) AS c WHERE c -> 'attempts' IS NOT NULL)
    THEN
        PERFORM project_work(p_cases);
    END IF;
END $$;

-- Attempts are decided on one after the other, whoever makes them: the decision rests on all.
CREATE FUNCTION dsar.claiming() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 3701198203';

CREATE TYPE dsar.attempt_place AS (
    at timestamptz, position bigint, number integer, domain text);

CREATE FUNCTION dsar.house_version() RETURNS integer LANGUAGE sql STABLE AS
    'SELECT coalesce((SELECT version FROM dsar.streams WHERE position = 0), 0)';

-- The attempts of an account that its limits can depend on. p_day: how many of the latest; 0 where
-- the account has no limit by day.
CREATE FUNCTION dsar.account_history(
    p_account text, p_domains text[], p_day integer, p_now timestamptz)
RETURNS TABLE (at timestamptz, domain text) LANGUAGE sql STABLE
SET search_path = dsar, pg_temp AS $$
    WITH RECURSIVE days (place) AS (
        (SELECT ROW (a.at, a.position, a.number, a.domain)::attempt_place FROM attempts AS a
         WHERE a.account = p_account AND p_day > 0 ORDER BY a.at, a.position, a.number LIMIT 1)
        UNION ALL
        SELECT (SELECT ROW (a.at, a.position, a.number, a.domain)::attempt_place
                FROM attempts AS a
                WHERE a.account = p_account AND a.at >= (date_trunc(
                    'day', (d.place).at AT TIME ZONE 'UTC') + interval '1 day') AT TIME ZONE 'UTC'
                ORDER BY a.at, a.position, a.number LIMIT 1)
        FROM days AS d WHERE d.place IS NOT NULL
    ), chosen AS (
        SELECT (d.place).at, (d.place).position, (d.place).number, (d.place).domain FROM days AS d
        WHERE d.place IS NOT NULL
        UNION
        (SELECT a.at, a.position, a.number, a.domain FROM attempts AS a
         WHERE a.account = p_account
         ORDER BY a.at DESC, a.position DESC, a.number DESC LIMIT greatest(p_day, 1))
        UNION
        SELECT l.at, l.position, l.number, l.domain FROM unnest(p_domains) AS n (domain)
        CROSS JOIN LATERAL (
            SELECT a.at, a.position, a.number, a.domain FROM attempts AS a
            WHERE a.account = p_account AND a.domain = n.domain
            ORDER BY a.at DESC, a.position DESC, a.number DESC LIMIT 1) AS l
    )
    SELECT c.at, c.domain FROM chosen AS c ORDER BY c.at, c.position, c.number
$$;

-- What a decision on one lane (the letters of a wave to one mailbox) rests on, once nobody else
-- decides: how many events the house has, the first letter that waits there with its events, the
-- latest p_pace attempts at the mailbox, and of the account the latest attempt, the latest to the
-- domain, the latest p_day of all, and the first of each day that is over.
CREATE FUNCTION dsar.look(
    p_campaign text, p_account text, p_wave integer, p_mailbox text, p_controller text,
    p_domain text, p_now timestamptz, p_pace integer, p_day integer)
RETURNS json LANGUAGE plpgsql SET search_path = dsar, pg_temp AS $$
DECLARE
    place bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(claiming());
    SELECT w.position INTO place FROM work AS w
        WHERE w.campaign = p_campaign AND w.account = p_account AND w.wave = p_wave
        AND w.mailbox = p_mailbox AND w.controller = p_controller AND w.domain = p_domain
        AND w.not_before <= p_now AND w.state = 'waiting'
        ORDER BY w.not_before, w.position LIMIT 1;
    IF place IS NULL THEN
        RETURN json_build_object('house', house_version(), 'rows', '[]'::json);
    END IF;
    RETURN json_build_object(
        'house', house_version(),
        'rows', (SELECT json_agg(json_build_array(
                    s.stream, s.version, e.sequence, e.author, e.body, e.append_id)
                    ORDER BY e.sequence)
                 FROM streams AS s JOIN events AS e USING (position) WHERE s.position = place),
        'mailbox', (SELECT coalesce(json_agg(m.at), '[]') FROM (
                        SELECT a.at FROM attempts AS a WHERE a.mailbox = p_mailbox
                        ORDER BY a.at DESC LIMIT p_pace) AS m),
        'account', (SELECT coalesce(json_agg(json_build_array(h.at, h.domain)), '[]')
                    FROM account_history(p_account, ARRAY[p_domain], p_day, p_now) AS h));
END $$;
