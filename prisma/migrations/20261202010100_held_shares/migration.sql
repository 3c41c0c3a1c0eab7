-- Whether a right above the one by which a share was given has narrowed it since. Only the catalog changes, but the table is locked
-- for it: better to fail and be tried again than to hold up everything behind a long reader.
SET LOCAL lock_timeout = '10s';

-- AlterTable
ALTER TABLE "device_shares" ADD COLUMN     "held" BOOLEAN NOT NULL DEFAULT false;
