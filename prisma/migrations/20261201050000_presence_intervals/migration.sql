-- Devices that talk to us by single HTTP requests.
ALTER TYPE link_kind ADD VALUE 'http';

-- How often a device sends heartbeats, as its last birth declared; null: every 30 s.
ALTER TABLE devices ADD COLUMN heartbeat_interval_ms integer;

-- A link is looked at when `check_at` has passed, and its next look is put off to when it can be silent at the earliest. So
-- heartbeats change no indexed column (HOT). The default makes every link that this release did not open be looked at once.
ALTER TABLE device_links
  ADD COLUMN heartbeat_interval_ms integer NOT NULL DEFAULT 30000,
  ADD COLUMN check_at timestamptz(3) NOT NULL DEFAULT now(),
  SET (fillfactor = 70);
DROP INDEX device_links_last_seen_at_idx;
CREATE INDEX device_links_check_at_idx ON device_links (check_at);

-- Which devices may become inactive: heartbeats change no column of it.
CREATE INDEX devices_offline_idx ON devices (id) WHERE status = 'offline';
