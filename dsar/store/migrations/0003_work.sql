-- What a role may do that can otherwise only read: add events, erase streams, keep the projection.

-- Erasures have this lock alone, additions share it.
CREATE FUNCTION dsar.erasing() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 3701198201';

-- p_cases: [{stream, version, digest (hexadecimal), form, value, subject_id, controller, …}].
-- A row is written only for the version it was computed from, so that no newer one is lost. How
-- many rows JSON holds is guessed at a hundred: without the settings small tables are read whole.
CREATE FUNCTION dsar.project(p_cases json)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = dsar, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    INSERT INTO courses (digest, form, value)
        SELECT DISTINCT decode(c.digest, 'hex'), c.form, c.value
        FROM json_to_recordset(p_cases) AS c (digest text, form text, value text)
        WHERE NOT EXISTS (SELECT FROM courses AS k WHERE k.digest = decode(c.digest, 'hex'))
        ON CONFLICT (digest) DO NOTHING;
    INSERT INTO glances AS g (position, version, course, subject_id, controller, controller_name,
                              case_group, campaign, wave, follows)
        SELECT s.position, c.version, k.id, c.subject_id, c.controller, c.controller_name,
               c."group", c.campaign, c.wave, c.follows
        FROM json_to_recordset(p_cases) AS c (
            stream text, version integer, digest text, subject_id text, controller text,
            controller_name text, "group" text, campaign text, wave integer, follows text)
        JOIN streams AS s ON s.stream = c.stream AND s.version = c.version
        JOIN courses AS k ON k.digest = decode(c.digest, 'hex')
        ON CONFLICT (position) DO UPDATE SET version = excluded.version, course = excluded.course,
            subject_id = excluded.subject_id, controller = excluded.controller,
            controller_name = excluded.controller_name, case_group = excluded.case_group,
            campaign = excluded.campaign, wave = excluded.wave, follows = excluded.follows;
END $$;

-- An append to one or many streams, everything or nothing. Called again with the same id it finds
-- its own events and does nothing: a writer who lost the connection can simply repeat it.
-- p_streams: [{stream, after, count, last}]; last: where the caller knows it, the id of the append
-- that recorded the last event it has seen. p_events: [{stream, sequence, at, author, kind, body}].
CREATE FUNCTION dsar.append(p_id uuid, p_streams json, p_events json, p_cases json)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = dsar, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    opened integer;
    moved integer;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(erasing());
    IF json_array_length(p_streams) > 1 THEN  -- two batches wait for each other in one order
        PERFORM FROM streams WHERE stream IN (
            SELECT g.stream FROM json_to_recordset(p_streams) AS g (stream text)
        ) ORDER BY stream FOR UPDATE;
    END IF;
    INSERT INTO streams (position, stream, version)
        SELECT CASE WHEN f.stream = '_house' THEN 0
               ELSE nextval('dsar.streams_position_seq') END, f.stream, f.count
        FROM (SELECT * FROM json_to_recordset(p_streams)
              AS g (stream text, after integer, count integer) WHERE after = 0) AS f
        ON CONFLICT (stream) DO NOTHING;
    GET DIAGNOSTICS opened = ROW_COUNT;
    UPDATE streams AS s SET version = g.after + g.count
        FROM json_to_recordset(p_streams)
        AS g (stream text, after integer, count integer, last uuid)
        WHERE g.after > 0 AND s.stream = g.stream AND s.version = g.after
        AND (g.last IS NULL OR EXISTS (
            SELECT FROM events AS e WHERE e.position = s.position AND e.sequence = s.version
            AND e.append_id = g.last));
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF opened + moved < json_array_length(p_streams) THEN
        IF EXISTS (SELECT FROM events WHERE append_id = p_id AND (position, sequence) = (
                SELECT position, (p_streams -> 0 ->> 'after')::integer + 1
                FROM streams WHERE stream = p_streams -> 0 ->> 'stream')) THEN
            RAISE EXCEPTION 'recorded before' USING ERRCODE = 'DS003';
        END IF;
        RAISE EXCEPTION 'another writer was first' USING ERRCODE = 'DS001';
    END IF;
    INSERT INTO events (position, sequence, recorded_at, append_id, author, kind, body)
        SELECT s.position, e.sequence, e.at, p_id, e.author, e.kind, e.body
        FROM json_to_recordset(p_events) AS e (
            stream text, sequence integer, at timestamptz, author text, kind text, body text)
        JOIN streams AS s USING (stream);
    IF json_array_length(p_cases) > 0 THEN
        PERFORM project(p_cases);
    END IF;
END $$;

-- Before another ledger is taken over as a whole: nobody else writes, and there is nothing yet.
CREATE FUNCTION dsar.begin_adopting()
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = dsar, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(erasing());
    IF EXISTS (SELECT FROM streams) THEN
        RAISE EXCEPTION 'the ledger is not empty' USING ERRCODE = 'DS004';
    END IF;
END $$;

-- The only deletion. p_seen: how many events of the house the caller knew. p_house: its events as
-- they stand once the streams are forgotten, [{sequence, at, author, kind, body}], numbered anew.
CREATE FUNCTION dsar.erase(p_streams text[], p_seen integer, p_house json)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = dsar, pg_temp AS $$
DECLARE
    gone bigint[];
    their bigint[];
    have integer;
BEGIN
    PERFORM pg_advisory_xact_lock(erasing());
    IF '_house' = ANY (p_streams) THEN
        RAISE EXCEPTION 'the house is not erased' USING ERRCODE = 'DS005';
    END IF;
    SELECT version INTO have FROM streams WHERE position = 0;
    IF coalesce(have, 0) <> p_seen THEN
        RAISE EXCEPTION 'another writer was first' USING ERRCODE = 'DS001';
    END IF;
    WITH deleted AS (DELETE FROM streams WHERE stream = ANY (p_streams) RETURNING position)
        SELECT array_agg(position) INTO gone FROM deleted;
    IF coalesce(cardinality(gone), 0) < cardinality(p_streams) THEN
        RAISE EXCEPTION 'a stream is not there' USING ERRCODE = 'DS005';
    END IF;
    PERFORM set_config('dsar.erasing', 'on', true);
    DELETE FROM events WHERE position = ANY (gone);
    IF p_house IS NOT NULL THEN
        DELETE FROM events WHERE position = 0;
        INSERT INTO events (position, sequence, recorded_at, append_id, author, kind, body)
            SELECT 0, h.sequence, h.at, h.append_id, h.author, h.kind, h.body
            FROM json_to_recordset(p_house) AS h (sequence integer, at timestamptz,
                append_id uuid, author text, kind text, body text);
        DELETE FROM streams WHERE position = 0 AND json_array_length(p_house) = 0;
        UPDATE streams SET version = json_array_length(p_house) WHERE position = 0;
    END IF;
    PERFORM set_config('dsar.erasing', 'off', true);
    WITH deleted AS (DELETE FROM glances WHERE position = ANY (gone) RETURNING course)
        SELECT array_agg(course) INTO their FROM deleted;
    DELETE FROM courses AS k WHERE k.id = ANY (their)
        AND NOT EXISTS (SELECT FROM glances WHERE course = k.id);
END $$;

-- Courses that no case has any more, left by cases that went on.
CREATE FUNCTION dsar.sweep()
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = dsar, pg_temp AS $$
DECLARE
    swept bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(erasing());
    DELETE FROM courses AS k WHERE NOT EXISTS (SELECT FROM glances WHERE course = k.id);
    GET DIAGNOSTICS swept = ROW_COUNT;
    RETURN swept;
END $$;
