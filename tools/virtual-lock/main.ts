import { createInterface } from 'node:readline';
import { UnknownFaultError } from './faults.js';
import { runConsoleCommand } from './console.js';
import { messageOf, type Log } from './log.js';
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
    process.stderr.write(`${mine ? error.message : messageOf(error)}\n`);
    process.exitCode = 2;
  }
}

function play(options: LockOptions): void {
  const log = createLog(options);
  const lock = new VirtualLock({
    ...options,
    log,
    crash: () => {
      process.kill(process.pid, 'SIGKILL');
    },
  });
  if (options.journalPath === undefined) {
    log('status', 'remembers no movements after its end: give it --state for that');
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void lock.stop().finally(() => process.exit(0)));
  }
  listen(lock, log);
  lock.start().catch((error: unknown) => {
    log('trouble', messageOf(error));
  });
}

function listen(lock: VirtualLock, log: Log): void {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    if (line.trim() === 'status') {
      const { online, lockState, bootId, uptimeMs, lastCounter, eventsWaiting } = lock;
      log(
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
    } else if (line.trim() !== '' && !runConsoleCommand(lock, line)) {
      log('trouble', 'does not understand that; try: motion, door open, knob lock, battery 17, restart, status');
    }
  });
}

function createLog({ name, json }: LockOptions): Log {
  return (kind, text, facts = {}) => {
    const at = new Date().toISOString();
    const line = json ? JSON.stringify({ ...facts, at, kind, text }) : `${at.slice(11, 23)}  ${name}  ${text}`;
    process.stdout.write(`${line}\n`);
  };
}
