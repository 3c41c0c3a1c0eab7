-- Only the catalog changes, but the tables are locked for it: better to fail and be tried again than to hold up writers
-- behind a long reader.
SET LOCAL lock_timeout = '10s';

-- By hand: where what is written now stands in the order of the log. A transaction takes its id with its first write, and
-- may read or wait for what one with a higher id commits; what it writes then must stand behind that. Never lower than
-- its own id, because readers wait for the oldest id that is open; and never higher than the latest that has ended,
-- because they would wait for one that may not come.
CREATE FUNCTION "latest_xact_id"() RETURNS xid8 LANGUAGE sql STABLE AS
  $$ SELECT greatest(pg_current_xact_id(), (pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1)::text::xid8) $$;

-- AlterTable
ALTER TABLE "audit_entries" ALTER COLUMN "xid" SET DEFAULT event_log_position(latest_xact_id());

-- AlterTable
ALTER TABLE "events" ALTER COLUMN "xid" SET DEFAULT event_log_position(latest_xact_id());
