import { InvalidRequestError } from '../../platform/http/validation.js';
import type { FieldError } from '../../shared/domain-error.js';
import type { InvitedAccount } from '../users/users.types.js';

/** Checks the shape of one row of many. @throws InvalidRequestError */
export type RowShape = (row: object) => Promise<InvitedAccount>;

/** A row that has the shape of an account, or what is wrong with it. */
export interface CheckedRow {
  readonly account: InvitedAccount | null;
  readonly errors: readonly FieldError[];
}

export async function checkRow(row: unknown, shape: RowShape): Promise<CheckedRow> {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    return { account: null, errors: [{ detail: 'must be an object', pointer: '' }] };
  }
  try {
    return { account: await shape(row), errors: [] };
  } catch (error) {
    if (error instanceof InvalidRequestError) {
      return { account: null, errors: error.errors };
    }
    throw error;
  }
}
