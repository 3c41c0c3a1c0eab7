-- E-mail addresses that are kept lose the quotes and escapes that mean nothing before their `@` (RFC 5321), and the last
-- sigma of a word becomes the one of all others, as in the addresses that come in from here on. Better to fail and be tried
-- again than to hold up everything behind a long transaction.
SET LOCAL lock_timeout = '10s';

CREATE FUNCTION pg_temp.plain(email text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  local_part text := regexp_replace(email, '@[^@]*$', '');
  domain CONSTANT text := substr(email, length(local_part) + 1);
  bare text;
BEGIN
  IF local_part ~ '^"([^"\\]|\\.)*"$' THEN
    bare := normalize(regexp_replace(substr(local_part, 2, length(local_part) - 2), '\\(.)', '\1', 'g'));
    IF bare ~ '^[^\s"(),.:;<>@[\\\]]+(\.[^\s"(),.:;<>@[\\\]]+)*$' THEN
      local_part := bare;
    END IF;
  END IF;
  RETURN replace(local_part, U&'\03c2', U&'\03c3') || domain;
END $$;

-- Of several accounts of one mailbox, the oldest gets its plain address, unless there is one that has it: docs/operations.md
-- tells how to find the others. It is the same mailbox, so how long it was held, and who set it, stays.
ALTER TABLE "users" DISABLE TRIGGER "users_email_since";
UPDATE "users" AS u SET "email" = p."email", "version" = u."version" + 1
FROM (
  SELECT DISTINCT ON (pg_temp.plain("email")) "id", pg_temp.plain("email") AS "email" FROM "users"
  WHERE "email" ~ U&'^"|\03c2.*@' ORDER BY pg_temp.plain("email"), "created_at", "id"
) p
WHERE p."id" = u."id" AND p."email" <> u."email" AND NOT EXISTS (SELECT 1 FROM "users" o WHERE o."email" = p."email");
ALTER TABLE "users" ENABLE TRIGGER "users_email_since";

UPDATE "invitations" AS i SET "email" = p."email"
FROM (
  SELECT DISTINCT ON ("organization_id", pg_temp.plain("email")) "id", pg_temp.plain("email") AS "email" FROM "invitations"
  WHERE "email" ~ U&'^"|\03c2.*@' ORDER BY "organization_id", pg_temp.plain("email"), "created_at", "id"
) p
WHERE p."id" = i."id" AND p."email" <> i."email"
  AND NOT EXISTS (
    SELECT 1 FROM "invitations" o WHERE o."organization_id" = i."organization_id" AND o."email" = p."email");

-- Registrations that are not confirmed yet would make accounts in the old spelling: they are asked for again.
DELETE FROM "one_time_tokens"
WHERE "purpose" = 'registration' AND "payload" -> 'account' ->> 'email' ~ U&'^"|\03c2.*@';

DROP FUNCTION pg_temp.plain(text);
