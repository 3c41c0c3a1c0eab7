-- Tables are created, and devices and users are locked for their foreign keys: better to fail and be tried again than to hold
-- up everything behind a long reader.
SET LOCAL lock_timeout = '10s';

-- CreateEnum
CREATE TYPE "device_permission" AS ENUM ('view', 'control', 'admin');

-- CreateTable
CREATE TABLE "device_shares" (
    "id" UUID NOT NULL,
    "device_id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "user_id" UUID,
    "permission" "device_permission" NOT NULL,
    "valid_from" TIMESTAMPTZ(3),
    "valid_until" TIMESTAMPTZ(3),
    "schedule" JSONB,
    "suspended_at" TIMESTAMPTZ(3),
    "given_under" UUID,
    "by_role" BOOLEAN NOT NULL DEFAULT false,
    "granted_by" UUID,
    "token_hash" BYTEA,
    "token_expires_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),

    CONSTRAINT "device_shares_pkey" PRIMARY KEY ("id"),
    -- A share that another one gave is never admin, so that no third one hangs on it.
    CONSTRAINT "device_shares_one_level" CHECK ("given_under" IS NULL OR "permission" <> 'admin'),
    CONSTRAINT "device_shares_schedule" CHECK (jsonb_typeof("schedule") = 'object')
);

-- CreateIndex
CREATE UNIQUE INDEX "device_shares_token_hash_key" ON "device_shares"("token_hash");

-- CreateIndex
CREATE INDEX "device_shares_email_idx" ON "device_shares"("email");

-- CreateIndex
CREATE INDEX "device_shares_given_under_idx" ON "device_shares"("given_under");

-- CreateIndex
CREATE INDEX "device_shares_granted_by_idx" ON "device_shares"("granted_by");

-- CreateIndex
CREATE INDEX "device_shares_valid_until_idx" ON "device_shares"("valid_until");

-- CreateIndex
CREATE INDEX "device_shares_token_expires_at_idx" ON "device_shares"("token_expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "device_shares_device_id_email_key" ON "device_shares"("device_id", "email");

-- CreateIndex
CREATE UNIQUE INDEX "device_shares_user_id_device_id_key" ON "device_shares"("user_id", "device_id");

-- AddForeignKey
ALTER TABLE "device_shares" ADD CONSTRAINT "device_shares_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "device_shares" ADD CONSTRAINT "device_shares_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "device_shares" ADD CONSTRAINT "device_shares_granted_by_fkey" FOREIGN KEY ("granted_by") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "device_shares" ADD CONSTRAINT "device_shares_given_under_fkey" FOREIGN KEY ("given_under") REFERENCES "device_shares"("id") ON DELETE CASCADE ON UPDATE CASCADE;
