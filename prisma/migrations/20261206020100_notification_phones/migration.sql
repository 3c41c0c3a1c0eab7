-- CreateTable
CREATE TABLE "notification_phones" (
    "user_id" UUID NOT NULL,
    "sealed" BYTEA NOT NULL,
    "number_hash" BYTEA NOT NULL,
    "masked" TEXT NOT NULL,
    "verified_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    "stopped_at" TIMESTAMPTZ(3),
    "stop_reason" TEXT,

    CONSTRAINT "notification_phones_pkey" PRIMARY KEY ("user_id")
);

-- CreateTable
CREATE TABLE "notification_phone_codes" (
    "user_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "sealed" BYTEA NOT NULL,
    "number_hash" BYTEA NOT NULL,
    "masked" TEXT NOT NULL,
    "code_hash" BYTEA NOT NULL,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "sent_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "notification_phone_codes_pkey" PRIMARY KEY ("user_id")
);

-- CreateTable
CREATE TABLE "sms_counts" (
    "subject" TEXT NOT NULL,
    "begins_at" TIMESTAMPTZ(3) NOT NULL,
    "used" INTEGER NOT NULL,
    "told" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "sms_counts_pkey" PRIMARY KEY ("subject","begins_at")
);

-- CreateTable
CREATE TABLE "sms_reservations" (
    "id" UUID NOT NULL,
    "subjects" TEXT[],
    "month" TIMESTAMPTZ(3) NOT NULL,
    "segments" INTEGER NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),

    CONSTRAINT "sms_reservations_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "notification_phones_number_hash_idx" ON "notification_phones"("number_hash");

-- CreateIndex
CREATE INDEX "notification_phone_codes_expires_at_idx" ON "notification_phone_codes"("expires_at");

-- CreateIndex
CREATE INDEX "sms_counts_begins_at_idx" ON "sms_counts"("begins_at");

-- CreateIndex
CREATE INDEX "sms_reservations_created_at_idx" ON "sms_reservations"("created_at");

-- AddForeignKey
ALTER TABLE "notification_phones" ADD CONSTRAINT "notification_phones_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification_phone_codes" ADD CONSTRAINT "notification_phone_codes_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
