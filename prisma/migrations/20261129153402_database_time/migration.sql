-- The database says what time it is, also to rows written by Prisma Client: a default of the schema's own `now()` is
-- filled in by the process. Only the catalog changes, but each table is locked for it: better to fail and be tried again
-- than to hold up everything behind a long reader.
SET LOCAL lock_timeout = '10s';

-- AlterTable
ALTER TABLE "audit_entries" ALTER COLUMN "at" SET DEFAULT now();

-- AlterTable
ALTER TABLE "sessions" ALTER COLUMN "created_at" SET DEFAULT now(),
ALTER COLUMN "last_seen_at" SET DEFAULT now();

-- AlterTable
ALTER TABLE "one_time_tokens" ALTER COLUMN "created_at" SET DEFAULT now();

-- AlterTable
ALTER TABLE "login_throttles" ALTER COLUMN "last_failure" SET DEFAULT now();

-- AlterTable
ALTER TABLE "blocked_addresses" ALTER COLUMN "blocked_at" SET DEFAULT now();

-- AlterTable
ALTER TABLE "commands" ALTER COLUMN "created_at" SET DEFAULT now();

-- AlterTable
ALTER TABLE "devices" ALTER COLUMN "created_at" SET DEFAULT now(),
ALTER COLUMN "updated_at" SET DEFAULT now();

-- AlterTable
ALTER TABLE "device_credentials" ALTER COLUMN "created_at" SET DEFAULT now();

-- AlterTable
ALTER TABLE "device_links" ALTER COLUMN "connected_at" SET DEFAULT now(),
ALTER COLUMN "last_seen_at" SET DEFAULT now();

-- AlterTable
ALTER TABLE "events" ALTER COLUMN "received_at" SET DEFAULT now(),
ALTER COLUMN "occurred_at" SET DEFAULT now();

-- AlterTable
ALTER TABLE "event_readers" ALTER COLUMN "updated_at" SET DEFAULT now();

-- AlterTable
ALTER TABLE "device_receipts" ALTER COLUMN "updated_at" SET DEFAULT now();

-- AlterTable
ALTER TABLE "idempotency_records" ALTER COLUMN "created_at" SET DEFAULT now();

-- AlterTable
ALTER TABLE "signing_keys" ALTER COLUMN "created_at" SET DEFAULT now(),
ALTER COLUMN "changed_at" SET DEFAULT now();

-- AlterTable
ALTER TABLE "mails" ALTER COLUMN "next_attempt_at" SET DEFAULT now(),
ALTER COLUMN "created_at" SET DEFAULT now();

-- AlterTable
ALTER TABLE "organizations" ALTER COLUMN "created_at" SET DEFAULT now(),
ALTER COLUMN "updated_at" SET DEFAULT now();

-- AlterTable
ALTER TABLE "memberships" ALTER COLUMN "created_at" SET DEFAULT now();

-- AlterTable
ALTER TABLE "invitations" ALTER COLUMN "created_at" SET DEFAULT now();

-- AlterTable
ALTER TABLE "users" ALTER COLUMN "password_changed_at" SET DEFAULT now(),
ALTER COLUMN "created_at" SET DEFAULT now(),
ALTER COLUMN "updated_at" SET DEFAULT now();

-- AlterTable
ALTER TABLE "user_preferences" ALTER COLUMN "updated_at" SET DEFAULT now();

-- By hand: a change through Prisma Client cannot say `updated_at = now()`. A row whose version grows was changed, and what
-- does not grow it (a login counted, a heartbeat) leaves the time alone. A statement that sets it pays nothing.
CREATE FUNCTION "set_updated_at"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."updated_at" := now();
  RETURN NEW;
END $$;

CREATE TRIGGER "users_updated_at" BEFORE UPDATE ON "users" FOR EACH ROW
  WHEN (NEW."version" <> OLD."version" AND NEW."updated_at" = OLD."updated_at") EXECUTE FUNCTION "set_updated_at"();
CREATE TRIGGER "organizations_updated_at" BEFORE UPDATE ON "organizations" FOR EACH ROW
  WHEN (NEW."version" <> OLD."version" AND NEW."updated_at" = OLD."updated_at") EXECUTE FUNCTION "set_updated_at"();
CREATE TRIGGER "devices_updated_at" BEFORE UPDATE ON "devices" FOR EACH ROW
  WHEN (NEW."version" <> OLD."version" AND NEW."updated_at" = OLD."updated_at") EXECUTE FUNCTION "set_updated_at"();
-- Preferences have no version.
CREATE TRIGGER "user_preferences_updated_at" BEFORE UPDATE ON "user_preferences" FOR EACH ROW
  WHEN (NEW."updated_at" = OLD."updated_at") EXECUTE FUNCTION "set_updated_at"();
