/** One block of an event stream (HTML Living Standard, section 9.2), as the bytes that all its readers get. */
export interface StreamBlock {
  /** From where a client goes on that comes back: its `Last-Event-ID`. */
  readonly id?: string;
  readonly event?: string;
  readonly data?: unknown;
  /** After how many milliseconds it comes back when the connection is lost. */
  readonly retryMs?: number;
}

/** What ends a line of a stream; an id with a NUL would be ignored. */
const LINE_ENDS = /[\r\n\0]/g;

/** A line that clients ignore: it shows them, and proxies, that the connection is alive. */
export const COMMENT = Buffer.from(':\n\n');

/** JSON in one line: in its texts, line ends are escaped. */
export function encodeFrame({ id, event, data, retryMs }: StreamBlock): Buffer {
  const lines = [
    ...(retryMs === undefined ? [] : [`retry: ${String(Math.round(retryMs))}`]),
    ...(id === undefined ? [] : [`id: ${id.replaceAll(LINE_ENDS, '')}`]),
    ...(event === undefined ? [] : [`event: ${event.replaceAll(LINE_ENDS, '')}`]),
    ...(data === undefined ? [] : [`data: ${JSON.stringify(data)}`]),
  ];
  return Buffer.from(`${lines.join('\n')}\n\n`);
}
