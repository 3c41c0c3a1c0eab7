import { expect } from '@jest/globals';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';

export interface ExactAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface ExactRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 });

/** Sends exactly this, where `fetch` would tidy it up. Without a content type it is JSON. */
export function exactRequest(
  base: string,
  { method = 'GET', path, headers = {}, body }: ExactRequest,
): Promise<ExactAnswer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        agent,
        hostname,
        port,
        method,
        path,
        headers: { ...(body === undefined ? {} : framed(body, headers)), ...headers },
        timeout: 20_000,
      },
      (response) => {
        const chunks: Buffer[] = [];
        if (response.statusCode === 200 && response.headers['content-type']?.startsWith('text/event-stream')) {
          // It has no end.
          resolve({ status: 200, headers: response.headers, text: '' });
          response.destroy();
          return;
        }
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString(),
          });
        });
        response.on('error', reject);
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error(`No answer to ${method} ${path.slice(0, 100)}`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Node leaves out the length of a body that it does not expect, as with DELETE. */
function framed(body: string | Buffer, headers: ExactRequest['headers'] = {}): Record<string, string> {
  const length = { 'content-length': String(Buffer.byteLength(body)) };
  return { 'content-type': 'application/json', ...('transfer-encoding' in headers ? {} : length) };
}

/** Sends these bytes, and reads what comes until the server closes; what is no HTTP at all is answered like that. */
export function exactBytes(base: string, bytes: string | Buffer): Promise<ExactAnswer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => {
      socket.end(bytes);
    });
    socket.setTimeout(10_000, () => {
      socket.destroy(new Error('The server does not close the connection.'));
    });
    socket.on('data', (chunk) => chunks.push(chunk));
    // A server may reset the connection instead of reading the rest of a refused request.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') {
        reject(error);
      }
    });
    socket.on('close', () => {
      const [head = '', ...rest] = Buffer.concat(chunks).toString().split('\r\n\r\n');
      const [statusLine = '', ...lines] = head.split('\r\n');
      const headers = Object.fromEntries(
        lines.map((line) => [line.split(':', 1)[0]?.toLowerCase() ?? '', line.slice(line.indexOf(':') + 1).trim()]),
      );
      resolve({ status: Number(statusLine.split(' ')[1]), headers, text: rest.join('\r\n\r\n') });
    });
  });
}

/** Expects a refusal: 4xx, RFC 9457, without internals. */
export function expectProblem(answer: ExactAnswer, status?: number): Record<string, unknown> {
  const seen = `${String(answer.status)} ${answer.text}`;
  expect(seen).toMatch(status === undefined ? /^4\d\d / : new RegExp(`^${String(status)} `));
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  const problem = JSON.parse(answer.text) as Record<string, unknown>;
  expect(problem).toMatchObject({
    status: answer.status,
    type: expect.stringMatching(/^https?:\/\/[^/]+\/problems\/[a-z_]+$/),
    title: expect.any(String),
    detail: expect.any(String),
    code: expect.stringMatching(/^[a-z_]+$/),
    requestId: expect.any(String),
    timestamp: expect.any(String),
    path: expect.any(String),
  });
  expect(answer.text).not.toMatch(/node_modules|\bat \w+ \(|SELECT |INSERT |prisma/i);
  return problem;
}
