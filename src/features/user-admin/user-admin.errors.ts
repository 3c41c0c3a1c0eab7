import { DomainError, type FieldError, AsProblem } from '../../shared/domain-error.js';

/** Every row or none: at least one could not be done. */
@AsProblem(
  {
    code: 'batch_refused',
    kind: 'unprocessable',
    meaning: 'Nothing was done, because some rows cannot be done.',
    cause: 'A list that is done as a whole had rows at fault.',
    cure: 'Correct or leave out the rows that `errors` points at, and send the list again.',
  },
  'ids',
  [{ code: 'user_not_found', errors: [] }],
)
export class BatchRefusedError extends DomainError {
  override readonly errors: readonly FieldError[];

  constructor(
    member: string,
    results: readonly { readonly code: string | null; readonly errors: readonly FieldError[] }[],
  ) {
    super('Nothing was done, because these rows cannot be done.');
    this.errors = results.flatMap(({ code, errors }, row) =>
      code === null || errors.length > 0
        ? errors.map(({ detail, pointer }) => ({ detail, pointer: `/${member}/${String(row)}${pointer}` }))
        : [{ detail: code, pointer: `/${member}/${String(row)}` }],
    );
  }
}

/** Every line or none: at least one could not be imported. */
@AsProblem(
  {
    code: 'import_refused',
    kind: 'unprocessable',
    meaning: 'Nothing was imported, because some lines cannot be.',
    cause: 'Lines of the file are at fault; each pointer begins with the number of its line.',
    cure: 'Correct these lines and send the file again.',
  },
  [{ detail: 'email must be an e-mail address', pointer: '/3/email' }],
)
export class ImportRefusedError extends DomainError {
  constructor(override readonly errors: readonly FieldError[]) {
    super('Nothing was imported, because these lines cannot be. The pointer begins with the number of the line.');
  }
}

/** The file as a whole cannot be read. */
@AsProblem(
  {
    code: 'unreadable_import',
    kind: 'unprocessable',
    meaning: 'The file cannot be read as a list of accounts.',
    cause: 'It is no CSV or JSON of the documented form.',
    cure: 'Correct the line that `errors` points at.',
  },
  'the header names no column email',
  1,
)
export class UnreadableImportError extends DomainError {
  override readonly errors: readonly FieldError[];

  constructor(detail: string, line: number) {
    super('This file cannot be read as a list of accounts.');
    this.errors = [{ detail, pointer: `/${String(line)}` }];
  }
}
