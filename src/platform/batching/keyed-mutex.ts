/** Runs work for the same key one after another, and for different keys side by side. */
export class KeyedMutex {
  readonly #last = new Map<string, Promise<unknown>>();

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const earlier = this.#last.get(key) ?? Promise.resolve();
    const turn = earlier.then(work, work);
    // What fails is its own caller's to know.
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
