-- By hand: makes one partition of the event log, and moves the events of its time out of the default partition, so that
-- no reader misses one or sees it twice. It answers how many were moved; null when another process is at it, or was faster.
CREATE FUNCTION "make_event_partition"("from_time" timestamptz, "to_time" timestamptz) RETURNS bigint LANGUAGE plpgsql
-- The default partition stands still for it: better to try again later than to hold up everything behind a long reader.
SET lock_timeout = '1s' AS $$
DECLARE
  midnight boolean := from_time = date_trunc('day', from_time, 'UTC');
  name text := 'events_from_' || to_char(from_time AT TIME ZONE 'UTC',
    CASE WHEN midnight THEN 'YYYYMMDD' ELSE 'YYYYMMDD"t"HH24MISSMS' END);
  moved bigint;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('event_partitions', 0)) OR to_regclass(name) IS NOT NULL THEN
    RETURN NULL;
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE "events" INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', name);
  -- In the order in which every reader takes them. The log itself stays open to readers and writers.
  LOCK TABLE ONLY "events" IN SHARE UPDATE EXCLUSIVE MODE;
  LOCK TABLE "events_default" IN ACCESS EXCLUSIVE MODE;
  EXECUTE format('WITH moved AS (DELETE FROM "events_default" WHERE received_at >= $1 AND received_at < $2 RETURNING *)
    INSERT INTO %I SELECT * FROM moved', name) USING from_time, to_time;
  GET DIAGNOSTICS moved = ROW_COUNT;
  EXECUTE format('ALTER TABLE "events" ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, from_time, to_time);
  RETURN moved;
END $$;

-- Drops the partition of this name if all of its events are older than `before`, and answers whether it did.
CREATE FUNCTION "drop_event_partition"("name" text, "before" timestamptz) RETURNS boolean LANGUAGE plpgsql
SET lock_timeout = '1s' AS $$
DECLARE
  is_older boolean;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('event_partitions', 0)) THEN
    RETURN false;
  END IF;
  SELECT (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz <= before INTO is_older
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
   WHERE i.inhparent = '"events"'::regclass AND c.relname = name;
  IF is_older IS NOT TRUE THEN
    RETURN false;
  END IF;
  EXECUTE format('DROP TABLE %I', name);
  RETURN true;
END $$;

DROP FUNCTION "ensure_event_partitions"(integer);
