import { DomainError, type FieldError } from '../../shared/domain-error.js';

/** Every row or none: at least one could not be done. */
export class BatchRefusedError extends DomainError {
  readonly code = 'batch_refused';
  readonly kind = 'unprocessable';
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
export class ImportRefusedError extends DomainError {
  readonly code = 'import_refused';
  readonly kind = 'unprocessable';

  constructor(override readonly errors: readonly FieldError[]) {
    super('Nothing was imported, because these lines cannot be. The pointer begins with the number of the line.');
  }
}

/** The file as a whole cannot be read. */
export class UnreadableImportError extends DomainError {
  readonly code = 'unreadable_import';
  readonly kind = 'unprocessable';
  override readonly errors: readonly FieldError[];

  constructor(detail: string, line: number) {
    super('This file cannot be read as a list of accounts.');
    this.errors = [{ detail, pointer: `/${String(line)}` }];
  }
}
