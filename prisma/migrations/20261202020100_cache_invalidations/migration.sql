-- What cached answers show is followed by the database itself (ADR 0036): triggers name the tags of every change, whichever
-- statement made it. Better to fail and be tried again than to hold up everything behind a long reader.
SET LOCAL lock_timeout = '10s';

-- CreateTable
CREATE TABLE "cache_invalidations" (
    "id" BIGSERIAL NOT NULL,
    "tags" TEXT[],
    "written_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "cache_invalidations_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "cache_invalidations_written_at_idx" ON "cache_invalidations"("written_at");

-- A transaction that was begun as DEFERRABLE is one of the application's, which listens: it hears the tags before it commits, and
-- without a further question. The word has no other meaning for a transaction that is not SERIALIZABLE and READ ONLY, and costs
-- nothing. INFO reaches the client whatever it set, and no log. What changes rows in another way leaves the tags in the table.
CREATE FUNCTION "cache_touch"("tags" text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('transaction_deferrable') = 'on' THEN
    RAISE INFO USING ERRCODE = 'CACHE', MESSAGE = array_to_string("tags", ' ');
  ELSE
    INSERT INTO "cache_invalidations" ("tags") VALUES (array_remove("tags", NULL));
  END IF;
END $$;

CREATE FUNCTION "cache_touch_device"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM "cache_touch"(ARRAY(SELECT DISTINCT t FROM unnest(ARRAY[
    'device:' || coalesce(NEW."id", OLD."id"),
    'owner:' || OLD."owner_id", 'owner:' || NEW."owner_id",
    'organization:' || OLD."organization_id", 'organization:' || NEW."organization_id"]) t WHERE t IS NOT NULL));
  RETURN NULL;
END $$;

CREATE FUNCTION "cache_touch_device_link"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  "tags" text[];
BEGIN
  SELECT ARRAY['device:' || d."id", 'owner:' || d."owner_id", 'organization:' || d."organization_id"] INTO "tags"
  FROM "devices" d WHERE d."id" = coalesce(NEW."device_id", OLD."device_id");
  IF "tags" IS NOT NULL THEN
    PERFORM "cache_touch"("tags");
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION "cache_touch_share"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM "cache_touch"(ARRAY['device:' || coalesce(NEW."device_id", OLD."device_id"),
    'account:' || OLD."user_id", 'account:' || NEW."user_id"]);
  RETURN NULL;
END $$;

CREATE FUNCTION "cache_touch_membership"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM "cache_touch"(ARRAY['account:' || coalesce(NEW."user_id", OLD."user_id"),
    'organization:' || coalesce(NEW."organization_id", OLD."organization_id")]);
  RETURN NULL;
END $$;

CREATE FUNCTION "cache_touch_organization"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM "cache_touch"(ARRAY['organization:' || NEW."id"]);
  RETURN NULL;
END $$;

CREATE FUNCTION "cache_touch_account"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM "cache_touch"(ARRAY['account:' || coalesce(NEW."id", OLD."id"), 'accounts']);
  RETURN NULL;
END $$;

CREATE FUNCTION "cache_touch_login"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM "cache_touch"(ARRAY['account:' || NEW."id"]);
  RETURN NULL;
END $$;

CREATE FUNCTION "cache_touch_preferences"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM "cache_touch"(ARRAY['account:' || coalesce(NEW."user_id", OLD."user_id")]);
  RETURN NULL;
END $$;

-- Not among the columns: readings (last_seen_at, battery, rssi and their times), and what no answer shows. The list of a trigger and its
-- condition name the same columns; a test compares them with what the answers show.
CREATE TRIGGER "devices_cache" AFTER INSERT OR DELETE ON "devices" FOR EACH ROW EXECUTE FUNCTION "cache_touch_device"();
CREATE TRIGGER "devices_cache_update" AFTER UPDATE OF "owner_id", "organization_id", "name", "type", "hardware_id", "room",
    "location", "latitude", "longitude", "metadata", "time_zone", "status", "firmware_version", "lock_state", "door_state",
    "lock_state_at", "door_state_at", "lock_calibrated", "lock_jammed_at", "boot_heard_at", "owned_since", "provisioned",
    "version", "created_at", "updated_at" ON "devices" FOR EACH ROW
  WHEN ((OLD."owner_id", OLD."organization_id", OLD."name", OLD."type", OLD."hardware_id", OLD."room", OLD."location",
    OLD."latitude", OLD."longitude", OLD."metadata", OLD."time_zone", OLD."status", OLD."firmware_version", OLD."lock_state",
    OLD."door_state", OLD."lock_state_at", OLD."door_state_at", OLD."lock_calibrated", OLD."lock_jammed_at",
    OLD."boot_heard_at", OLD."owned_since", OLD."provisioned", OLD."version", OLD."created_at", OLD."updated_at")
    IS DISTINCT FROM (NEW."owner_id", NEW."organization_id", NEW."name", NEW."type", NEW."hardware_id", NEW."room",
    NEW."location", NEW."latitude", NEW."longitude", NEW."metadata", NEW."time_zone", NEW."status", NEW."firmware_version",
    NEW."lock_state", NEW."door_state", NEW."lock_state_at", NEW."door_state_at", NEW."lock_calibrated",
    NEW."lock_jammed_at", NEW."boot_heard_at", NEW."owned_since", NEW."provisioned", NEW."version", NEW."created_at",
    NEW."updated_at"))
  EXECUTE FUNCTION "cache_touch_device"();

CREATE TRIGGER "device_links_cache" AFTER INSERT OR DELETE ON "device_links" FOR EACH ROW
  EXECUTE FUNCTION "cache_touch_device_link"();
CREATE TRIGGER "device_shares_cache" AFTER INSERT OR UPDATE OR DELETE ON "device_shares" FOR EACH ROW
  EXECUTE FUNCTION "cache_touch_share"();
CREATE TRIGGER "memberships_cache" AFTER INSERT OR UPDATE OR DELETE ON "memberships" FOR EACH ROW
  EXECUTE FUNCTION "cache_touch_membership"();
-- One that is new has no member yet, and one that is deleted none any more: theirs are the triggers above.
CREATE TRIGGER "organizations_cache" AFTER UPDATE ON "organizations" FOR EACH ROW
  EXECUTE FUNCTION "cache_touch_organization"();

CREATE TRIGGER "users_cache" AFTER INSERT OR DELETE ON "users" FOR EACH ROW EXECUTE FUNCTION "cache_touch_account"();
CREATE TRIGGER "users_cache_update" AFTER UPDATE OF "email", "username", "display_name", "password_hash", "role", "blocked_at",
    "deleted_at", "version", "created_at", "updated_at" ON "users" FOR EACH ROW
  WHEN ((OLD."email", OLD."username", OLD."display_name", OLD."password_hash" IS NULL, OLD."role", OLD."blocked_at", OLD."deleted_at",
    OLD."version", OLD."created_at", OLD."updated_at") IS DISTINCT FROM (NEW."email", NEW."username", NEW."display_name",
    NEW."password_hash" IS NULL, NEW."role", NEW."blocked_at", NEW."deleted_at", NEW."version", NEW."created_at", NEW."updated_at"))
  EXECUTE FUNCTION "cache_touch_account"();
-- A login is not shown in lists of accounts at once: see docs/cache.md.
CREATE TRIGGER "users_cache_login" AFTER UPDATE OF "last_login_at" ON "users" FOR EACH ROW
  WHEN (OLD."last_login_at" IS DISTINCT FROM NEW."last_login_at") EXECUTE FUNCTION "cache_touch_login"();

CREATE TRIGGER "user_preferences_cache" AFTER INSERT OR UPDATE OR DELETE ON "user_preferences" FOR EACH ROW
  EXECUTE FUNCTION "cache_touch_preferences"();
