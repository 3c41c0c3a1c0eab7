import { createInterface } from 'node:readline';
import { UnknownFaultError } from './faults.js';
import { followHand } from './hand.js';
import { reasonOf, type Tell } from './happenings.js';
import { HELP, readOptions, UsageError, type LockOptions } from './options.js';
import { VirtualLock } from './virtual-lock.js';

run(process.argv.slice(2));

function run(args: string[]): void {
  try {
    const options = readOptions(args, process.env.MORTISE_LOCK_TOKEN);
    if (options) {
      play(options);
    } else {
      process.stdout.write(HELP);
    }
  } catch (error) {
    const mine = error instanceof UsageError || error instanceof UnknownFaultError;
    process.stderr.write(`${mine ? error.message : reasonOf(error)}\n`);
    process.exitCode = 2;
  }
}

function play(options: LockOptions): void {
  const tell = teller(options);
  const lock = new VirtualLock({
    ...options,
    tell,
    crash: () => {
      process.kill(process.pid, 'SIGKILL');
    },
  });
  if (options.journalPath === undefined) {
    tell('status', 'remembers no movements after its end: give it --state for that');
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void lock.stop().finally(() => process.exit(0)));
  }
  listen(lock, tell);
  lock.start().catch((error: unknown) => {
    tell('trouble', reasonOf(error));
  });
}

function listen(lock: VirtualLock, tell: Tell): void {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    if (line.trim() === 'status') {
      const { online, lockState, bootId, uptimeMs, lastCounter, eventsWaiting } = lock;
      tell(
        'status',
        `${online ? 'online' : 'offline'}, bolt ${lockState ?? 'without power'}, up ${String(uptimeMs)} ms`,
        {
          online,
          lockState,
          bootId,
          uptimeMs,
          lastCounter,
          eventsWaiting,
        },
      );
    } else if (line.trim() !== '' && !followHand(lock, line)) {
      tell('trouble', 'does not understand that; try: motion, door open, knob lock, battery 17, restart, status');
    }
  });
}

function teller({ name, json }: LockOptions): Tell {
  return (kind, text, facts = {}) => {
    const at = new Date().toISOString();
    const line = json ? JSON.stringify({ ...facts, at, kind, text }) : `${at.slice(11, 23)}  ${name}  ${text}`;
    process.stdout.write(`${line}\n`);
  };
}
