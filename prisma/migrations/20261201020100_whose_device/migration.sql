-- Hardware ids are unique for each owner, and compared without their separators; the inventory of makers; codes that
-- activate a device; transfers. Better to fail and be tried again than to hold up everything behind a long reader.
SET LOCAL lock_timeout = '10s';

-- A maker loads devices into the inventory.
ALTER TYPE "platform_role" ADD VALUE IF NOT EXISTS 'MAKER';

CREATE TYPE "token_origin" AS ENUM ('registration', 'rotation', 'factory', 'activation');

ALTER TABLE "device_credentials" ADD COLUMN "expires_at" TIMESTAMPTZ(3),
ADD COLUMN "origin" "token_origin" NOT NULL DEFAULT 'registration';

-- The purge of tokens reads by it.
CREATE INDEX "device_credentials_expires_idx" ON "device_credentials"("expires_at") WHERE "expires_at" IS NOT NULL;

-- One spelling of a MAC or serial number, as `hardwareKey` in hardware-key.ts; a test compares the two.
CREATE FUNCTION "hardware_key"("id" text) RETURNS text LANGUAGE sql IMMUTABLE STRICT
  AS $$ SELECT regexp_replace(upper("id"), '[-:._[:space:]]', '', 'g') $$;

CREATE FUNCTION "set_hardware_key"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."hardware_key" := "hardware_key"(NEW."hardware_id");
  RETURN NEW;
END $$;

ALTER TABLE "devices" ADD COLUMN "hardware_key" TEXT NOT NULL DEFAULT '',
ADD COLUMN "owned_since" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
ADD COLUMN "provisioned" BOOLEAN NOT NULL DEFAULT false;

-- An owner may have registered one device in two spellings: the first gets the key, the others one that ends with their own
-- id. The times of changes stay as they are.
ALTER TABLE "devices" DISABLE TRIGGER USER;
UPDATE "devices" d SET "owned_since" = d."created_at",
  "hardware_key" = k."key" || CASE WHEN k."place" = 1 THEN '' ELSE '#' || d."id" END
FROM (
  SELECT "id", "hardware_key"("hardware_id") AS "key",
    row_number() OVER (PARTITION BY "owner_id", "hardware_key"("hardware_id") ORDER BY "created_at", "id") AS "place"
  FROM "devices"
) k WHERE k."id" = d."id";
ALTER TABLE "devices" ENABLE TRIGGER USER;

CREATE TRIGGER "devices_hardware_key" BEFORE INSERT OR UPDATE OF "hardware_id" ON "devices"
  FOR EACH ROW EXECUTE FUNCTION "set_hardware_key"();

-- A registration stands in the way of no other person, and of no claim.
DROP INDEX "devices_hardware_id_key";
CREATE UNIQUE INDEX "devices_registered_hardware_key" ON "devices"("owner_id", "hardware_key") WHERE NOT "provisioned";

CREATE TABLE "provisioned_devices" (
    "id" UUID NOT NULL,
    "hardware_id" TEXT NOT NULL,
    "hardware_key" TEXT NOT NULL DEFAULT '',
    "type" "device_type" NOT NULL DEFAULT 'door_lock',
    "name" TEXT,
    "model" TEXT,
    "firmware_version" TEXT,
    "room" TEXT,
    "time_zone" TEXT,
    "claim_code_hash" BYTEA,
    "token_hash" BYTEA,
    "provisioned_by" UUID,
    "order_counter" BIGINT NOT NULL DEFAULT 0,
    "owner_email" TEXT,
    "claimed_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),

    CONSTRAINT "provisioned_devices_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "provisioned_devices_hardware_key_key" ON "provisioned_devices"("hardware_key");
CREATE UNIQUE INDEX "provisioned_devices_claim_code_hash_key" ON "provisioned_devices"("claim_code_hash");
CREATE UNIQUE INDEX "provisioned_devices_token_hash_key" ON "provisioned_devices"("token_hash");
CREATE INDEX "provisioned_devices_provisioned_by_created_at_id_idx" ON "provisioned_devices"("provisioned_by", "created_at", "id");
CREATE INDEX "provisioned_devices_created_at_id_idx" ON "provisioned_devices"("created_at", "id");
ALTER TABLE "provisioned_devices" ADD CONSTRAINT "provisioned_devices_provisioned_by_fkey" FOREIGN KEY ("provisioned_by") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE CASCADE;
CREATE TRIGGER "provisioned_devices_hardware_key" BEFORE INSERT OR UPDATE OF "hardware_id" ON "provisioned_devices"
  FOR EACH ROW EXECUTE FUNCTION "set_hardware_key"();

CREATE TABLE "device_activations" (
    "device_id" UUID NOT NULL,
    "code_hash" BYTEA NOT NULL,
    "sealed" BYTEA NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),

    CONSTRAINT "device_activations_pkey" PRIMARY KEY ("device_id")
);
CREATE INDEX "device_activations_expires_at_idx" ON "device_activations"("expires_at");
ALTER TABLE "device_activations" ADD CONSTRAINT "device_activations_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE CASCADE ON UPDATE CASCADE;

CREATE TABLE "device_transfers" (
    "id" UUID NOT NULL,
    "device_id" UUID NOT NULL,
    "from_id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),

    CONSTRAINT "device_transfers_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "device_transfers_device_id_key" ON "device_transfers"("device_id");
CREATE UNIQUE INDEX "device_transfers_token_hash_key" ON "device_transfers"("token_hash");
CREATE INDEX "device_transfers_email_created_at_id_idx" ON "device_transfers"("email", "created_at", "id");
CREATE INDEX "device_transfers_from_id_idx" ON "device_transfers"("from_id");
CREATE INDEX "device_transfers_expires_at_idx" ON "device_transfers"("expires_at");
ALTER TABLE "device_transfers" ADD CONSTRAINT "device_transfers_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "device_transfers" ADD CONSTRAINT "device_transfers_from_id_fkey" FOREIGN KEY ("from_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
