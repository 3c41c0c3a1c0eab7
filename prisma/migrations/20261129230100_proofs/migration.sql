-- Better to fail and be tried again than to hold up everything behind a long reader.
SET LOCAL lock_timeout = '10s';

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "email_by_admin" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "email_since" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
ADD COLUMN     "unlock_after" TIMESTAMPTZ(3);

-- Nothing tells when an address changed until now: it counts from the beginning of the account.
UPDATE "users" SET "email_since" = "created_at";

-- AlterTable
ALTER TABLE "sessions" ADD COLUMN     "device_hash" BYTEA,
ADD COLUMN     "repeated_at" TIMESTAMPTZ(3)[] DEFAULT ARRAY[]::TIMESTAMPTZ(3)[],
ADD COLUMN     "rotated_by" BYTEA;

-- A new address is held from now on, and is the person's own until the application says that an administrator set it.
CREATE FUNCTION "set_email_since"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."email_since" = now();
  NEW."email_by_admin" = false;
  RETURN NEW;
END $$;
CREATE TRIGGER "users_email_since" BEFORE UPDATE OF "email" ON "users" FOR EACH ROW
  WHEN (NEW."email" <> OLD."email") EXECUTE FUNCTION "set_email_since"();
