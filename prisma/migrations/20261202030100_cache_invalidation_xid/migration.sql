-- A change counts from when its transaction commits, which may be long after its rows were written: processes look for what they
-- could not see the last time. Rows that exist get the id of this migration. Better to fail and be tried again than to hold up
-- everything behind a long reader.
SET LOCAL lock_timeout = '10s';

-- AlterTable
ALTER TABLE "cache_invalidations" ADD COLUMN     "xid" xid8 NOT NULL DEFAULT pg_current_xact_id();

-- CreateIndex
CREATE INDEX "cache_invalidations_xid_idx" ON "cache_invalidations"("xid");
