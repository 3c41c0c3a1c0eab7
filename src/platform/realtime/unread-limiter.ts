/** What one client has not read yet: minutes of a busy feed. It asks for the rest again, by its last cursor. */
const MAX_OF_CONNECTION = 4 * 1024 * 1024;
/** The same of all connections of one person, times the scale of all limits. */
const MAX_OF_PERSON = 32 * 1024 * 1024;

/** A connection of Engine.IO, as far as it is used here. */
export interface UnreadConnection {
  readonly transport: { readonly writable: boolean };
  on(event: 'packetCreate', listener: (packet: { readonly data?: string | Uint8Array }) => void): void;
  on(event: 'flush', listener: () => void): void;
}

/** What is unread of a connection, in bytes. */
interface Line {
  readonly connection: UnreadConnection;
  readonly cut: () => void;
  waiting: number;
  /** Handed to the transport, which is writable again when all of it is sent. */
  underWay: number;
  person: Person | undefined;
}

interface Person {
  readonly id: string;
  bytes: number;
  /** One, of most. */
  readonly lines: Line[];
}

/** Cuts clients that do not read: one that answers pings and nothing else would make this process keep everything for it. */
export class UnreadLimiter {
  readonly #lines = new WeakMap<object, Line>();
  readonly #persons = new Map<string, Person>();
  readonly #maxOfPerson: number;

  /** @param scale of all rate limits */
  constructor(scale: number) {
    this.#maxOfPerson = Math.max(MAX_OF_CONNECTION, MAX_OF_PERSON * scale);
  }

  /** @param cut ends the connection at once */
  watch(connection: UnreadConnection, cut: () => void): void {
    const line: Line = { connection, cut, waiting: 0, underWay: 0, person: undefined };
    this.#lines.set(connection, line);
    connection.on('packetCreate', ({ data }) => {
      change(line, line.waiting + (data?.length ?? 0), connection.transport.writable ? 0 : line.underWay);
      if (line.waiting > MAX_OF_CONNECTION) {
        cut();
      } else if (line.person && line.person.bytes > this.#maxOfPerson) {
        this.cutLargest(line.person);
      }
    });
    connection.on('flush', () => {
      change(line, 0, line.waiting);
    });
  }

  /** Its client has signed in: what it does not read counts with what the same person does not read elsewhere. */
  assign(connection: UnreadConnection, personId: string): void {
    const line = this.#lines.get(connection);
    if (line) {
      const person = this.#persons.get(personId) ?? { id: personId, bytes: 0, lines: [] };
      this.#persons.set(personId, person);
      person.lines.push(line);
      person.bytes += unreadOf(line);
      line.person = person;
    }
  }

  /** It is over. */
  forget(connection: UnreadConnection): void {
    const line = this.#lines.get(connection);
    const person = line?.person;
    if (line && person) {
      line.person = undefined;
      person.bytes -= unreadOf(line);
      person.lines.splice(person.lines.indexOf(line), 1);
      if (person.lines.length === 0) {
        this.#persons.delete(person.id);
      }
    }
  }

  /** Until the rest is within the limit. What is cut leaves, if it was open. */
  private cutLargest(person: Person): void {
    // Those to which nothing was said since they have read everything.
    person.lines.forEach((line) => {
      if (line.connection.transport.writable) {
        change(line, line.waiting, 0);
      }
    });
    const lines = [...person.lines].sort((a, b) => unreadOf(b) - unreadOf(a));
    for (const line of lines) {
      if (person.bytes <= this.#maxOfPerson) {
        break;
      }
      line.cut();
    }
  }
}

function change(line: Line, waiting: number, underWay: number): void {
  if (line.person) {
    line.person.bytes += waiting + underWay - unreadOf(line);
  }
  line.waiting = waiting;
  line.underWay = underWay;
}

function unreadOf({ waiting, underWay }: Line): number {
  return waiting + underWay;
}
