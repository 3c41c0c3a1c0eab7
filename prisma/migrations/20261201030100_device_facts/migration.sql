-- The columns are empty and only the catalog changes, but the table is locked for it: better to fail and be tried again
-- than to hold up everything behind a long reader.
SET LOCAL lock_timeout = '10s';

-- AlterTable
ALTER TABLE "devices" ADD COLUMN     "battery_at" TIMESTAMPTZ(3),
ADD COLUMN     "boot_heard_at" TIMESTAMPTZ(3),
ADD COLUMN     "door_state_at" TIMESTAMPTZ(3),
ADD COLUMN     "latitude" DOUBLE PRECISION,
ADD COLUMN     "location" TEXT,
ADD COLUMN     "lock_calibrated" BOOLEAN,
ADD COLUMN     "lock_jammed_at" TIMESTAMPTZ(3),
ADD COLUMN     "lock_state_at" TIMESTAMPTZ(3),
ADD COLUMN     "longitude" DOUBLE PRECISION,
ADD COLUMN     "metadata" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "rssi_at" TIMESTAMPTZ(3);
