-- CreateEnum
CREATE TYPE "command_state" AS ENUM ('QUEUED', 'SENT', 'RECEIVED', 'EXECUTING', 'EXECUTED', 'FAILED', 'TIMED_OUT', 'EXPIRED', 'CANCELLED');

-- CreateEnum
CREATE TYPE "command_lane" AS ENUM ('bolt', 'maintenance');

-- CreateEnum
CREATE TYPE "command_confirmation" AS ENUM ('ack', 'state_report', 'none');

-- CreateEnum
CREATE TYPE "device_type" AS ENUM ('door_lock', 'camera', 'motion_sensor', 'sensor', 'switch', 'other');

-- CreateEnum
CREATE TYPE "device_status" AS ENUM ('online', 'offline', 'unknown', 'maintenance', 'inactive');

-- CreateEnum
CREATE TYPE "link_kind" AS ENUM ('mqtt', 'websocket');

-- CreateEnum
CREATE TYPE "key_state" AS ENUM ('next', 'active', 'passive', 'retired');

-- CreateEnum
CREATE TYPE "platform_role" AS ENUM ('USER', 'ADMIN');

-- CreateTable
CREATE TABLE "event_rollups" (
    "hour" TIMESTAMPTZ(0) NOT NULL,
    "device_id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "count" BIGINT NOT NULL,

    CONSTRAINT "event_rollups_pkey" PRIMARY KEY ("device_id","type","hour")
);

-- CreateTable
CREATE TABLE "sessions" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "refresh_counter" INTEGER NOT NULL DEFAULT 1,
    "refresh_hash" BYTEA NOT NULL,
    "rotated_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(3),
    "revoked_reason" TEXT,
    "user_agent" TEXT,
    "address" TEXT,

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "commands" (
    "id" UUID NOT NULL,
    "device_id" UUID NOT NULL,
    "issuer_id" UUID,
    "name" TEXT NOT NULL,
    "lane" "command_lane" NOT NULL,
    "priority" INTEGER NOT NULL DEFAULT 1,
    "payload" JSONB NOT NULL,
    "state" "command_state" NOT NULL DEFAULT 'QUEUED',
    "counter" BIGINT,
    "boot" TEXT,
    "order" TEXT,
    "kid" TEXT,
    "signature" TEXT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "confirmed_by" "command_confirmation" NOT NULL DEFAULT 'none',
    "result" JSONB,
    "error_code" TEXT,
    "error_message" TEXT,
    "late_result" JSONB,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "timeout_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "sent_at" TIMESTAMPTZ(3),
    "received_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "correlation_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "commands_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "devices" (
    "id" UUID NOT NULL,
    "owner_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "type" "device_type" NOT NULL DEFAULT 'door_lock',
    "hardware_id" TEXT NOT NULL,
    "room" TEXT,
    "time_zone" TEXT NOT NULL DEFAULT 'UTC',
    "status" "device_status" NOT NULL DEFAULT 'unknown',
    "firmware_version" TEXT,
    "battery" INTEGER,
    "rssi" INTEGER,
    "lock_state" TEXT,
    "door_state" TEXT,
    "boot" TEXT,
    "boot_uptime_ms" BIGINT,
    "boot_reported_at" TIMESTAMPTZ(3),
    "last_seen_at" TIMESTAMPTZ(3),
    "order_counter" BIGINT NOT NULL DEFAULT 0,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "devices_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "device_credentials" (
    "id" UUID NOT NULL,
    "device_id" UUID NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "device_credentials_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "device_links" (
    "device_id" UUID NOT NULL,
    "kind" "link_kind" NOT NULL,
    "boot" TEXT NOT NULL,
    "connected_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "device_links_pkey" PRIMARY KEY ("device_id","kind")
);

-- CreateTable
CREATE TABLE "events" (
    "id" BIGSERIAL NOT NULL,
    "xid" xid8 NOT NULL DEFAULT pg_current_xact_id(),
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "type" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "device_id" UUID,
    "user_id" UUID,
    "actor" TEXT NOT NULL,
    "command_id" UUID,
    "correlation_id" TEXT,
    "version" INTEGER NOT NULL DEFAULT 1,
    "payload" JSONB NOT NULL,

    CONSTRAINT "events_pkey" PRIMARY KEY ("received_at","id")
) PARTITION BY RANGE ("received_at");

-- By hand: rows that no partition was made ahead for land here, and an alarm rings.
CREATE TABLE "events_default" PARTITION OF "events" DEFAULT;

-- CreateTable
CREATE TABLE "event_log" (
    "id" SMALLINT NOT NULL DEFAULT 1,
    "generation" UUID NOT NULL DEFAULT gen_random_uuid(),

    CONSTRAINT "event_log_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "event_readers" (
    "name" TEXT NOT NULL,
    "xid" xid8 NOT NULL DEFAULT '0'::xid8,
    "event_id" BIGINT NOT NULL DEFAULT 0,
    "holder" TEXT,
    "fence" BIGINT NOT NULL DEFAULT 0,
    "lease_until" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "event_readers_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "device_receipts" (
    "device_id" UUID NOT NULL,
    "boot" TEXT NOT NULL,
    "seq" BIGINT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "device_receipts_pkey" PRIMARY KEY ("device_id","boot")
);

-- CreateTable
CREATE TABLE "idempotency_records" (
    "user_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "route" TEXT NOT NULL,
    "request_hash" BYTEA NOT NULL,
    "resource_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotency_records_pkey" PRIMARY KEY ("user_id","route","key")
);

