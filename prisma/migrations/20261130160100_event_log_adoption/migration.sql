-- Only the catalog changes, but the tables are locked for it: better to fail and be tried again than to hold up writers
-- behind a long reader.
SET LOCAL lock_timeout = '10s';

-- By hand: where a transaction stands in the log. Transaction ids belong to a cluster, positions to the log, which
-- outlives its cluster: `npm run db:adopt` replaces the body by one that adds a number, so that what is written after
-- a restore comes after everything that was restored. A single expression of built-in functions: PostgreSQL puts it
-- in the place of the call, which then costs nothing.
CREATE FUNCTION "event_log_position"(xid8) RETURNS xid8 LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT $1';

-- AlterTable
ALTER TABLE "audit_entries" ALTER COLUMN "xid" SET DEFAULT event_log_position(pg_current_xact_id());

-- AlterTable
ALTER TABLE "events" ALTER COLUMN "xid" SET DEFAULT event_log_position(pg_current_xact_id());

-- AlterTable
ALTER TABLE "event_log" ADD COLUMN     "adopted_at" TIMESTAMPTZ(3),
ADD COLUMN     "database_identity" TEXT;

-- AlterTable
ALTER TABLE "device_receipts" ADD COLUMN     "adopted_at" TIMESTAMPTZ(3),
ADD COLUMN     "resume_from" BIGINT,
ADD COLUMN     "resume_seen_at" TIMESTAMPTZ(3);
