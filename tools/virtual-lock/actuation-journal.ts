import { closeSync, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { BoltState } from './bolt.js';
import { isObject } from './strict-json.js';

/** One movement of the bolt by its motor. */
export interface Actuation {
  /** RFC 3339, by the machine's own clock: for the reader; the lock never decides by it. */
  at: string;
  boot: string;
  commandId: string;
  /** `auto_lock` is the end of a timed unlock, and carries the id of that unlock. */
  action: 'lock_door' | 'unlock_door' | 'auto_lock';
  counter: number;
  uptimeMs: number;
  /** How long an unlock was meant to last, if it was timed. */
  durationMs?: number;
}

const ACTIONS: readonly unknown[] = ['lock_door', 'unlock_door', 'auto_lock'];

/**
 * The lock's flash memory: what the motor did, one JSON line each, on disk before the lock reports it. It is also the
 * lock's memory of its answers, so that "it moved" and "it will remember that it moved" are one write.
 */
export class ActuationJournal {
  readonly #inMemory: Actuation[] = [];
  readonly #file: number | undefined;
  #broken = false;

  /** Without a path it keeps everything in memory, and forgets it with the process. */
  constructor(readonly path?: string) {
    if (path === undefined) {
      return;
    }
    mkdirSync(dirname(path), { recursive: true });
    dropTornLine(path);
    this.#file = openSync(path, 'a');
    syncDirectory(dirname(path));
  }

  read(): readonly Actuation[] {
    return this.path === undefined ? this.#inMemory : readWhole(this.path);
  }

  /**
   * On disk when it returns. Throws when that cannot be promised; then the bolt must not move. A journal that failed
   * once stays closed: what it holds is unknown until the next start has read it.
   */
  append(actuation: Actuation): void {
    if (this.#file === undefined) {
      this.#inMemory.push(actuation);
      return;
    }
    if (this.#broken) {
      throw new Error('The journal failed earlier. Restart the lock.');
    }
    this.#broken = true;
    const line = Buffer.from(`${JSON.stringify(actuation)}\n`);
    if (writeSync(this.#file, line) !== line.length) {
      throw new Error('The journal took only a part of the line. Is the disk full?');
    }
    fsyncSync(this.#file);
    this.#broken = false;
  }

  close(): void {
    this.#broken = true;
    if (this.#file !== undefined) {
      closeSync(this.#file);
    }
  }
}

/** Where the last movement left the bolt, and whether it was an unlock whose time had not ended. */
export function lastPosition(actuations: readonly Actuation[]): { state: BoltState; openTimed?: Actuation } {
  const last = actuations.at(-1);
  if (last?.action !== 'unlock_door') {
    return { state: 'locked' };
  }
  return last.durationMs === undefined ? { state: 'unlocked' } : { state: 'unlocked', openTimed: last };
}

/** A crash can cut the last line short. It was never synced, so nothing was ever said about it. */
function dropTornLine(path: string): void {
  if (!existsSync(path)) {
    return;
  }
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf('\n') + 1;
  if (end < bytes.length) {
    const file = openSync(path, 'r+');
    ftruncateSync(file, end);
    fsyncSync(file);
    closeSync(file);
  }
}

function readWhole(path: string): Actuation[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line, index) => {
    const actuation = readLine(line);
    if (!actuation) {
      throw new Error(`Line ${String(index + 1)} of ${path} is no actuation. Move the file away to start afresh.`);
    }
    return actuation;
  });
}

function readLine(line: string): Actuation | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) && ACTIONS.includes(value.action) && typeof value.commandId === 'string'
      ? (value as unknown as Actuation)
      : undefined;
  } catch {
    return undefined;
  }
}

/** A new file survives a power cut only when its directory entry is on disk too. */
function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  fsyncSync(directory);
  closeSync(directory);
}
