import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ActuationJournal, lastPosition, type Actuation } from './actuation-journal.js';
import { AckCache } from './ack-cache.js';

const moved = (commandId: string, action: Actuation['action'], durationMs?: number): Actuation => ({
  at: '2026-03-01T08:30:00.000Z',
  boot: 'boot',
  commandId,
  action,
  counter: 1,
  uptimeMs: 5,
  ...(durationMs === undefined ? {} : { durationMs }),
});

describe('the actuation journal', () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'virtual-lock-'));
    path = join(directory, 'deep', 'lock.actuations.ndjson');
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('holds one line of JSON for each movement, also for the next one who opens it', () => {
    new ActuationJournal(path).append(moved('a', 'unlock_door', 5000));
    const journal = new ActuationJournal(path);
    journal.append(moved('a', 'auto_lock'));
    expect(journal.read()).toEqual([moved('a', 'unlock_door', 5000), moved('a', 'auto_lock')]);
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(3);
  });

  it('drops a last line that a crash cut short, and goes on after it', () => {
    new ActuationJournal(path).append(moved('a', 'lock_door'));
    appendFileSync(path, '{"at":"2026');
    const journal = new ActuationJournal(path);
    journal.append(moved('b', 'lock_door'));
    expect(journal.read().map(({ commandId }) => commandId)).toEqual(['a', 'b']);
  });

  it('does not guess at a line it cannot read', () => {
    new ActuationJournal(path).close();
    writeFileSync(path, 'this is no movement\n');
    expect(() => new ActuationJournal(path).read()).toThrow(`Line 1 of ${path}`);
  });

  it('takes nothing after it failed', () => {
    const journal = new ActuationJournal(path);
    journal.close();
    expect(() => {
      journal.append(moved('a', 'lock_door'));
    }).toThrow('Restart the lock');
    expect(journal.read()).toEqual([]);
  });
});

describe('what the journal remembers', () => {
  it.each([
    [[], { state: 'locked' }],
    [[moved('a', 'unlock_door')], { state: 'unlocked' }],
    [[moved('a', 'unlock_door', 5000)], { state: 'unlocked', openTimed: moved('a', 'unlock_door', 5000) }],
    [[moved('a', 'unlock_door', 5000), moved('a', 'auto_lock')], { state: 'locked' }],
    [[moved('a', 'unlock_door', 5000), moved('b', 'lock_door')], { state: 'locked' }],
  ])('is where the bolt is', (actuations, position) => {
    expect(lastPosition(actuations)).toEqual(position);
  });

  it('is the answers to the orders that moved it', () => {
    const memory = AckCache.of([moved('a', 'unlock_door', 5000), moved('a', 'auto_lock'), moved('b', 'lock_door')]);
    expect(memory.get('a')).toEqual({ status: 'executed', result: { lockState: 'unlocked' } });
    expect(memory.get('b')).toEqual({ status: 'executed', result: { lockState: 'locked' } });
    expect(memory.get('c')).toBeUndefined();
  });

  it('gives way to later answers when it is full', () => {
    const memory = new AckCache(2);
    for (const id of ['a', 'b', 'c']) {
      memory.set(id, { status: 'executing' });
    }
    expect([memory.get('a'), memory.get('b'), memory.get('c')]).toEqual([
      undefined,
      { status: 'executing' },
      { status: 'executing' },
    ]);
  });
});
