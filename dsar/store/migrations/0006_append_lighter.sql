-- An append that moves no letter, such as a reply, does not look for what it has not.

CREATE OR REPLACE FUNCTION dsar.project(p_cases json)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = dsar, pg_temp AS $$
BEGIN
    PERFORM project_glances(p_cases);
    -- Within a text of the JSON the quotation marks would have a backslash before them.
    IF position('"attempts":' IN p_cases::text) > 0 THEN
        PERFORM project_work(p_cases);
    END IF;
END $$;
