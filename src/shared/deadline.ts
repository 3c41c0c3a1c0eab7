/** The work did not end in time; its caller does not wait any longer. */
export class DeadlineExceededError extends Error {
  constructor(readonly limitMs: number) {
    super(`No answer within ${String(limitMs)} ms.`);
    this.name = new.target.name;
  }
}

/** The result of `work`, or DeadlineExceededError, or one of that kind, after `limitMs`. The work itself is not cancelled. */
export async function within<T>(limitMs: number, work: Promise<T>, kind = DeadlineExceededError): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new kind(limitMs));
    }, limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
