import { Injectable, type Type } from '@nestjs/common';
import { EVENT_TYPES, type EventPayloads, type EventType } from '../../contracts/events.js';

/** Event types of a feature, each with the class that documents its payload. */
export type EventDeclaration = { readonly [T in EventType]?: Type<EventPayloads[T]> };

/** Which feature's class documents each event type, registered through `EventsModule.forFeature`. */
@Injectable()
export class EventTypeRegistry {
  readonly #payloads = new Map<string, Type>();

  /** @throws when a type is registered already. */
  register(declaration: EventDeclaration): void {
    for (const [type, payload] of Object.entries(declaration)) {
      if (this.#payloads.has(type)) {
        throw new Error(`The event type "${type}" is registered twice.`);
      }
      this.#payloads.set(type, payload);
    }
  }

  /** Types of the contract that no feature registers. */
  unowned(): readonly EventType[] {
    return EVENT_TYPES.filter((type) => !this.#payloads.has(type));
  }
}
