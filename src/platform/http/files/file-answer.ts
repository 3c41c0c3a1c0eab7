import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { attachmentNamed } from '../../storage/content-disposition.js';
import type { ByteRange } from '../../storage/file-store.js';
import { RangeNotSatisfiableError } from './range.errors.js';

/** A file that a request is answered with. */
export interface ServedFile {
  /** Bytes. */
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly mediaType: string;
  /** What it is saved as. */
  readonly fileName: string;
  /** Called once, for what is sent: all of it where it is left out. */
  readonly read: (range?: ByteRange) => Promise<Readable>;
}

/**
 * Answers with a file, or a part of it (RFC 9110, section 14): one range of bytes, `If-Range` with the `ETag`. Several ranges are
 * answered with all of it, as the RFC allows. `Repr-Digest` (RFC 9530) tells whether it arrived whole.
 * @throws RangeNotSatisfiableError
 */
export async function answerFile(
  request: FastifyRequest,
  reply: FastifyReply,
  file: ServedFile,
): Promise<StreamableFile> {
  const etag = `"${file.sha256}"`;
  const range = rangeOf(request, file.size, etag);
  if (range === 'unsatisfiable') {
    void reply.header('Content-Range', `bytes */${String(file.size)}`);
    throw new RangeNotSatisfiableError(file.size);
  }
  const body = request.method === 'HEAD' ? Readable.from([]) : await file.read(range);
  void reply.headers({
    'Accept-Ranges': 'bytes',
    // A compressed answer would have other bytes than the ranges count.
    'Cache-Control': 'private, no-store, no-transform',
    ETag: etag,
    'Repr-Digest': `sha-256=:${Buffer.from(file.sha256, 'hex').toString('base64')}:`,
  });
  if (range) {
    void reply
      .status(206)
      .header('Content-Range', `bytes ${String(range.start)}-${String(range.end)}/${String(file.size)}`);
  }
  return new StreamableFile(body, {
    type: file.mediaType,
    disposition: attachmentNamed(file.fileName),
    length: range ? range.end - range.start + 1 : file.size,
  });
}

/** One range: of what cannot be read, several, and other units, the whole file is the answer (RFC 9110, section 14.2). */
const ONE_RANGE = /^bytes=(?=.*\d)(\d{0,15})-(\d{0,15})$/i;

function rangeOf({ headers }: FastifyRequest, size: number, etag: string): ByteRange | 'unsatisfiable' | undefined {
  const { range = '', 'if-range': ifRange = etag } = headers;
  const [matched, first = '', last = ''] = ONE_RANGE.exec(range) ?? [];
  if (matched === undefined || ifRange !== etag || isReversed(first, last)) {
    return undefined;
  }
  const wanted = bytesOf(first, last, size);
  return wanted.start > wanted.end ? 'unsatisfiable' : wanted;
}

function isReversed(first: string, last: string): boolean {
  return first !== '' && last !== '' && Number(last) < Number(first);
}

function bytesOf(first: string, last: string, size: number): ByteRange {
  if (first === '') {
    return { start: Math.max(0, size - Number(last)), end: size - 1 };
  }
  return { start: Number(first), end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}
