import { describe, expect, it } from '@jest/globals';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FAULTS, Faults } from './faults.js';
import { HELP, readOptions } from './options.js';

const ID = '0192a7c4-5b1e-7d3a-9c40-2f6e8b1d7a55';
const GOOD = ['--id', ID, '--token', 'secret'];

describe('the command line', () => {
  it('needs no more than an id and a token', () => {
    expect(readOptions(GOOD)).toMatchObject({
      deviceId: ID,
      token: 'secret',
      username: ID,
      url: 'mqtt://127.0.0.1:1883',
      heartbeatMs: 30_000,
    });
  });

  it('takes the token from the environment, where the process list does not show it', () => {
    expect(readOptions(['--id', ID], 'from-environment')?.token).toBe('from-environment');
  });

  it('keeps movements beside a prefix, or in a directory', () => {
    expect(readOptions([...GOOD, '--state', '/nowhere/front'])?.journalPath).toBe('/nowhere/front.actuations.ndjson');
    expect(readOptions([...GOOD, '--state', tmpdir()])?.journalPath).toBe(join(tmpdir(), `${ID}.actuations.ndjson`));
  });

  it('reads faults with and without a measure', () => {
    const faults = readOptions([...GOOD, '--fault', 'jam,slow=250', '--fault', 'drift=1.5'])?.faults;
    expect([faults?.has('jam'), faults?.has('deaf'), faults?.measure('slow', 0), faults?.measure('drift', 1)]).toEqual([
      true,
      false,
      250,
      1.5,
    ]);
  });

  it('explains every fault in its help', () => {
    expect(readOptions(['--help'])).toBeUndefined();
    expect(Object.keys(FAULTS).filter((name) => !HELP.includes(name))).toEqual([]);
  });

  it.each([
    [[], '--id is missing'],
    [['--id', ID], '--token is missing'],
    [['--id', 'front-door', '--token', 'x'], 'expected a UUID'],
    [[...GOOD, '--url', 'http://broker'], '--url http://broker is no address'],
    [[...GOOD, '--keys', 'keys.json'], '--keys keys.json is no address'],
    [[...GOOD, '--heartbeat-ms', 'often'], '--heartbeat-ms often'],
    [[...GOOD, '--fault', 'melt'], 'There is no fault "melt"'],
    [[...GOOD, '--fault', 'slow'], 'Fault "slow" wants a number'],
    [[...GOOD, '--colour', 'red'], '--colour'],
  ])('says what is wrong with %j', (args, reason) => {
    expect(() => readOptions(args)).toThrow(reason);
  });

  it('does not print the token in a complaint', () => {
    expect(() => readOptions(['--id', 'x', '--token', 'secret'])).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    );
  });
});

describe('no faults', () => {
  it('is what a lock has unless told otherwise', () => {
    expect(Object.keys(FAULTS).length).toBe(13);
    expect(Faults.none.has('deaf')).toBe(false);
  });
});
