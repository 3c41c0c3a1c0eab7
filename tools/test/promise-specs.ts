import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../stack/paths.js';

/** What a test says about itself: `describe('P-03, P-04: ...')`, also behind a table of cases. */
const TAGGED = /\(\s*['"`]((?:P-\d\d[, ]*)+)/g;
const PROMISE = /P-\d\d/g;

/** The spec files that show a promise, by promise. */
export function promiseSpecs(): Map<string, string[]> {
  const specs = new Map<string, string[]>();
  for (const file of globSync('{test,src,tools}/**/*.spec.ts', { cwd: ROOT }).sort()) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const promises = new Set([...text.matchAll(TAGGED)].flatMap(([, tag = '']) => tag.match(PROMISE) ?? []));
    promises.forEach((promise) => specs.set(promise, [...(specs.get(promise) ?? []), file]));
  }
  return specs;
}
