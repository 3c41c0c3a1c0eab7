-- What was kept as it was typed gets the spelling in which it is compared from here on: text for people is composed and
-- has no space around it, time zones are spelled as the IANA database does, and the domains of e-mail addresses have the
-- form of the DNS. Rows that are in order are not touched. Better to fail and be tried again than to hold up everything
-- behind a long transaction.
SET LOCAL lock_timeout = '10s';

-- Text for people
UPDATE "devices" SET "name" = btrim(normalize("name"), U&' \00a0\3000') WHERE "name" <> btrim(normalize("name"), U&' \00a0\3000');
UPDATE "devices" SET "room" = btrim(normalize("room"), U&' \00a0\3000') WHERE "room" <> btrim(normalize("room"), U&' \00a0\3000');
UPDATE "organizations" SET "name" = btrim(normalize("name"), U&' \00a0\3000') WHERE "name" <> btrim(normalize("name"), U&' \00a0\3000');

-- Time zones
UPDATE "devices" AS d SET "time_zone" = z.name FROM pg_timezone_names z
WHERE lower(z.name) = lower(d."time_zone") AND z.name <> d."time_zone";
UPDATE "user_preferences" AS p SET "time_zone" = z.name FROM pg_timezone_names z
WHERE lower(z.name) = lower(p."time_zone") AND z.name <> p."time_zone";

-- E-mail addresses: Punycode (RFC 3492) of one label of a domain
CREATE FUNCTION pg_temp.a_label(label text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  digits CONSTANT text := 'abcdefghijklmnopqrstuvwxyz0123456789';
  points int[] := ARRAY(SELECT ascii(s.c) FROM regexp_split_to_table(label, '') WITH ORDINALITY AS s(c, place) ORDER BY s.place);
  basic text := regexp_replace(label, '[^\x01-\x7f]', '', 'g');
  output text := basic || CASE WHEN basic = '' THEN '' ELSE '-' END;
  handled int := length(basic);
  n int := 128;
  delta bigint := 0;
  bias bigint := 72;
  smallest int;
  point int;
  q bigint;
  k bigint;
  t bigint;
BEGIN
  IF label !~ '[^\x01-\x7f]' THEN
    RETURN label;
  END IF;
  WHILE handled < cardinality(points) LOOP
    SELECT min(p) INTO smallest FROM unnest(points) p WHERE p >= n;
    delta := delta + (smallest - n)::bigint * (handled + 1);
    n := smallest;
    FOREACH point IN ARRAY points LOOP
      IF point < n THEN
        delta := delta + 1;
      ELSIF point = n THEN
        q := delta;
        k := 36;
        LOOP
          t := least(greatest(k - bias, 1), 26);
          EXIT WHEN q < t;
          output := output || substr(digits, (t + (q - t) % (36 - t))::int + 1, 1);
          q := (q - t) / (36 - t);
          k := k + 36;
        END LOOP;
        output := output || substr(digits, q::int + 1, 1);
        delta := delta / CASE WHEN handled = length(basic) THEN 700 ELSE 2 END;
        delta := delta + delta / (handled + 1);
        k := 0;
        WHILE delta > 455 LOOP
          delta := delta / 35;
          k := k + 36;
        END LOOP;
        bias := k + 36 * delta / (delta + 38);
        delta := 0;
        handled := handled + 1;
      END IF;
    END LOOP;
    delta := delta + 1;
    n := n + 1;
  END LOOP;
  RETURN 'xn--' || output;
END $$;

CREATE FUNCTION pg_temp.one_spelling(email text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT regexp_replace(email, '@[^@]*$', '@') || string_agg(pg_temp.a_label(s.label), '.' ORDER BY s.place)
  FROM regexp_split_to_table(regexp_replace(email, '^.*@', ''), '\.') WITH ORDINALITY AS s(label, place)
$$;

-- Where two accounts are one mailbox now, both stay as they are, and only an administrator can say which is to go:
-- docs/operations.md tells how to find them. It is the same mailbox, so how long it was held, and who set it, stays.
ALTER TABLE "users" DISABLE TRIGGER "users_email_since";
UPDATE "users" AS u SET "email" = pg_temp.one_spelling(u."email"), "version" = u."version" + 1
WHERE u."email" ~ '@[^@]*[^\x01-\x7f][^@]*$'
  AND NOT EXISTS (SELECT 1 FROM "users" o WHERE o."email" = pg_temp.one_spelling(u."email"));
ALTER TABLE "users" ENABLE TRIGGER "users_email_since";

UPDATE "invitations" AS i SET "email" = pg_temp.one_spelling(i."email")
WHERE i."email" ~ '@[^@]*[^\x01-\x7f][^@]*$'
  AND NOT EXISTS (
    SELECT 1 FROM "invitations" o
    WHERE o."organization_id" = i."organization_id" AND o."email" = pg_temp.one_spelling(i."email"));

-- Registrations that are not confirmed yet would make accounts in the old spelling: they are asked for again.
DELETE FROM "one_time_tokens"
WHERE "purpose" = 'registration' AND "payload" -> 'account' ->> 'email' ~ '@[^@]*[^\x01-\x7f][^@]*$';

DROP FUNCTION pg_temp.one_spelling(text);
DROP FUNCTION pg_temp.a_label(text);
