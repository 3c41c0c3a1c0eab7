/** Runs work for the same key in sequence, in the order of the calls, and work for different keys in parallel. */
export class KeyedMutex {
  readonly #last = new Map<string, Promise<unknown>>();

  /** @throws what `work` throws; work that waits for the same key still runs */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const earlier = this.#last.get(key) ?? Promise.resolve();
    const turn = earlier.then(work, work);
    // Only its own caller learns of a failure.
    const over = turn.catch(() => undefined);
    this.#last.set(key, over);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === over) {
        this.#last.delete(key);
      }
    }
  }

  /** Keys with work under way. */
  get size(): number {
    return this.#last.size;
  }
}
