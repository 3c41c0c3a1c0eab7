import { requestContext } from '../../src/platform/context/request-context.js';
import type { Database } from '../../src/platform/prisma/database.js';

/** What is asked of PostgreSQL: each statement by its name, and of requests before they are answered with the shapes of its values. */
export class StatementTrace {
  /** Of the whole process, whatever it is that asks. */
  readonly names: string[] = [];
  readonly #statements = new Map<string, string[]>();

  constructor(database: Database) {
    const query = database.query.bind(database);
    database.query = (name, text, values) => {
      this.note(name, values);
      return query(name, text, values);
    };
    const queryHot = database.queryHot.bind(database);
    database.queryHot = (name, text, values) => {
      this.note(name, values);
      return queryHot(name, text, values);
    };
    const prisma = database.prisma.bind(database);
    database.prisma = (work) => {
      this.note('prisma', null);
      return prisma(work);
    };
  }

  /** Of the request that came from this address. */
  of(address: string): readonly string[] {
    return this.#statements.get(address) ?? [];
  }

  private note(name: string, values: readonly unknown[] | null | undefined): void {
    this.names.push(name);
    const statement = values === null ? name : `${name}(${(values ?? []).map(shapeOf).join(', ')})`;
    const address = requestContext()?.address;
    if (address !== undefined) {
      this.#statements.set(address, [...this.of(address), statement]);
    }
  }
}

/** What of a value makes a statement take longer: whether it is there, and its length. */
function shapeOf(value: unknown): string {
  if (value === null || value === undefined) {
    return 'null';
  }
  if (typeof value === 'string' || Buffer.isBuffer(value)) {
    return `${typeof value === 'string' ? 'text' : 'bytes'} of ${String(value.length)}`;
  }
  return typeof value === 'object' ? `object of ${String(JSON.stringify(value).length)}` : typeof value;
}
