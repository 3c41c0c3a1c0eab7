interface PageStatement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Collects the values of a statement, and what tells it from others: a letter for each, since PostgreSQL cuts long names. */
export class StatementWriter {
  readonly values: unknown[] = [];
  #marks = '';

  add(mark: string, value: unknown): string {
    this.values.push(value);
    this.#marks += mark;
    return `$${String(this.values.length)}`;
  }

  statement(name: readonly string[], text: string): PageStatement {
    return { name: [...name, ...(this.#marks === '' ? [] : [this.#marks])].join('_'), text, values: this.values };
  }
}
