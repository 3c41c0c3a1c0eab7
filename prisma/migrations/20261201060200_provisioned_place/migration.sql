-- Where a thing stands and what is kept with it, as the list of an older backend says. Only the catalog changes, but the
-- table is locked for it: better to fail and be tried again than to hold up everything behind a long reader.
SET LOCAL lock_timeout = '10s';

-- AlterTable
ALTER TABLE "provisioned_devices" ADD COLUMN     "latitude" DOUBLE PRECISION,
ADD COLUMN     "location" TEXT,
ADD COLUMN     "longitude" DOUBLE PRECISION,
ADD COLUMN     "metadata" JSONB NOT NULL DEFAULT '{}';
