-- Both columns are empty and only the catalog changes, but each table is locked for it: better to fail and be tried
-- again than to hold up everything behind a long reader.
SET LOCAL lock_timeout = '10s';

-- AlterTable
ALTER TABLE "devices" ADD COLUMN     "uptime_fell_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "device_receipts" ADD COLUMN     "boot_started_at" TIMESTAMPTZ(3);
