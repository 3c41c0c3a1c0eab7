const LF = 0x0a;

/** Counts lines of JSON that pass through: documents have no line ends of their own. */
export class JsonLinesReader {
  lines = 0;

  async *read(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.lines += countLines(chunk);
      yield chunk;
    }
  }
}

export function countLines(chunk: Buffer): number {
  let lines = 0;
  for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, at + 1)) {
    lines += 1;
  }
  return lines;
}
