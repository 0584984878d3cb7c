-- One event for one case, which the caller has seen and whose facts it does not change: what
-- `append` and `project` do, without JSON to take apart and tables to join.

-- p_last: the id of the append that recorded the last event the caller has seen, number p_after.
-- p_digest, p_form, p_value: the course of the case as it is then. p_work: as for project_work, or
-- null where the event moves no letter. Called again with the same id it does nothing (DS003). A
-- case without a row in the projection is left to `append` (DS006).
CREATE FUNCTION dsar.append_one(
    p_id uuid, p_stream text, p_after integer, p_last uuid, p_at timestamptz, p_author text,
    p_kind text, p_body text, p_digest bytea, p_form text, p_value text, p_work json)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = dsar, pg_temp AS $$
DECLARE
    place bigint;
    its_course bigint;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(erasing());
    UPDATE streams SET version = p_after + 1 WHERE stream = p_stream AND version = p_after
        RETURNING position INTO place;
    IF place IS NULL OR NOT EXISTS (SELECT FROM events AS e WHERE e.position = place
            AND e.sequence = p_after AND e.append_id = p_last) THEN
        IF EXISTS (SELECT FROM streams AS s JOIN events AS e USING (position)
                WHERE s.stream = p_stream AND e.sequence = p_after + 1 AND e.append_id = p_id) THEN
            RAISE EXCEPTION 'recorded before' USING ERRCODE = 'DS003';
        END IF;
        RAISE EXCEPTION 'another writer was first' USING ERRCODE = 'DS001';
    END IF;
    INSERT INTO events (position, sequence, recorded_at, append_id, author, kind, body)
        VALUES (place, p_after + 1, p_at, p_id, p_author, p_kind, p_body);
    SELECT id INTO its_course FROM courses WHERE digest = p_digest;
    IF its_course IS NULL THEN
        INSERT INTO courses (digest, form, value) VALUES (p_digest, p_form, p_value)
            ON CONFLICT (digest) DO NOTHING;
        SELECT id INTO its_course FROM courses WHERE digest = p_digest;
    END IF;
    UPDATE glances SET version = p_after + 1, course = its_course WHERE position = place;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the case is not in the projection' USING ERRCODE = 'DS006';
    END IF;
    IF p_work IS NOT NULL THEN
        PERFORM project_work(p_work);
    END IF;
END $$;

-- Who may append may append one.
DO $$
DECLARE
    one regrole;
BEGIN
    FOR one IN SELECT DISTINCT a.grantee::regrole FROM pg_proc AS p, aclexplode(p.proacl) AS a
        WHERE p.oid = 'dsar.append(uuid, json, json, json)'::regprocedure
        AND a.privilege_type = 'EXECUTE' AND a.grantee NOT IN (0, p.proowner)
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION dsar.append_one(uuid, text, integer, uuid, '
            'timestamptz, text, text, text, bytea, text, text, json) TO %s', one);
    END LOOP;
END $$;

-- A row that was lost and comes back with an event that moves no letter has no work beside it.
CREATE OR REPLACE FUNCTION dsar.project_glances(p_cases json)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = dsar, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    INSERT INTO courses (digest, form, value)
        SELECT DISTINCT decode(c.digest, 'hex'), c.form, c.value
        FROM json_to_recordset(p_cases) AS c (digest text, form text, value text)
        WHERE NOT EXISTS (SELECT FROM courses AS k WHERE k.digest = decode(c.digest, 'hex'))
        ON CONFLICT (digest) DO NOTHING;
    INSERT INTO glances AS g (position, version, course, subject_id, controller, controller_name,
                              case_group, campaign, wave, follows, worked)
        SELECT s.position, c.version, k.id, c.subject_id, c.controller, c.controller_name,
               c."group", c.campaign, c.wave, c.follows, c.attempts IS NOT NULL
        FROM json_to_recordset(p_cases) AS c (
            stream text, version integer, digest text, subject_id text, controller text,
            controller_name text, "group" text, campaign text, wave integer, follows text,
            attempts json)
        JOIN streams AS s ON s.stream = c.stream AND s.version = c.version
        JOIN courses AS k ON k.digest = decode(c.digest, 'hex')
        ON CONFLICT (position) DO UPDATE SET version = excluded.version, course = excluded.course,
            subject_id = excluded.subject_id, controller = excluded.controller,
            controller_name = excluded.controller_name, case_group = excluded.case_group,
            campaign = excluded.campaign, wave = excluded.wave, follows = excluded.follows;
END $$;
