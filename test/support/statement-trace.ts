import { requestContext } from '../../src/platform/context/request-context.js';
import type { Database } from '../../src/platform/prisma/database.js';

/** What requests ask of PostgreSQL before they are answered: each statement by its name, with the shapes of its values. */
export class StatementTrace {
  readonly #statements = new Map<string, string[]>();

  constructor(database: Database) {
    const query = database.query.bind(database);
    database.query = (name, text, values) => {
      this.note(`${name}(${(values ?? []).map(shapeOf).join(', ')})`);
      return query(name, text, values);
    };
    const queryHot = database.queryHot.bind(database);
    database.queryHot = (name, text, values) => {
      this.note(`${name}(${(values ?? []).map(shapeOf).join(', ')})`);
      return queryHot(name, text, values);
    };
    const prisma = database.prisma.bind(database);
    database.prisma = (work) => {
      this.note('prisma');
      return prisma(work);
    };
  }

  /** Of the request that came from this address. */
  of(address: string): readonly string[] {
    return this.#statements.get(address) ?? [];
  }

  private note(statement: string): void {
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
