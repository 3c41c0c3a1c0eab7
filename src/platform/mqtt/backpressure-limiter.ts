/**
 * Bounds the messages in hand. Beyond the limit `take` makes its caller wait for room, and the wait travels back: the
 * client reads no further packet, the broker's socket fills, and it stops reading from the devices.
 */
export class BackpressureLimiter {
  readonly #inHand = new Set<Promise<void>>();
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly limit: number) {}

  /** Starts `work` at once. Resolves when there is room for the next one. `work` must not reject. */
  async take(work: () => Promise<void>): Promise<void> {
    const running = work().finally(() => {
      this.#inHand.delete(running);
      this.#waiting.shift()?.();
    });
    this.#inHand.add(running);
    if (this.#inHand.size >= this.limit) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Resolves when everything taken so far is done. */
  async drained(): Promise<void> {
    await Promise.all(this.#inHand);
  }
}
