import { Readable } from 'node:stream';
import { within } from '../../shared/deadline.js';

/** How long a source may take to end what it holds. */
const END_WITHIN_MS = 5_000;

/**
 * What `source` yields, until the signal is aborted: also while the source is silent. Left in whatever way, the source is told to
 * end and has some seconds for it.
 * @throws the reason of the signal
 */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal?: AbortSignal): AsyncGenerator<T> {
  signal?.throwIfAborted();
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      // An event of the past is not heard: it may have been aborted while the last piece was used.
      signal?.throwIfAborted();
      const next = await orAborted(iterator.next(), signal);
      if (next.done === true) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } finally {
    if (!ended) {
      if (source instanceof Readable) {
        // Its iterator ends no sooner than the next bytes come.
        source.destroy();
      }
      await within(END_WITHIN_MS, Promise.resolve(iterator.return?.())).catch(() => undefined);
    }
  }
}

/**
 * Gives `work` a signal that is aborted with that one, or when the time is over.
 * @param tooLate the reason then
 */
export async function abortedAfter<T>(
  limitMs: number,
  tooLate: Error,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort(tooLate);
  }, limitMs);
  try {
    return await work(signal ? AbortSignal.any([signal, late.signal]) : late.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** A listener for each step, and none that stays: a signal may live longer than what it ends. */
function orAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) {
    return work;
  }
  return new Promise((resolve, reject) => {
    const end = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', end, { once: true });
    void work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', end);
    });
  });
}
