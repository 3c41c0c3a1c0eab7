-- The history is searched for words, and for what belongs to a command. An index of the whole log is built while nothing is
-- written: where that takes too long, each partition is given its indexes beforehand (docs/operations.md), and they are only
-- attached here.
SET LOCAL lock_timeout = '10s';

-- By hand: the words of an event, beside whose it is and of which device: a search never looks at those of others. Case and
-- forms of letters do not count, as in `event_query`. Functions of an index name no other of ours: PostgreSQL calls them
-- without our schema.
CREATE OR REPLACE FUNCTION "event_words"("owner" uuid, "device" uuid, "kind" text, "said" jsonb) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 100 AS $$
DECLARE
  words text;
BEGIN
  IF kind = 'custom' THEN
    SELECT string_agg(value #>> '{}', ' ') INTO words FROM jsonb_path_query(said, 'strict $.**') AS value
     WHERE jsonb_typeof(value) = 'string';
  ELSE
    words := concat_ws(' ', said ->> 'errorCode', said ->> 'errorMessage', said ->> 'zone',
      CASE WHEN kind LIKE 'device\_%' THEN said ->> 'name' END);
  END IF;
  RETURN to_tsvector('simple', lower(normalize(left(coalesce(words, ''), 10000), NFKC)))
    || array_to_tsvector(array_remove(ARRAY['u:' || owner, 'd:' || device], NULL));
END $$;

-- By hand: what somebody searches for, spelled as the words are.
CREATE OR REPLACE FUNCTION "event_query"("search" text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN websearch_to_tsquery('simple', lower(normalize("search", NFKC)));

-- By hand: Prisma has no indexes of some rows. Most events have no words and belong to no command.
CREATE INDEX IF NOT EXISTS "events_words_idx" ON "events"
  USING GIN (event_words("user_id", "device_id", "type", "payload"))
  WHERE "type" IN ('custom', 'device_registered', 'device_activated', 'device_deleted', 'device_transferred')
     OR "payload" ?| ARRAY['errorCode', 'errorMessage', 'zone'];

CREATE INDEX IF NOT EXISTS "events_command_id_xid_id_idx" ON "events"("command_id", "xid" DESC, "id" DESC)
  WHERE "command_id" IS NOT NULL;
