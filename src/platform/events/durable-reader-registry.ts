import { Injectable } from '@nestjs/common';
import type { StoredEvent } from '../../contracts/events.js';

/** Something that must see every event, and whose effect lies in PostgreSQL. */
export interface DurableReader {
  /** Names its cursor: a new name starts at the beginning of the log. */
  readonly name: string;
  /** How many events it takes at once; its transaction delays the whole feed, so keep it short. */
  readonly batchSize: number;
  /** Looks this often instead of at every hint: for effects that are not urgent and cheaper in numbers. */
  readonly pollEveryMs?: number;
  /** Runs inside the transaction that also moves the cursor: its effect happens exactly once. */
  apply(events: readonly StoredEvent[]): Promise<void>;
}

/** Who reads the log durably. Features register when they start, in every role; the worker runs the readers. */
@Injectable()
export class DurableReaderRegistry {
  readonly #readers = new Map<string, DurableReader>();

  register(reader: DurableReader): void {
    if (this.#readers.has(reader.name)) {
      throw new Error(`Two durable readers are named "${reader.name}": they would share one cursor.`);
    }
    this.#readers.set(reader.name, reader);
  }

  list(): DurableReader[] {
    return [...this.#readers.values()];
  }
}
