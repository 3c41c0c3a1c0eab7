-- Better to fail and be tried again than to hold up everything behind a long reader.
SET LOCAL lock_timeout = '10s';

-- CreateTable
CREATE TABLE "purge_runs" (
    "rule" TEXT NOT NULL,
    "known_since" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    "ran_at" TIMESTAMPTZ(3),
    "caught_up_at" TIMESTAMPTZ(3),
    "failed_at" TIMESTAMPTZ(3),

    CONSTRAINT "purge_runs_pkey" PRIMARY KEY ("rule")
);

-- CreateIndex
CREATE INDEX "sessions_expires_at_idx" ON "sessions"("expires_at");

-- DropIndex
DROP INDEX "one_time_tokens_expires_at_idx";

-- A token is over when it was used or has expired, whichever came first.
CREATE INDEX "one_time_tokens_over_idx" ON "one_time_tokens" (least("used_at", "expires_at"));

-- What ended, and when: the purge rules read by these, and what has not ended costs nothing.
CREATE INDEX "commands_finished_idx" ON "commands"("finished_at") WHERE "finished_at" IS NOT NULL;
CREATE INDEX "users_deleted_idx" ON "users"("deleted_at", "id") WHERE "deleted_at" IS NOT NULL;
CREATE INDEX "device_credentials_revoked_idx" ON "device_credentials"("revoked_at") WHERE "revoked_at" IS NOT NULL;
