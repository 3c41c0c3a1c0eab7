import { countLines } from './json-lines-reader.js';

const LF = 0x0a;
const COMMA = 0x2c;

/** Makes one array of lines of JSON. */
export class JsonArrayReader {
  lines = 0;

  async *read(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let begin = '[\n';
    // The line end of the last document: a comma follows it if a document does.
    let isOpen = false;
    for await (const chunk of chunks) {
      const text: Buffer = isOpen ? Buffer.concat([Buffer.from('\n'), chunk]) : chunk;
      isOpen = text.at(-1) === LF;
      const whole = withCommas(isOpen ? text.subarray(0, -1) : text);
      this.lines += countLines(chunk);
      yield begin === '' ? whole : Buffer.concat([Buffer.from(begin), whole]);
      begin = '';
    }
    yield Buffer.from(begin === '' ? '\n]\n' : '[]\n');
  }
}

function withCommas(text: Buffer): Buffer {
  const lines = countLines(text);
  const result = Buffer.allocUnsafe(text.length + lines);
  let written = 0;
  let from = 0;
  for (let at = text.indexOf(LF); at !== -1; at = text.indexOf(LF, from)) {
    written += text.copy(result, written, from, at);
    result[written] = COMMA;
    result[written + 1] = LF;
    written += 2;
    from = at + 1;
  }
  text.copy(result, written, from);
  return result;
}
