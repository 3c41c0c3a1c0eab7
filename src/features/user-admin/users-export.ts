import { csvLine, csvLines } from '../../shared/csv/csv.js';
import { MANAGED_USER_FIELDS, toManagedUserDto, type ExportFormat } from './user-directory.dto.js';
import type { Account } from '../users/users.types.js';

/** The text of an export: one piece for each batch. */
export function exported(batches: AsyncIterable<readonly Account[]>, format: ExportFormat): AsyncGenerator<string> {
  return format === 'csv' ? asCsv(batches) : asJson(batches);
}

async function* asCsv(batches: AsyncIterable<readonly Account[]>): AsyncGenerator<string> {
  yield csvLine(MANAGED_USER_FIELDS);
  for await (const batch of batches) {
    const rows = batch.map(toManagedUserDto);
    yield csvLines(rows.map((row) => MANAGED_USER_FIELDS.map((field) => row[field])));
  }
}

async function* asJson(batches: AsyncIterable<readonly Account[]>): AsyncGenerator<string> {
  let separator = '[\n';
  for await (const batch of batches) {
    yield separator + batch.map((account) => JSON.stringify(toManagedUserDto(account))).join(',\n');
    separator = ',\n';
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n';
}
