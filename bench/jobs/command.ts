import { randomUUID } from 'node:crypto';
import { compare, type Candidate } from '../support/comparison.js';
import { type OwnerWithDevices, createOwnerWithDevices } from '../support/owner-with-devices.js';
import { HttpClient } from '../support/http-client.js';
import { AutoAckDevice } from '../support/auto-ack-device.js';
import { closedLoop } from '../support/load.js';
import { type Server, startMortise, startProgram } from '../support/servers.js';
import { type Services } from '../support/services.js';
import { sql } from '../support/sql.js';

const ROUNDS = 5;
const LOCKS = 50;
const SCENARIOS = [
  { title: 'Command round trip, 1 in flight', inFlight: 1, operations: 500 },
  {
    title: `Command round trip, ${String(LOCKS)} in flight, ${String(LOCKS)} locks`,
    inFlight: LOCKS,
    operations: 5_000,
  },
];
const BODY = JSON.stringify({ name: 'unlock_door', payload: { durationMs: 5_000 } });

/** One server with its locks, counting both ends. */
class Installation {
  readonly answered = new Set<string>();
  readonly #client: HttpClient;

  private constructor(
    readonly name: string,
    readonly server: Server,
    private readonly owner: OwnerWithDevices,
    private readonly locks: readonly AutoAckDevice[],
  ) {
    this.#client = new HttpClient(server.url, LOCKS);
  }

  static async open(name: string, server: Server, owner: OwnerWithDevices): Promise<Installation> {
    const locks = await Promise.all(owner.devices.map((device) => AutoAckDevice.connect(server.mqttUrl, device)));
    return new Installation(name, server, owner, locks);
  }

  candidate(inFlight: number, operations: number): Candidate {
    const round: Candidate['round'] = async () => {
      const figures = await closedLoop(inFlight, operations, (worker) => this.unlock(worker));
      this.assertNoneLost();
      return figures;
    };
    return { name: this.name, pid: this.server.pid, round };
  }

  async close(): Promise<void> {
    this.#client.close();
    await Promise.all(this.locks.map((lock) => lock.disconnect()));
    await this.server.stop();
  }

  private async unlock(worker: number): Promise<void> {
    const { status, body } = await this.#client.send({
      method: 'POST',
      path: `/api/v1/devices/${this.owner.devices[worker]?.id ?? ''}/commands`,
      headers: {
        authorization: `Bearer ${this.owner.accessToken}`,
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
        prefer: 'wait=10',
      },
      body: BODY,
    });
    const { id, state } = JSON.parse(body) as { id: string; state: string };
    if (status !== 200 || state !== 'EXECUTED') {
      throw new Error(`${this.name} answered ${String(status)}: ${body}`);
    }
    this.answered.add(id);
  }

  /** Every answer belongs to an order that a lock got, and the other way round. */
  private assertNoneLost(): void {
    const executed = new Set(this.locks.flatMap((lock) => [...lock.executed]));
    if (executed.size !== this.answered.size || ![...this.answered].every((id) => executed.has(id))) {
      const counts = `${String(this.answered.size)} answers, ${String(executed.size)} orders at the locks`;
      throw new Error(`${this.name}: ${counts}, and they are not the same.`);
    }
  }
}

/** HTTP -> MQTT -> lock -> ack -> row -> answer, against the same without a framework, with and without a row. */
export async function command(services: Services): Promise<void> {
  const mortise = await startMortise(services);
  const owner = await createOwnerWithDevices(mortise.url, LOCKS);
  const ours = await Installation.open('Mortise', mortise, owner);
  const withRows = await startProgram(services, 'command-baseline', { ROWS: '1' });
  const bare = await startProgram(services, 'command-baseline');
  const baselines = [
    await Installation.open('bare, with a row', withRows, owner),
    await Installation.open('bare, no database', bare, owner),
  ];
  for (const { title, inFlight, operations } of SCENARIOS) {
    await compare({
      title,
      candidates: [ours, ...baselines].map((installation) => installation.candidate(inFlight, operations)),
      ratios: ['p50 ms', 'per second'],
      rounds: ROUNDS,
    });
  }
  await assertLedgerAgrees(services, ours.answered.size);
  await Promise.all([ours, ...baselines].map((installation) => installation.close()));
}

async function assertLedgerAgrees(services: Services, expected: number): Promise<void> {
  const rows = await sql<{ state: string; count: number }>(
    services,
    'SELECT state, count(*)::int AS count FROM commands GROUP BY state',
  );
  if (rows.length !== 1 || rows[0]?.state !== 'EXECUTED' || rows[0].count !== expected) {
    throw new Error(`There should be ${String(expected)} EXECUTED commands, and there are ${JSON.stringify(rows)}.`);
  }
}
