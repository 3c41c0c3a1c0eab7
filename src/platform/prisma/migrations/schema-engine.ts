import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type * as Engine from '@prisma/schema-engine-wasm';
import { utcConnection } from '../utc-connection.js';
import { databaseName } from './database-name.js';
import { DatabaseUnreachableError, MigrationError } from './migration.errors.js';
import { assertServerVersion } from './schema-version.js';

type Bindings = typeof Engine & { __wbg_set_wasm(exports: object): void };

/** The part of the WebAssembly API used here; TypeScript declares it for browsers only. */
interface WebAssemblyApi {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<{ exports: { __wbindgen_start(): void } }>;
}

const LOCK_NOT_AVAILABLE = '55P03';
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Prisma's migration engine as WebAssembly, for as long as `work` takes. The Prisma CLI downloads a native one
 * instead, which many networks forbid; this one comes from the npm registry like every other package and writes the
 * same history table.
 */
export async function withSchemaEngine<T>(
  databaseUrl: string,
  work: (engine: Engine.SchemaEngine, database: WholeScriptAdapter) => Promise<T>,
): Promise<T> {
  const { SchemaEngine } = await loadBindings();
  // One connection, because the engine's lock against a second migrator belongs to the connection that took it.
  const pool = new pg.Pool({
    connectionString: utcConnection(databaseUrl),
    max: 1,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  const database = new WholeScriptAdapter(pool);
  try {
    await assertUsable(pool, databaseUrl);
    const adapter = bindMigrationAwareSqlAdapterFactory(database);
    const engine = await SchemaEngine.new({ datamodels: undefined }, () => undefined, adapter);
    const result = await work(engine, database);
    engine.free();
    return result;
  } finally {
    await pool.end();
  }
}

/** Said in one line, before the engine hides it behind its own stack. */
async function assertUsable(pool: pg.Pool, databaseUrl: string): Promise<void> {
  const client = await pool.connect().catch((error: unknown) => {
    throw new DatabaseUnreachableError(databaseName(databaseUrl), error);
  });
  try {
    await assertServerVersion(client);
  } finally {
    client.release();
  }
}

/**
 * Sends a migration as one script, as `prisma migrate deploy` does: PostgreSQL then runs it as one transaction. The
 * adapter's own way is to cut it at every semicolon, which breaks function bodies, strings and comments.
 */
class WholeScriptAdapter extends PrismaPg {
  /** What PostgreSQL said to the last script that failed; the engine hides it behind its own stack. */
  scriptError: Error | undefined;

  constructor(private readonly pool: pg.Pool) {
    super(pool);
  }

  /**
   * Waits until no other migrator works on the database; Prisma's own CLI asks for the same lock.
   * @throws MigrationError
   */
  async lockMigrations(): Promise<void> {
    try {
      await this.pool.query(`SET lock_timeout = '60s'; SELECT pg_advisory_lock(72707369); RESET lock_timeout`);
    } catch (error) {
      throw error instanceof pg.DatabaseError && error.code === LOCK_NOT_AVAILABLE
        ? new MigrationError('Another process has been migrating this database for more than a minute.')
        : error;
    }
  }

  override async connect(): ReturnType<PrismaPg['connect']> {
    const adapter = await super.connect();
    adapter.executeScript = async (script) => {
      try {
        await this.pool.query(script);
      } catch (error) {
        this.scriptError = error as Error;
        throw error;
      }
    };
    return adapter;
  }
}

let loading: Promise<Bindings> | undefined;

/** The package's entry point imports the .wasm file as a module, which Node does not do; so it is done by hand. */
function loadBindings(): Promise<Bindings> {
  loading ??= (async () => {
    const bindings = (await import('@prisma/schema-engine-wasm/schema_engine_bg')) as Bindings;
    const location = new URL('./schema_engine_bg.wasm', import.meta.resolve('@prisma/schema-engine-wasm'));
    const wasm = Reflect.get(globalThis, 'WebAssembly') as WebAssemblyApi;
    const module = await wasm.compile(await readFile(fileURLToPath(location)));
    const { exports } = await wasm.instantiate(module, {
      './schema_engine_bg.js': { ...bindings, ...unreferencedTimers(bindings) },
    });
    bindings.__wbg_set_wasm(exports);
    exports.__wbindgen_start();
    return bindings;
  })();
  return loading;
}

/** The engine leaves the timer of its time-outs running when it is done; that must not keep a process alive. */
function unreferencedTimers(bindings: object): object {
  const names = Object.keys(bindings).filter((name) => name.startsWith('__wbg_setTimeout'));
  const start = (callback: () => void, ms: number): NodeJS.Timeout => setTimeout(callback, ms >>> 0).unref();
  return Object.fromEntries(names.map((name) => [name, start]));
}
