/** Watches what a process says to PostgreSQL, to act between two of its messages. */
export class StatementTap {
  #awaited: { readonly texts: readonly string[]; readonly seen: () => void } | undefined;

  /** @returns a function that takes what one connection sends, chunk by chunk, before it is passed on. */
  listen(): (chunk: Buffer) => void {
    let found = 0;
    let of = this.#awaited;
    return (chunk) => {
      if (!this.#awaited) {
        return;
      }
      if (of !== this.#awaited) {
        [found, of] = [0, this.#awaited];
      }
      // What is looked for is one transaction: this one came to nothing.
      found = chunk.includes('ROLLBACK', 0, 'latin1') ? 0 : found;
      let from = 0;
      for (const text of of.texts.slice(found)) {
        const at = chunk.indexOf(text, from, 'latin1');
        if (at < 0) {
          return;
        }
        from = at + text.length;
        found += 1;
      }
      this.#awaited = undefined;
      of.seen();
    };
  }

  /**
   * Calls `act` when one transaction sends these texts, one after another, and before the last of them is passed on.
   * Settles with true then, with false when that has not happened within the limit.
   */
  once(texts: readonly string[], act: () => void, limitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const patience = setTimeout(() => {
        this.#awaited = undefined;
        resolve(false);
      }, limitMs);
      this.#awaited = {
        texts,
        seen: () => {
          clearTimeout(patience);
          act();
          resolve(true);
        },
      };
    });
  }
}
