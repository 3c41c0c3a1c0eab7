-- A hardware id is kept in capitals, so that one device is not registered twice. Where devices differ in the case of
-- their ids alone, one gets the capitals, and the others stay as they are.
SET LOCAL lock_timeout = '10s';

UPDATE "devices" AS d SET "hardware_id" = upper(d."hardware_id")
FROM (
  SELECT DISTINCT ON (upper("hardware_id")) "id" FROM "devices"
  ORDER BY upper("hardware_id"), ("hardware_id" = upper("hardware_id")) DESC, "created_at", "id"
) AS chosen
WHERE d."id" = chosen."id" AND d."hardware_id" <> upper(d."hardware_id");
