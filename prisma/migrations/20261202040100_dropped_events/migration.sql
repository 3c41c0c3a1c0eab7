-- How far retention has taken the event log: what followed a cursor of before is not whole any more, so such a cursor is refused.
SET LOCAL lock_timeout = '10s';

-- AlterTable
ALTER TABLE "event_log" ADD COLUMN     "dropped_id" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "dropped_xid" xid8 NOT NULL DEFAULT '0'::xid8;

-- By hand: what was dropped until now is not known, so everything before the first event that is left counts. Nothing was where
-- that is the first one that ever was.
UPDATE "event_log" SET "dropped_xid" = first."xid", "dropped_id" = first."id" - 1
  FROM (SELECT "xid", "id" FROM "events" ORDER BY "xid", "id" LIMIT 1) first WHERE first."id" > 1;

-- As before, and keeps the last position that it takes.
CREATE OR REPLACE FUNCTION "drop_event_partition"("name" text, "before" timestamptz) RETURNS boolean LANGUAGE plpgsql
SET lock_timeout = '100ms' AS $$
DECLARE
  is_older boolean;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('event_partitions', 0)) THEN
    RETURN NULL;
  END IF;
  SELECT (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz <= before INTO is_older
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
   WHERE i.inhparent = '"events"'::regclass AND c.relname = name;
  IF is_older IS NOT TRUE THEN
    RETURN false;
  END IF;
  -- Dropping takes this lock, too. Taken first, it lets nothing in between the look at the last position and the end.
  LOCK TABLE ONLY "events" IN ACCESS EXCLUSIVE MODE;
  EXECUTE format('UPDATE "event_log" l SET "dropped_xid" = last."xid", "dropped_id" = last."id"
    FROM (SELECT "xid", "id" FROM %I ORDER BY "xid" DESC, "id" DESC LIMIT 1) last
    WHERE (l."dropped_xid", l."dropped_id") < (last."xid", last."id")', name);
  EXECUTE format('DROP TABLE %I', name);
  RETURN true;
EXCEPTION WHEN lock_not_available THEN
  RETURN NULL;
END $$;
