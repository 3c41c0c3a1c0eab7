-- What purge rules deleted is counted in the transactions that delete it, and told to the audit trail once for each rule and day. Rows
-- that were deleted before this migration are not counted.
SET LOCAL lock_timeout = '10s';

-- AlterTable
ALTER TABLE "purge_runs" ADD COLUMN     "counted_since" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
ADD COLUMN     "deleted_total" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "unaudited" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "unaudited_cutoff" TIMESTAMPTZ(3),
ADD COLUMN     "unaudited_from" TIMESTAMPTZ(3),
ADD COLUMN     "unaudited_until" TIMESTAMPTZ(3);

-- By hand: the one way in which deleted rows are counted. `deleted` may be 0. The row of a rule is locked until the transaction ends, so
-- this is its last statement.
CREATE FUNCTION "count_purged"("rule" text, "deleted" bigint, "cutoff" timestamptz) RETURNS void LANGUAGE sql AS $$
  INSERT INTO "purge_runs" AS p
    ("rule", "deleted_total", "unaudited", "unaudited_from", "unaudited_until", "unaudited_cutoff")
  SELECT $1, $2, $2, now(), clock_timestamp(), $3 WHERE $2 > 0
  ON CONFLICT ("rule") DO UPDATE SET
    "deleted_total" = p."deleted_total" + excluded."deleted_total",
    "unaudited" = p."unaudited" + excluded."unaudited",
    "unaudited_from" = least(p."unaudited_from", excluded."unaudited_from"),
    "unaudited_until" = greatest(p."unaudited_until", excluded."unaudited_until"),
    "unaudited_cutoff" = greatest(p."unaudited_cutoff", excluded."unaudited_cutoff");
$$;

-- As `drop_event_partition` did, and counts what is in it. No other transaction writes into it from the count to the end; those that read
-- it are not kept from it by the count.
CREATE FUNCTION "purge_event_partition"("name" text, "before" timestamptz, OUT "dropped" boolean, OUT "deleted" bigint)
LANGUAGE plpgsql SET lock_timeout = '100ms' AS $$
DECLARE
  is_older boolean;
BEGIN
  deleted := 0;
  IF NOT pg_try_advisory_xact_lock(hashtextextended('event_partitions', 0)) THEN
    RETURN;
  END IF;
  SELECT (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz <= before INTO is_older
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
   WHERE i.inhparent = '"events"'::regclass AND c.relname = name;
  IF is_older IS NOT TRUE THEN
    dropped := false;
    RETURN;
  END IF;
  EXECUTE format('LOCK TABLE %I IN SHARE MODE', name);
  EXECUTE format('SELECT count(*) FROM %I', name) INTO deleted;
  -- Dropping takes this lock, too. Taken first, it lets nothing in between the look at the last position and the end.
  LOCK TABLE ONLY "events" IN ACCESS EXCLUSIVE MODE;
  EXECUTE format('UPDATE "event_log" l SET "dropped_xid" = last."xid", "dropped_id" = last."id"
    FROM (SELECT "xid", "id" FROM %I ORDER BY "xid" DESC, "id" DESC LIMIT 1) last
    WHERE (l."dropped_xid", l."dropped_id") < (last."xid", last."id")', name);
  EXECUTE format('DROP TABLE %I', name);
  PERFORM count_purged('purge_events', deleted, before);
  dropped := true;
EXCEPTION WHEN lock_not_available THEN
  dropped := NULL;
  deleted := 0;
END $$;

-- For operators, and for processes of the release before.
CREATE OR REPLACE FUNCTION "drop_event_partition"("name" text, "before" timestamptz) RETURNS boolean LANGUAGE sql
SET lock_timeout = '100ms' AS $$
  SELECT "dropped" FROM "purge_event_partition"($1, $2);
$$;