-- CreateTable
CREATE TABLE "signing_keys" (
    "kid" TEXT NOT NULL,
    "purpose" TEXT NOT NULL,
    "algorithm" TEXT NOT NULL,
    "public_jwk" JSONB NOT NULL,
    "sealed_private" BYTEA NOT NULL,
    "state" "key_state" NOT NULL DEFAULT 'active',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "signing_keys_pkey" PRIMARY KEY ("kid")
);

-- CreateTable
CREATE TABLE "users" (
    "id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "username" TEXT,
    "display_name" TEXT NOT NULL,
    "password_hash" TEXT NOT NULL,
    "role" "platform_role" NOT NULL DEFAULT 'USER',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "event_rollups_hour_idx" ON "event_rollups"("hour");

-- CreateIndex
CREATE INDEX "sessions_user_id_idx" ON "sessions"("user_id");

-- CreateIndex
CREATE INDEX "commands_device_id_created_at_id_idx" ON "commands"("device_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "commands_issuer_id_idx" ON "commands"("issuer_id");

-- CreateIndex
CREATE UNIQUE INDEX "devices_hardware_id_key" ON "devices"("hardware_id");

-- CreateIndex
CREATE INDEX "devices_owner_id_created_at_id_idx" ON "devices"("owner_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "device_credentials_token_hash_key" ON "device_credentials"("token_hash");

-- CreateIndex
CREATE INDEX "device_credentials_device_id_idx" ON "device_credentials"("device_id");

-- CreateIndex
CREATE INDEX "device_links_last_seen_at_idx" ON "device_links"("last_seen_at");

-- CreateIndex
CREATE INDEX "events_xid_id_idx" ON "events"("xid", "id");

-- CreateIndex
CREATE INDEX "events_device_id_xid_id_idx" ON "events"("device_id", "xid" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "events_user_id_xid_id_idx" ON "events"("user_id", "xid" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "events_received_at_idx" ON "events" USING BRIN ("received_at");

-- CreateIndex
CREATE INDEX "device_receipts_updated_at_idx" ON "device_receipts"("updated_at");

-- CreateIndex
CREATE INDEX "idempotency_records_created_at_idx" ON "idempotency_records"("created_at");

-- CreateIndex
CREATE INDEX "signing_keys_purpose_state_idx" ON "signing_keys"("purpose", "state");

-- CreateIndex
CREATE UNIQUE INDEX "users_email_key" ON "users"("email");

-- CreateIndex
CREATE UNIQUE INDEX "users_username_key" ON "users"("username");

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "commands" ADD CONSTRAINT "commands_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "commands" ADD CONSTRAINT "commands_issuer_id_fkey" FOREIGN KEY ("issuer_id") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "devices" ADD CONSTRAINT "devices_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "device_credentials" ADD CONSTRAINT "device_credentials_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "device_links" ADD CONSTRAINT "device_links_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "device_receipts" ADD CONSTRAINT "device_receipts_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- By hand: what the schema language cannot say.

-- One order in flight per device and lane: a deaf snapshot never blocks a bolt, and two bolts never race.
CREATE UNIQUE INDEX "commands_one_in_flight_key" ON "commands"("device_id", "lane")
  WHERE "state" IN ('SENT', 'RECEIVED', 'EXECUTING');
CREATE INDEX "commands_queue_idx" ON "commands"("device_id", "lane", "priority", "created_at", "id") WHERE "state" = 'QUEUED';
CREATE INDEX "commands_expiry_idx" ON "commands"("expires_at") WHERE "state" = 'QUEUED';
CREATE INDEX "commands_timeout_idx" ON "commands"("timeout_at") WHERE "state" IN ('SENT', 'RECEIVED', 'EXECUTING');

-- Weekly partitions (ISO weeks, UTC), made ahead; called at boot and by the maintenance job.
CREATE FUNCTION "ensure_event_partitions"("weeks_ahead" integer) RETURNS integer LANGUAGE plpgsql
-- A new partition locks the table: better to try again later than to hold up writers behind a long reader.
SET lock_timeout = '1s' AS $$
DECLARE
  first_week timestamptz := date_trunc('week', now(), 'UTC');
  from_time timestamptz;
  made integer := 0;
BEGIN
  -- Two workers that boot at once would both find it missing.
  PERFORM pg_advisory_xact_lock(hashtextextended('ensure_event_partitions', 0));
  FOR week IN 0..weeks_ahead LOOP
    from_time := first_week + make_interval(weeks => week);
    IF to_regclass('events_' || to_char(from_time AT TIME ZONE 'UTC', 'IYYY"w"IW')) IS NULL THEN
      EXECUTE format('CREATE TABLE %I PARTITION OF "events" FOR VALUES FROM (%L) TO (%L)',
        'events_' || to_char(from_time AT TIME ZONE 'UTC', 'IYYY"w"IW'), from_time, from_time + interval '1 week');
      made := made + 1;
    END IF;
  END LOOP;
  RETURN made;
END $$;
SELECT "ensure_event_partitions"(4);

-- A log has exactly one generation.
ALTER TABLE "event_log" ADD CONSTRAINT "event_log_single_row" CHECK ("id" = 1);
INSERT INTO "event_log" DEFAULT VALUES;

-- The relay of the live feed is a reader that always exists: API nodes begin where it is.
INSERT INTO "event_readers" ("name") VALUES ('live_feed');
