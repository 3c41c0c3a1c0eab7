-- By hand: makes one partition of the event log, and moves the events of its time out of the default partition, so that
-- no reader misses one or sees it twice. It answers how many were moved; null when it cannot now, because another process
-- is at it, or was faster, or because the log is being read for so long.
CREATE FUNCTION "make_event_partition"("from_time" timestamptz, "to_time" timestamptz) RETURNS bigint LANGUAGE plpgsql
-- Every insert waits behind this lock of the log, so it is not waited for longer than an insert may take.
SET lock_timeout = '100ms' AS $$
DECLARE
  midnight boolean := from_time = date_trunc('day', from_time, 'UTC');
  name text := 'events_from_' || to_char(from_time AT TIME ZONE 'UTC',
    CASE WHEN midnight THEN 'YYYYMMDD' ELSE 'YYYYMMDD"t"HH24MISSMS' END);
  batch bigint;
  moved bigint := 0;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('event_partitions', 0))
     OR EXISTS (SELECT FROM pg_inherits WHERE inhparent = '"events"'::regclass AND inhrelid = to_regclass(name)) THEN
    RETURN NULL;
  END IF;
  -- With its indexes and with a check of its bounds: attaching it then neither builds the former nor reads it once more.
  EXECUTE format('CREATE TABLE %I (LIKE "events" INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING INDEXES,
    CONSTRAINT "bounds" CHECK (received_at >= %L AND received_at < %L))', name, from_time, to_time);
  -- Readers and writers go on during the move. What comes in meanwhile is moved when they are kept out: of the log, not only
  -- of the default partition, because a reader that has chosen its partitions would find neither the old rows nor the new.
  FOR turn IN 1..2 LOOP
    EXECUTE format('WITH moved AS (DELETE FROM "events_default" WHERE received_at >= $1 AND received_at < $2 RETURNING *)
      INSERT INTO %I SELECT * FROM moved', name) USING from_time, to_time;
    GET DIAGNOSTICS batch = ROW_COUNT;
    moved := moved + batch;
    IF turn = 1 THEN
      LOCK TABLE ONLY "events" IN ACCESS EXCLUSIVE MODE;
    END IF;
  END LOOP;
  EXECUTE format('ALTER TABLE "events" ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, from_time, to_time);
  EXECUTE format('ALTER TABLE %I DROP CONSTRAINT "bounds"', name);
  RETURN moved;
EXCEPTION WHEN lock_not_available THEN
  RETURN NULL;
END $$;

-- Drops the partition of this name if all of its events are older than `before`, and answers whether it did; null when it
-- cannot now, as above. (DETACH CONCURRENTLY is refused beside a default partition.)
CREATE FUNCTION "drop_event_partition"("name" text, "before" timestamptz) RETURNS boolean LANGUAGE plpgsql
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
  EXECUTE format('DROP TABLE %I', name);
  RETURN true;
EXCEPTION WHEN lock_not_available THEN
  RETURN NULL;
END $$;

DROP FUNCTION "ensure_event_partitions"(integer);
