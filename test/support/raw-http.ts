import { connect } from 'node:net';

const ANSWER_WITHIN_MS = 5_000;
const MAX_ANSWER_BYTES = 1_000_000;

export interface RawAnswer {
  /** 0 when the server closed the connection without an answer. */
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** Sends exactly these bytes as one HTTP/1.1 request, as no client library would, and reads to the end. */
export function sendRaw(base: string, head: readonly string[], body = ''): Promise<RawAnswer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    socket.setTimeout(ANSWER_WITHIN_MS, () => socket.destroy(new Error(`No answer to ${head[0] ?? ''}`)));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (Buffer.concat(chunks).length > MAX_ANSWER_BYTES) {
        socket.destroy();
      }
    });
    socket.once('error', reject);
    socket.once('close', () => {
      resolve(parse(Buffer.concat(chunks).toString('latin1')));
    });
    socket.write([...head, 'Host: localhost', 'Connection: close', '', body].join('\r\n'), 'latin1');
  });
}

function parse(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const headers = end < 0 ? text : text.slice(0, end);
  return {
    status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(headers)?.[1] ?? 0),
    headers: headers.toLowerCase(),
    body: end < 0 ? '' : text.slice(end + 4),
  };
}
