/**
 * Outlives a supervisor that was killed, and cleans up after it. The supervisor holds the other end of this
 * process's standard input and writes one JSON object per line; the end of the input means that it is gone, in
 * whatever way. Then all that is still watched is asked to stop, and killed when it does not.
 */
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

export type WatchdogOrder =
  | { readonly watch: number; readonly signal: NodeJS.Signals }
  | { readonly forget: number }
  | { readonly removeFolder: string };

const GRACE_MS = 5_000;
const watched = new Map<number, NodeJS.Signals>();
const folders: string[] = [];

/** Signals a whole process group: every watched process leads its own. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Counts a zombie process as ended: containers often have no init that reaps it. */
function isRunning(pid: number): boolean {
  try {
    const { 2: state } = /^(\d+) \(.*\) (\w)/s.exec(readFileSync(`/proc/${String(pid)}/stat`, 'utf8')) ?? [];
    return state !== 'Z';
  } catch {
    return process.platform !== 'linux' && signalGroup(pid, 0);
  }
}

function obey(order: WatchdogOrder): void {
  if ('watch' in order) {
    watched.set(order.watch, order.signal);
  } else if ('forget' in order) {
    watched.delete(order.forget);
  } else {
    folders.push(order.removeFolder);
  }
}

async function cleanUp(): Promise<void> {
  watched.forEach((signal, pid) => signalGroup(pid, signal));
  const deadline = Date.now() + GRACE_MS;
  while ([...watched.keys()].some(isRunning) && Date.now() < deadline) {
    await delay(20);
  }
  watched.forEach((_signal, pid) => signalGroup(pid, 'SIGKILL'));
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true, maxRetries: 5 })));
}

// What ends the supervisor must not end its watchdog.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => undefined);
}
createInterface({ input: process.stdin })
  .on('line', (line) => {
    obey(JSON.parse(line) as WatchdogOrder);
  })
  .on('close', () => void cleanUp());
