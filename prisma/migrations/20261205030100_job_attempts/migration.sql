-- Who makes an attempt to send a mail, so that another worker can tell that it is gone; and which failed exports an administrator has
-- put aside. Both are null in every row, so that no table is written anew. Better to fail and be tried again than to hold up
-- everything behind a long reader.
SET LOCAL lock_timeout = '10s';

-- AlterTable
ALTER TABLE "exports" ADD COLUMN     "discarded_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "mails" ADD COLUMN     "worker" BIGINT;
