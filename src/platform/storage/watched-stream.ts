import { Readable } from 'node:stream';
import { within } from '../../shared/deadline.js';

/**
 * The bytes of `body`. It fails when they are wanted and none come for so long; a reader that takes its time is not meant.
 * Destroyed, also before the first byte was read, it destroys `body`.
 * @param errorOf what an error of `body`, or its silence, is to the reader
 */
export function watchedStream(body: Readable, silenceMs: number, errorOf: (error: unknown) => Error): Readable {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  // An error that comes before the first byte is wanted is kept by the stream, and told by its iterator.
  body.on('error', () => undefined);
  return new Readable({
    read() {
      within(silenceMs, chunks.next()).then(
        ({ done, value }) => {
          this.push(done === true ? null : value);
        },
        (error: unknown) => {
          this.destroy(errorOf(error));
        },
      );
    },
    destroy(error, done) {
      body.destroy();
      done(error);
    },
  });
}
