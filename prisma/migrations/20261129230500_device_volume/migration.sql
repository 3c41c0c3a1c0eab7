-- CreateTable
CREATE TABLE "device_diagnostics" (
    "device_id" UUID NOT NULL,
    "code" TEXT NOT NULL,
    "count" BIGINT NOT NULL,
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    "detail" TEXT,
    "cut_until" TIMESTAMPTZ(3),

    CONSTRAINT "device_diagnostics_pkey" PRIMARY KEY ("device_id","code")
);

-- CreateTable
CREATE TABLE "event_quotas" (
    "subject_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "events" INTEGER NOT NULL,

    CONSTRAINT "event_quotas_pkey" PRIMARY KEY ("subject_id","day")
);

-- CreateIndex
CREATE INDEX "device_diagnostics_last_seen_at_idx" ON "device_diagnostics"("last_seen_at");

-- CreateIndex
CREATE INDEX "event_quotas_day_idx" ON "event_quotas"("day");

-- AddForeignKey
ALTER TABLE "device_diagnostics" ADD CONSTRAINT "device_diagnostics_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE CASCADE ON UPDATE CASCADE;
