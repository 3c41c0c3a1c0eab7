import { CopiedCsvReader } from '../../../shared/csv/copied-csv-reader.js';
import type { ExportFileFormat } from '../exports.types.js';
import { JsonArrayReader } from './json-array-reader.js';
import { JsonLinesReader } from './json-lines-reader.js';

/** Makes a file of what PostgreSQL copies out, and counts. */
interface RowsReader {
  /** So far, with the header of CSV. */
  readonly lines: number;
  read(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer>;
}

/** The bytes of a file, and how many rows are in those that were taken. */
export class ExportRowsReader {
  readonly #reader: RowsReader;
  readonly #headers: number;

  constructor(format: ExportFileFormat) {
    this.#reader =
      format === 'csv' ? new CopiedCsvReader() : format === 'json' ? new JsonArrayReader() : new JsonLinesReader();
    this.#headers = format === 'csv' ? 1 : 0;
  }

  get rows(): number {
    return Math.max(0, this.#reader.lines - this.#headers);
  }

  read(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    return this.#reader.read(chunks);
  }
}
