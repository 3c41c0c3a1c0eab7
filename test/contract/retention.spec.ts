/**
 * Every table has a decision on how long its rows are kept: docs/operations.md names the rule and the time, as the code has
 * them, or says why there is none. Seen to fail: with a table that one side named, and the other did not.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RETENTION_VARIABLES } from '../../src/config/retention.js';
import { type NamedRetention, PurgeRegistry } from '../../src/platform/scheduling/purge-registry.js';
import { sourceFiles } from '../support/source-rules.js';
import { TestApp } from '../support/test-app.js';

const SCHEMA = 'prisma/schema';
const UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000 } as const;
/** Whole partitions of it are dropped, in every process: it is no job. */
const DROPPED = { table: 'events', endedBy: '`purge_events`, by whole partitions, in every process' };
interface Decision {
  readonly kept: string;
  readonly endedBy: string;
}

let app: TestApp;
let rules: ReadonlyMap<string, NamedRetention>;
const decisions = new Map<string, Decision>();

beforeAll(async () => {
  app = await TestApp.start({ env: { ROLES: 'api' } });
  const retentions = app.get(PurgeRegistry).retentions();
  rules = new Map(retentions.flatMap((each) => each.tables.map((table) => [table, each] as const)));
  const [, section = ''] = (await readFile('docs/operations.md', 'utf8')).split('## What is kept how long\n');
  for (const [, table = '', kept = '', endedBy = ''] of section
    .split('\n## ')[0]
    ?.matchAll(/^\| `(\w+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \|$/gm) ?? []) {
    expect(decisions.has(table)).toBe(false);
    decisions.set(table, { kept, endedBy });
  }
});

afterAll(() => app.stop());

async function tablesOfTheSchema(): Promise<string[]> {
  const files = await Promise.all((await readdir(SCHEMA)).map((file) => readFile(join(SCHEMA, file), 'utf8')));
  const models = files.flatMap((text) => text.split(/^model /m).slice(1));
  return models.map((model) => /^ {2}@@map\("(\w+)"\)/m.exec(model)?.[1] ?? model);
}

/** As the documents write it. */
function timeOf({ keptFor, keptMs }: NamedRetention): string {
  const [unit = 'd', size] = Object.entries(UNITS).find(([, each]) => keptMs % each === 0) ?? [];
  const text = `${String(keptMs / (size ?? UNITS.d))}${unit}`;
  return typeof keptFor === 'number' ? `${text} ` : `\`${RETENTION_VARIABLES[keptFor]}\` (${text}) `;
}

describe('the retention of each table', () => {
  it('is decided, for every table of the schema and no other', async () => {
    const tables = await tablesOfTheSchema();
    expect(tables.length).toBeGreaterThan(20);
    expect([...decisions.keys()].sort()).toEqual(tables.sort());
  });

  it('is what the rules do, and by which setting', () => {
    expect(rules.get(DROPPED.table)?.name).toBe('purge_events');
    for (const [table, rule] of rules) {
      const endedBy = table === DROPPED.table ? DROPPED.endedBy : `\`${rule.name}\``;
      expect([table, decisions.get(table)]).toEqual([table, { kept: expect.stringContaining(timeOf(rule)), endedBy }]);
      expect(decisions.get(table)?.kept.startsWith(timeOf(rule))).toBe(true);
    }
  });

  it('has a reason where no rule ends it', () => {
    const others = [...decisions].filter(([table]) => !rules.has(table));
    for (const [table, { kept, endedBy }] of others) {
      expect([table, endedBy, kept.split(' ').length > 1]).toEqual([table, '—', true]);
    }
  });

  it('never is that of the audit trail: no rule takes it, and no statement of the code', async () => {
    expect([rules.has('audit_entries'), decisions.get('audit_entries')?.endedBy]).toEqual([false, '—']);
    const taking = /(DELETE\s+FROM|TRUNCATE|DROP\s+TABLE)\s+"?audit_entries|auditEntry\.delete/i;
    const files = await sourceFiles();
    expect(files.filter(({ text }) => text.includes('audit_entries')).length).toBeGreaterThan(1);
    expect(files.filter(({ text }) => taking.test(text)).map(({ path }) => path)).toEqual([]);
  });
});
