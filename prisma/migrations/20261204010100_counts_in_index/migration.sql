-- An analysis reads counts from the index alone: in the table those of one device lie where they came, between those of all others,
-- and a month of ten doors is as many pages as counts. While the index is built, nothing is counted, and analyses wait (ADR 0039). Better to fail and be
-- tried again than to hold up everything behind a long reader.
SET LOCAL lock_timeout = '10s';

-- By hand: Prisma has no INCLUDE.
ALTER TABLE "event_counts" DROP CONSTRAINT "event_counts_pkey",
  ADD CONSTRAINT "event_counts_pkey" PRIMARY KEY ("device_id", "at", "type", "kind", "minutes") INCLUDE ("count");

-- By hand: the table need not be looked at for pages that were vacuumed since they were written. By default that would wait until
-- a fifth of all counts is new.
ALTER TABLE "event_counts" SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.01);
