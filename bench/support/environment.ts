import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { ROOT } from '../../tools/stack/paths.js';
import { print } from '../../tools/stack/steps.js';
import { type Services } from './services.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';

const PACKAGES = ['@nestjs/core', 'fastify', 'socket.io', 'ws', 'pg', 'mqtt', 'aedes', 'argon2', 'jose', 'autocannon'];

/** What the figures that follow were measured on. */
export async function printEnvironment({ databaseUrl }: Services): Promise<void> {
  const [processor] = cpus();
  const memory = (totalmem() / 1e9).toFixed(1);
  const packages = PACKAGES.map((name) => `${name} ${versionOf(name)}`);
  print(`\n${new Date().toISOString()}`);
  print(`${String(cpus().length)} x ${processor?.model ?? 'unknown'}, ${memory} GB, ${process.platform} ${release()}`);
  print(`Node ${process.versions.node}, ${await postgresVersion(databaseUrl('postgres'))}, ${packages.join(', ')}`);
  print(
    `Load average ${loadavg()
      .map((load) => load.toFixed(2))
      .join(', ')}`,
  );
}

function versionOf(name: string): string {
  const manifest = readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

async function postgresVersion(databaseUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: utcConnection(databaseUrl) });
  await client.connect();
  try {
    const { rows } = await client.query<{ version: string }>("SELECT current_setting('server_version') AS version");
    return `PostgreSQL ${rows[0]?.version ?? 'unknown'}`;
  } finally {
    await client.end();
  }
}
