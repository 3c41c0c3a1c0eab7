-- Counts by quarter of an hour, exact for time zones at :30 and :45, and by kind (ADR 0039). Events that are still in the log are
-- counted again; hours whose events are gone stay hours. Better to fail and be tried again than to hold up everything behind a
-- long reader.
SET LOCAL lock_timeout = '10s';

-- CreateTable
CREATE TABLE "event_counts" (
    "at" TIMESTAMPTZ(0) NOT NULL,
    "device_id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "kind" TEXT NOT NULL DEFAULT '',
    "minutes" SMALLINT NOT NULL DEFAULT 15,
    "count" BIGINT NOT NULL,

    CONSTRAINT "event_counts_pkey" PRIMARY KEY ("device_id","at","type","kind","minutes")
);

-- CreateTable
CREATE TABLE "device_offline_periods" (
    "device_id" UUID NOT NULL,
    "began_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "device_offline_periods_pkey" PRIMARY KEY ("device_id","began_at")
);

-- By hand: the reader of the release before finds its row taken, and waits until this is committed. Its position divides the log:
-- what stands before it is counted here, and the new reader goes on behind it.
SELECT FROM "event_readers" WHERE "name" = 'event_rollup' FOR NO KEY UPDATE;
INSERT INTO "event_readers" ("name", "xid", "event_id")
SELECT 'event_counts', "xid", "event_id" FROM "event_readers" WHERE "name" = 'event_rollup';

-- What happened before the present owner and came later is shown to no one, and does not count (`late`). An hour keeps what is left
-- of its count when the events that are still there are taken away.
WITH "counted" AS MATERIALIZED (
  SELECT date_bin('15 minutes', e."received_at", '2000-01-01Z') AS "at", e."device_id", e."type",
    CASE WHEN e."type" = 'door_status_changed'
           THEN coalesce(e."payload"->>'lockState', '') || '/' || coalesce(e."payload"->>'doorState', '')
         WHEN e."type" LIKE 'command\_%' THEN coalesce(e."payload"->>'name', '')
         ELSE '' END AS "kind",
    coalesce((d."provisioned" OR d."owned_since" > d."created_at")
      AND e."occurred_at" < d."owned_since" AND e."received_at" >= d."owned_since", false) AS "late",
    count(*) AS "count"
  FROM "event_readers" r JOIN "events" e ON (e."xid", e."id") <= (r."xid", r."event_id") LEFT JOIN "devices" d ON d."id" = e."device_id"
  WHERE r."name" = 'event_counts' AND e."device_id" IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5
), "quarters" AS (
  INSERT INTO "event_counts" ("at", "device_id", "type", "kind", "minutes", "count")
  SELECT "at", "device_id", "type", "kind", 15, "count" FROM "counted" WHERE NOT "late"
)
INSERT INTO "event_counts" ("at", "device_id", "type", "kind", "minutes", "count")
SELECT h."hour", h."device_id", h."type", '', 60, h."count" - coalesce(c."count", 0)
FROM "event_rollups" h LEFT JOIN (
  SELECT date_trunc('hour', "at", 'UTC') AS "hour", "device_id", "type", sum("count") AS "count" FROM "counted" GROUP BY 1, 2, 3
) c USING ("hour", "device_id", "type")
WHERE h."count" > coalesce(c."count", 0);

-- Processes of the release before write here until they are replaced, and no one reads it.
TRUNCATE "event_rollups";

