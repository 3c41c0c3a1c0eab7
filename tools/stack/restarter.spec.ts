import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Restarter } from './restarter.js';
import { type SupervisedProcess } from './supervisor.js';

/** What happened, in order. */
let log: string[] = [];
let count = 0;
/** Ends the newest life. */
let die = (): void => undefined;
const stopped = new AbortController().signal;

function life(): SupervisedProcess {
  count += 1;
  const name = String(count);
  log.push(`start ${name}`);
  return {
    name,
    pid: count,
    ended: new Promise((resolve) => {
      die = () => {
        resolve('exit code 1');
      };
    }),
    hasEnded: () => false,
    lastOutput: () => '',
    stop: () => {
      log.push(`stop ${name}`);
      return Promise.resolve();
    },
  };
}

beforeEach(() => {
  [log, count] = [[], 0];
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  jest.spyOn(process.stderr, 'write').mockImplementation((line) => log.push(String(line).trim()) > 0);
});

afterEach(() => {
  jest.restoreAllMocks();
});

describe('a restarter', () => {
  it('stops the old before it starts the new', async () => {
    const restarter = new Restarter(() => Promise.resolve(life()), stopped, life());
    await restarter.restart();
    await restarter.restart();
    expect(log).toEqual(['start 1', 'stop 1', 'start 2', 'stop 2', 'start 3']);
  });

  it('starts once more for all that was asked for during a start', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const restarter = new Restarter(() => held.then(life), stopped);
    const first = restarter.restart();
    const others = [restarter.restart(), restarter.restart()];
    release();
    await Promise.all([first, ...others]);
    expect(log).toEqual(['start 1', 'stop 1', 'start 2']);
  });

  it('says why a start failed, and tries again when it is asked to', async () => {
    const starts = [(): Promise<never> => Promise.reject(new Error('no port')), () => Promise.resolve(life())];
    const restarter = new Restarter(() => starts.shift()!(), stopped);
    await restarter.restart();
    await restarter.restart();
    expect(log).toEqual([expect.stringContaining('no port'), 'start 1']);
  });

  it('says that the process ended, unless it was asked to', async () => {
    const restarter = new Restarter(() => Promise.resolve(life()), stopped);
    await restarter.restart();
    const dieFirst = die;
    await restarter.restart();
    dieFirst();
    die();
    await new Promise(setImmediate);
    expect(log).toEqual(['start 1', 'stop 1', 'start 2', '2 ended (exit code 1). Waiting for the next change.']);
  });
});
