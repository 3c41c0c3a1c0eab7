import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { EVENT_TYPES } from '../../src/contracts/events.js';
import { featureMap, type FeatureMap, mappedPrefixes, strayRoutes } from '../support/feature-map.js';

/** What a reader looks up in docs/architecture.md is what the decorators say. */
describe('the map of features', () => {
  let map: FeatureMap;
  let document = '';

  beforeAll(async () => {
    map = await featureMap();
    document = await readFile('docs/architecture.md', 'utf8');
  });

  /** The rows of the table under a heading: each name of the first column, with the folder in the second. */
  function tableUnder(heading: string): string[] {
    const [, section = ''] = document.split(`${heading}\n`);
    const [table = ''] = section.split('\n\n');
    return [...table.matchAll(/^\| (`[^|]+`) \| `([\w/-]+)` \|/gm)]
      .flatMap(([, names = '', folder = '']) =>
        [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => `${name} -> ${folder}`),
      )
      .sort();
  }

  const rows = (entries: readonly { readonly name: string; readonly folder: string }[]): string[] =>
    [...new Set(entries.map(({ name, folder }) => `${name} -> ${folder}`))].sort();

  it('has every prefix of a path in one feature', () => {
    expect(map.routes.length).toBeGreaterThan(50);
    expect(strayRoutes(map.routes)).toEqual([]);
  });

  it('notices a route that another feature declares below a prefix that is not its own', () => {
    const planted = { prefix: '/users', name: '/users/:userId/keys', folder: 'features/devices' };
    expect(strayRoutes([...map.routes, planted])).toContain(
      '/users/:userId/keys is in features/devices, but its prefix is of features/user-admin',
    );
  });

  it('shows each prefix with its folder', () => {
    expect(tableUnder('| path | folder |')).toEqual(rows(mappedPrefixes(map.routes)));
  });

  it('shows each topic and each message of a socket with its folder', () => {
    expect(tableUnder('| topic | folder |')).toEqual(rows(map.topics));
    expect(tableUnder('| message | folder |')).toEqual(rows(map.socketMessages));
  });

  it('shows each job and each event type with its folder', () => {
    expect(map.jobs.length).toBeGreaterThanOrEqual(8);
    expect(rows(map.eventTypes).length).toBe(EVENT_TYPES.length);
    expect(tableUnder('| job | folder |')).toEqual(rows(map.jobs));
    expect(tableUnder('| event type | folder |')).toEqual(rows(map.eventTypes));
  });
});
