-- The column is empty and only the catalog changes, but the table is locked for it: better to fail and be tried again than
-- to hold up everything behind a long reader.
SET LOCAL lock_timeout = '10s';

-- AlterTable
ALTER TABLE "devices" ADD COLUMN     "born_at" TIMESTAMPTZ(3);
