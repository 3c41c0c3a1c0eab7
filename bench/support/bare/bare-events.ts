import type { FastifyInstance } from 'fastify';
import type pg from 'pg';

interface Event {
  readonly seq: number;
  readonly boot: string;
  readonly type: string;
  readonly data: object;
}

const INSERT = `INSERT INTO baseline_events (device_id, boot, seq, type, data)
  SELECT $1, boot, seq, type, data FROM jsonb_to_recordset($2) AS e(boot text, seq bigint, type text, data jsonb)
  ON CONFLICT DO NOTHING`;

/** What a device reports, each event once: one INSERT. */
export async function addEvents(app: FastifyInstance, pool: pg.Pool): Promise<void> {
  await pool.query(`CREATE TABLE IF NOT EXISTS baseline_events (id bigserial PRIMARY KEY, device_id uuid NOT NULL,
    boot text NOT NULL, seq bigint NOT NULL, type text NOT NULL, data jsonb NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(), UNIQUE (device_id, boot, seq))`);
  app.post<{ Params: { deviceId: string }; Body: { events: Event[] } }>(
    '/api/v1/devices/:deviceId/events',
    async ({ params: { deviceId }, body: { events } }) => {
      await pool.query({ name: 'event', text: INSERT, values: [deviceId, JSON.stringify(events)] });
      return { receipts: events.map(({ boot, seq }) => ({ boot, seq })) };
    },
  );
}
