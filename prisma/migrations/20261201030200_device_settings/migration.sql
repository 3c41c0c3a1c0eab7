-- CreateTable
CREATE TABLE "device_settings" (
    "id" UUID NOT NULL,
    "device_id" UUID,
    "desired" JSONB NOT NULL DEFAULT '{}',
    "version" INTEGER NOT NULL DEFAULT 0,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    "published_version" INTEGER NOT NULL DEFAULT 0,
    "reported" JSONB,
    "reported_version" INTEGER,
    "reported_at" TIMESTAMPTZ(3),

    CONSTRAINT "device_settings_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "device_settings_device_id_key" ON "device_settings"("device_id");

-- What is left to publish, and to take back: the sweeper reads nothing else.
CREATE INDEX "device_settings_unpublished_idx" ON "device_settings"("id")
  WHERE "version" > "published_version" OR "device_id" IS NULL;

-- AddForeignKey
ALTER TABLE "device_settings" ADD CONSTRAINT "device_settings_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE SET NULL ON UPDATE CASCADE;
