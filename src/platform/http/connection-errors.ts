import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { problemOf } from './problems/problem.js';

const STATUS_BY_CODE: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 };

/** Answers what is no HTTP request: there is no route yet and no context, only the connection, and it ends here. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Socket, problemsUrl: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = STATUS_BY_CODE[error.code ?? ''] ?? 400;
  const reason = Object.assign(new Error('This is no HTTP request that can be read.'), { statusCode: status });
  const problem = problemOf(reason);
  const body = JSON.stringify({
    type: problemsUrl + problem.code,
    ...problem,
    requestId: randomUUID(),
    timestamp: new Date().toISOString(),
    path: '',
  });
  socket.write(
    [
      `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? 'Error'}`,
      'Content-Type: application/problem+json; charset=utf-8',
      `Content-Length: ${String(Buffer.byteLength(body))}`,
      'Cache-Control: no-store',
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
  socket.destroySoon();
}
