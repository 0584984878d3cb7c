-- The raw mail, where it lies in the database: items under the SHA-256 of what they hold, in pieces.
-- Pieces of an item that is not named here are of a mail that is still arriving, or never did.

CREATE TABLE dsar.pieces (
    item uuid NOT NULL,
    number integer NOT NULL CHECK (number >= 0),
    content bytea NOT NULL,
    arrived_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (item, number)
);
CREATE TABLE dsar.items (
    digest text COLLATE "C" PRIMARY KEY CHECK (digest ~ '^[0-9a-f]{64}$'),
    item uuid NOT NULL UNIQUE
);

-- Each of these may be called again when the answer was lost.
CREATE FUNCTION dsar.put_piece(p_item uuid, p_number integer, p_content bytea)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = dsar, pg_temp AS $$
    INSERT INTO pieces (item, number, content) VALUES (p_item, p_number, p_content)
        ON CONFLICT (item, number) DO NOTHING;
$$;

CREATE FUNCTION dsar.keep_item(p_digest text, p_item uuid)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = dsar, pg_temp AS $$
DECLARE
    earlier uuid;
BEGIN
    SELECT item INTO earlier FROM items WHERE digest = p_digest FOR UPDATE;
    INSERT INTO items (digest, item) VALUES (p_digest, p_item)
        ON CONFLICT (digest) DO UPDATE SET item = excluded.item;
    DELETE FROM pieces WHERE item = earlier AND earlier <> p_item;
END $$;

CREATE FUNCTION dsar.drop_item(p_item uuid)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = dsar, pg_temp AS $$
    DELETE FROM pieces WHERE item = p_item
        AND NOT EXISTS (SELECT FROM items WHERE item = p_item);
$$;

CREATE FUNCTION dsar.delete_item(p_digest text)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = dsar, pg_temp AS $$
    WITH gone AS (DELETE FROM items WHERE digest = p_digest RETURNING item)
    DELETE FROM pieces WHERE item IN (SELECT item FROM gone);
$$;

-- Others may be adding: what began to arrive less than a day ago stays.
CREATE FUNCTION dsar.sweep_items()
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = dsar, pg_temp AS $$
    DELETE FROM pieces AS p WHERE arrived_at < now() - interval '1 day'
        AND NOT EXISTS (SELECT FROM items AS i WHERE i.item = p.item);
$$;
