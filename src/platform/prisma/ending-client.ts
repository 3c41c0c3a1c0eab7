import pg from 'pg';

/** How long a connection may take to say goodbye before its socket is destroyed. */
const GOODBYE_WITHIN_MS = 2_000;

/**
 * A client of pg whose end is bounded. pg waits for the answers to what was sent, and for the other side to close the
 * connection: one that is silently dead does neither, and its place in the pool would not become free.
 */
export class EndingClient extends pg.Client {
  readonly madeAt = performance.now();

  override end(): Promise<void>;
  override end(callback: (error?: Error) => void): void;
  override end(callback?: (error?: Error) => void): Promise<void> | undefined {
    const { stream } = this.connection;
    const timer = setTimeout(() => {
      stream.destroy();
    }, GOODBYE_WITHIN_MS).unref();
    stream.once('close', () => {
      clearTimeout(timer);
    });
    if (callback) {
      super.end(callback);
      return undefined;
    }
    return super.end();
  }
}
