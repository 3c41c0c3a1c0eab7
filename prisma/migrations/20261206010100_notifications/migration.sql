-- CreateTable
CREATE TABLE "notifications" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "is_urgent" BOOLEAN NOT NULL,
    "event_type" TEXT NOT NULL,
    "event_user_id" UUID,
    "device_id" UUID,
    "subject_id" UUID,
    "values" JSONB NOT NULL,
    "dedup_key" TEXT,
    "occurrences" INTEGER NOT NULL DEFAULT 1,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,
    "last_at" TIMESTAMPTZ(3) NOT NULL,
    "is_in_app" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    "read_at" TIMESTAMPTZ(3),
    "archived_at" TIMESTAMPTZ(3),

    CONSTRAINT "notifications_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "notification_messages" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "channel" TEXT NOT NULL,
    "is_urgent" BOOLEAN NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'PENDING',
    "reason" TEXT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "next_attempt_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    "provider_id" TEXT,
    "last_error" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "notification_messages_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "notification_deliveries" (
    "notification_id" UUID NOT NULL,
    "channel" TEXT NOT NULL,
    "message_id" UUID NOT NULL,
    "suppressed" TEXT,

    CONSTRAINT "notification_deliveries_pkey" PRIMARY KEY ("notification_id","channel")
);

-- CreateTable
CREATE TABLE "notification_windows" (
    "user_id" UUID NOT NULL,
    "channel" TEXT NOT NULL,
    "is_urgent" BOOLEAN NOT NULL,
    "open_until" TIMESTAMPTZ(3) NOT NULL,
    "message_id" UUID,
    "items" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "notification_windows_pkey" PRIMARY KEY ("user_id","channel","is_urgent")
);

-- CreateTable
CREATE TABLE "notification_preferences" (
    "user_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "is_enabled" BOOLEAN NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),

    CONSTRAINT "notification_preferences_pkey" PRIMARY KEY ("user_id","kind","channel")
);

-- CreateTable
CREATE TABLE "push_subscriptions" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "session_id" UUID NOT NULL,
    "service" TEXT NOT NULL,
    "sealed" BYTEA NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "ending" TEXT NOT NULL,
    "user_agent" TEXT,
    "taken" UUID[] DEFAULT ARRAY[]::UUID[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "push_subscriptions_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "notifications_user_id_created_at_id_idx" ON "notifications"("user_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "notifications_created_at_idx" ON "notifications"("created_at");

-- CreateIndex
CREATE UNIQUE INDEX "notifications_user_id_dedup_key_key" ON "notifications"("user_id", "dedup_key");

-- CreateIndex
CREATE INDEX "notification_messages_user_id_idx" ON "notification_messages"("user_id");

-- CreateIndex
CREATE INDEX "notification_messages_finished_at_idx" ON "notification_messages"("finished_at");

-- CreateIndex
CREATE INDEX "notification_deliveries_message_id_idx" ON "notification_deliveries"("message_id");

-- CreateIndex
CREATE INDEX "notification_windows_message_id_idx" ON "notification_windows"("message_id");

-- CreateIndex
CREATE INDEX "sessions_revoked_at_idx" ON "sessions"("revoked_at");

-- CreateIndex
CREATE UNIQUE INDEX "push_subscriptions_token_hash_key" ON "push_subscriptions"("token_hash");

-- CreateIndex
CREATE UNIQUE INDEX "push_subscriptions_session_id_service_key" ON "push_subscriptions"("session_id", "service");

-- CreateIndex
CREATE INDEX "push_subscriptions_user_id_created_at_id_idx" ON "push_subscriptions"("user_id", "created_at", "id");

-- AddForeignKey
ALTER TABLE "notifications" ADD CONSTRAINT "notifications_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification_messages" ADD CONSTRAINT "notification_messages_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification_deliveries" ADD CONSTRAINT "notification_deliveries_notification_id_fkey" FOREIGN KEY ("notification_id") REFERENCES "notifications"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification_deliveries" ADD CONSTRAINT "notification_deliveries_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "notification_messages"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification_windows" ADD CONSTRAINT "notification_windows_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification_windows" ADD CONSTRAINT "notification_windows_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "notification_messages"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification_preferences" ADD CONSTRAINT "notification_preferences_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "push_subscriptions" ADD CONSTRAINT "push_subscriptions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "push_subscriptions" ADD CONSTRAINT "push_subscriptions_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "sessions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What is due over a channel, the urgent apart from the rest.
CREATE INDEX "notification_messages_due_idx" ON "notification_messages"("channel", "is_urgent", "next_attempt_at") WHERE "state" = 'PENDING';

-- What is under way, or was when its worker was lost: few of all that wait.
CREATE INDEX "notification_messages_begun_idx" ON "notification_messages"("channel", "is_urgent", "next_attempt_at") WHERE "state" = 'PENDING' AND "attempts" > "failures";

-- The unread ones, which are counted.
CREATE INDEX "notifications_unread_idx" ON "notifications"("user_id", "created_at", "id") WHERE "is_in_app" AND "read_at" IS NULL AND "archived_at" IS NULL;

-- The other lists, of which each may be short where the others are long.
CREATE INDEX "notifications_read_idx" ON "notifications"("user_id", "created_at", "id") WHERE "is_in_app" AND "read_at" IS NOT NULL AND "archived_at" IS NULL;
CREATE INDEX "notifications_archived_idx" ON "notifications"("user_id", "created_at", "id") WHERE "is_in_app" AND "archived_at" IS NOT NULL;

-- What happened before there were notifications is told to no one: their readers begin behind it.
INSERT INTO "event_readers" ("name", "xid", "event_id")
SELECT reader."name", last."xid", last."id" FROM (VALUES ('notifications'), ('notifications_urgent')) AS reader("name"), (
  (SELECT "xid", "id" FROM "events" ORDER BY "xid" DESC, "id" DESC LIMIT 1)
  UNION ALL SELECT "dropped_xid", "dropped_id" FROM "event_log"
  ORDER BY 1 DESC, 2 DESC LIMIT 1
) last("xid", "id");
