-- The columns are empty and only the catalog changes, but the table is locked for it: better to fail and be tried again than
-- to hold up everything behind a long reader.
SET LOCAL lock_timeout = '10s';

-- AlterTable
ALTER TABLE "devices" ADD COLUMN     "anchor_at" TIMESTAMPTZ(3),
ADD COLUMN     "anchor_uptime_ms" BIGINT;
