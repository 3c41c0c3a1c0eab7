-- AlterTable
ALTER TABLE "device_links" ADD COLUMN     "reborn_at" TIMESTAMPTZ(3);
