import type { DiffTarget } from '@prisma/schema-engine-wasm';
import { EVERYTHING } from '../../src/platform/prisma/migrations/migrate.js';
import { withSchemaEngine } from '../../src/platform/prisma/migrations/schema-engine.js';

/**
 * The SQL that turns a database of the one schema into one of the other; undefined when they do not differ. The
 * engine asks `databaseUrl` which PostgreSQL it writes for, and changes nothing there.
 */
export function diffSchemas(databaseUrl: string, from: string | undefined, to: string): Promise<string | undefined> {
  return withSchemaEngine(databaseUrl, async (engine) => {
    const { exitCode, stdout } = await engine.diff({
      from: from === undefined ? { tag: 'empty' } : datamodel(from),
      to: datamodel(to),
      script: true,
      exitCode: true,
      filters: EVERYTHING,
    });
    return exitCode === 0 ? undefined : (stdout ?? undefined);
  });
}

function datamodel(content: string): DiffTarget {
  return { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content }] };
}