-- When devices were offline, by the changes of their status up to the same position. What was so when the kept log begins, began
-- then at the latest. Of a device without a change the status is that before its first change behind the position, or the present one.
WITH "at" AS MATERIALIZED (
  SELECT "xid", "event_id" FROM "event_readers" WHERE "name" = 'event_counts'
), "changes" AS MATERIALIZED (
  SELECT e."device_id", e."xid", e."id", e."received_at", (e."xid", e."id") <= (a."xid", a."event_id") AS "counted",
    CASE WHEN e."type" = 'status_changed' THEN coalesce(e."payload"->>'status', '') ELSE 'unknown' END AS "status",
    CASE WHEN e."type" = 'status_changed' THEN e."payload"->>'previous' END AS "previous"
  FROM "events" e CROSS JOIN "at" a
  WHERE e."device_id" IS NOT NULL AND (e."type" IN ('status_changed', 'device_transferred', 'device_deleted')
    OR e."type" = 'device_updated' AND e."payload"->'changed' @> '["token", "organizationId"]')
), "firsts" AS (
  SELECT DISTINCT ON ("device_id") "device_id", "previous" FROM "changes" ORDER BY "device_id", "xid", "id"
), "steps" AS (
  SELECT "device_id", "xid", "id", "received_at" AS "time", "status" FROM "changes" WHERE "counted"
  UNION ALL
  SELECT d."id", '0'::xid8, 0, greatest(d."created_at",
      CASE WHEN f."device_id" IS NULL THEN coalesce(d."last_seen_at", d."created_at")
           ELSE coalesce((SELECT "received_at" FROM "events" ORDER BY "xid", "id" LIMIT 1), d."created_at") END),
    coalesce(f."previous", d."status"::text)
  FROM "devices" d CROSS JOIN "at" LEFT JOIN "firsts" f ON f."device_id" = d."id"
), "marked" AS (
  SELECT *, "status" IN ('offline', 'inactive') AS "off",
    lag("status" IN ('offline', 'inactive'), 1, false) OVER (PARTITION BY "device_id" ORDER BY "xid", "id") AS "was_off" FROM "steps"
), "turns" AS (
  SELECT "device_id", "time", "off", lead("time") OVER (PARTITION BY "device_id" ORDER BY "xid", "id") AS "next"
  FROM "marked" WHERE "off" <> "was_off"
)
INSERT INTO "device_offline_periods" ("device_id", "began_at", "ended_at")
SELECT DISTINCT ON ("device_id", "time") "device_id", "time", CASE WHEN "next" < "time" THEN "time" ELSE "next" END FROM "turns" WHERE "off"
ORDER BY "device_id", "time", "next" DESC NULLS FIRST;

-- CreateIndex
CREATE INDEX "event_counts_at_idx" ON "event_counts"("at");

-- CreateIndex
CREATE INDEX "device_offline_periods_ended_at_idx" ON "device_offline_periods"("ended_at");

ANALYZE "event_counts";
ANALYZE "device_offline_periods";

-- Who is shown the counts of a device: its owner, its organization, and those whom it is shared with. Many devices at once end all
-- answers with counts, and no other.
CREATE FUNCTION "cache_touch_counts"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  "tags" text[];
BEGIN
  SELECT array_agg(DISTINCT t."tag") INTO "tags"
  FROM (SELECT DISTINCT "device_id" FROM "changed") c JOIN "devices" d ON d."id" = c."device_id"
  CROSS JOIN LATERAL unnest(ARRAY['counts:owner:' || d."owner_id", 'counts:organization:' || d."organization_id",
    CASE WHEN EXISTS (SELECT FROM "device_shares" s WHERE s."device_id" = d."id") THEN 'counts:device:' || d."id" END]) AS t("tag")
  WHERE t."tag" IS NOT NULL;
  IF "tags" IS NOT NULL THEN
    PERFORM "cache_touch"(CASE WHEN cardinality("tags") > 500 THEN ARRAY['counts'] ELSE "tags" END);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER "event_counts_cache" AFTER INSERT ON "event_counts" REFERENCING NEW TABLE AS "changed"
  FOR EACH STATEMENT EXECUTE FUNCTION "cache_touch_counts"();
CREATE TRIGGER "event_counts_cache_update" AFTER UPDATE ON "event_counts" REFERENCING NEW TABLE AS "changed"
  FOR EACH STATEMENT EXECUTE FUNCTION "cache_touch_counts"();
CREATE TRIGGER "device_offline_periods_cache" AFTER INSERT ON "device_offline_periods" REFERENCING NEW TABLE AS "changed"
  FOR EACH STATEMENT EXECUTE FUNCTION "cache_touch_counts"();
CREATE TRIGGER "device_offline_periods_cache_update" AFTER UPDATE ON "device_offline_periods" REFERENCING NEW TABLE AS "changed"
  FOR EACH STATEMENT EXECUTE FUNCTION "cache_touch_counts"();
