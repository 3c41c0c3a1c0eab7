import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Where a fault showed that no code handled: of work in the `background`, of a `listener` that others go on without, as an
 * unhandled `rejection`, or as an uncaught `exception`.
 */
export const FAULT_KINDS = ['background', 'listener', 'rejection', 'exception'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export type FaultReporter = (kind: FaultKind, error: unknown) => void;

/** Until there is a logger: as a line on standard error. */
let reporter: FaultReporter = (kind, error) => {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${JSON.stringify({ fault: kind, error: text })}\n`);
};

/** From now on faults of this process go here. */
export function reportFaultsTo(next: FaultReporter): void {
  reporter = next;
}

export function reportFault(kind: FaultKind, error: unknown): void {
  reporter(kind, error);
}

/** The context in which this process began: of no request, message or transaction. */
const outside = AsyncLocalStorage.snapshot();

/**
 * Begins `work` and lets it go on without being awaited. It belongs to no request and no transaction, whose time and
 * connections are not for it. It is not meant to fail: if it does, that is reported, and does not end the process as a
 * rejection would that no code handles.
 */
export function inBackground(work: () => Promise<unknown>): void {
  outside(async () => work()).catch((error: unknown) => {
    reportFault('background', error);
  });
}

/** Calls a listener: one that throws is reported, and neither the others nor the caller learn of it. */
export function callListener(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    reportFault('listener', error);
  }
}

/**
 * The last resort, for what all other code let pass. After a rejection the process goes on: what rejected has ended, and what
 * depends on it has a deadline of its own. After an exception its state is unknown, because it left a function in the middle:
 * `end` is called, once, and is to end the process.
 */
export function catchFaults(end: () => void): void {
  let isEnding = false;
  process.on('unhandledRejection', (error) => {
    reportFault('rejection', error);
  });
  process.on('uncaughtException', (error) => {
    reportFault('exception', error);
    if (!isEnding) {
      isEnding = true;
      end();
    }
  });
}
