/**
 * Every table has a decision on how long its rows are kept: docs/operations.md names the rule and the time, as the code has
 * them, or says why there is none. Seen to fail: with a table that one side named, and the other did not.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppConfig } from '../../src/config/app-config.js';
import { RETENTION_VARIABLES } from '../../src/config/retention.js';
import { PurgeRegistry, type PurgeRule } from '../../src/platform/scheduling/purge-registry.js';
import { TestApp } from '../support/test-app.js';

const SCHEMA = 'prisma/schema';
const UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000 } as const;
/** Whole partitions of it are dropped, which is no purge rule. */
const DROPPED = {
  table: 'events',
  kept: /^`RETENTION_EVENTS` \(90d\) /,
  endedBy: 'every process, by whole partitions',
};

interface Decision {
  readonly kept: string;
  readonly endedBy: string;
}

let app: TestApp;
let rules: ReadonlyMap<string, { readonly name: string; readonly rule: PurgeRule }>;
const decisions = new Map<string, Decision>();

beforeAll(async () => {
  app = await TestApp.start({ env: { ROLES: 'api' } });
  rules = new Map(
    app
      .get(PurgeRegistry)
      .all()
      .flatMap(([name, rule]) => rule.tables.map((table) => [table, { name, rule }] as const)),
  );
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
function timeOf({ keptFor }: PurgeRule): string {
  const ms = typeof keptFor === 'number' ? keptFor : app.get(AppConfig).retention[keptFor];
  const [unit = 'd', size] = Object.entries(UNITS).find(([, each]) => ms % each === 0) ?? [];
  const text = `${String(ms / (size ?? UNITS.d))}${unit}`;
  return typeof keptFor === 'number' ? `${text} ` : `\`${RETENTION_VARIABLES[keptFor]}\` (${text}) `;
}

describe('the retention of each table', () => {
  it('is decided, for every table of the schema and no other', async () => {
    const tables = await tablesOfTheSchema();
    expect(tables.length).toBeGreaterThan(20);
    expect([...decisions.keys()].sort()).toEqual(tables.sort());
  });

  it('is what the rules do, and by which setting', () => {
    for (const [table, { name, rule }] of rules) {
      expect([table, decisions.get(table)]).toEqual([
        table,
        { kept: expect.stringContaining(timeOf(rule)), endedBy: `\`${name}\`` },
      ]);
      expect(decisions.get(table)?.kept.startsWith(timeOf(rule))).toBe(true);
    }
  });

  it('has a reason where no rule ends it', () => {
    const others = [...decisions].filter(([table]) => !rules.has(table) && table !== DROPPED.table);
    for (const [table, { kept, endedBy }] of others) {
      expect([table, endedBy, kept.split(' ').length > 1]).toEqual([table, '—', true]);
    }
    expect(decisions.get(DROPPED.table)).toEqual({
      kept: expect.stringMatching(DROPPED.kept),
      endedBy: DROPPED.endedBy,
    });
  });
});
