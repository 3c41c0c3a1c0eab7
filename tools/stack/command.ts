import { readFileSync } from 'node:fs';
import { environmentWithSecrets } from '../../src/config/load-config.js';
import { describeFailure } from './failure.js';
import { printError } from './steps.js';
import { Supervisor } from './supervisor.js';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

interface CommandOptions {
  /** Being stopped is how some commands end well. */
  readonly stoppedMeansSuccess?: boolean;
}

/**
 * Runs a command that starts processes: whatever happens (an end, an error, a signal, the death of npm), they are
 * gone before this process is. `work` answers the exit code. Secrets that files hold (`<NAME>_FILE`) are variables for it.
 */
export async function runCommand(
  work: (supervisor: Supervisor, stopped: AbortSignal) => Promise<number>,
  options: CommandOptions = {},
): Promise<void> {
  const supervisor = new Supervisor();
  const stopped = new AbortController();
  const interrupted = new Promise<number>((resolve) => {
    const stop = (code: number): void => {
      stopped.abort();
      resolve(options.stoppedMeansSuccess ? 0 : code);
    };
    STOP_SIGNALS.forEach((signal) =>
      process.on(signal, () => {
        stop(signal === 'SIGINT' ? 130 : 143);
      }),
    );
    stopWithoutNpm(stop);
  });
  let code: number;
  try {
    process.env = { ...environmentWithSecrets(process.env) };
    code = await Promise.race([work(supervisor, stopped.signal), interrupted]);
  } catch (error) {
    printError(describeFailure(error));
    code = 1;
  }
  await supervisor.stop();
  process.exit(code);
}

/** Ends with npm: after it was killed, there is no terminal left from which to stop this process. */
function stopWithoutNpm(stop: (code: number) => void): void {
  const npm = npmProcess();
  if (process.env.npm_lifecycle_event === undefined) {
    return;
  }
  setInterval(() => {
    if (npmProcess() !== npm) {
      stop(1);
    }
  }, 1_000).unref();
}

/** The process that npm is: our parent, or the parent of the shell in between. */
function npmProcess(): number {
  try {
    const stat = readFileSync(`/proc/${String(process.ppid)}/stat`, 'utf8');
    const [, name = '', grandparent] = /^\d+ \((.*)\) \w (\d+)/s.exec(stat) ?? [];
    return name.endsWith('sh') ? Number(grandparent) : process.ppid;
  } catch {
    return process.ppid;
  }
}
