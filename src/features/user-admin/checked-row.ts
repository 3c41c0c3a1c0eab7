import { kindOf } from '../../platform/http/validation/rule-words.js';
import { InvalidRequestError, validated } from '../../platform/http/validation/validation.js';
import type { FieldError } from '../../shared/domain-error.js';
import type { InvitedAccount } from '../users/users.types.js';
import { NewAccountDto } from './user-admin.dto.js';

/** A row of a bulk request: an account to be made, or what is wrong with its members. */
export interface CheckedRow {
  readonly account: InvitedAccount | null;
  readonly errors: readonly FieldError[];
}

export async function checkRow(row: unknown): Promise<CheckedRow> {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    return { account: null, errors: [{ detail: `must be an object, not ${kindOf(row)}`, pointer: '' }] };
  }
  try {
    return { account: await validated(NewAccountDto, row), errors: [] };
  } catch (error) {
    if (error instanceof InvalidRequestError) {
      return { account: null, errors: error.errors };
    }
    throw error;
  }
}
